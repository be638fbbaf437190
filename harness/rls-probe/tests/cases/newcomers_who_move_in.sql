-- The row about a person says which tenant they are of, and they change it; who has which role says another table.
-- base: hosted
-- right: table public.profiles: update by newcomer claimant admin member
-- says: can move themselves to the other tenant
-- fixed: table public.profiles

create type app_role as enum ('super_admin', 'admin', 'member');
create table churches (id uuid primary key default gen_random_uuid(), name text not null);
create table profiles (id uuid primary key references auth.users on delete cascade, church_id uuid references churches, first_name text);
create table user_roles (user_id uuid not null references auth.users on delete cascade, role app_role not null, primary key (user_id, role));
create table funds (id uuid primary key default gen_random_uuid(), church_id uuid not null references churches, title text not null);
create function handle_new_user() returns trigger language plpgsql security definer set search_path = public as $$ begin insert into profiles (id) values (new.id); insert into user_roles values (new.id, 'member'); return new; end $$;
create trigger t after insert on auth.users for each row execute function handle_new_user();
create function my_church() returns uuid language sql stable security definer set search_path = public as $$ select church_id from profiles where id = auth.uid() $$;
create function has_role(r app_role) returns boolean language sql stable security definer set search_path = public as $$ select exists (select from user_roles where user_id = auth.uid() and role = r) $$;
alter table churches enable row level security; alter table profiles enable row level security; alter table user_roles enable row level security; alter table funds enable row level security;
create policy s on churches for select to authenticated using (id = my_church());
create policy s on profiles for select to authenticated using (id = auth.uid() or church_id = my_church() and has_role('admin'));
create policy u on profiles for update to authenticated using (id = auth.uid()) with check (id = auth.uid());
create policy s on user_roles for select to authenticated using (user_id = auth.uid());
create policy a on user_roles for all to authenticated using (has_role('super_admin')) with check (has_role('super_admin'));
create policy s on funds for select to authenticated using (church_id = my_church());
create policy i on funds for insert to authenticated with check (church_id = my_church() and has_role('admin'));
