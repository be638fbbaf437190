-- No name says that heads are above teachers; what policies give says so. A teacher may be of any account, a membership may
-- have ended, and what a function moves is moved from elsewhere as well.
-- base: hosted
-- right: table public.invites: insert by teacher
-- right: table public.pupils: read by deactivated
-- right: function public.move_pupil: call by head
-- fixed: table public.pupils

create schema private; grant usage on schema private to authenticated;
create table schools (id uuid primary key default gen_random_uuid(), name text not null);
create table profiles (id uuid primary key references auth.users, full_name text);
create table school_staff (school_id uuid not null references schools, user_id uuid not null references profiles, role text not null check (role in ('teacher', 'head')), left_at timestamptz, primary key (school_id, user_id));
create table classes (id uuid primary key default gen_random_uuid(), school_id uuid not null references schools, teacher_id uuid references profiles, name text not null);
create table pupils (id uuid primary key default gen_random_uuid(), school_id uuid not null references schools, class_id uuid references classes, full_name text not null);
create table invites (id uuid primary key default gen_random_uuid(), school_id uuid not null references schools, email text not null, role text not null check (role in ('teacher', 'head')));
create function private.has_role(s uuid, r text) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select 1 from public.school_staff where school_id = s and user_id = auth.uid() and left_at is null and role = r) $$;
create function private.works_at(s uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select 1 from public.school_staff where school_id = s and user_id = auth.uid() and left_at is null) $$;
create function private.worked_at(p_school uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select 1 from public.school_staff where school_id = p_school and user_id = auth.uid()) $$;
create function move_pupil(p_pupil_id uuid, p_class_id uuid) returns void language plpgsql security definer set search_path = '' as $$ begin
  if private.has_role((select school_id from public.classes where id = p_class_id), 'head') is not true then raise exception 'not yours' using errcode = '42501'; end if;
  update public.pupils set class_id = p_class_id, school_id = (select school_id from public.classes where id = p_class_id) where id = p_pupil_id; end $$;
alter table schools enable row level security; alter table profiles enable row level security; alter table school_staff enable row level security; alter table classes enable row level security; alter table pupils enable row level security; alter table invites enable row level security;
create policy p on schools for select to authenticated using (private.works_at(id));
create policy p on profiles for select to authenticated using (id = auth.uid());
create policy p on school_staff for select to authenticated using (private.works_at(school_id));
create policy u on school_staff for update to authenticated using (private.has_role(school_id, 'head')) with check (private.has_role(school_id, 'head'));
create policy p on classes for select to authenticated using (private.works_at(school_id));
create policy i on classes for insert to authenticated with check (private.has_role(school_id, 'head') or private.has_role(school_id, 'teacher'));
create policy u on classes for update to authenticated using (private.has_role(school_id, 'head')) with check (private.has_role(school_id, 'head'));
create policy p on pupils for select to authenticated using (private.worked_at(school_id));
create policy p on invites for select to authenticated using (private.has_role(school_id, 'head'));
create policy i on invites for insert to authenticated with check (private.works_at(school_id));
revoke all on all tables in schema public from anon, authenticated; revoke execute on all functions in schema public from public, anon;
grant select on all tables in schema public to authenticated; grant insert on classes, invites to authenticated; grant update (name) on classes to authenticated; grant update (role) on school_staff to authenticated;
