-- Whoever has no row about themselves yet may write one, and not what it makes of them.
-- base: hosted
-- low
-- right: table public.authors: insert by newcomer user
-- says: can make themselves admin

create table authors (id uuid primary key references auth.users, display_name text not null, role text not null default 'author' check (role in ('admin', 'editor', 'author')));
create table posts (id bigserial primary key, author_id uuid not null references authors, title text not null);
create function is_admin() returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.authors where id = auth.uid() and role = 'admin') $$;
alter table authors enable row level security; alter table posts enable row level security;
create policy r on authors for select to authenticated using (id = auth.uid() or is_admin());
create policy i on authors for insert to authenticated with check (id = auth.uid());
create policy a on posts for all to authenticated using (author_id = auth.uid() or is_admin()) with check (author_id = auth.uid());
