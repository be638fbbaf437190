-- A policy reads a table that its callers may not.
-- base: clubs
-- right: table public.dues: read by chief aide
-- says: policy-fails

create policy by_mail on dues for select to authenticated using (note = (select email from auth.users where id = auth.uid()));
