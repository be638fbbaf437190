-- A pointer in the profile, made by sign-up, says which tenant is current.
-- right: table public.debts: update by owner clerk

create table shops (id uuid primary key default gen_random_uuid(), name text not null);
create table profiles (id uuid primary key references auth.users, at_shop uuid references shops);
create table shop_people (shop_id uuid not null references shops, user_id uuid not null references auth.users, role text not null check (role in ('owner','clerk')), primary key (shop_id, user_id));
create table debts (id bigserial primary key, shop_id uuid not null references shops, amount numeric);
create function make_profile() returns trigger language plpgsql security definer set search_path = '' as $$ begin insert into public.profiles (id) values (new.id); return new; end $$;
revoke execute on function make_profile() from public;
create trigger t after insert on auth.users for each row execute function make_profile();
create function at_shop() returns uuid language sql stable security definer set search_path = '' as $$ select p.at_shop from public.profiles p join public.shop_people m on m.shop_id = p.at_shop and m.user_id = p.id where p.id = auth.uid() $$;
alter table shops enable row level security; alter table profiles enable row level security; alter table shop_people enable row level security; alter table debts enable row level security;
create policy p on shops for select to authenticated using (id = at_shop());
create policy p on profiles for all to authenticated using (id = auth.uid());
create policy p on shop_people for select to authenticated using (shop_id = at_shop());
create policy p on debts for select to authenticated using (shop_id = at_shop());
create policy u on debts for update to authenticated using (at_shop() is not null);
grant select on shops, shop_people to authenticated; grant select, update on profiles, debts to authenticated;
