-- Rows of tenants and members are tried to be made.
-- right: table public.millers: insert by hand
-- right: table public.mills: delete by anonymous
-- own: table public.mills: insert by newcomer

create table mills (id uuid primary key default gen_random_uuid(), name text not null, plan text not null default 'free' check (plan in ('free','gold')));
create table millers (user_id uuid primary key references auth.users, mill_id uuid not null references mills, role text not null check (role in ('owner','hand')));
create table sacks (id bigserial primary key, mill_id uuid not null references mills, kg numeric);
alter table mills enable row level security; alter table millers enable row level security; alter table sacks enable row level security;
create function my_mill() returns uuid language sql stable security definer set search_path = '' as $$ select mill_id from public.millers where user_id = auth.uid() $$;
create policy p on mills for select to authenticated using (id = my_mill());
create policy i on mills for insert to authenticated with check (true);
create policy d on mills for delete to anon using (true);
create policy p on millers for select to authenticated using (mill_id = my_mill());
create policy i on millers for insert to authenticated with check (mill_id = my_mill());
create policy p on sacks for select to authenticated using (mill_id = my_mill());
grant select, insert on mills to authenticated; grant delete on mills to anon; grant select, insert on millers to authenticated; grant select on sacks to authenticated;
