-- What holds for rows in one state is tried on rows in it; what is part of a row is hung onto one's own; a row that joins two
-- is added where there is none yet.
-- base: hosted
-- right: table public.reviews: delete by user newcomer
-- right: table public.pages: update by user
-- right: table public.likes: insert by user newcomer

create table books (id uuid primary key default gen_random_uuid(), user_id uuid not null default auth.uid() references auth.users, title text not null);
create table pages (id uuid primary key default gen_random_uuid(), book_id uuid not null references books, body text not null);
create table reviews (id uuid primary key default gen_random_uuid(), user_id uuid not null default auth.uid() references auth.users, body text not null, is_approved boolean not null default false);
create table likes (user_id uuid not null references auth.users, book_id uuid not null references books, primary key (user_id, book_id));
create function owns_book(b uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.books where id = b and user_id = auth.uid()) $$;
alter table books enable row level security; alter table pages enable row level security; alter table reviews enable row level security; alter table likes enable row level security;
create policy o on books for all to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());
create policy s on pages for select to authenticated using (owns_book(book_id));
create policy u on pages for update to authenticated using (exists (select from books b where b.user_id = auth.uid())) with check (owns_book(book_id));
create policy s on reviews for select to authenticated using (user_id = auth.uid() or is_approved and user_id = auth.uid());
create policy d on reviews for delete to authenticated using (is_approved or user_id = auth.uid());
create policy s on likes for select to authenticated using (user_id = auth.uid());
create policy i on likes for insert to authenticated with check (true);
