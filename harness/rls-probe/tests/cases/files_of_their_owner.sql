-- Where policies ask for a file's owner, and not for its name, a file is its owner's in whatever folder it lies.
-- base: storage
-- clean

create table bands (id uuid primary key default gen_random_uuid(), name text not null);
create table band_members (band_id uuid not null references bands, user_id uuid not null references auth.users, role text not null check (role in ('owner','player')), primary key (band_id, user_id));
create table gigs (id bigserial primary key, band_id uuid not null references bands, title text);
alter table bands enable row level security; alter table band_members enable row level security; alter table gigs enable row level security;
create function my_bands() returns setof uuid language sql stable security definer set search_path = '' as $$ select band_id from public.band_members where user_id = auth.uid() $$;
create policy p on bands for select to authenticated using (id in (select my_bands()));
create policy p on band_members for select to authenticated using (band_id in (select my_bands()));
create policy p on gigs for select to authenticated using (band_id in (select my_bands()));
insert into storage.buckets (id, name) values ('sketches', 'sketches');
create policy a on storage.objects for select to authenticated using (bucket_id = 'sketches' and owner = auth.uid());
create policy b on storage.objects for insert to authenticated with check (bucket_id = 'sketches' and owner = auth.uid());
create policy c on storage.objects for update to authenticated using (bucket_id = 'sketches' and owner = auth.uid());
create policy d on storage.objects for delete to authenticated using (bucket_id = 'sketches' and owner = auth.uid());
