-- A trigger keeps rows from being renamed and says nothing: that none is changed so does not say that none can be taken over.
-- base: clubs
-- right: table public.pledges: update by chief aide

create table pledges (id uuid primary key default gen_random_uuid(), club_id uuid not null references clubs, title text not null);
alter table pledges enable row level security;
create policy see on pledges for select to authenticated using (club_id = my_club());
create policy change on pledges for update to authenticated using (true);
create function keep_title() returns trigger language plpgsql as
  $$ begin if new.club_id = old.club_id then return null; end if; return new; end $$;
create trigger keep_title before update on pledges for each row execute function keep_title();
