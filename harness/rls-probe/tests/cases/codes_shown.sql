-- A code that lets in is no catalogue's column, whoever may read the rest.
-- base: hosted
-- right: table public.leagues: read by newcomer anonymous
-- right: function public.enter_league: call by newcomer
-- says: can read rows of the other tenant (invite_code)

create table leagues (id uuid primary key default gen_random_uuid(), name text not null, invite_code text not null unique);
create table league_members (league_id uuid not null references leagues, user_id uuid not null references auth.users, role text not null default 'player' check (role in ('owner','player')), primary key (league_id, user_id));
create table matches (id uuid primary key default gen_random_uuid(), league_id uuid not null references leagues, title text);
alter table leagues enable row level security; alter table league_members enable row level security; alter table matches enable row level security;
create function in_league(c uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.league_members where league_id = c and user_id = auth.uid()) $$;
create function enter_league(code text) returns void language plpgsql security definer set search_path = '' as $$ declare c uuid; begin
  if auth.uid() is null then raise exception 'sign in first'; end if;
  select id into c from public.leagues where invite_code = upper(trim(code));
  if c is null then raise exception 'no such code'; end if;
  insert into public.league_members (league_id, user_id) values (c, auth.uid()) on conflict do nothing; end $$;
create policy "Anyone can view leagues" on leagues for select using (true);
create policy p on league_members for select to authenticated using (in_league(league_id));
create policy p on matches for select to authenticated using (in_league(league_id));
