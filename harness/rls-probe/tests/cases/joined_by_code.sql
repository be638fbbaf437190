-- Whoever knows an invitation's code is invited; whose a row is that one knows by its random key says next to nothing.
-- base: hosted
-- low

create table choirs (id uuid primary key default gen_random_uuid(), name text not null, invite_code text not null unique);
create table choir_members (choir_id uuid not null references choirs, user_id uuid not null references auth.users, role text not null default 'singer' check (role in ('owner','singer')), primary key (choir_id, user_id));
create table scores (id uuid primary key default gen_random_uuid(), choir_id uuid not null references choirs, title text);
create table remarks (id uuid primary key default gen_random_uuid(), score_id uuid not null references scores, body text);
alter table choirs enable row level security; alter table choir_members enable row level security; alter table scores enable row level security; alter table remarks enable row level security;
create function in_choir(c uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.choir_members where choir_id = c and user_id = auth.uid()) $$;
create function choir_of(s uuid) returns uuid language sql stable security definer set search_path = '' as $$ select choir_id from public.scores where id = s $$;
create function enter_choir(code text) returns choirs language plpgsql security definer set search_path = '' as $$ declare c public.choirs; begin
  if auth.uid() is null then raise exception 'sign in first'; end if;
  select * into c from public.choirs where invite_code = upper(trim(code));
  if c.id is null then raise exception 'no such code'; end if;
  insert into public.choir_members (choir_id, user_id) values (c.id, auth.uid()) on conflict do nothing;
  return c; end $$;
create policy p on choirs for select to authenticated using (in_choir(id));
create policy p on choir_members for select to authenticated using (in_choir(choir_id));
create policy p on scores for select to authenticated using (in_choir(choir_id));
create policy p on remarks for select to authenticated using (in_choir(choir_of(score_id)));
