-- A grant of columns shows no more than they hold.
-- base: hosted
-- clean
-- says: PUBLIC read table public.faces: id, nick (policy "shown to all")
create table faces (id uuid primary key references auth.users, nick text, email text, born date);
alter table faces enable row level security;
create policy "shown to all" on faces for select to anon, authenticated using (true);
revoke select on faces from anon, authenticated;
grant select (id, nick) on faces to anon, authenticated;
