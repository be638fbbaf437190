-- A profile says the tenant, a table of its own the role: members are made with each of the roles, and one without a tenant.
-- base: hosted
-- members: public.profiles
-- low
-- right: table public.vehicles: read insert update delete by owner dispatcher
-- right: table public.user_roles: insert by driver newcomer
-- says: can make themselves owner

create type app_role as enum ('owner', 'dispatcher', 'driver');
create table companies (id uuid primary key default gen_random_uuid(), name text not null);
create table profiles (id uuid primary key references auth.users, company_id uuid references companies, full_name text);
create table user_roles (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users, role app_role not null, unique (user_id, role));
create table vehicles (id uuid primary key default gen_random_uuid(), company_id uuid not null references companies, plate text not null);
create table wallets (company_id uuid primary key references companies, balance numeric not null default 0);
create function has_role(_user_id uuid, _role app_role) returns boolean language sql stable security definer set search_path = public as $$ select exists (select 1 from user_roles where user_id = _user_id and role = _role) $$;
create function my_company() returns uuid language sql stable security definer set search_path = public as $$ select company_id from profiles where id = auth.uid() $$;
alter table companies enable row level security; alter table profiles enable row level security; alter table user_roles enable row level security; alter table vehicles enable row level security; alter table wallets enable row level security;
create policy r on companies for select to authenticated using (id = my_company());
create policy r on profiles for select to authenticated using (id = auth.uid() or company_id = my_company());
create policy r on user_roles for select to authenticated using (user_id = auth.uid());
create policy i on user_roles for insert to authenticated with check (user_id = auth.uid());
create policy r on wallets for select to authenticated using (company_id = my_company() and has_role(auth.uid(), 'owner'));
create policy w on vehicles for all to authenticated using (has_role(auth.uid(), 'owner') or has_role(auth.uid(), 'dispatcher'));
