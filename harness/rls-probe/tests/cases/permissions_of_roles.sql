-- What roles may is everybody's to read, and nobody's to add to; that a row is there already says that it was let through.
-- base: hosted
-- low
-- right: table public.role_permissions: insert by owner member newcomer

create table accounts (id uuid primary key default gen_random_uuid(), name text not null);
create table roles (name text primary key, level int not null unique);
insert into roles values ('owner', 2), ('member', 1);
create table role_permissions (role text not null references roles, permission text not null check (permission in ('read', 'write')), primary key (role, permission));
insert into role_permissions values ('owner', 'read'), ('owner', 'write'), ('member', 'read'), ('member', 'write');
create table memberships (user_id uuid not null references auth.users, account_id uuid not null references accounts, role text not null references roles, primary key (user_id, account_id));
create table projects (id uuid primary key default gen_random_uuid(), account_id uuid not null references accounts, name text not null);
create function may(a uuid, p text) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.memberships m join public.role_permissions r on r.role = m.role where m.account_id = a and m.user_id = auth.uid() and r.permission = p) $$;
alter table accounts enable row level security; alter table roles enable row level security; alter table role_permissions enable row level security; alter table memberships enable row level security; alter table projects enable row level security;
create policy r on accounts for select to authenticated using (may(id, 'read'));
create policy r on roles for select to authenticated using (true);
create policy r on role_permissions for select to authenticated using (true);
create policy i on role_permissions for insert to authenticated with check (true);
create policy r on memberships for select to authenticated using (may(account_id, 'read'));
create policy a on projects for all to authenticated using (may(account_id, 'write')) with check (may(account_id, 'write'));
