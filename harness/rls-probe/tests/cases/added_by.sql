-- A nullable reference to a person says who did it, not whose it is.
-- clean

create table profiles (id uuid primary key references auth.users, name text);
create table teams (id uuid primary key default gen_random_uuid(), name text not null);
create table team_members (id bigserial primary key, team_id uuid not null references teams, user_id uuid not null references auth.users, role text not null check (role in ('owner','member')), unique (team_id, user_id));
create table tasks (id bigserial primary key, team_id uuid not null references teams, title text);
create table species (id bigserial primary key, latin text not null, added_by uuid references profiles);
alter table profiles enable row level security; alter table teams enable row level security; alter table team_members enable row level security; alter table tasks enable row level security; alter table species enable row level security;
create function my_teams() returns setof uuid language sql stable security definer set search_path = '' as $$ select team_id from public.team_members where user_id = auth.uid() $$;
create policy p on profiles for select to authenticated using (id = auth.uid());
create policy p on teams for select to authenticated using (id in (select my_teams()));
create policy p on team_members for select to authenticated using (team_id in (select my_teams()));
create policy p on tasks for select to authenticated using (team_id in (select my_teams()));
create policy "the list of species is common" on species for select to authenticated using (true);
grant select on profiles, teams, team_members, tasks, species to authenticated;
