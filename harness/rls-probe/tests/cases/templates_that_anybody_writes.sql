-- Rows without a tenant that a policy calls global are read by all, and changed by nobody.
-- base: hosted
-- right: table public.layouts: insert update delete by owner clerk newcomer
-- says: can change rows that belong to no tenant

create table firms (id uuid primary key default gen_random_uuid(), name text not null);
create table firm_members (firm_id uuid not null references firms, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'clerk')), primary key (firm_id, user_id));
create table layouts (id uuid primary key default gen_random_uuid(), firm_id uuid references firms, name text not null);
create function of_firm(f uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.firm_members where firm_id = f and user_id = auth.uid()) $$;
alter table firms enable row level security; alter table firm_members enable row level security; alter table layouts enable row level security;
create policy p on firms for select to authenticated using (of_firm(id));
create policy p on firm_members for select to authenticated using (of_firm(firm_id));
create policy "Users view global layouts and their own" on layouts for select to authenticated using (firm_id is null or of_firm(firm_id));
create policy i on layouts for insert to authenticated with check (firm_id is null or of_firm(firm_id));
create policy u on layouts for update to authenticated using (firm_id is null or of_firm(firm_id));
create policy d on layouts for delete to authenticated using (firm_id is null or of_firm(firm_id));
