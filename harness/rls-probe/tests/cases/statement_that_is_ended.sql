-- Who is of no tenant has no rows that a report could be grouped of, and ends the statement to make one of their own.
-- base: hosted
-- right: function public.report: call by owner newcomer
-- says: newcomer, claimant can obtain data of the other tenant

create table firms (id uuid primary key default gen_random_uuid(), name text not null);
create table firm_members (firm_id uuid not null references firms, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'clerk')), primary key (firm_id, user_id));
create table bills (id uuid primary key default gen_random_uuid(), firm_id uuid not null references firms, customer text not null, total numeric not null);
create function my_firm() returns uuid language sql stable security definer set search_path = public as $$ select firm_id from firm_members where user_id = auth.uid() limit 1 $$;
create function report(p_group_by text) returns table (label text, total numeric) language plpgsql stable security definer set search_path = public as $$ begin
  return query execute 'select (' || p_group_by || ')::text, sum(b.total) from bills b where b.firm_id = $1 group by 1' using my_firm(); end $$;
revoke execute on function report from public, anon;
alter table firms enable row level security; alter table firm_members enable row level security; alter table bills enable row level security;
create policy s on firms for select to authenticated using (id = my_firm());
create policy s on firm_members for select to authenticated using (firm_id = my_firm());
create policy s on bills for select to authenticated using (firm_id = my_firm());
