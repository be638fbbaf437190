-- What is personal is no less shown for being declared.
-- base: hosted
-- right: table public.cooks: read by anonymous user newcomer
-- says: (email, phone)
create table cooks (id uuid primary key references auth.users, nick text, email text, phone text, is_listed boolean not null default true);
alter table cooks enable row level security;
create policy "listed cooks" on cooks for select to anon, authenticated using (is_listed);
grant select on cooks to anon, authenticated;
