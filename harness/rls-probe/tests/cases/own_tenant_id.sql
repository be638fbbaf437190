-- A helper answers the caller's own tenant id.
-- clean

create table vets (id uuid primary key default gen_random_uuid(), name text not null, is_active boolean not null default true);
create table vet_staff (user_id uuid primary key references auth.users, vet_id uuid not null references vets, role text not null check (role in ('owner','vet')), is_active boolean not null default true);
create table pets (id bigserial primary key, vet_id uuid not null references vets, name text);
alter table vets enable row level security; alter table vet_staff enable row level security; alter table pets enable row level security;
create function my_vet() returns uuid language sql stable security definer set search_path = '' as $$ select vet_id from public.vet_staff where user_id = auth.uid() $$;
create function in_work() returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.vet_staff s join public.vets v on v.id = s.vet_id where s.user_id = auth.uid() and s.is_active and v.is_active) $$;
create policy p on vets for select to authenticated using (id = my_vet() and in_work());
create policy p on vet_staff for select to authenticated using (vet_id = my_vet() and in_work());
create policy p on pets for select to authenticated using (vet_id = my_vet() and in_work());
revoke execute on all functions in schema public from public; grant execute on all functions in schema public to authenticated;
grant select on vets, vet_staff, pets to authenticated;
