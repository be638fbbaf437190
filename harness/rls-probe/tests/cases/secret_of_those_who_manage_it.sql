-- Whoever writes what colleagues do not even read manages it; and what somebody connected themselves is theirs.
-- base: hosted
-- clean

create table homes (id uuid primary key default gen_random_uuid(), name text not null);
create table home_members (home_id uuid not null references homes, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'admin', 'member')), primary key (home_id, user_id));
create table bank_links (id uuid primary key default gen_random_uuid(), home_id uuid not null references homes, access_token text not null);
create table drives (id uuid primary key default gen_random_uuid(), home_id uuid not null references homes, user_id uuid not null references auth.users, refresh_token text not null);
create function of_home(h uuid, roles text[]) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.home_members where home_id = h and user_id = auth.uid() and role = any (roles)) $$;
alter table homes enable row level security; alter table home_members enable row level security; alter table bank_links enable row level security; alter table drives enable row level security;
create policy p on homes for select to authenticated using (of_home(id, '{owner,admin,member}'));
create policy p on home_members for select to authenticated using (of_home(home_id, '{owner,admin,member}'));
create policy p on bank_links for all to authenticated using (of_home(home_id, '{owner,admin}'));
create policy p on drives for all to authenticated using (user_id = auth.uid() and of_home(home_id, '{owner,admin,member}'));
