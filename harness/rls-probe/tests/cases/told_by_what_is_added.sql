-- What a trigger looks up everywhere for a row of one's own, it looks up for everybody who may add one; and whoever may
-- write their own membership is above all tenants as soon as they leave theirs.
-- base: hosted
-- right: table public.guests: insert by manager clerk
-- right: table public.staff: update by manager clerk
-- says: manager, clerk can learn the other tenant's data from a row of their own
-- says: manager, clerk can raise their own role

create table hotels (id uuid primary key default gen_random_uuid(), name text not null);
create table staff (user_id uuid primary key references auth.users, hotel_id uuid references hotels, role text not null check (role in ('platform_admin', 'manager', 'clerk')), check ((role = 'platform_admin') = (hotel_id is null)));
create table guests (id uuid primary key default gen_random_uuid(), hotel_id uuid not null references hotels, phone text not null, full_name text);
create function my_hotel() returns uuid language sql stable security definer set search_path = '' as $$ select hotel_id from public.staff where user_id = auth.uid() $$;
create function fill_in() returns trigger language plpgsql security definer set search_path = '' as $$ begin
  new.full_name := coalesce((select g.full_name from public.guests g where g.phone = new.phone limit 1), new.full_name); return new; end $$;
create trigger fill_in before insert on guests for each row execute function fill_in();
alter table hotels enable row level security; alter table staff enable row level security; alter table guests enable row level security;
create policy p on hotels for select to authenticated using (id = my_hotel());
create policy p on staff for select to authenticated using (hotel_id = my_hotel() or user_id = auth.uid());
create policy u on staff for update to authenticated using (user_id = auth.uid() and hotel_id is not null) with check (user_id = auth.uid());
create policy p on guests for select to authenticated using (hotel_id = my_hotel());
create policy i on guests for insert to authenticated with check (hotel_id = my_hotel());
revoke all on hotels, staff, guests from anon, authenticated; revoke execute on function fill_in() from public, anon, authenticated;
grant select on hotels, staff, guests to authenticated; grant insert on guests to authenticated; grant update on staff to authenticated;
