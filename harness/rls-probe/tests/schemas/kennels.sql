-- Kennels: staff with states, invitations and stays of which only hashes are kept, books that are only added to, and files in folders.
create schema private;
grant usage on schema private to authenticated, anon;
create type kennel_status as enum ('draft', 'open', 'paused', 'suspended', 'closed');
create type staff_role as enum ('owner', 'manager', 'helper');
create type staff_state as enum ('active', 'suspended', 'left');
create table kennels (id uuid primary key default gen_random_uuid(), name text not null, status kennel_status not null default 'open', plan text not null default 'free' check (plan in ('free', 'large')));
create table kennel_staff (kennel_id uuid not null references kennels, user_id uuid not null references auth.users, role staff_role not null, state staff_state not null default 'active', primary key (kennel_id, user_id));
create table kennel_invites (id uuid primary key default gen_random_uuid(), kennel_id uuid not null references kennels, email text not null, role staff_role not null default 'helper', state text not null default 'open' check (state in ('open', 'accepted', 'revoked')), token_hash text not null unique, expires_at timestamptz not null default now() + interval '7 days');
create table stays (id uuid primary key default gen_random_uuid(), kennel_id uuid not null references kennels, dog text not null, guest_email text not null, state text not null default 'booked' check (state in ('booked', 'cancelled')), code_hash text not null);
create table refunds (id uuid primary key default gen_random_uuid(), kennel_id uuid not null references kennels, amount integer not null check (amount > 1000), state text not null default 'pending' check (state in ('pending', 'paid', 'rejected')));
create table ledger_entries (id bigserial primary key, kennel_id uuid not null references kennels, amount integer not null, booked_at timestamptz not null default now());
create table audit_log (id bigserial primary key, kennel_id uuid not null references kennels, actor_id uuid references auth.users, what text not null);
create table wages (id uuid primary key default gen_random_uuid(), kennel_id uuid not null references kennels, user_id uuid not null references auth.users, iban text not null);
create table papers (id uuid primary key default gen_random_uuid(), kennel_id uuid not null references kennels, title text not null, file_path text not null, constraint within check (split_part(file_path, '/', 1) = kennel_id::text));
create table prices (id uuid primary key default gen_random_uuid(), kennel_id uuid not null references kennels, name text not null, amount integer not null);

create function private.hashed(t text) returns text language sql immutable set search_path = '' as $$ select encode(sha256(convert_to(t, 'UTF8')), 'hex') $$;
create function private.is_staff(k uuid, variadic roles public.staff_role[] default '{owner,manager,helper}') returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.kennel_staff s join public.kennels o on o.id = s.kennel_id
    where s.kennel_id = k and s.user_id = auth.uid() and s.role = any (roles) and s.state = 'active' and o.status <> 'closed') $$;

do $$ declare t text; begin
  foreach t in array array['kennels', 'kennel_staff', 'kennel_invites', 'stays', 'refunds', 'ledger_entries', 'audit_log', 'wages', 'papers', 'prices'] loop
    execute format('alter table %I enable row level security', t);
  end loop;
end $$;
create policy r on kennels for select to authenticated using (private.is_staff(id));
create policy u on kennels for update to authenticated using (private.is_staff(id, 'owner'));
create policy r on kennel_staff for select to authenticated using (private.is_staff(kennel_id));
create policy r on stays for select to authenticated using (private.is_staff(kennel_id));
create policy r on refunds for select to authenticated using (private.is_staff(kennel_id, 'owner', 'manager'));
create policy r on ledger_entries for select to authenticated using (private.is_staff(kennel_id, 'owner'));
create policy r on audit_log for select to authenticated using (private.is_staff(kennel_id, 'owner'));
create policy r on wages for select to authenticated using (user_id = auth.uid() or private.is_staff(kennel_id, 'owner'));
create policy r on papers for select to authenticated using (private.is_staff(kennel_id));
create policy w on papers for insert to authenticated with check (private.is_staff(kennel_id, 'owner', 'manager'));
create policy r on prices for select to authenticated using (private.is_staff(kennel_id));
create policy "Owners and managers add prices" on prices for insert to authenticated with check (private.is_staff(kennel_id, 'owner', 'manager'));
create policy "Authors and managers remove prices" on prices for delete to authenticated using (private.is_staff(kennel_id));
create policy "Managers change prices" on prices for update to authenticated using (private.is_staff(kennel_id, 'owner', 'manager'));
revoke all on all tables in schema public from anon, authenticated;
grant select on kennels, kennel_staff, stays, refunds, ledger_entries, audit_log, wages, papers, prices to authenticated;
grant insert on papers, prices to authenticated;
grant update (name) on kennels to authenticated;
grant update (name, amount), delete on prices to authenticated;

create function preview_invite(p_token text) returns table (kennel text, role staff_role) language sql stable security definer set search_path = '' as $$
  select k.name, i.role from public.kennel_invites i join public.kennels k on k.id = i.kennel_id
  where i.token_hash = private.hashed(p_token) and i.state = 'open' and i.expires_at > now() $$;
create function accept_invite(p_token text) returns uuid language plpgsql security definer set search_path = '' as $$
declare found_hash text := private.hashed(p_token); i public.kennel_invites;
begin
  select * into i from public.kennel_invites where token_hash = found_hash and state = 'open' and expires_at > now()
    and email = (select u.email from auth.users u where u.id = auth.uid());
  if not found then raise exception 'no such invitation' using errcode = 'P0002'; end if;
  insert into public.kennel_staff (kennel_id, user_id, role) values (i.kennel_id, auth.uid(), i.role);
  update public.kennel_invites set state = 'accepted' where id = i.id;
  return i.kennel_id;
end $$;
create function cancel_stay(p_stay uuid, p_code text) returns void language plpgsql security definer set search_path = '' as $$
declare s public.stays;
begin
  select * into s from public.stays where id = p_stay;
  if not found or private.hashed(p_code) is distinct from s.code_hash then raise exception 'no such stay' using errcode = 'P0002'; end if;
  if s.state <> 'booked' then raise exception 'too late' using errcode = '22023'; end if;
  update public.stays set state = 'cancelled' where id = s.id;
end $$;
create function decide_refund(p_refund uuid, p_pay boolean) returns void language plpgsql security definer set search_path = '' as $$
declare r public.refunds;
begin
  select * into r from public.refunds where id = p_refund;
  if not private.is_staff(r.kennel_id, 'owner') then raise exception 'not allowed' using errcode = '42501'; end if;
  if p_pay and r.amount > (select coalesce(sum(amount), 0) from public.ledger_entries where kennel_id = r.kennel_id) then
    raise exception 'more than there is' using errcode = '22023';
  end if;
  update public.refunds set state = case when p_pay then 'paid' else 'rejected' end where id = r.id;
end $$;
create function booked_in(p_kennel uuid, p_year integer) returns bigint language plpgsql stable security definer set search_path = '' as $$
begin
  if not private.is_staff(p_kennel, 'owner') then raise exception 'not allowed' using errcode = '42501'; end if;
  return (select count(*) from public.ledger_entries where kennel_id = p_kennel and extract(year from booked_at) = p_year);
end $$;
create function my_kennels() returns table (kennel text, state staff_state) language sql stable security definer set search_path = '' as $$
  select k.name, s.state from public.kennel_staff s join public.kennels k on k.id = s.kennel_id where s.user_id = auth.uid() and k.status <> 'closed' $$;
revoke execute on all functions in schema public from public, anon;
grant execute on function preview_invite(text), cancel_stay(uuid, text) to anon, authenticated;
grant execute on function accept_invite(text), decide_refund(uuid, boolean), booked_in(uuid, integer), my_kennels() to authenticated;

insert into storage.buckets (id, name) values ('kennel-files', 'kennel-files');
create policy office on storage.objects for all to authenticated
  using (bucket_id = 'kennel-files' and split_part(name, '/', 2) = 'office' and private.is_staff(split_part(name, '/', 1)::uuid, 'owner'))
  with check (bucket_id = 'kennel-files' and split_part(name, '/', 2) = 'office' and private.is_staff(split_part(name, '/', 1)::uuid, 'owner'));
create policy papers on storage.objects for select to authenticated
  using (bucket_id = 'kennel-files' and exists (select from public.papers p where p.file_path = objects.name));
