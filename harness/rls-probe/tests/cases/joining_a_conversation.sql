-- Whoever may add a row about themselves to what is another's reads on there.
-- base: hosted
-- owner: user_id sender_id created_by
-- right: table public.talkers: insert by user newcomer
-- says: can add themselves to the other tenant's talks, and read public.lines there

create table talks (id uuid primary key default gen_random_uuid(), created_by uuid not null references auth.users, topic text);
create table talkers (id uuid primary key default gen_random_uuid(), talk_id uuid not null references talks, user_id uuid not null references auth.users, unique (talk_id, user_id));
create table lines (id uuid primary key default gen_random_uuid(), talk_id uuid not null references talks, sender_id uuid not null references auth.users, body text not null);
alter table talks enable row level security; alter table talkers enable row level security; alter table lines enable row level security;
create function talks_in(t uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.talkers where talk_id = t and user_id = auth.uid()) $$;
create policy p on talks for select to authenticated using (talks_in(id));
create policy p on talkers for select to authenticated using (talks_in(talk_id));
create policy i on talkers for insert to authenticated with check (user_id = auth.uid());
create policy p on lines for select to authenticated using (talks_in(talk_id));
create policy i on lines for insert to authenticated with check (sender_id = auth.uid() and talks_in(talk_id));
