-- A flag that users set on themselves is closed by a grant of the other columns.
-- base: hosted
-- right: table public.profiles: update by user
-- fixed: table public.profiles

create table profiles (id uuid primary key references auth.users, nick text, is_admin boolean not null default false);
alter table profiles enable row level security;
create policy s on profiles for select to authenticated using (id = auth.uid());
create policy i on profiles for insert to authenticated with check (id = auth.uid() and not is_admin);
create policy u on profiles for update to authenticated using (id = auth.uid());
create table notes (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users, body text);
alter table notes enable row level security;
create policy s on notes for all to authenticated using (user_id = auth.uid() or exists (select from profiles p where p.id = auth.uid() and p.is_admin));
