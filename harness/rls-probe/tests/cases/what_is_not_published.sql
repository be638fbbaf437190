-- What a row is part of may be public for it; what says of itself that it is not published is none that everybody reads; and
-- nobody's messages are for any account.
-- base: hosted
-- low
-- right: table public.pages: read by anonymous user
-- right: table public.news: read by anonymous
-- right: table public.contact_messages: read by newcomer
-- own: table public.post_tags: read by anonymous user

create table posts (id bigserial primary key, author_id uuid not null references auth.users, title text not null, is_public boolean not null default false);
create table pages (id bigserial primary key, author_id uuid not null references auth.users, title text not null, is_published boolean not null default false);
create table tags (id bigserial primary key, name text not null unique);
create table post_tags (post_id bigint references posts, tag_id bigint references tags, primary key (post_id, tag_id));
create table contact_messages (id bigserial primary key, email text not null, message text not null);
alter table posts enable row level security; alter table pages enable row level security; alter table tags enable row level security; alter table post_tags enable row level security; alter table contact_messages enable row level security;
create policy "read" on posts for select to anon, authenticated using (is_public or author_id = auth.uid());
create policy "read" on pages for select to anon, authenticated using (true);
create policy "read" on tags for select to anon, authenticated using (true);
create policy "read" on post_tags for select to anon, authenticated using (exists (select from posts p where p.id = post_id and p.is_public));
create policy "write to us" on contact_messages for insert to anon, authenticated with check (true);
create policy "inbox" on contact_messages for select to authenticated using (auth.uid() is not null);
create table news (id bigserial primary key, author_id uuid not null references auth.users, title text not null, published_at timestamptz);
alter table news enable row level security;
create policy "Published news is visible to everyone" on news for select to anon, authenticated using (true);
create table notices (id bigserial primary key, author_id uuid not null references auth.users, title text not null, published_at timestamptz);
alter table notices enable row level security;
create policy "Published notices are visible to everyone" on notices for select to anon, authenticated using (published_at <= now());
