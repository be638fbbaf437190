-- A person whom a record names sees it, whoever their employer is; a public name says nothing, and whoever deals with
-- somebody has them told of it.
-- base: hosted
-- clean

create table clinics (id uuid primary key default gen_random_uuid(), slug text not null unique, is_active boolean not null default true);
create table staff (clinic_id uuid not null references clinics, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'nurse')), primary key (clinic_id, user_id));
create table patients (id uuid primary key default gen_random_uuid(), clinic_id uuid not null references clinics, account_id uuid references auth.users, name text not null);
create table visits (id uuid primary key default gen_random_uuid(), clinic_id uuid not null references clinics, patient_id uuid not null references patients, reason text);
create function works_at(c uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.staff s join public.clinics on id = clinic_id and is_active where clinic_id = c and user_id = auth.uid()) $$;
create function is_patient(p uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.patients where id = p and account_id = auth.uid()) $$;
create function owns(c uuid) returns boolean language sql stable security definer set search_path = '' as $$ select public.works_at(c) and exists (select from public.staff where clinic_id = c and user_id = auth.uid() and role = 'owner') $$;
alter table clinics enable row level security; alter table staff enable row level security; alter table patients enable row level security; alter table visits enable row level security;
create policy p on clinics for select to authenticated using (works_at(id));
create policy u on clinics for update to authenticated using (owns(id)) with check (owns(id));
create policy p on staff for select to authenticated using (works_at(clinic_id));
create policy p on patients for select to authenticated using (works_at(clinic_id) or account_id = auth.uid());
create policy i on patients for insert to authenticated with check (works_at(clinic_id) and account_id is null);
create policy p on visits for select to authenticated using (works_at(clinic_id) or is_patient(patient_id));
revoke all on clinics, staff, patients, visits from anon, authenticated;
grant select on clinics, staff, patients, visits to authenticated; grant insert on patients to authenticated; grant update on clinics to authenticated;
-- own: table public.patients: insert by owner nurse
