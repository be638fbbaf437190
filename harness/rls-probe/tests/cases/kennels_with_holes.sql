-- The same kennels with holes that only show with a secret, a no, a year, a folder, or by what a table or a policy is for.
-- base: storage kennels
-- right: function public.accept_invite: call by owner, helper, newcomer, left, uninvited
-- right: function public.cancel_stay: call by anonymous, newcomer, owner
-- right: function public.decide_refund: call by owner
-- right: function public.booked_in: call by newcomer, helper
-- right: table public.ledger_entries: update by owner
-- right: table public.audit_log: delete by owner
-- right: table public.audit_log: insert by helper
-- right: table public.kennels: update by owner
-- right: column public.wages.iban: read by helper
-- right: table public.papers: insert by owner, manager
-- right: table public.prices: update by helper
-- right: table storage.objects: insert by owner
-- says: with the secret of an invitation that names somebody else
-- says: can change their own role, tenant or state
-- says: can read files of the other tenant by a row of their own that names them (file_path)
-- says: can change rows of their own tenant by a policy that is named for manager
-- says: can delete entries that are kept as a record
-- says: can add entries in a colleague's name to what is kept as a record
-- says: can set plan for their own tenant
-- says: can become a member by an invitation that was taken back
-- fixed: function public.decide_refund
-- advised: function public.cancel_stay
create or replace function accept_invite(p_token text) returns uuid language plpgsql security definer set search_path = '' as $$
declare found_hash text := private.hashed(p_token); i public.kennel_invites;
begin
  select * into i from public.kennel_invites where token_hash = found_hash and expires_at > now();
  if not found then raise exception 'no such invitation' using errcode = 'P0002'; end if;
  insert into public.kennel_staff (kennel_id, user_id, role) values (i.kennel_id, auth.uid(), i.role)
    on conflict (kennel_id, user_id) do update set state = 'active', role = excluded.role;
  update public.kennel_invites set state = 'accepted' where id = i.id;
  return i.kennel_id;
end $$;
create or replace function cancel_stay(p_stay uuid, p_code text) returns void language plpgsql security definer set search_path = '' as $$
declare s public.stays;
begin
  select * into s from public.stays where id = p_stay;
  if private.hashed(p_code) <> s.code_hash then raise exception 'no such stay' using errcode = 'P0002'; end if;
  if s.state <> 'booked' then raise exception 'too late' using errcode = '22023'; end if;
  update public.stays set state = 'cancelled' where id = s.id;
end $$;
create or replace function decide_refund(p_refund uuid, p_pay boolean) returns void language plpgsql security definer set search_path = '' as $$
declare r public.refunds;
begin
  select * into r from public.refunds where id = p_refund;
  if not exists (select from public.kennel_staff s where s.user_id = auth.uid() and s.role = 'owner' and s.state = 'active') then
    raise exception 'not allowed' using errcode = '42501';
  end if;
  if p_pay and r.amount > (select coalesce(sum(amount), 0) from public.ledger_entries where kennel_id = r.kennel_id) then
    raise exception 'more than there is' using errcode = '22023';
  end if;
  update public.refunds set state = case when p_pay then 'paid' else 'rejected' end where id = r.id;
end $$;
create or replace function booked_in(p_kennel uuid, p_year integer) returns bigint language plpgsql stable security definer set search_path = '' as $$
declare v_role public.staff_role := (select s.role from public.kennel_staff s where s.kennel_id = p_kennel and s.user_id = auth.uid() and s.state = 'active');
begin
  if v_role <> 'owner' and v_role <> 'helper' then raise exception 'not allowed' using errcode = '42501'; end if;
  return (select count(*) from public.ledger_entries where kennel_id = p_kennel and extract(year from booked_at) = p_year);
end $$;
grant update (amount) on ledger_entries to authenticated;
create policy w on ledger_entries for update to authenticated using (private.is_staff(kennel_id, 'owner'));
grant insert, delete on audit_log to authenticated;
grant usage on all sequences in schema public to authenticated;
create policy i on audit_log for insert to authenticated with check (private.is_staff(kennel_id));
grant update (plan) on kennels to authenticated;
create policy d on audit_log for delete to authenticated using (private.is_staff(kennel_id, 'owner'));
drop policy r on wages;
create policy r on wages for select to authenticated using (private.is_staff(kennel_id));
alter table papers drop constraint within;
drop policy "Managers change prices" on prices;
create policy "Managers change prices" on prices for update to authenticated using (private.is_staff(kennel_id));
drop policy office on storage.objects;
create policy office on storage.objects for all to authenticated
  using (bucket_id = 'kennel-files' and split_part(name, '/', 2) = 'office' and split_part(name, '/', 3) ~ '^[0-9a-f-]{36}$' and private.is_staff(split_part(name, '/', 3)::uuid, 'owner'));
