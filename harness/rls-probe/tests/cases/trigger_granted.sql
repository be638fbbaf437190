-- TRIGGER on a table is granted.
-- base: clubs
-- clean
-- lint: trigger_granted public.dues

grant trigger on dues to authenticated;
