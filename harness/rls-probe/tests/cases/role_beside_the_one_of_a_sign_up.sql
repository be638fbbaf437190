-- Somebody has the role that a sign-up gives and another one: what a row of theirs says already is no raise.
-- clean

create type app_role as enum ('admin', 'staff', 'viewer');
create table organizations (id uuid primary key default gen_random_uuid(), name text not null);
create table profiles (id uuid primary key references auth.users, organization_id uuid references organizations, full_name text);
create table user_roles (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users, role app_role not null default 'viewer', unique (user_id, role));
create table rooms (id uuid primary key default gen_random_uuid(), organization_id uuid not null references organizations, label text);
create function signed_up() returns trigger language plpgsql security definer set search_path = '' as $$ begin
  insert into public.profiles (id) values (new.id); insert into public.user_roles (user_id) values (new.id); return new; end $$;
create trigger signed_up after insert on auth.users for each row execute function signed_up();
alter table organizations enable row level security; alter table profiles enable row level security; alter table user_roles enable row level security; alter table rooms enable row level security;
create function my_organization() returns uuid language sql stable security definer set search_path = '' as $$ select organization_id from public.profiles where id = auth.uid() $$;
create policy p on organizations for select to authenticated using (id = my_organization());
create policy p on profiles for select to authenticated using (id = auth.uid());
create policy p on user_roles for select to authenticated using (user_id = auth.uid());
create policy p on rooms for select to authenticated using (organization_id = my_organization());
create function has_role(who uuid, wanted app_role) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.user_roles where user_id = who and role = wanted) $$;
create policy w on rooms for all to authenticated using (organization_id = my_organization() and has_role(auth.uid(), 'admin')) with check (organization_id = my_organization() and has_role(auth.uid(), 'admin'));
grant select on organizations, profiles to authenticated; grant select, insert, update, delete on user_roles, rooms to authenticated;
