-- Roles are rows of a table.
-- right: table public.shelter_people: update by helper
/*tenancy
[tenancy]
schemas = ["public"]
[tenancy.tenant]
table = "public.shelters"
column = "shelter_id"
[tenancy.members]
table = "public.shelter_people"
user = "user_id"
tenant = "shelter_id"
role = "role"
*/

create table ranks (code text primary key, power int not null);
insert into ranks values ('keeper', 10), ('helper', 1);
create table shelters (id uuid primary key default gen_random_uuid(), name text not null);
create table shelter_people (shelter_id uuid not null references shelters, user_id uuid not null references auth.users, role text not null references ranks (code), primary key (shelter_id, user_id));
create table animals (id bigserial primary key, shelter_id uuid not null references shelters, name text);
alter table ranks enable row level security; alter table shelters enable row level security; alter table shelter_people enable row level security; alter table animals enable row level security;
create function my_shelters() returns setof uuid language sql stable security definer set search_path = '' as $$ select shelter_id from public.shelter_people where user_id = auth.uid() $$;
create policy p on ranks for select to authenticated using (true);
create policy p on shelters for select to authenticated using (id in (select my_shelters()));
create policy p on shelter_people for select to authenticated using (shelter_id in (select my_shelters()));
create policy u on shelter_people for update to authenticated using (user_id = auth.uid());
create policy p on animals for select to authenticated using (shelter_id in (select my_shelters()));
grant select on ranks, shelters, animals to authenticated; grant select, update on shelter_people to authenticated;
