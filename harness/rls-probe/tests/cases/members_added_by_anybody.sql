-- A membership asks but for who added it: anybody adds anybody to any tenant.
-- base: hosted
-- members: public.kin
-- right: table public.kin: insert by owner guest newcomer claimant
-- says: can make themselves owner of a tenant that did not invite them

create table houses (id uuid primary key default gen_random_uuid(), name text not null);
create table kin (house_id uuid not null references houses, user_id uuid not null references auth.users, role text not null check (role in ('owner','guest')), added_by uuid references auth.users, primary key (house_id, user_id));
create table letters (id uuid primary key default gen_random_uuid(), house_id uuid not null references houses, body text);
alter table houses enable row level security; alter table kin enable row level security; alter table letters enable row level security;
create function in_house(h uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.kin where house_id = h and user_id = auth.uid()) $$;
create policy p on houses for select to authenticated using (in_house(id));
create policy p on kin for select to authenticated using (in_house(house_id));
create policy p on letters for select to authenticated using (in_house(house_id));
create policy i on kin for insert to authenticated with check (added_by = auth.uid());
