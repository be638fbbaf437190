-- Essays that are published and a contact form are for everybody, and say so.
-- base: hosted
-- clean
-- own: table public.essays: read by anonymous newcomer
-- says: PUBLIC read table public.essays: id, user_id, body, is_published (policy "published essays are public")
-- says: PUBLIC insert table public.messages_to_us: id, sender, body (policy "contact form")
create table essays (id bigserial primary key, user_id uuid not null references auth.users, body text not null, is_published boolean not null default false);
create table messages_to_us (id bigserial primary key, sender text not null, body text not null);
alter table essays enable row level security; alter table messages_to_us enable row level security;
create policy own on essays for all to authenticated using (user_id = auth.uid());
create policy "published essays are public" on essays for select to anon, authenticated using (is_published);
create policy "contact form" on messages_to_us for insert to anon, authenticated with check (true);
grant select on essays to anon; grant select, insert, update, delete on essays to authenticated; grant insert on messages_to_us to anon, authenticated; grant usage on all sequences in schema public to anon, authenticated;
