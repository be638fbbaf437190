-- A row of one's own, by the members' key.
-- base: clubs
-- clean

create table wishes (id uuid primary key default gen_random_uuid(), user_id uuid not null references helpers(user_id), body text);
alter table wishes enable row level security;
create policy own on wishes to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());
