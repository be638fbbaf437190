-- What only the backend may call is refused.
-- clean

create table canals (id uuid primary key default gen_random_uuid(), name text not null);
create table lockers (user_id uuid primary key references auth.users, canal_id uuid not null references canals, role text not null check (role in ('chief','keeper')));
create table tolls (id uuid primary key default gen_random_uuid(), canal_id uuid not null references canals, amount numeric, paid boolean not null default false);
alter table canals enable row level security; alter table lockers enable row level security; alter table tolls enable row level security;
create function my_canal() returns uuid language sql stable security definer set search_path = '' as $$ select canal_id from public.lockers where user_id = auth.uid() $$;
create policy p on canals for select to authenticated using (id = my_canal());
create policy p on lockers for select to authenticated using (canal_id = my_canal());
create policy p on tolls for select to authenticated using (canal_id = my_canal());
create function settle(p_toll uuid) returns void language plpgsql security definer set search_path = '' as $$ begin
  if coalesce(auth.role(), '') <> 'service_role' then raise exception 'only the backend settles'; end if;
  update public.tolls set paid = true where id = p_toll; end $$;
grant select on canals, lockers, tolls to authenticated;
