-- Beside tenants people have rows of their own, by whatever column policies ask for; what is everybody's is shown as it was read.
-- base: hosted
-- clean
-- own: table public.shelves: update delete by owner clerk
-- own: table public.diary: read by owner clerk
-- refused: table public.diary: read by newcomer anonymous
-- refused: table public.complaints: read by owner newcomer anonymous

create table shops (id uuid primary key default gen_random_uuid(), name text not null);
create table shop_members (shop_id uuid not null references shops, user_id uuid not null references auth.users, role text not null check (role in ('owner','clerk')), primary key (shop_id, user_id));
create table wares (id bigserial primary key, shop_id uuid not null references shops, name text);
create table shelves (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users, label text);
create table diary (id uuid primary key default gen_random_uuid(), actor_id uuid references auth.users, deed text not null);
create table complaints (id uuid primary key default gen_random_uuid(), body text not null);
create table wardens (user_id uuid primary key references auth.users, since date not null default now());
alter table shops enable row level security; alter table shop_members enable row level security; alter table wares enable row level security; alter table shelves enable row level security; alter table diary enable row level security; alter table complaints enable row level security; alter table wardens enable row level security;
create function my_shops() returns setof uuid language sql stable security definer set search_path = '' as $$ select shop_id from public.shop_members where user_id = auth.uid() $$;
create function is_warden() returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.wardens where user_id = auth.uid()) $$;
create policy p on shops for select to authenticated using (id in (select my_shops()));
create policy p on shop_members for select to authenticated using (shop_id in (select my_shops()));
create policy p on wares for select to authenticated using (shop_id in (select my_shops()));
create policy p on shelves for all to authenticated using (auth.uid() = user_id);
create policy p on diary for select to authenticated using (auth.uid() = actor_id);
create policy p on complaints for select to authenticated using (is_warden());
create policy p on wardens for select to authenticated using (user_id = auth.uid());
