-- A public bucket whose files anybody lists is a fact; reading a public file is none.
-- base: storage
-- clean
-- lint: public_bucket_allows_listing posters
-- own: table storage.objects: insert by user

create table frames (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users, label text);
alter table frames enable row level security;
create policy own on frames for all to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());
grant select, insert, update, delete on frames to authenticated;
insert into storage.buckets (id, name, public) values ('posters', 'posters', true), ('drafts', 'drafts', false);
create policy "Posters are public" on storage.objects for select using (bucket_id = 'posters');
create policy "Own files" on storage.objects for insert to authenticated with check ((storage.foldername(name))[1] = auth.uid()::text);
create policy "Own drafts" on storage.objects for select to authenticated using (bucket_id = 'drafts' and (storage.foldername(name))[1] = auth.uid()::text);
