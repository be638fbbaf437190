-- The rows that a function is about are for everybody to read, so that their policies say nothing of who may answer them; those of
-- other tables do. A call that gets through with what is another's shows that the others are refused.
-- base: hosted
-- right: function public.answer: call by owner
-- refused: function public.answer: call by clerk newcomer
-- right: function public.withdraw: call by newcomer
-- refused: function public.withdraw: call by owner clerk
-- fixed: function public.answer

create table stores (id uuid primary key default gen_random_uuid(), name text not null);
create table store_staff (store_id uuid not null references stores, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'clerk')), primary key (store_id, user_id));
create table reviews (id uuid primary key default gen_random_uuid(), store_id uuid not null references stores, stars smallint not null default 3, reply text);
create table stock (id uuid primary key default gen_random_uuid(), store_id uuid not null references stores, label text);
create function works_at(s uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.store_staff where store_id = s and user_id = auth.uid()) $$;
create function answer(p_review_id uuid, p_reply text) returns void language plpgsql security definer set search_path = '' as $$ begin
  if not exists (select from public.store_staff where user_id = auth.uid() and role = 'owner') then raise exception 'not allowed' using errcode = '42501'; end if;
  update public.reviews set reply = p_reply where id = p_review_id; end $$;
create function withdraw(p_review_id uuid) returns void language plpgsql security definer set search_path = '' as $$ begin
  if exists (select from public.store_staff where user_id = auth.uid()) or auth.uid() is null then raise exception 'no customer'; end if;
  delete from public.reviews where id = p_review_id; end $$;
revoke execute on function answer, withdraw from public, anon;
alter table stores enable row level security; alter table store_staff enable row level security; alter table reviews enable row level security; alter table stock enable row level security;
create policy s on stores for select to authenticated using (works_at(id));
create policy s on store_staff for select to authenticated using (works_at(store_id));
create policy "Reviews are public" on reviews for select to anon, authenticated using (true);
create policy s on stock for all to authenticated using (works_at(store_id)) with check (works_at(store_id));
