-- REFERENCES on a table is granted, so that whose keys there are can be found out by a table of one's own.
-- base: clubs
-- clean
-- lint: references_granted public.dues
-- no lint: trigger_granted

grant references on dues to authenticated;
