-- A code that is taken hides what a free one would do.
-- base: clubs
-- right: function public.add_team: call by newcomer

create table teams (id uuid primary key default gen_random_uuid(), club_id uuid not null references clubs, label text not null, team_code text not null, unique (club_id, team_code));
alter table teams enable row level security;
create policy see on teams for select to authenticated using (club_id = my_club());
create function add_team(p_club_id uuid, p_label text, p_team_code text) returns uuid language plpgsql security definer set search_path='' as $$
declare mine uuid := public.my_club(); v uuid;
begin if auth.uid() is null then raise exception 'Sign in'; end if;
 if mine <> p_club_id then raise exception 'Not yours'; end if;
 if exists (select from public.teams where club_id = p_club_id and team_code = p_team_code) then raise exception 'Code already exists: %', p_team_code; end if;
 insert into public.teams (club_id, label, team_code) values (p_club_id, p_label, p_team_code) returning id into v; return v; end $$;
