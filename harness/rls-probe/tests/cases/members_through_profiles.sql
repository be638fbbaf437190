-- Memberships refer to a table of persons, whose key is the user's.
-- members: public.choir_members
-- right: table public.scores: read by conductor singer

create table persons (id uuid primary key references auth.users, name text);
create table choirs (id uuid primary key default gen_random_uuid(), name text not null);
create table choir_members (id bigserial primary key, choir_id uuid not null references choirs, user_id uuid not null references persons, role text not null check (role in ('conductor','singer')), unique (choir_id, user_id));
create table scores (id bigserial primary key, choir_id uuid not null references choirs, title text);
alter table persons enable row level security; alter table choirs enable row level security; alter table choir_members enable row level security; alter table scores enable row level security;
create function my_choirs() returns setof uuid language sql stable security definer set search_path = '' as $$ select choir_id from public.choir_members where user_id = auth.uid() $$;
create policy p on persons for select to authenticated using (id = auth.uid());
create policy p on choirs for select to authenticated using (id in (select my_choirs()));
create policy p on choir_members for select to authenticated using (choir_id in (select my_choirs()));
create policy p on scores for select to authenticated using (exists (select from choir_members m where m.user_id = auth.uid() and m.choir_id = m.choir_id));
grant select on persons, choirs, choir_members, scores to authenticated;
