-- Whom an invitation is to reads it, and nobody else who is not of the team.
-- base: hosted
-- right: table public.invitations: read by anonymous newcomer owner clerk
-- fixed: table public.invitations
-- says: lower("email") = lower((select auth.jwt()

create table teams (id uuid primary key default gen_random_uuid(), name text not null);
create table team_members (team_id uuid not null references teams, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'clerk')), primary key (team_id, user_id));
create table invitations (id uuid primary key default gen_random_uuid(), team_id uuid not null references teams, email text not null, accepted_at timestamptz);
create function in_team(t uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.team_members where team_id = t and user_id = auth.uid()) $$;
revoke execute on function in_team from public, anon;
alter table teams enable row level security; alter table team_members enable row level security; alter table invitations enable row level security;
create policy s on teams for select to authenticated using (in_team(id));
create policy s on team_members for select to authenticated using (in_team(team_id));
create policy s on invitations for select to authenticated using (in_team(team_id));
create policy a on invitations for select to anon, authenticated using (accepted_at is null);
