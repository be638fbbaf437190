-- A text for a negated class is printable.
-- clean
-- own: table public.letters: insert by anonymous

create table pigeons (id bigserial primary key, user_id uuid not null references auth.users, ring text not null);
create table letters (id bigserial primary key, address text not null check (address ~* '^[^@\s]+@[^@\s]+\.[^@\s]+$'), body text);
alter table pigeons enable row level security; alter table letters enable row level security;
create policy p on pigeons for all to authenticated using (user_id = auth.uid());
create policy p on letters for insert to anon, authenticated with check (true);
grant select, insert, update, delete on pigeons to authenticated; grant insert on letters to anon, authenticated; grant usage on all sequences in schema public to anon, authenticated;
