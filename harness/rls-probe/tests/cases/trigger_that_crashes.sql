-- A trigger crashes on what every policy lets through.
-- base: clubs
-- not refused: table public.dues: insert by chief
-- undecided: public.dues

create table trail (id bigint generated always as identity primary key, club_id uuid, entity_id uuid);
alter table trail enable row level security;
create function trace() returns trigger language plpgsql security definer set search_path='' as $$ begin
 insert into public.trail (club_id, entity_id) values (new.club_id, new.id::text); return new; end $$;
create trigger trace after insert on dues for each row execute function trace();
drop policy add on dues;
create policy add on dues for insert to authenticated with check (true);
