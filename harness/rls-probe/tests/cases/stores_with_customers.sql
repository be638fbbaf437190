-- Stores are tenants that everybody sees. An order is its customer's as well, whoever that is, and takes from the stock; a list
-- of things that one likes is one's own. To talk in another customer's name is something else, and so is a row by which one reads on.
-- base: hosted
-- low
-- right: table public.threads: insert by owner clerk newcomer
-- right: table public.helpers: insert by owner clerk newcomer
-- says: can add themselves to the other tenant, and read public.takings there
-- own: table public.orders: insert by owner clerk newcomer
-- own: table public.favorites: insert update by owner clerk
-- own: function public.place_order: call by owner clerk newcomer
-- own: table public.listings: read by newcomer anonymous
-- refused: function public.cancel_order: call by newcomer

create table stores (id bigint generated always as identity primary key, slug text not null unique, is_open boolean not null default true);
create table store_staff (store_id bigint not null references stores, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'clerk')), primary key (store_id, user_id));
create table listings (id bigint generated always as identity primary key, store_id bigint not null references stores, title text not null, stock int not null default 9, status text not null default 'draft' check (status in ('draft', 'active')));
create table orders (id uuid primary key default gen_random_uuid(), store_id bigint not null references stores, buyer_id uuid not null default auth.uid() references auth.users);
create table order_lines (order_id uuid not null references orders, line smallint not null, listing_id bigint not null references listings, primary key (order_id, line));
create table favorites (account_id uuid not null default auth.uid() references auth.users, listing_id bigint not null references listings, primary key (account_id, listing_id));
create table threads (id uuid primary key default gen_random_uuid(), store_id bigint not null references stores, customer_id uuid not null references auth.users);
create function works_at(s bigint) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.store_staff where store_id = s and user_id = auth.uid()) $$;
create function place_order(p_store_id bigint, p_listing_id bigint) returns uuid language plpgsql security definer set search_path = public as $$ declare v_order uuid; begin
  if auth.uid() is null then raise exception 'sign in first' using errcode = '42501'; end if;
  update listings set stock = stock - 1 where id = p_listing_id and store_id = p_store_id and status = 'active';
  if not found then raise exception 'out of stock'; end if;
  insert into orders (store_id, buyer_id) values (p_store_id, auth.uid()) returning id into v_order;
  insert into order_lines values (v_order, 1, p_listing_id); return v_order; end $$;
create function cancel_order(p_order_id uuid) returns void language plpgsql security definer set search_path = public as $$ begin
  delete from order_lines where order_id in (select id from orders where id = p_order_id and (buyer_id = auth.uid() or works_at(store_id)));
  if not found then raise exception 'order not found'; end if; end $$;
create function open_store(p_slug text) returns bigint language plpgsql security definer set search_path = public as $$ declare s bigint; begin
  if auth.uid() is null then raise exception 'sign in first' using errcode = '42501'; end if;
  insert into stores (slug) values (p_slug) returning id into s; insert into store_staff values (s, auth.uid(), 'owner'); return s; end $$;
revoke execute on function place_order, cancel_order, open_store from public, anon;
alter table stores enable row level security; alter table store_staff enable row level security; alter table listings enable row level security; alter table orders enable row level security; alter table order_lines enable row level security; alter table favorites enable row level security; alter table threads enable row level security;
create policy stores_public on stores for select to anon, authenticated using (is_open or works_at(id));
create policy s on store_staff for select to authenticated using (works_at(store_id));
create policy listings_public on listings for select to anon, authenticated using (status = 'active' and exists (select from stores s where s.id = store_id and s.is_open));
create policy w on listings for all to authenticated using (works_at(store_id)) with check (works_at(store_id));
create policy buyer on orders for select to authenticated using (buyer_id = auth.uid());
create policy staff on orders for select to authenticated using (works_at(store_id));
create policy i on orders for insert to authenticated with check (buyer_id = auth.uid());
create policy s on order_lines for select to authenticated using (exists (select from orders o where o.id = order_id and (o.buyer_id = auth.uid() or works_at(o.store_id))));
create policy own on favorites for all to authenticated using (account_id = auth.uid()) with check (account_id = auth.uid());
create policy s on threads for select to authenticated using (customer_id = auth.uid() or works_at(store_id));
create policy i on threads for insert to authenticated with check (true);
create table helpers (id uuid primary key default gen_random_uuid(), store_id bigint not null references stores, helper_id uuid not null references auth.users);
create table takings (id uuid primary key default gen_random_uuid(), store_id bigint not null references stores, total numeric not null);
alter table helpers enable row level security; alter table takings enable row level security;
create policy s on helpers for select to authenticated using (helper_id = auth.uid());
create policy w on helpers for select to authenticated using (works_at(store_id));
create policy i on helpers for insert to authenticated with check (helper_id = auth.uid());
create policy s on takings for select to authenticated using (works_at(store_id) or exists (select from helpers h where h.store_id = takings.store_id and h.helper_id = auth.uid()));
