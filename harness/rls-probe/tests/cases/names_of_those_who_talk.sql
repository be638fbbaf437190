-- Who takes part in a conversation writes in the name of the other one; whoever does not, writes into it all the same.
-- base: hosted
-- right: table public.letters: insert by user
-- right: table public.remarks: insert by user newcomer
-- says: in somebody else's name

create table talks (id uuid primary key default gen_random_uuid(), buyer_id uuid not null default auth.uid() references auth.users, seller_id uuid not null references auth.users, check (buyer_id <> seller_id));
create table letters (id uuid primary key default gen_random_uuid(), talk_id uuid not null references talks, sender_id uuid not null default auth.uid() references auth.users, body text not null);
create table remarks (id uuid primary key default gen_random_uuid(), talk_id uuid not null references talks, sender_id uuid not null default auth.uid() references auth.users, body text not null);
create function in_talk(t uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.talks where id = t and auth.uid() in (buyer_id, seller_id)) $$;
alter table talks enable row level security; alter table letters enable row level security; alter table remarks enable row level security;
create policy s on talks for select to authenticated using (auth.uid() in (buyer_id, seller_id));
create policy i on talks for insert to authenticated with check (buyer_id = auth.uid());
create policy s on letters for select to authenticated using (in_talk(talk_id));
create policy i on letters for insert to authenticated with check (in_talk(talk_id));
create policy s on remarks for select to authenticated using (in_talk(talk_id));
create policy i on remarks for insert to authenticated with check (sender_id = auth.uid());
