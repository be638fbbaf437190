-- Whoever is below somebody does not put them out of office.
-- base: clubs
-- right: table public.helpers: update delete by aide
-- says: aide can take the role of a root
-- says: chief, aide, reader can remove a root

create policy demote on helpers for update to authenticated using (club_id = my_club() and user_id <> auth.uid()) with check (role = 'aide' and club_id = my_club());
create policy remove on helpers for delete to authenticated using (club_id = my_club() and user_id <> auth.uid());
