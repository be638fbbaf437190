-- Roles stand beside the row about a person, and a function gives any of them within the tenant. Whoever may take an
-- invitation back, which a function made, may read its token; a trigger that raises a check's error refuses.
-- base: hosted
-- right: function public.assign_role: call by admin
-- refused: function public.assign_role: call by member newcomer
-- own: table public.people: insert by admin
-- refused: table public.people: insert by member newcomer
-- says: can give somebody a role above their own
-- says: can change their own role, tenant or state

create type app_role as enum ('super_admin', 'admin', 'member');
create table churches (id uuid primary key default gen_random_uuid(), name text not null);
create table profiles (id uuid primary key references auth.users on delete cascade, church_id uuid references churches, first_name text);
create table user_roles (user_id uuid not null references auth.users on delete cascade, role app_role not null, primary key (user_id, role));
create table people (id uuid primary key default gen_random_uuid(), church_id uuid not null references churches, profile_id uuid references profiles, first_name text not null);
create table invitations (id uuid primary key default gen_random_uuid(), church_id uuid not null references churches, email text not null, token uuid not null unique default gen_random_uuid());
create function handle_new_user() returns trigger language plpgsql security definer set search_path = public as $$ begin insert into profiles (id) values (new.id); insert into user_roles values (new.id, 'member'); return new; end $$;
create trigger t after insert on auth.users for each row execute function handle_new_user();
create function my_church() returns uuid language sql stable security definer set search_path = public as $$ select church_id from profiles where id = auth.uid() $$;
create function has_role(r app_role) returns boolean language sql stable security definer set search_path = public as $$ select exists (select from user_roles where user_id = auth.uid() and role = r) $$;
create function same_church() returns trigger language plpgsql security definer set search_path = public as $$ begin
  if new.profile_id is not null and (select church_id from profiles where id = new.profile_id) is distinct from new.church_id then raise exception 'profile of another church' using errcode = 'check_violation'; end if;
  return new; end $$;
create trigger same_church before insert or update on people for each row execute function same_church();
create function assign_role(p_user_id uuid, p_role app_role) returns void language plpgsql security definer set search_path = public as $$ begin
  if not has_role('admin') then raise exception 'not allowed' using errcode = '42501'; end if;
  if not exists (select from profiles where id = p_user_id and church_id = my_church()) then raise exception 'user not found' using errcode = 'P0002'; end if;
  insert into user_roles values (p_user_id, p_role) on conflict do nothing; end $$;
create function invite_user(p_email text) returns void language plpgsql security definer set search_path = public as $$ begin
  if my_church() is null or not has_role('admin') then raise exception 'not allowed' using errcode = '42501'; end if;
  insert into invitations (church_id, email) values (my_church(), p_email); end $$;
revoke execute on function assign_role, invite_user from public, anon;
alter table churches enable row level security; alter table profiles enable row level security; alter table user_roles enable row level security; alter table people enable row level security; alter table invitations enable row level security;
create policy s on churches for select to authenticated using (id = my_church());
create policy s on profiles for select to authenticated using (id = auth.uid() or church_id = my_church() and has_role('admin'));
create policy s on user_roles for select to authenticated using (user_id = auth.uid());
create policy a on user_roles for all to authenticated using (has_role('super_admin')) with check (has_role('super_admin'));
create policy p on people for all to authenticated using (church_id = my_church() and has_role('admin')) with check (church_id = my_church() and has_role('admin'));
create policy s on invitations for select to authenticated using (church_id = my_church() and has_role('admin'));
create policy d on invitations for delete to authenticated using (church_id = my_church() and has_role('admin'));
