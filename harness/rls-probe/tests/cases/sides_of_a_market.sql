-- Sellers are made as well as buyers, and what may be seen may be ordered. Who signs up with a role of an enum gets it.
-- base: hosted
-- low
-- right: function public.handle_new_user: call by claimant
-- own: table public.shops: insert by seller

create type app_role as enum ('admin', 'seller', 'buyer');
create table user_roles (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users on delete cascade, role app_role not null, unique (user_id, role));
create table shops (id uuid primary key default gen_random_uuid(), owner_id uuid not null references auth.users, name text not null);
create table products (id uuid primary key default gen_random_uuid(), shop_id uuid not null references shops, title text not null, price numeric not null default 1, status text not null default 'draft' check (status in ('draft', 'published')));
create table orders (id uuid primary key default gen_random_uuid(), buyer_id uuid not null references auth.users, product_id uuid not null references products, total numeric not null);
create function has_role(_user_id uuid, _role app_role) returns boolean language sql stable security definer set search_path = public as $$ select exists (select 1 from user_roles where user_id = _user_id and role = _role) $$;
create function handle_new_user() returns trigger language plpgsql security definer set search_path = public as $$ begin
  insert into user_roles (user_id, role) values (new.id, coalesce((new.raw_user_meta_data ->> 'role')::app_role, 'buyer')); return new; end $$;
create trigger t after insert on auth.users for each row execute function handle_new_user();
create function place_order(p_product uuid, p_quantity int) returns uuid language plpgsql security definer set search_path = public as $$ declare v_order uuid; v_product products; begin
  if auth.uid() is null then raise exception 'Not authenticated'; end if;
  select * into v_product from products where id = p_product and status = 'published';
  if not found then raise exception 'Product not found'; end if;
  insert into orders (buyer_id, product_id, total) values (auth.uid(), p_product, v_product.price * p_quantity) returning id into v_order;
  return v_order; end $$;
alter table user_roles enable row level security; alter table shops enable row level security; alter table products enable row level security; alter table orders enable row level security;
create policy "own roles" on user_roles for select to authenticated using (user_id = auth.uid());
create policy "admins" on user_roles for all to authenticated using (has_role(auth.uid(), 'admin'));
create policy "Shops are viewable by everyone" on shops for select using (true);
create policy "sellers open shops" on shops for insert to authenticated with check (owner_id = auth.uid() and has_role(auth.uid(), 'seller'));
create policy "Published products are viewable by everyone" on products for select using (status = 'published');
create policy "own orders" on orders for select to authenticated using (buyer_id = auth.uid());
