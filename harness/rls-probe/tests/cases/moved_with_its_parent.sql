-- A foreign key of two columns keeps a row with its parent's tenant: it is moved with both.
-- base: hosted
-- right: table public.reports: update by head teacher

create table schools (id uuid primary key default gen_random_uuid(), name text not null);
create table staff (school_id uuid not null references schools, user_id uuid not null references auth.users, role text not null check (role in ('head', 'teacher')), primary key (school_id, user_id));
create table pupils (id uuid primary key default gen_random_uuid(), school_id uuid not null references schools, name text not null, unique (id, school_id));
create table reports (id uuid primary key default gen_random_uuid(), school_id uuid not null, pupil_id uuid not null, body text, foreign key (pupil_id, school_id) references pupils (id, school_id));
create function works_at(s uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.staff where school_id = s and user_id = auth.uid()) $$;
alter table schools enable row level security; alter table staff enable row level security; alter table pupils enable row level security; alter table reports enable row level security;
create policy p on schools for select to authenticated using (works_at(id));
create policy p on staff for select to authenticated using (works_at(school_id));
create policy p on pupils for select to authenticated using (works_at(school_id));
create policy p on reports for select to authenticated using (works_at(school_id));
create policy u on reports for update to authenticated using (works_at(school_id)) with check (true);
revoke all on schools, staff, pupils, reports from anon, authenticated;
grant select on schools, staff, pupils, reports to authenticated; grant update on reports to authenticated;
