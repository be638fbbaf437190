-- No two tables call the tenant by the same name.
-- fixed: table public.pupils
-- members: public.teachers
-- right: table public.pupils: read by head teacher newcomer claimant

create table schools (id uuid primary key default gen_random_uuid(), name text not null);
create table teachers (user_id uuid primary key references auth.users, school_id uuid not null references schools, role text not null check (role in ('head','teacher')));
create table pupils (id bigserial primary key, at_school uuid not null references schools, name text);
alter table schools enable row level security; alter table teachers enable row level security; alter table pupils enable row level security;
create function my_school() returns uuid language sql stable security definer set search_path = '' as $$ select school_id from public.teachers where user_id = auth.uid() $$;
create policy p on schools for select to authenticated using (id = my_school());
create policy p on teachers for select to authenticated using (school_id = my_school());
create policy p on pupils for select to authenticated using (true);
grant select on schools, teachers, pupils to authenticated;
