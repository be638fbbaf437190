-- A member is one who has accepted: the state that functions ask for is made, and without it somebody is invited.
-- base: hosted
-- members: public.studio_members
-- right: table public.drafts: update by owner painter newcomer
-- own: table public.drafts: read by owner painter
-- own: table public.studios: read by owner painter

create table studios (id uuid primary key default gen_random_uuid(), name text not null);
create table studio_members (id uuid primary key default gen_random_uuid(), studio_id uuid not null references studios, user_id uuid references auth.users, role text not null check (role in ('owner','painter')), accepted_at timestamptz, standing text not null default 'pending' check (standing in ('pending','approved','rejected')), unique (studio_id, user_id));
create table drafts (id uuid primary key default gen_random_uuid(), studio_id uuid not null references studios, title text not null);
alter table studios enable row level security; alter table studio_members enable row level security; alter table drafts enable row level security;
create function in_studio(s uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.studio_members where studio_id = s and user_id = auth.uid() and accepted_at is not null and standing = 'approved') $$;
create policy p on studios for select to authenticated using (in_studio(id));
create policy p on studio_members for select to authenticated using (in_studio(studio_id));
create policy p on drafts for select to authenticated using (in_studio(studio_id));
create policy u on drafts for update to authenticated using (true);
