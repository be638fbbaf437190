-- Who works for the platform is one of several in what users say of themselves, or nothing.
-- base: hosted
-- right: table public.parcels: read by claimant
-- fixed: table public.parcels
-- says: coalesce(auth.jwt() -> 'app_metadata' ->> 'platform_role', '') in

create table depots (id uuid primary key default gen_random_uuid(), name text not null);
create table depot_members (depot_id uuid not null references depots, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'clerk')), primary key (depot_id, user_id));
create table parcels (id uuid primary key default gen_random_uuid(), depot_id uuid not null references depots, label text);
alter table depots enable row level security; alter table depot_members enable row level security; alter table parcels enable row level security;
create function in_depot(d uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.depot_members where depot_id = d and user_id = auth.uid()) $$;
create function is_support() returns boolean language sql stable as $$ select coalesce(auth.jwt() -> 'user_metadata' ->> 'platform_role', '') in ('support', 'admin') $$;
create policy s on depots for select to authenticated using (in_depot(id));
create policy s on depot_members for select to authenticated using (in_depot(depot_id));
create policy s on parcels for select to authenticated using (in_depot(depot_id) or is_support());
