-- A list of which one's own is enough, and a statement that answers with what it changed: each is asked for.
-- base: hosted
-- right: function public.restock: call by keeper
-- right: function public.renew: call by keeper newcomer
-- fixed: function public.restock
-- fixed: function public.renew

create schema private; grant usage on schema private to authenticated;
create table depots (id uuid primary key default gen_random_uuid(), name text not null);
create table crew (depot_id uuid not null references depots, user_id uuid not null references auth.users, role text not null check (role in ('keeper')), primary key (depot_id, user_id));
create table goods (id uuid primary key default gen_random_uuid(), depot_id uuid not null references depots, stock int not null default 0);
create table hooks (id bigint generated always as identity primary key, depot_id uuid not null references depots, url text);
create function private.at(d uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.crew where depot_id = d and user_id = auth.uid()) $$;
create function restock(p_goods uuid[], p_by int) returns int language plpgsql security definer set search_path = '' as $$ declare n int; begin
  if not exists (select from public.goods g where g.id = any (p_goods) and private.at(g.depot_id)) then raise exception 'not yours' using errcode = '42501'; end if;
  update public.goods g set stock = g.stock + p_by where g.id = any (p_goods); get diagnostics n = row_count; return n; end $$;
create function renew(p_hook_id bigint) returns text language sql security definer set search_path = '' as $$ update public.hooks h set url = 'https://example.com/' || gen_random_uuid() where h.id = p_hook_id returning h.url $$;
alter table depots enable row level security; alter table crew enable row level security; alter table goods enable row level security; alter table hooks enable row level security;
create policy p on depots for select to authenticated using (private.at(id));
create policy p on crew for select to authenticated using (private.at(depot_id));
create policy p on goods for select to authenticated using (private.at(depot_id));
create policy u on goods for update to authenticated using (private.at(depot_id));
create policy p on hooks for select to authenticated using (private.at(depot_id));
create policy u on hooks for update to authenticated using (private.at(depot_id));
revoke all on depots, crew, goods, hooks from anon, authenticated; revoke execute on all functions in schema public from public, anon;
grant select on depots, crew, goods, hooks to authenticated; grant execute on all functions in schema public to authenticated;
