-- A tenant's row needs a user.
-- fixed: table public.ovens
-- members: public.bakery_staff
-- right: table public.ovens: read by owner baker newcomer claimant

create table bakeries (id uuid primary key default gen_random_uuid(), founder_id uuid not null references auth.users, title text not null);
create table bakery_staff (bakery_id uuid not null references bakeries, user_id uuid not null references auth.users, role text not null check (role in ('owner','baker')), primary key (bakery_id, user_id));
create table ovens (id uuid primary key default gen_random_uuid(), bakery_id uuid not null references bakeries, name text);
alter table bakeries enable row level security; alter table bakery_staff enable row level security; alter table ovens enable row level security;
create function my_bakeries() returns setof uuid language sql stable security definer set search_path = '' as $$ select bakery_id from public.bakery_staff where user_id = auth.uid() $$;
create policy p on bakeries for select to authenticated using (id in (select my_bakeries()));
create policy p on bakery_staff for select to authenticated using (bakery_id in (select my_bakeries()));
create policy p on ovens for select to authenticated using (true);
grant select on bakeries, bakery_staff, ovens to authenticated;
