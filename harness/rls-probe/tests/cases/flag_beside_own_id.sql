-- A flag stands in a table whose id is the user's without a foreign key.
-- right: table public.merchants: update by user
/*tenancy
[tenancy]
schemas = ["public"]
[tenancy.owner]
columns = ["merchant_id"]
[tenancy.tables]
"public.merchants" = "id"
*/

create table merchants (id uuid primary key default gen_random_uuid(), email text not null unique, is_admin boolean not null default false, plan text not null default 'free');
create table wallets (id uuid primary key default gen_random_uuid(), merchant_id uuid not null references merchants, seed text);
alter table merchants enable row level security; alter table wallets enable row level security;
create policy s on merchants for select to authenticated using (id = auth.uid());
create policy u on merchants for update to authenticated using (id = auth.uid());
create policy s on wallets for select to authenticated using (merchant_id = auth.uid() or exists (select from merchants m where m.id = auth.uid() and m.is_admin));
grant select, update on merchants to authenticated; grant select on wallets to authenticated;
