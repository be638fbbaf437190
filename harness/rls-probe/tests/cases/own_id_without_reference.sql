-- One's own id fits a column that is no foreign key.
-- right: table public.learners: insert by newcomer

create table colleges (id uuid primary key default gen_random_uuid(), name text not null);
create table deans (user_id uuid primary key references auth.users, college_id uuid not null references colleges);
create table learners (id uuid primary key default gen_random_uuid(), college_id uuid not null references colleges, sub uuid unique, name text);
create table lessons (id uuid primary key default gen_random_uuid(), college_id uuid not null references colleges, body text);
alter table colleges enable row level security; alter table deans enable row level security; alter table learners enable row level security; alter table lessons enable row level security;
create function colleges_of_mine() returns setof uuid language sql stable security definer set search_path = '' as $$ select college_id from public.deans where user_id = auth.uid() union select college_id from public.learners where sub = auth.uid() $$;
create policy p on colleges for select to authenticated using (id in (select colleges_of_mine()));
create policy p on deans for select to authenticated using (user_id = auth.uid());
create policy p on learners for select to authenticated using (college_id in (select colleges_of_mine()));
create policy i on learners for insert to authenticated with check (sub = auth.uid());
create policy p on lessons for select to authenticated using (college_id in (select colleges_of_mine()));
grant select on colleges, deans, lessons to authenticated; grant select, insert on learners to authenticated;
