-- Whoever may make objects where code with its owner's rights looks for them runs what they like as the owner.
-- base: hosted
-- right: schema public: insert by user newcomer
-- says: 1 functions with their owner's rights and no search_path

create table jars (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users, label text);
alter table jars enable row level security;
create policy own on jars for all to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());
create function jar_count() returns bigint language sql security definer as $$ select count(*) from public.jars where user_id = auth.uid() $$;
grant create on schema public to authenticated;
