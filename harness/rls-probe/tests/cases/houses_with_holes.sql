-- The same houses with holes that only show where rows and arguments fit together.
-- base: houses
-- right: function public.pay: call by owner, manager
-- right: function public.invite: call by manager
-- right: table public.votes: insert by owner, manager, caretaker, newcomer
-- right: table public.papers: read by owner, manager, caretaker, newcomer
-- right: table public.people: update by caretaker
-- right: function public.arrears: call by owner, manager
-- says: can invite somebody to a role above their own
-- says: can change what is written of an owner

create or replace function pay(p_house uuid, p_bill uuid, p_amount numeric) returns void language plpgsql security definer set search_path = '' as $$ begin
  if not public.has_duty(p_house, '{owner,manager}') then raise exception 'not allowed' using errcode = '42501'; end if;
  update public.bills set paid = paid + p_amount where id = p_bill;
  if not found then raise exception 'no such bill'; end if; end $$;
create or replace function invite(p_house uuid, p_email text, p_duty public.duty) returns void language plpgsql security definer set search_path = '' as $$ begin
  if not public.has_duty(p_house, '{owner,manager}') then raise exception 'not allowed' using errcode = '42501'; end if;
  insert into public.invitations (house_id, email, duty) values (p_house, p_email, p_duty); end $$;
create function arrears(p_house uuid, p_sort text default 'total') returns table (id uuid, total numeric) language plpgsql stable security definer set search_path = '' as $$ begin
  if not public.has_duty(p_house, '{owner,manager}') then raise exception 'not allowed' using errcode = '42501'; end if;
  return query execute format('select b.id, b.total - b.paid from public.bills b where b.house_id = $1 and b.due_on < current_date - 30 order by %s', p_sort) using p_house; end $$;
revoke execute on function arrears(uuid, text) from public, anon;
drop policy votes_cast on votes;
create policy votes_cast on votes for insert to authenticated with check (person_id = caller() and is_open(house_id, motion_id));
drop policy papers_read on papers;
create policy papers_read on papers for select to authenticated using (caller() is not null);
drop policy people_write on people;
create policy people_write on people for update to authenticated using (id = caller() or shares_house(id)) with check (id = caller() or shares_house(id));
