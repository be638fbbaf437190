-- Of several references to users the one that is called so is the member.
-- fixed: table public.rooms
-- members: public.employees
-- right: table public.rooms: update by director nurse newcomer claimant

create table clinics (id uuid primary key default gen_random_uuid(), name text not null);
create table employees (user_id uuid primary key references auth.users, clinic_id uuid not null references clinics, role text not null check (role in ('director','nurse')), approved_by uuid references auth.users);
create table rota_helpers (id bigserial primary key, clinic_id uuid not null references clinics, user_id uuid not null references auth.users, room_id bigint not null, unique (clinic_id, user_id));
create table rooms (id bigserial primary key, clinic_id uuid not null references clinics, label text);
alter table rota_helpers add foreign key (room_id) references rooms;
alter table clinics enable row level security; alter table employees enable row level security; alter table rooms enable row level security; alter table rota_helpers enable row level security;
create function my_clinic() returns uuid language sql stable security definer set search_path = '' as $$ select clinic_id from public.employees where user_id = auth.uid() $$;
create policy p on clinics for select to authenticated using (id = my_clinic());
create policy p on employees for select to authenticated using (clinic_id = my_clinic());
create policy p on rooms for select to authenticated using (clinic_id = my_clinic());
create policy u on rooms for update to authenticated using (true);
create policy p on rota_helpers for select to authenticated using (clinic_id = my_clinic());
grant select on clinics, employees, rota_helpers to authenticated; grant select, update on rooms to authenticated;
