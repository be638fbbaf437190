-- Users raise their own role in a profile.
-- right: table public.profiles: update by user
/*tenancy
[tenancy]
schemas = ["public"]
[tenancy.owner]
columns = ["author_id"]
*/

create table profiles (id uuid primary key references auth.users, name text, role text not null default 'reader' check (role in ('reader','writer','admin')));
create table posts (id bigserial primary key, author_id uuid not null references auth.users, body text);
alter table profiles enable row level security; alter table posts enable row level security;
create function am_admin() returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.profiles where id = auth.uid() and role = 'admin') $$;
create policy s on profiles for select to authenticated using (id = auth.uid());
create policy u on profiles for update to authenticated using (id = auth.uid()) with check (id = auth.uid());
create policy p on posts for all to authenticated using (author_id = auth.uid() or am_admin());
grant select, update on profiles to authenticated; grant select, insert, update, delete on posts to authenticated; grant usage on all sequences in schema public to authenticated;
