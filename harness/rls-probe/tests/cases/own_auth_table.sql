-- A table's id is the user's without a foreign key.
-- members: public.users
-- right: table public.users: insert by newcomer

create type post as enum ('manager', 'seller');
create table stalls (id uuid primary key default gen_random_uuid(), name text not null);
create table users (id uuid primary key default gen_random_uuid(), stall_id uuid references stalls, role post not null, full_name text not null);
create table takings (id bigserial primary key, stall_id uuid not null references stalls, amount numeric);
alter table stalls enable row level security; alter table users enable row level security; alter table takings enable row level security;
create policy s on users for select to authenticated using (id = auth.uid());
create policy i on users for insert to authenticated with check (id = auth.uid());
create policy p on stalls for select to authenticated using (id in (select stall_id from users where id = auth.uid()));
create policy p on takings for select to authenticated using (stall_id in (select stall_id from users where id = auth.uid()));
grant select, insert on users to authenticated; grant select on stalls, takings to authenticated;
