-- A policy asks for other rows of its own table: a row that is there alone is out of reach, and no row of a full table is.
-- base: clubs
-- right: table public.pledges: read update delete by chief aide

create table pledges (id uuid primary key default gen_random_uuid(), club_id uuid not null references clubs, title text not null);
alter table pledges enable row level security;
create function are_many() returns boolean language sql stable security definer set search_path = '' as
  $$ select count(*) > 1 from public.pledges $$;
create policy see on pledges for select to authenticated using (club_id = my_club() or are_many());
create policy change on pledges for all to authenticated using (club_id = my_club() or are_many()) with check (club_id = my_club());
