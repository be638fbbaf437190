-- Whoever an invitation names by their address accepts it: that nobody else can is decided. One of two functions asks whether
-- the address is confirmed.
-- base: hosted
-- refused: function public.accept: call by owner manager member newcomer unverified
-- right: function public.accept_at_once: call by unverified
-- right: function public.set_role: call by manager member
-- fixed: function public.set_role
-- says: can give somebody a role above their own

create table teams (id uuid primary key default gen_random_uuid(), name text not null);
create table team_members (id uuid primary key default gen_random_uuid(), team_id uuid not null references teams, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'manager', 'member')), unique (team_id, user_id));
create table invitations (id uuid primary key default gen_random_uuid(), team_id uuid not null references teams, email text not null, role text not null default 'member' check (role in ('owner', 'manager', 'member')), accepted_at timestamptz, expires_at timestamptz not null default now() + interval '7 days');
create function in_team(t uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.team_members where team_id = t and user_id = auth.uid()) $$;
create function owns_team(t uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.team_members where team_id = t and user_id = auth.uid() and role = 'owner') $$;
alter table teams enable row level security; alter table team_members enable row level security; alter table invitations enable row level security;
create policy s on teams for select to authenticated using (in_team(id));
create policy s on team_members for select to authenticated using (in_team(team_id));
create policy u on team_members for update to authenticated using (owns_team(team_id)) with check (owns_team(team_id));
create policy s on invitations for select to authenticated using (owns_team(team_id));
create function accept(p_invitation_id uuid) returns void language plpgsql security definer set search_path = '' as $$
declare i public.invitations; begin
  select n.* into i from public.invitations n join auth.users u on u.email = n.email where n.id = p_invitation_id and u.id = auth.uid() and u.email_confirmed_at is not null and n.accepted_at is null and n.expires_at > now();
  if not found then raise exception 'no such invitation' using errcode = '42501'; end if;
  insert into public.team_members (team_id, user_id, role) values (i.team_id, auth.uid(), i.role);
  update public.invitations set accepted_at = now() where id = i.id; end $$;
create function accept_at_once(p_invitation_id uuid) returns void language plpgsql security definer set search_path = '' as $$
declare i public.invitations; begin
  select n.* into i from public.invitations n join auth.users u on u.email = n.email where n.id = p_invitation_id and u.id = auth.uid() and n.accepted_at is null and n.expires_at > now();
  if not found then raise exception 'no such invitation' using errcode = '42501'; end if;
  insert into public.team_members (team_id, user_id, role) values (i.team_id, auth.uid(), i.role);
  update public.invitations set accepted_at = now() where id = i.id; end $$;
create function set_role(p_member_id uuid, p_role text) returns void language plpgsql security definer set search_path = '' as $$
declare m public.team_members; begin
  select * into m from public.team_members where id = p_member_id;
  if not found or public.in_team(m.team_id) is not true then raise exception 'not your team' using errcode = '42501'; end if;
  update public.team_members set role = p_role where id = p_member_id; end $$;
revoke execute on function accept, accept_at_once, set_role from public, anon;
grant execute on function accept, accept_at_once, set_role to authenticated;
