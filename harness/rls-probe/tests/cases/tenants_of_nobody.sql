-- A tenant that somebody makes and has no part in is no offer to begin one.
-- base: hosted
-- low
-- right: table public.clinics: insert by newcomer

create table clinics (id uuid primary key default gen_random_uuid(), name text not null);
create table profiles (id uuid primary key references auth.users, clinic_id uuid references clinics, role text not null default 'nurse' check (role in ('admin', 'nurse')));
create table patients (id uuid primary key default gen_random_uuid(), clinic_id uuid not null references clinics, full_name text not null);
create function my_clinic() returns uuid language sql stable security definer set search_path = '' as $$ select clinic_id from public.profiles where id = auth.uid() $$;
alter table clinics enable row level security; alter table profiles enable row level security; alter table patients enable row level security;
create policy r on clinics for select to authenticated using (id = my_clinic());
create policy i on clinics for insert to authenticated with check (true);
create policy r on profiles for select to authenticated using (id = auth.uid() or clinic_id = my_clinic());
create policy a on patients for all to authenticated using (clinic_id = my_clinic()) with check (clinic_id = my_clinic());
