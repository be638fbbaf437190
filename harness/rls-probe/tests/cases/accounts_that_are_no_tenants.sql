-- Whoever approved a loan is no member of an account. A colleague may be given a role above one's own by an argument.
-- base: hosted
-- low
-- members: public.staff
-- right: function public.assign_staff: call by sacco_admin
-- says: can give somebody a role above their own

create schema app;
grant usage on schema app to authenticated;
create table saccos (id uuid primary key default gen_random_uuid(), name text not null);
create table staff (id uuid primary key default gen_random_uuid(), user_id uuid not null unique references auth.users, sacco_id uuid references saccos, role text not null check (role in ('platform_admin', 'sacco_admin', 'teller')));
create table groups (id uuid primary key default gen_random_uuid(), sacco_id uuid not null references saccos, name text not null);
create table accounts (id uuid primary key default gen_random_uuid(), group_id uuid not null references groups, balance numeric not null default 0);
create table transactions (id uuid primary key default gen_random_uuid(), account_id uuid not null references accounts, amount numeric not null);
create table loans (id uuid primary key default gen_random_uuid(), account_id uuid not null references accounts, principal numeric not null, approved_by uuid references auth.users);
create function app.my_sacco() returns uuid language sql stable security definer set search_path = '' as $$ select sacco_id from public.staff where user_id = auth.uid() $$;
create function app.my_role() returns text language sql stable security definer set search_path = '' as $$ select role from public.staff where user_id = auth.uid() $$;
create function app.sacco_of(a uuid) returns uuid language sql stable security definer set search_path = '' as $$ select g.sacco_id from public.accounts x join public.groups g on g.id = x.group_id where x.id = a $$;
create function approve_loan(p_loan_id uuid) returns void language plpgsql security definer set search_path = '' as $$ begin
  if (select sacco_id from public.staff where user_id = auth.uid()) is distinct from (select app.sacco_of(account_id) from public.loans where id = p_loan_id) or app.my_sacco() is null or app.my_role() <> 'sacco_admin' then raise exception 'not allowed' using errcode = '42501'; end if;
  update public.loans set approved_by = auth.uid() where id = p_loan_id; end $$;
create function assign_staff(p_user_id uuid, p_role text) returns void language plpgsql security definer set search_path = '' as $$ begin
  if coalesce(app.my_role(), '') <> 'sacco_admin' or app.my_sacco() is null or not exists (select from public.staff where user_id = p_user_id and sacco_id = app.my_sacco()) then raise exception 'not allowed' using errcode = '42501'; end if;
  update public.staff set role = p_role where user_id = p_user_id; end $$;
alter table saccos enable row level security; alter table staff enable row level security; alter table groups enable row level security; alter table accounts enable row level security; alter table transactions enable row level security; alter table loans enable row level security;
create policy r on saccos for select to authenticated using (id = app.my_sacco() or app.my_role() = 'platform_admin');
create policy r on staff for select to authenticated using (user_id = auth.uid() or sacco_id = app.my_sacco() or app.my_role() = 'platform_admin');
create policy r on groups for select to authenticated using (sacco_id = app.my_sacco());
create policy r on accounts for select to authenticated using (app.sacco_of(id) = app.my_sacco());
create policy r on transactions for select to authenticated using (app.sacco_of(account_id) = app.my_sacco());
create policy r on loans for select to authenticated using (app.sacco_of(account_id) = app.my_sacco());
