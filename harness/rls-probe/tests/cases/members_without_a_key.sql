-- The table of members has no unique key with the user.
-- members: public.wardens
-- right: table public.graves: update by user

create table parishes (id uuid primary key default gen_random_uuid(), name text not null);
create table wardens (id uuid primary key default gen_random_uuid(), parish_id uuid not null references parishes, user_id uuid not null references auth.users);
create table graves (id uuid primary key default gen_random_uuid(), parish_id uuid not null references parishes, name text);
alter table parishes enable row level security; alter table wardens enable row level security; alter table graves enable row level security;
create policy p on wardens for select to authenticated using (user_id = auth.uid());
create policy p on parishes for select to authenticated using (id in (select parish_id from wardens));
create policy p on graves for select to authenticated using (parish_id in (select parish_id from wardens));
create policy u on graves for update to authenticated using (parish_id in (select parish_id from wardens)) with check (true);
grant select on parishes, wardens to authenticated; grant select, update on graves to authenticated;
