-- A policy for the backend alone is nothing to report.
-- clean
-- no lint: rls_policy_always_true

create table ledgers (id bigserial primary key, user_id uuid not null references auth.users, body text);
alter table ledgers enable row level security;
create policy own on ledgers for select to authenticated using (user_id = auth.uid());
create policy backend on ledgers for all to service_role using (true) with check (true);
grant select on ledgers to authenticated; grant all on ledgers to service_role;
