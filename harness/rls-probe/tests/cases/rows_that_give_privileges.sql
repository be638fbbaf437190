-- A table of those who may do more is not filled for those who try.
-- clean

create table harbours (id uuid primary key default gen_random_uuid(), name text not null);
create table pilots (user_id uuid primary key references auth.users, harbour_id uuid not null references harbours, role text not null check (role in ('chief','pilot')));
create table overseers (user_id uuid primary key references auth.users, since date not null default now());
create table berths (id bigserial primary key, harbour_id uuid not null references harbours, label text);
alter table harbours enable row level security; alter table pilots enable row level security; alter table overseers enable row level security; alter table berths enable row level security;
create function my_harbour() returns uuid language sql stable security definer set search_path = '' as $$ select harbour_id from public.pilots where user_id = auth.uid() $$;
create function oversees() returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.overseers where user_id = auth.uid()) $$;
create policy p on harbours for select to authenticated using (id = my_harbour() or oversees());
create policy p on pilots for select to authenticated using (harbour_id = my_harbour() or oversees());
create policy p on berths for all to authenticated using (harbour_id = my_harbour() or oversees());
create policy p on overseers for select to authenticated using (user_id = auth.uid());
grant select on harbours, pilots, overseers to authenticated; grant select, insert, update, delete on berths to authenticated; grant usage on all sequences in schema public to authenticated;
