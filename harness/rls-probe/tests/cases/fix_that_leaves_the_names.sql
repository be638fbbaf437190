-- Whoever is above others writes rows for them: a fix that lets but one's own through would take that.
-- base: hosted
-- right: table public.shifts: insert by admin
-- fixed: table public.shifts
-- says: with check ((is_admin()) and ((team_id IN

create table teams (id uuid primary key default gen_random_uuid(), name text not null);
create table team_members (team_id uuid not null references teams, user_id uuid not null references auth.users, role text not null check (role in ('admin', 'member')), primary key (team_id, user_id));
create table shifts (id uuid primary key default gen_random_uuid(), team_id uuid not null references teams, user_id uuid not null references auth.users, begins_at timestamptz not null default now());
create function my_teams() returns setof uuid language sql stable security definer set search_path = public as $$ select team_id from team_members where user_id = auth.uid() $$;
create function is_admin() returns boolean language sql stable security definer set search_path = public as $$ select exists (select from team_members where user_id = auth.uid() and role = 'admin') $$;
alter table teams enable row level security; alter table team_members enable row level security; alter table shifts enable row level security;
create policy s on teams for select to authenticated using (id in (select my_teams()));
create policy s on team_members for select to authenticated using (team_id in (select my_teams()));
create policy s on shifts for select to authenticated using (user_id = auth.uid());
create policy i on shifts for insert to authenticated with check (is_admin());
create policy m on shifts for insert to authenticated with check (user_id = auth.uid() and team_id in (select my_teams()));
