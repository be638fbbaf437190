-- Rows without a tenant are templates for all.
-- clean

create table hotels (id uuid primary key default gen_random_uuid(), name text not null);
create table hosts (user_id uuid primary key references auth.users, hotel_id uuid not null references hotels, role text not null check (role in ('owner','porter')));
create table menus (id bigserial primary key, hotel_id uuid references hotels, name text not null);
alter table hotels enable row level security; alter table hosts enable row level security; alter table menus enable row level security;
create function my_hotel() returns uuid language sql stable security definer set search_path = '' as $$ select hotel_id from public.hosts where user_id = auth.uid() $$;
create policy p on hotels for select to authenticated using (id = my_hotel());
create policy p on hosts for select to authenticated using (hotel_id = my_hotel());
create policy "own menus and the templates" on menus for select to authenticated using (hotel_id is null or hotel_id = my_hotel());
create policy w on menus for insert to authenticated with check (hotel_id = my_hotel());
grant select on hotels, hosts to authenticated; grant select, insert on menus to authenticated; grant usage on all sequences in schema public to authenticated;
