-- A state of members that no policy asks for keeps nobody out, and was not meant to.
-- base: hosted
-- low
-- members: public.profiles
create type user_role as enum ('superadmin','admin','agent');
create table organizations (id uuid primary key default gen_random_uuid(), name text not null, slug text unique not null, plan text default 'free', settings jsonb default '{}', created_at timestamptz default now());
create table profiles (id uuid primary key references auth.users on delete cascade, organization_id uuid references organizations on delete set null, full_name text, email text not null, role user_role not null default 'agent', is_active boolean default true, created_at timestamptz default now());
create table contacts (id uuid primary key default gen_random_uuid(), organization_id uuid not null references organizations on delete cascade, name text, phone text not null, unique (organization_id, phone));
create table instances (id uuid primary key default gen_random_uuid(), organization_id uuid not null references organizations, name text not null, api_key text, status text default 'disconnected');
create table conversations (id uuid primary key default gen_random_uuid(), organization_id uuid not null references organizations, contact_id uuid not null references contacts, assigned_to uuid references profiles, status text default 'open' check (status in ('open','pending','closed')), last_message_at timestamptz);
create table messages (id uuid primary key default gen_random_uuid(), conversation_id uuid not null references conversations on delete cascade, sender_type text check (sender_type in ('contact','agent','bot')), sender_id uuid references profiles, body text, created_at timestamptz default now());
create table tags (id uuid primary key default gen_random_uuid(), organization_id uuid references organizations, name text not null, color text default '#000000');
create table audit_logs (id bigserial primary key, organization_id uuid references organizations, user_id uuid references auth.users, action text, details jsonb, created_at timestamptz default now());
create function public.get_user_organization_id() returns uuid as $$ select organization_id from public.profiles where id = auth.uid() limit 1 $$ language sql stable security definer;
create function public.is_superadmin() returns boolean as $$ select role = 'superadmin' from public.profiles where id = auth.uid() limit 1 $$ language sql stable security definer;
create function public.is_org_admin() returns boolean as $$ select exists (select 1 from profiles where id = auth.uid() and role in ('admin','superadmin')) $$ language sql stable security definer set search_path = public;
create function public.handle_new_user() returns trigger as $$ begin insert into public.profiles (id, email, full_name) values (new.id, new.email, coalesce(new.raw_user_meta_data->>'full_name', split_part(new.email, '@', 1))); return new; end $$ language plpgsql security definer set search_path = public;
create trigger on_auth_user_created after insert on auth.users for each row execute function handle_new_user();
alter table organizations enable row level security; alter table profiles enable row level security; alter table contacts enable row level security; alter table instances enable row level security; alter table conversations enable row level security; alter table messages enable row level security; alter table tags enable row level security; alter table audit_logs enable row level security;
create policy "org read" on organizations for select using (id = get_user_organization_id() or is_superadmin());
create policy "org manage" on organizations for all using (is_superadmin());
create policy "profiles read" on profiles for select using (organization_id = get_user_organization_id() or id = auth.uid() or is_superadmin());
create policy "profiles own" on profiles for update using (id = auth.uid()) with check (id = auth.uid() and role = (select p.role from profiles p where p.id = auth.uid()) and organization_id is not distinct from get_user_organization_id());
create policy "contacts" on contacts for all using (organization_id = get_user_organization_id()) with check (organization_id = get_user_organization_id());
create policy "instances read" on instances for select using (organization_id = get_user_organization_id() and is_org_admin());
create policy "instances manage" on instances for all using (organization_id = get_user_organization_id() and is_org_admin());
create policy "conv" on conversations for all using (organization_id = get_user_organization_id()) with check (organization_id = get_user_organization_id());
create policy "msg" on messages for all using (exists (select 1 from conversations c where c.id = messages.conversation_id and c.organization_id = get_user_organization_id()));
create policy "tags read" on tags for select using (organization_id is null or organization_id = get_user_organization_id());
create policy "tags write" on tags for all using (organization_id = get_user_organization_id()) with check (organization_id = get_user_organization_id());
create policy "audit" on audit_logs for select using (organization_id = get_user_organization_id() and is_org_admin());
create policy "audit insert" on audit_logs for insert with check (user_id = auth.uid() and organization_id = get_user_organization_id());
create function public.log_change() returns trigger language plpgsql security definer set search_path = public as $$ begin insert into audit_logs (organization_id, user_id, action, details) values (coalesce(new.organization_id, old.organization_id), auth.uid(), tg_op, to_jsonb(new)); return coalesce(new, old); end $$;
create trigger contacts_audit after insert or update or delete on contacts for each row execute function log_change();
create function public.dashboard_stats() returns json language sql stable security definer set search_path = public as $$ select json_build_object('contacts', (select count(*) from contacts where organization_id = get_user_organization_id()), 'open', (select count(*) from conversations where organization_id = get_user_organization_id() and status = 'open')) $$;
create view open_conversations with (security_invoker = on) as select c.id, c.organization_id, ct.name from conversations c join contacts ct on ct.id = c.contact_id where c.status = 'open' and c.last_message_at > now() - interval '30 days';
