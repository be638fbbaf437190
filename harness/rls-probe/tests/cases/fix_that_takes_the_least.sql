-- Of the conditions that close a hole the one is taken that leaves the others what they read: all of the tenant, and not only what
-- names them. A hint that what was found said as well is no harm of the fix.
-- base: hosted
-- right: table public.people: read by admin leader
-- right: table public.gifts: insert by admin
-- fixed: table public.people
-- fixed: table public.gifts
-- says: and ("church_id" = my_church())

create table churches (id uuid primary key default gen_random_uuid(), name text not null);
create table profiles (id uuid primary key references auth.users on delete cascade, church_id uuid references churches, role text not null default 'member' check (role in ('admin', 'leader', 'member')));
create table people (id uuid primary key default gen_random_uuid(), church_id uuid not null references churches, profile_id uuid references profiles, first_name text not null);
create table gifts (id uuid primary key default gen_random_uuid(), church_id uuid not null references churches, amount numeric not null, recorded_by uuid references profiles);
create function handle_new_user() returns trigger language plpgsql security definer set search_path = public as $$ begin insert into profiles (id) values (new.id); return new; end $$;
create trigger t after insert on auth.users for each row execute function handle_new_user();
create function my_church() returns uuid language sql stable security definer set search_path = public as $$ select church_id from profiles where id = auth.uid() $$;
create function is_one_of(roles text[]) returns boolean language sql stable security definer set search_path = public as $$ select exists (select from profiles where id = auth.uid() and role = any (roles)) $$;
alter table churches enable row level security; alter table profiles enable row level security; alter table people enable row level security; alter table gifts enable row level security;
create policy s on churches for select to authenticated using (id = my_church());
create policy s on profiles for select to authenticated using (id = auth.uid() or church_id = my_church());
create policy s on people for select to authenticated using (is_one_of('{admin,leader}'));
create policy o on people for select to authenticated using (profile_id = auth.uid() and church_id = my_church());
create policy w on people for all to authenticated using (church_id = my_church() and is_one_of('{admin}')) with check (church_id = my_church() and is_one_of('{admin}'));
create policy s on gifts for select to authenticated using (church_id = my_church() and is_one_of('{admin}'));
create policy i on gifts for insert to authenticated with check (is_one_of('{admin}'));
