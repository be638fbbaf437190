-- A mirror of the auth server's users is no table of tenants.
-- owner: user_id opened_by
-- right: table public.lines: update by user newcomer claimant

create table accounts (id uuid primary key references auth.users, handle text);
create table rooms (id bigint generated always as identity primary key, slug text, opened_by uuid not null references accounts);
create table lines (id bigint generated always as identity primary key, body text, user_id uuid not null references accounts, room_id bigint not null references rooms);
create table grants_of_role (id bigint generated always as identity primary key, user_id uuid not null references accounts, role text not null check (role in ('admin','moderator')), unique (user_id, role));
alter table accounts enable row level security; alter table rooms enable row level security; alter table lines enable row level security; alter table grants_of_role enable row level security;
create policy p on accounts for select to authenticated using (id = auth.uid());
create policy p on rooms for select to authenticated using (opened_by = auth.uid());
create policy p on lines for select to authenticated using (user_id = auth.uid());
create policy u on lines for update to authenticated using (true) with check (user_id = auth.uid());
create policy p on grants_of_role for select to authenticated using (user_id = auth.uid());
grant select on accounts, rooms, grants_of_role to authenticated; grant select, update on lines to authenticated;
