-- A permissive policy for everyone beside a restrictive one declares nothing.
-- base: hosted
-- right: table public.letters: read by owner newcomer

create table firms (id uuid primary key default gen_random_uuid(), name text not null);
create table firm_members (firm_id uuid not null references firms, user_id uuid not null references auth.users, role text not null check (role in ('owner','clerk')), primary key (firm_id, user_id));
create table letters (id uuid primary key default gen_random_uuid(), firm_id uuid not null references firms, body text, is_draft boolean not null default false);
alter table firms enable row level security; alter table firm_members enable row level security; alter table letters enable row level security;
create function my_firms() returns setof uuid language sql stable security definer set search_path = '' as $$ select firm_id from public.firm_members where user_id = auth.uid() $$;
create policy p on firms for select to authenticated using (id in (select my_firms()));
create policy p on firm_members for select to authenticated using (firm_id in (select my_firms()));
create policy "everyone reads" on letters for select to authenticated using (true);
create policy "no drafts" on letters as restrictive for select to authenticated using (not is_draft);
