-- The highest role that gets through is reported.
-- right: table public.bankers: insert by newcomer
-- says: platform_owner

create table banks (id uuid primary key default gen_random_uuid(), name text not null);
create table bankers (user_id uuid primary key references auth.users, bank_id uuid references banks, role text not null check (role in ('platform_owner','director','clerk')));
create table vaults (id bigserial primary key, bank_id uuid not null references banks, sum numeric);
alter table banks enable row level security; alter table bankers enable row level security; alter table vaults enable row level security;
create function my_bank() returns uuid language sql stable security definer set search_path = '' as $$ select bank_id from public.bankers where user_id = auth.uid() $$;
create policy p on banks for select to authenticated using (id = my_bank());
create policy s on bankers for select to authenticated using (bank_id = my_bank() or user_id = auth.uid());
create policy i on bankers for insert to authenticated with check (user_id = auth.uid());
create policy p on vaults for select to authenticated using (bank_id = my_bank());
grant select on banks, vaults to authenticated; grant select, insert on bankers to authenticated;
