-- Every effect is reported, not one for a verb.
-- base: clubs
-- right: table public.helpers: update by aide newcomer
-- says: move themselves to the other tenant
-- says: make themselves a member again
-- says: raise their own role

create policy own on helpers for update to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());
