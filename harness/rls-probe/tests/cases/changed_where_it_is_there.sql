-- A row that is there already is changed by its code alone, whosever it is.
-- base: hosted
-- right: function public.save_probe: call by chief aide
-- fixed: function public.save_probe
-- says: where "probes"."lab_id" = excluded."lab_id"

create table labs (id uuid primary key default gen_random_uuid(), name text not null);
create table lab_people (lab_id uuid not null references labs, user_id uuid not null references auth.users, role text not null check (role in ('chief', 'aide')), primary key (lab_id, user_id));
create table probes (id uuid primary key default gen_random_uuid(), lab_id uuid not null references labs, body text);
create function my_lab() returns uuid language sql stable security definer set search_path = '' as $$ select lab_id from public.lab_people where user_id = auth.uid() limit 1 $$;
create function save_probe(p_id uuid, p_body text) returns uuid language plpgsql security definer set search_path = '' as $$ declare v uuid; begin
  if public.my_lab() is null then raise exception 'no lab' using errcode = '42501'; end if;
  insert into public.probes (id, lab_id, body) values (coalesce(p_id, gen_random_uuid()), public.my_lab(), p_body)
  on conflict (id) do update set body = excluded.body
  returning id into v;
  return v; end $$;
alter table labs enable row level security; alter table lab_people enable row level security; alter table probes enable row level security;
create policy p on labs for select to authenticated using (id = my_lab());
create policy p on lab_people for select to authenticated using (lab_id = my_lab());
create policy p on probes for select to authenticated using (lab_id = my_lab());
revoke all on labs, lab_people, probes from anon, authenticated; revoke execute on function save_probe(uuid, text) from public, anon;
grant select on labs, lab_people, probes to authenticated;
