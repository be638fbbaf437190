-- Deferred constraint triggers of the rows that the prober made are not run inside an attempt.
-- right: table public.accounts_of: read insert update delete by owner hand newcomer claimant

create table mills (id uuid primary key default gen_random_uuid(), name text not null);
create table millers (user_id uuid primary key references auth.users, mill_id uuid not null references mills, role text not null check (role in ('owner','hand')));
create table accounts_of (id bigserial primary key, mill_id uuid not null references mills, name text);
create table postings (id bigserial primary key, mill_id uuid not null references mills, debit numeric not null default 0, credit numeric not null default 0);
create function checked() returns trigger language plpgsql as $$ begin
  if (select coalesce(sum(debit), 0) + coalesce(sum(credit), 0) from postings where id = new.id) < 0 then raise exception 'below zero'; end if; return null; end $$;
create constraint trigger t after insert or update on postings deferrable initially deferred for each row execute function checked();
alter table mills enable row level security; alter table millers enable row level security; alter table accounts_of enable row level security; alter table postings enable row level security;
create function my_mill() returns uuid language sql stable security definer set search_path = '' as $$ select mill_id from public.millers where user_id = auth.uid() $$;
create policy p on mills for select to authenticated using (id = my_mill());
create policy p on millers for select to authenticated using (mill_id = my_mill());
create policy p on accounts_of for all to authenticated using (true) with check (true);
grant select on mills, millers to authenticated; grant select, insert, update, delete on accounts_of to authenticated; grant usage on all sequences in schema public to authenticated;
-- postings are the backend's alone: nothing is granted
