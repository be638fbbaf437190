-- A profile's id is a user's; other tables' id is not.
-- owner: user_id
-- right: table public.seedlings: read by user newcomer claimant

create table people (id uuid primary key references auth.users, nickname text);
create table seedlings (id bigint generated always as identity primary key, user_id uuid not null references auth.users, label text not null);
create table tools (id text primary key, name text not null);
alter table people enable row level security; alter table seedlings enable row level security; alter table tools enable row level security;
create policy p on people for all to authenticated using (id = auth.uid()) with check (id = auth.uid());
create policy p on seedlings for select to authenticated using (true);
create policy w on seedlings for insert to authenticated with check (user_id = auth.uid());
create policy p on tools for select to anon, authenticated using (true);
grant select, insert, update, delete on people, seedlings to authenticated; grant select on tools to anon, authenticated;
