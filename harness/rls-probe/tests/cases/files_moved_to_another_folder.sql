-- Files are moved into somebody else's folder.
-- base: storage
-- right: table storage.objects: update by user

create table logs (id bigserial primary key, user_id uuid not null references auth.users, body text);
alter table logs enable row level security;
create policy p on logs for all to authenticated using (user_id = auth.uid());
insert into storage.buckets (id, name) values ('faces', 'faces');
create policy r on storage.objects for select to authenticated using (bucket_id = 'faces' and owner = auth.uid());
create policy u on storage.objects for update to authenticated using (bucket_id = 'faces' and owner = auth.uid()) with check (bucket_id = 'faces');
create policy i on storage.objects for insert to authenticated with check (bucket_id = 'faces' and (storage.foldername(name))[1] = auth.uid()::text);
