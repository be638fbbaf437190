-- A partition that is granted is read past its parent's policies; given the same policies, it is not. What is published
-- without row level security is taken out.
-- base: hosted
-- right: table public.events_all: read by owner aide newcomer
-- right: publication supabase_realtime: listen by owner aide newcomer
-- fixed: table public.events_all
-- fixed: publication supabase_realtime

create schema internal; grant usage on schema internal to authenticated;
create table firms (id uuid primary key default gen_random_uuid(), name text not null);
create table firm_members (firm_id uuid not null references firms, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'aide')), primary key (firm_id, user_id));
create table events (id uuid not null default gen_random_uuid(), firm_id uuid not null references firms, at timestamptz not null default now(), body text, primary key (id, at)) partition by range (at);
create table events_all partition of events for values from ('2000-01-01') to ('2200-01-01');
create table internal.queue (id bigserial primary key, firm_id uuid not null references firms, body text);
create function my_firms() returns setof uuid language sql stable security definer set search_path = '' as $$ select firm_id from public.firm_members where user_id = auth.uid() $$;
alter table firms enable row level security; alter table firm_members enable row level security; alter table events enable row level security;
create policy p on firms for select to authenticated using (id in (select my_firms()));
create policy p on firm_members for select to authenticated using (firm_id in (select my_firms()));
create policy p on events for select to authenticated using (firm_id in (select my_firms()));
revoke all on firms, firm_members, events, events_all from anon, authenticated;
grant select on firms, firm_members, events, events_all, internal.queue to authenticated;
alter publication supabase_realtime add table internal.queue;
