-- Rows are part of what they refer to before they are of whoever is named in them, and whoever writes says that it was they.
-- base: hosted
-- low
-- right: table public.grades: insert by student teacher newcomer

create schema app;
grant usage on schema app to authenticated;
create table schools (id bigint generated always as identity primary key, name text not null);
create table users (id uuid primary key references auth.users, school_id bigint references schools, role text not null default 'student' check (role in ('student', 'teacher')));
create table classes (id bigint generated always as identity primary key, school_id bigint not null references schools, teacher_id uuid not null references users);
create table submissions (id bigint generated always as identity primary key, class_id bigint not null references classes, student_id uuid not null references users, content text, unique (class_id, student_id));
create table grades (id bigint generated always as identity primary key, submission_id bigint not null unique references submissions, points int not null, graded_by uuid not null references users);
create function app.my_school() returns bigint language sql stable security definer set search_path = '' as $$ select school_id from public.users where id = auth.uid() $$;
create function app.school_of(c bigint) returns bigint language sql stable security definer set search_path = '' as $$ select school_id from public.classes where id = c $$;
alter table schools enable row level security; alter table users enable row level security; alter table classes enable row level security; alter table submissions enable row level security; alter table grades enable row level security;
create policy r on schools for select to authenticated using (id = app.my_school());
create policy u on schools for update to authenticated using (id = app.my_school()) with check (id = app.my_school());
create policy r on users for select to authenticated using (id = auth.uid() or school_id = app.my_school());
create policy r on classes for select to authenticated using (school_id = app.my_school());
create policy r on submissions for select to authenticated using (app.school_of(class_id) = app.my_school());
create policy r on grades for select to authenticated using (exists (select from submissions s where s.id = submission_id));
create policy i on grades for insert to authenticated with check (graded_by = auth.uid());
