-- What a claim is compared with are the roles, and one that nothing asks for.
-- base: hosted
-- low
-- right: table public.products: insert by owner manager member newcomer
-- right: table public.products: update by owner manager
-- own: table public.webhooks: read by owner
-- refused: table public.webhooks: read by manager member

create table tenants (id uuid primary key default gen_random_uuid(), name text not null);
create table products (id uuid primary key default gen_random_uuid(), tenant_id uuid not null references tenants, title text not null);
create table webhooks (id uuid primary key default gen_random_uuid(), tenant_id uuid not null references tenants, url text not null);
create function jwt_tenant() returns uuid language sql stable as $$ select (auth.jwt() -> 'app_metadata' ->> 'tenant_id')::uuid $$;
create function jwt_role() returns text language sql stable as $$ select coalesce(auth.jwt() -> 'app_metadata' ->> 'user_role', '') $$;
alter table tenants enable row level security; alter table products enable row level security; alter table webhooks enable row level security;
create policy t on tenants for select to authenticated using (id = jwt_tenant());
create policy r on products for select to authenticated using (tenant_id = jwt_tenant());
create policy w on products for all to authenticated using (tenant_id = jwt_tenant() and jwt_role() in ('owner', 'manager')) with check (true);
create policy w on webhooks for all to authenticated using (tenant_id = jwt_tenant() and jwt_role() = 'owner');
