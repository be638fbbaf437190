-- Users are those of another service: their ids are texts, which a helper or the policies take from the token.
-- base: hosted
-- owner: owner_sub user_id
-- right: table public.boards: read by user newcomer
-- own: table public.talks: read insert update delete by user
-- own: table public.boards: insert by user

create function requesting_user_id() returns text language sql stable as $$ select nullif(current_setting('request.jwt.claims', true)::json ->> 'sub', '')::text $$;
create table talks (id uuid primary key default gen_random_uuid(), user_id text not null, title text not null);
create table boards (id bigserial primary key, owner_sub text not null default (auth.jwt() ->> 'sub'), body text not null);
alter table talks enable row level security; alter table boards enable row level security;
create policy own on talks for all to authenticated using (requesting_user_id() = user_id) with check (requesting_user_id() = user_id);
create policy see on boards for select to authenticated using (true);
create policy own on boards for insert to authenticated with check (((select auth.jwt() ->> 'sub')) = owner_sub);
