-- A random key has to be known before its existence can be learned.
-- low

create table parks (id uuid primary key default gen_random_uuid(), name text not null);
create table rangers (user_id uuid primary key references auth.users, park_id uuid not null references parks, role text not null check (role in ('chief','ranger')));
create table trees (id uuid primary key default gen_random_uuid(), park_id uuid not null references parks, kind text);
alter table parks enable row level security; alter table rangers enable row level security; alter table trees enable row level security;
create function my_park() returns uuid language sql stable security definer set search_path = '' as $$ select park_id from public.rangers where user_id = auth.uid() $$;
create function fell(p_tree uuid) returns void language plpgsql security definer set search_path = '' as $$ declare p uuid; begin
  select park_id into p from public.trees where id = p_tree;
  if p is null then raise exception 'no such tree'; end if;
  if p is distinct from (select park_id from public.rangers where user_id = auth.uid()) then raise exception 'not yours' using errcode = '42501'; end if;
  delete from public.trees where id = p_tree; end $$;
revoke execute on all functions in schema public from public; grant execute on all functions in schema public to authenticated;
create policy p on parks for select to authenticated using (id = my_park());
create policy p on rangers for select to authenticated using (park_id = my_park());
create policy p on trees for select to authenticated using (park_id = my_park());
grant select on parks, rangers, trees to authenticated;
