-- A file's name is the id of its team.
-- base: storage
-- low
create table teams (id uuid primary key default gen_random_uuid(), name text not null);
create table team_people (team_id uuid not null references teams, user_id uuid not null references auth.users, role text not null check (role in ('owner','member')), primary key (team_id, user_id));
create table boards (id bigserial primary key, team_id uuid not null references teams, title text);
alter table teams enable row level security; alter table team_people enable row level security; alter table boards enable row level security;
create function on_team(t uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.team_people where team_id = t and user_id = auth.uid()) $$;
create policy p on teams for select to authenticated using (on_team(id));
create policy p on team_people for select to authenticated using (on_team(team_id));
create policy p on boards for select to authenticated using (on_team(team_id));
insert into storage.buckets (id, name) values ('emblems', 'emblems');
create policy a on storage.objects for all to authenticated
  using (bucket_id = 'emblems' and on_team(replace(storage.filename(name), '.' || storage.extension(name), '')::uuid))
  with check (bucket_id = 'emblems' and on_team(replace(storage.filename(name), '.' || storage.extension(name), '')::uuid));
