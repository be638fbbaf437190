-- The default privileges give TRUNCATE, which no API sends.
-- base: hosted
-- low
-- lint: truncate_granted public.pots, public.shards

create table pots (id bigserial primary key, user_id uuid not null references auth.users, name text);
create table shards (id bigserial primary key, pot_id bigint not null references pots, user_id uuid not null references auth.users);
alter table pots enable row level security; alter table shards enable row level security;
create policy p on pots for all to authenticated using (user_id = auth.uid());
create policy p on shards for all to authenticated using (user_id = auth.uid());
-- what a hosted project's default privileges come to
grant all on pots to anon, authenticated; grant all on all sequences in schema public to anon, authenticated;
