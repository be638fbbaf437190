-- A function that answers {"success": false} has refused; rows that fit together get through.
-- right: function public.put_in: call by anonymous teller
create table coops (id uuid primary key default gen_random_uuid(), name text not null);
create table tellers (user_id uuid primary key references auth.users, coop_id uuid not null references coops, role text not null check (role in ('manager','teller')));
create table savings (id uuid primary key default gen_random_uuid(), coop_id uuid not null references coops, holder text, status text not null default 'active', balance numeric not null default 0);
create table coop_settings (coop_id uuid primary key references coops, cash_book uuid);
create table books (id uuid primary key default gen_random_uuid(), coop_id uuid not null references coops, name text);
alter table coop_settings add foreign key (cash_book) references books;
alter table coops enable row level security; alter table tellers enable row level security; alter table savings enable row level security; alter table coop_settings enable row level security; alter table books enable row level security;
create function my_coop() returns uuid language sql stable security definer set search_path = '' as $$ select coop_id from public.tellers where user_id = auth.uid() $$;
create policy p on coops for select to authenticated using (id = my_coop());
create policy p on tellers for select to authenticated using (coop_id = my_coop());
create policy p on savings for select to authenticated using (coop_id = my_coop());
create policy p on coop_settings for select to authenticated using (coop_id = my_coop());
create policy p on books for select to authenticated using (coop_id = my_coop());
create function put_in(p_coop_id uuid, p_account_id uuid, p_amount numeric, p_teller_id uuid) returns jsonb language plpgsql security definer set search_path = public as $$
declare a record; s record; begin
  if p_amount is null or p_amount <= 0 then return jsonb_build_object('success', false, 'code', 'AMOUNT'); end if;
  select * into a from savings where id = p_account_id and coop_id = p_coop_id and status = 'active';
  if not found then return jsonb_build_object('success', false, 'code', 'NO_ACCOUNT'); end if;
  select * into s from coop_settings where coop_id = p_coop_id;
  if s.cash_book is null then return jsonb_build_object('success', false, 'code', 'NO_BOOK'); end if;
  update savings set balance = balance + p_amount where id = p_account_id;
  return jsonb_build_object('success', true); end $$;
grant select on coops, tellers, savings, coop_settings, books to authenticated; grant execute on function put_in(uuid, uuid, numeric, uuid) to anon, authenticated;
