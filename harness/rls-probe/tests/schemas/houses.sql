-- The default privileges of hosted projects.
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
grant usage on schema public to anon, authenticated, service_role;

-- Houses (tenants) with people on duty in them (members), bills, papers, offers, motions and invitations.
create type duty as enum ('owner', 'manager', 'caretaker');
create table people (id uuid primary key references auth.users on delete cascade, full_name text not null default '', closed_at timestamptz);
create table platform_admins (person_id uuid primary key references people on delete cascade);
create table houses (id uuid primary key default gen_random_uuid(), name text not null);
create table duties (id uuid primary key default gen_random_uuid(), house_id uuid not null references houses on delete cascade, person_id uuid not null references people, duty duty not null, status text not null default 'active' check (status in ('active', 'suspended')), unique (house_id, person_id));
create table bills (id uuid primary key default gen_random_uuid(), house_id uuid not null references houses on delete cascade, total numeric not null check (total > 0), paid numeric not null default 0, due_on date not null, status text not null default 'open' check (status in ('open', 'paid')));
create table papers (id uuid primary key default gen_random_uuid(), house_id uuid not null references houses on delete cascade, title text not null, path text not null, check (split_part(path, '/', 1) = house_id::text));
create table offers (id uuid primary key default gen_random_uuid(), house_id uuid not null references houses on delete cascade, published boolean not null default true, headline text not null);
create table enquiries (id uuid primary key default gen_random_uuid(), house_id uuid not null references houses on delete cascade, offer_id uuid not null references offers on delete cascade, message text not null);
create table motions (id uuid primary key default gen_random_uuid(), house_id uuid not null references houses on delete cascade, title text not null, status text not null default 'draft' check (status in ('draft', 'open', 'closed')), closes_at timestamptz not null);
create table votes (motion_id uuid not null references motions on delete cascade, house_id uuid not null references houses on delete cascade, person_id uuid not null references people, choice text not null check (choice in ('yes', 'no')), primary key (motion_id, person_id));
create table invitations (id uuid primary key default gen_random_uuid(), house_id uuid not null references houses on delete cascade, email text not null, duty duty not null);
create function caller() returns uuid language sql stable security definer set search_path = '' as $$ select p.id from public.people p where p.id = auth.uid() and p.closed_at is null $$;
create function is_platform() returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.platform_admins a where a.person_id = public.caller()) $$;
create function is_in(p_house uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.duties d where d.house_id = p_house and d.person_id = public.caller() and d.status = 'active') $$;
create function has_duty(p_house uuid, p_duties public.duty[]) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.duties d where d.house_id = p_house and d.person_id = public.caller() and d.status = 'active' and d.duty = any (p_duties)) $$;
create function shares_house(p_person uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.duties a join public.duties b on b.house_id = a.house_id where a.person_id = public.caller() and a.status = 'active' and b.person_id = p_person) $$;
create function is_open(p_house uuid, p_motion uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.motions m where m.id = p_motion and m.house_id = p_house and m.status = 'open' and m.closes_at > now()) $$;
revoke execute on function shares_house(uuid), is_open(uuid, uuid) from public, anon; grant execute on function shares_house(uuid), is_open(uuid, uuid) to authenticated;
create function leave_house(p_house uuid) returns void language plpgsql security definer set search_path = '' as $$ begin
  update public.duties set status = 'suspended' where house_id = p_house and person_id = public.caller() and duty <> 'owner';
  if not found then raise exception 'not allowed' using errcode = '42501'; end if; end $$;
create function close_house(p_house uuid) returns void language plpgsql security definer set search_path = '' as $$ begin
  if not public.has_duty(p_house, '{owner}') then raise exception 'not allowed' using errcode = '42501'; end if;
  delete from public.houses where id = p_house; end $$;
create function enquire(p_offer uuid, p_message text) returns void language plpgsql security definer set search_path = '' as $$ begin
  insert into public.enquiries (house_id, offer_id, message) select o.house_id, o.id, p_message from public.offers o where o.id = p_offer and o.published;
  if not found then raise exception 'no such offer'; end if; end $$;
create function pay(p_house uuid, p_bill uuid, p_amount numeric) returns void language plpgsql security definer set search_path = '' as $$ begin
  if not public.has_duty(p_house, '{owner,manager}') then raise exception 'not allowed' using errcode = '42501'; end if;
  update public.bills set paid = paid + p_amount where id = p_bill and house_id = p_house;
  if not found then raise exception 'no such bill'; end if; end $$;
create function invite(p_house uuid, p_email text, p_duty public.duty) returns void language plpgsql security definer set search_path = '' as $$ begin
  if not (public.has_duty(p_house, '{owner}') or public.has_duty(p_house, '{manager}') and p_duty <> 'owner') then raise exception 'not allowed' using errcode = '42501'; end if;
  insert into public.invitations (house_id, email, duty) values (p_house, p_email, p_duty); end $$;
revoke execute on function leave_house(uuid), close_house(uuid), pay(uuid, uuid, numeric), invite(uuid, text, public.duty) from public, anon;
alter table people enable row level security; alter table platform_admins enable row level security; alter table houses enable row level security; alter table duties enable row level security; alter table bills enable row level security; alter table papers enable row level security; alter table offers enable row level security; alter table enquiries enable row level security; alter table motions enable row level security; alter table votes enable row level security; alter table invitations enable row level security;
create policy people_read on people for select to authenticated using (id = caller() or shares_house(id) or is_platform());
create policy people_write on people for update to authenticated using (id = caller()) with check (id = caller());
create policy admins_read on platform_admins for select to authenticated using (person_id = caller());
create policy houses_read on houses for select to authenticated using (is_in(id) or is_platform());
create policy duties_read on duties for select to authenticated using (is_in(house_id) or is_platform());
create policy bills_read on bills for select to authenticated using (is_in(house_id));
create policy papers_read on papers for select to authenticated using (is_in(house_id));
create policy papers_add on papers for insert to authenticated with check (has_duty(house_id, '{owner,manager}'));
create policy "Published offers are public" on offers for select to anon, authenticated using (published);
create policy enquiries_read on enquiries for select to authenticated using (has_duty(house_id, '{owner,manager}'));
create policy motions_read on motions for select to authenticated using (is_in(house_id));
create policy votes_read on votes for select to authenticated using (person_id = caller());
create policy votes_cast on votes for insert to authenticated with check (person_id = caller() and is_in(house_id) and is_open(house_id, motion_id));
create policy invitations_read on invitations for select to authenticated using (has_duty(house_id, '{owner,manager}'));
