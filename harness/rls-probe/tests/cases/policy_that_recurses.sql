-- A policy reads its own table.
-- base: clubs
-- right: table public.dues: read by chief aide
-- says: policy-fails

create policy peers on dues for select to authenticated using (exists (select from dues d where d.note = dues.note));
