-- Files are tried in each bucket: one policy is for one.
-- base: storage
-- low
-- right: table storage.objects: delete by owner member newcomer

create table orgs (id uuid primary key default gen_random_uuid(), name text not null);
create table org_members (org_id uuid not null references orgs, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'member')), primary key (org_id, user_id));
create table notes (id uuid primary key default gen_random_uuid(), org_id uuid not null references orgs, body text);
create function is_member(o uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.org_members where org_id = o and user_id = auth.uid()) $$;
alter table orgs enable row level security; alter table org_members enable row level security; alter table notes enable row level security;
create policy r on orgs for select to authenticated using (is_member(id));
create policy r on org_members for select to authenticated using (is_member(org_id));
create policy r on notes for select to authenticated using (is_member(org_id));
grant select on orgs, org_members, notes to authenticated;
insert into storage.buckets (id, name, public) values ('a-files', 'a-files', false), ('b-avatars', 'b-avatars', true);
create policy "read" on storage.objects for select to authenticated using (bucket_id = 'a-files' and is_member((storage.foldername(name))[1]::uuid));
create policy "delete" on storage.objects for delete to authenticated using (bucket_id = 'a-files');
