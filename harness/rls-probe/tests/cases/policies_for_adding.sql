-- Of several policies for adding rows the one is named, and narrowed, that lets the row through.
-- base: hosted
-- right: table public.notes: insert by lead hand newcomer
-- fixed: table public.notes
-- says: policy "everybody adds"

create table sites (id uuid primary key default gen_random_uuid(), name text not null);
create table workers (site_id uuid not null references sites, user_id uuid not null references auth.users, role text not null check (role in ('lead', 'hand')), primary key (site_id, user_id));
create table notes (id uuid primary key default gen_random_uuid(), site_id uuid not null references sites, kind text not null default 'plain' check (kind in ('plain', 'alarm')), body text);
create function my_sites() returns setof uuid language sql stable security definer set search_path = '' as $$ select site_id from public.workers where user_id = auth.uid() $$;
alter table sites enable row level security; alter table workers enable row level security; alter table notes enable row level security;
create policy p on sites for select to authenticated using (id in (select my_sites()));
create policy p on workers for select to authenticated using (site_id in (select my_sites()));
create policy p on notes for select to authenticated using (site_id in (select my_sites()));
create policy "own alarms" on notes for insert to authenticated with check (kind = 'alarm' and site_id in (select my_sites()));
create policy "everybody adds" on notes for insert to authenticated with check (true);
revoke all on sites, workers, notes from anon, authenticated;
grant select on sites, workers, notes to authenticated; grant insert on notes to authenticated;
