-- A trigger fills a column from auth.uid().
-- fixed: table public.passes
-- right: table public.passes: read by chief driver newcomer claimant

create table depots (id uuid primary key default gen_random_uuid(), name text not null);
create table drivers (user_id uuid primary key references auth.users, depot_id uuid not null references depots, role text not null check (role in ('chief','driver')));
create table passes (id bigserial primary key, depot_id uuid not null references depots, issued_by uuid not null references auth.users, code text);
create function stamp() returns trigger language plpgsql as $$ begin new.issued_by := auth.uid(); return new; end $$;
create trigger t before insert on passes for each row execute function stamp();
alter table depots enable row level security; alter table drivers enable row level security; alter table passes enable row level security;
create function my_depot() returns uuid language sql stable security definer set search_path = '' as $$ select depot_id from public.drivers where user_id = auth.uid() $$;
create policy p on depots for select to authenticated using (id = my_depot());
create policy p on drivers for select to authenticated using (depot_id = my_depot());
create policy p on passes for select to authenticated using (true);
grant select on depots, drivers, passes to authenticated;
