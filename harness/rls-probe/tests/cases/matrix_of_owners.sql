-- Whoever owns rows changes and deletes them.
-- clean
-- own: table public.plants: read insert update delete by user

create table plants (id bigserial primary key, user_id uuid not null references auth.users, name text);
alter table plants enable row level security;
create policy p on plants for all to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());
grant select, insert, update, delete on plants to authenticated; grant usage on all sequences in schema public to authenticated;
