-- A secret that only its owner reads.
-- clean

create table bots (id bigserial primary key, user_id uuid not null references auth.users, name text, api_key text);
alter table bots enable row level security;
create policy own on bots for all to authenticated using (user_id = auth.uid());
grant select, insert, update, delete on bots to authenticated; grant usage on all sequences in schema public to authenticated;
