-- A helper that does not ask for all that it is asked with lets each policy down that calls it: it is mended itself.
-- base: hosted
-- right: table public.minutes: read insert by chair
-- right: table public.meetings: read by chair aide
-- fixed: table public.minutes
-- says: CREATE OR REPLACE FUNCTION private.holds

create schema private; grant usage on schema private to authenticated;
create type office as enum ('chair', 'aide');
create table boards (id uuid primary key default gen_random_uuid(), name text not null, is_active boolean not null default true);
create table seats (board_id uuid not null references boards, user_id uuid not null references auth.users, role office not null, status text not null default 'active' check (status in ('active', 'left')), primary key (board_id, user_id));
create table meetings (id uuid primary key default gen_random_uuid(), board_id uuid not null references boards, place text);
create table minutes (id uuid primary key default gen_random_uuid(), meeting_id uuid not null references meetings, body text);
create function private.sits(b uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.seats s join public.boards o on o.id = s.board_id where s.board_id = b and s.user_id = auth.uid() and s.status = 'active' and o.is_active) $$;
create function private.holds(p_board uuid, variadic p_offices public.office[]) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.seats where user_id = auth.uid() and status = 'active' and role = any (p_offices)) $$;
create function private.board_of(m uuid) returns uuid language sql stable security definer set search_path = '' as $$ select board_id from public.meetings where id = m $$;
alter table boards enable row level security; alter table seats enable row level security; alter table meetings enable row level security; alter table minutes enable row level security;
create policy p on boards for select to authenticated using (private.sits(id));
create policy p on seats for select to authenticated using (private.sits(board_id));
create policy p on meetings for select to authenticated using (private.holds(board_id, 'chair', 'aide'));
create policy p on minutes for select to authenticated using (private.holds(private.board_of(meeting_id), 'chair'));
create policy i on minutes for insert to authenticated with check (private.holds(private.board_of(meeting_id), 'chair'));
revoke all on boards, seats, meetings, minutes from anon, authenticated;
grant select on boards, seats, meetings, minutes to authenticated; grant insert on minutes to authenticated;
