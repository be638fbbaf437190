-- base: clubs
-- right: table public.guests: insert by chief, aide, reader
-- says: can add themselves to the other tenant, and read public.dues there

-- Whoever is a guest somewhere sees its dues, and everybody writes who is one.
create table guests (user_id uuid not null references auth.users on delete cascade,
  club_id uuid not null references clubs, primary key (user_id, club_id));
alter table guests enable row level security;
create policy own on guests to authenticated using (user_id = auth.uid())
  with check (user_id = auth.uid() and my_club() is not null);
create policy "guests see" on dues for select to authenticated
  using (my_club() is not null and club_id in (select g.club_id from guests g where g.user_id = auth.uid()));
