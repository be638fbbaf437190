-- Tables that name neither users nor tenants are everybody's, as far as anybody knows, and that is said.
-- base: hosted
-- right: table public.builds: update by newcomer
-- undecided: public

create table builds (id uuid primary key default gen_random_uuid(), channel text not null, url text not null);
alter table builds enable row level security;
create policy r on builds for select to anon, authenticated using (true);
create policy u on builds for update to authenticated using (true);
