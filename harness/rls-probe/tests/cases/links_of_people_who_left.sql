-- Who guards a pupil reads of them: that the prober made somebody whose membership ended, or whose school is closed, a
-- guardian or a helper is no crossing.
-- base: hosted
-- clean

create table schools (id uuid primary key default gen_random_uuid(), name text not null, status text not null default 'open' check (status in ('open', 'closed')));
create table staff (id uuid primary key default gen_random_uuid(), school_id uuid not null references schools, user_id uuid not null references auth.users, role text not null check (role in ('head', 'teacher')), status text not null default 'active' check (status in ('active', 'closed')), unique (school_id, user_id));
create table pupils (id uuid primary key default gen_random_uuid(), school_id uuid not null references schools, name text not null, unique (id, school_id));
create table guardians (pupil_id uuid not null references pupils, user_id uuid not null references auth.users, relation text, primary key (pupil_id, user_id));
create table reports (id uuid primary key default gen_random_uuid(), school_id uuid not null, pupil_id uuid not null, body text, foreign key (pupil_id, school_id) references pupils (id, school_id));
create table trips (id uuid primary key default gen_random_uuid(), school_id uuid not null references schools, helper_id uuid not null references auth.users, place text);
create schema private; grant usage on schema private to authenticated;
create function private.works_at(s uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.staff t join public.schools c on c.id = t.school_id where t.school_id = s and t.user_id = auth.uid() and t.status = 'active' and c.status = 'open') $$;
create function private.guards(p uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.guardians where pupil_id = p and user_id = auth.uid()) $$;
create function private.school_of(p uuid) returns uuid language sql stable security definer set search_path = '' as $$ select school_id from public.pupils where id = p $$;
create function grade_average(p_pupil_id uuid) returns bigint language plpgsql stable security definer set search_path = '' as $$ begin
  if not (private.works_at(private.school_of(p_pupil_id)) or private.guards(p_pupil_id)) then raise exception 'not yours' using errcode = '42501'; end if;
  return (select count(*) from public.reports where pupil_id = p_pupil_id); end $$;
alter table schools enable row level security; alter table staff enable row level security; alter table pupils enable row level security; alter table guardians enable row level security; alter table reports enable row level security; alter table trips enable row level security;
create policy p on schools for select to authenticated using (private.works_at(id));
create policy p on staff for select to authenticated using (private.works_at(school_id));
create policy p on pupils for select to authenticated using (private.works_at(school_id) or private.guards(id));
create policy u on pupils for update to authenticated using (private.works_at(school_id) or private.guards(id)) with check (private.works_at(school_id) or private.guards(id));
create policy p on guardians for select to authenticated using (private.works_at(private.school_of(pupil_id)) or private.guards(pupil_id));
create policy p on reports for select to authenticated using (private.works_at(school_id) or private.guards(pupil_id));
create policy p on trips for select to authenticated using (private.works_at(school_id) or helper_id = auth.uid());
revoke all on all tables in schema public from anon, authenticated; revoke execute on all functions in schema public from public, anon;
grant select on schools, staff, pupils, guardians, reports, trips to authenticated; grant update (name) on pupils to authenticated;
