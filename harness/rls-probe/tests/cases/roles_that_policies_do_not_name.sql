-- Roles are rows of a table, and policies name but some of them.
-- base: hosted
-- right: table public.tools: insert by viewer

create table roles (name text primary key, label text not null);
insert into roles values ('lead', 'Lead'), ('maker', 'Maker'), ('viewer', 'Viewer');
create table shops (id uuid primary key default gen_random_uuid(), title text not null);
create table crew (user_id uuid not null references auth.users on delete cascade, shop_id uuid not null references shops, role text not null references roles, primary key (shop_id, user_id));
create table tools (id uuid primary key default gen_random_uuid(), shop_id uuid not null references shops, title text not null);
alter table roles enable row level security; alter table shops enable row level security; alter table crew enable row level security; alter table tools enable row level security;
create function my_shops() returns setof uuid language sql stable security definer set search_path = '' as $$ select shop_id from public.crew where user_id = auth.uid() $$;
create function may_make(shop uuid) returns boolean language sql stable security definer set search_path = '' as
  $$ select exists (select from public.crew where user_id = auth.uid() and shop_id = shop and role in ('lead', 'maker')) $$;
create policy p on roles for select to authenticated using (true);
create policy p on shops for select to authenticated using (id in (select my_shops()));
create policy p on crew for select to authenticated using (shop_id in (select my_shops()));
create policy p on tools for select to authenticated using (shop_id in (select my_shops()));
create policy i on tools for insert to authenticated with check (shop_id in (select my_shops()));
create policy u on tools for update to authenticated using (may_make(shop_id)) with check (may_make(shop_id));
