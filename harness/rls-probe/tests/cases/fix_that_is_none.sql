-- A fix that closes half of it, or takes something from the platform, is none.
-- base: clubs
-- right: table public.books: read insert update delete by deactivated
-- advised: table public.books

create table books (id uuid primary key default gen_random_uuid(), club_id uuid not null references clubs, title text);
create function any_club() returns uuid language sql stable security definer set search_path='' as $$ select club_id from public.helpers where user_id = auth.uid() $$;
grant execute on function any_club to authenticated;
alter table books enable row level security;
create policy all_of_it on books to authenticated using (is_root() or club_id = any_club()) with check (is_root() or club_id = any_club());
