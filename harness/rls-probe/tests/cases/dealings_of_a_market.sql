-- What is public in part may be referred to, its owner is told of an order, and whoever knows a coupon's code has what it
-- stands for.
-- base: hosted
-- clean

create table shops (id uuid primary key default gen_random_uuid(), owner_id uuid not null default auth.uid() references auth.users, name text not null, slug text not null unique);
create table products (id uuid primary key default gen_random_uuid(), shop_id uuid not null references shops, title text not null, status text not null default 'draft' check (status in ('draft', 'published')));
create table coupons (id uuid primary key default gen_random_uuid(), shop_id uuid not null references shops, code text not null, percent smallint not null check (percent between 1 and 90), unique (shop_id, code));
create table cart_items (user_id uuid not null default auth.uid() references auth.users, product_id uuid not null references products, quantity integer not null default 1, primary key (user_id, product_id));
create table orders (id uuid primary key default gen_random_uuid(), buyer_id uuid not null default auth.uid() references auth.users, shop_id uuid not null references shops);
create table notifications (id bigint generated always as identity primary key, user_id uuid not null references auth.users, body text not null);
create function owns_shop(s uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.shops where id = s and owner_id = auth.uid()) $$;
create function notify_seller() returns trigger language plpgsql security definer set search_path = '' as $$ begin insert into public.notifications (user_id, body) select owner_id, 'An order' from public.shops where id = new.shop_id; return new; end $$;
create trigger t after insert on orders for each row execute function notify_seller();
create function redeem(p_shop_id uuid, p_code text) returns smallint language sql stable security definer set search_path = '' as $$ select percent from public.coupons where shop_id = p_shop_id and code = p_code $$;
revoke execute on function redeem from public, anon;
alter table shops enable row level security; alter table products enable row level security; alter table coupons enable row level security; alter table cart_items enable row level security; alter table orders enable row level security; alter table notifications enable row level security;
create policy "Shops are public" on shops for select to anon, authenticated using (true);
create policy "Published products are public" on products for select to anon, authenticated using (status = 'published');
create policy o on products for all to authenticated using (owns_shop(shop_id)) with check (owns_shop(shop_id));
create policy o on coupons for all to authenticated using (owns_shop(shop_id)) with check (owns_shop(shop_id));
create policy o on cart_items for all to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());
create policy s on orders for select to authenticated using (buyer_id = auth.uid() or owns_shop(shop_id));
create policy i on orders for insert to authenticated with check (buyer_id = auth.uid());
create policy o on notifications for select to authenticated using (user_id = auth.uid());
