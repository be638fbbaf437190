-- The tenant stands in the token itself, and no table places users.
-- base: hosted
-- right: table public.invoices: read by user newcomer
-- own: table public.orders: read insert update delete by user

create table firms (id uuid primary key default gen_random_uuid(), name text not null);
create table orders (id uuid primary key default gen_random_uuid(), firm_id uuid not null references firms, title text);
create table invoices (id uuid primary key default gen_random_uuid(), firm_id uuid not null references firms, total numeric);
alter table firms enable row level security; alter table orders enable row level security; alter table invoices enable row level security;
create policy p on firms for select to authenticated using (id = ((select auth.jwt()) ->> 'firm_id')::uuid);
create policy p on orders for all to authenticated using (firm_id = (auth.jwt() ->> 'firm_id')::uuid);
create policy p on invoices for select to authenticated using (true);
