-- Tables that are tied to nobody are read by anybody.
-- right: table public.one_time_codes: read by anonymous
-- right: table public.applications: read by anonymous

create table gardens (id bigserial primary key, user_id uuid not null references auth.users, name text);
create table one_time_codes (id bigserial primary key, phone text not null, digits text not null, valid_until timestamptz);
create table applications (id bigserial primary key, full_name text not null, national_id text, income numeric);
alter table gardens enable row level security; alter table one_time_codes enable row level security;
create policy p on gardens for all to authenticated using (user_id = auth.uid());
create policy "backend" on one_time_codes for select using (true);
grant select, insert, update, delete on gardens to authenticated; grant select on one_time_codes, applications to anon, authenticated;
