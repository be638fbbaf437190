-- A profile that points at a tenant is its user's.
-- clean

create table papers (id uuid primary key default gen_random_uuid(), name text not null);
create table newsroom (paper_id uuid not null references papers, user_id uuid not null references auth.users, role text not null check (role in ('editor','viewer')), primary key (paper_id, user_id));
create table people (id uuid primary key references auth.users, last_paper uuid references papers, nick text);
create table articles (id bigserial primary key, paper_id uuid not null references papers, body text);
alter table papers enable row level security; alter table newsroom enable row level security; alter table people enable row level security; alter table articles enable row level security;
create function my_papers() returns setof uuid language sql stable security definer set search_path = '' as $$ select paper_id from public.newsroom where user_id = auth.uid() $$;
create function look_at(p_paper uuid) returns void language plpgsql security definer set search_path = '' as $$ begin
  if not exists (select from public.newsroom where user_id = auth.uid() and paper_id = p_paper) then raise exception 'no' using errcode = '42501'; end if;
  insert into public.people (id, last_paper) values (auth.uid(), p_paper) on conflict (id) do update set last_paper = p_paper; end $$;
revoke execute on function look_at(uuid) from public; grant execute on function look_at(uuid) to authenticated;
create policy p on papers for select to authenticated using (id in (select my_papers()));
create policy p on newsroom for select to authenticated using (paper_id in (select my_papers()));
create policy p on articles for select to authenticated using (paper_id in (select my_papers()));
create policy p on people for all to authenticated using (id = auth.uid());
grant select on papers, newsroom, articles to authenticated; grant select, update on people to authenticated;
