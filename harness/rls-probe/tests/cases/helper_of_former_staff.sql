-- What the helper answers are the tenants of whoever was ever a member: it is the helper that is mended, for all tables at once.
-- base: hosted
-- right: table public.funds: read by deactivated
-- right: table public.groups: read insert by deactivated
-- fixed: table public.funds
-- fixed: table public.groups
-- says: select rls_tenant from (select church_id from profiles

create type app_role as enum ('admin', 'member');
create table churches (id uuid primary key default gen_random_uuid(), name text not null);
create table profiles (id uuid primary key references auth.users on delete cascade, church_id uuid references churches, role app_role not null default 'member', is_active boolean not null default true);
create table funds (id uuid primary key default gen_random_uuid(), church_id uuid not null references churches, title text not null);
create table groups (id uuid primary key default gen_random_uuid(), church_id uuid not null references churches, title text not null);
create function handle_new_user() returns trigger language plpgsql security definer set search_path = public as $$ begin insert into profiles (id) values (new.id); return new; end $$;
create trigger t after insert on auth.users for each row execute function handle_new_user();
create function my_church() returns uuid language sql stable security definer set search_path = public as $$ select church_id from profiles where id = auth.uid() $$;
create function is_admin() returns boolean language sql stable security definer set search_path = public as $$ select exists (select from profiles where id = auth.uid() and role = 'admin' and is_active) $$;
alter table churches enable row level security; alter table profiles enable row level security; alter table funds enable row level security; alter table groups enable row level security;
create policy s on churches for select to authenticated using (id = my_church() and exists (select from profiles p where p.id = auth.uid() and p.is_active));
create policy s on profiles for select to authenticated using (church_id = my_church() and is_admin());
create policy s on funds for select to authenticated using (church_id = my_church());
create policy s on groups for select to authenticated using (church_id = my_church());
create policy i on groups for insert to authenticated with check (church_id = my_church());
