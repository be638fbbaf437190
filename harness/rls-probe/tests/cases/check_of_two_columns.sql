-- A check spans two columns.
-- right: table public.courses: read by owner coach newcomer claimant
-- right: table public.seats: read by anonymous owner

create table gyms (id uuid primary key default gen_random_uuid(), name text not null);
create table coaches (user_id uuid primary key references auth.users, gym_id uuid not null references gyms, role text not null check (role in ('owner','coach')));
create table courses (id bigserial primary key, gym_id uuid not null references gyms, kind text not null default 'open', booking text default 'auto',
  constraint kind_and_booking check (kind = 'open' and booking is null or kind = 'booked' and booking = any (array['auto','manual'])));
create table seats (id bigserial primary key, course_id bigint not null references courses, guest text);
alter table gyms enable row level security; alter table coaches enable row level security; alter table courses enable row level security;
create function my_gym() returns uuid language sql stable security definer set search_path = '' as $$ select gym_id from public.coaches where user_id = auth.uid() $$;
create policy p on gyms for select to authenticated using (id = my_gym());
create policy p on coaches for select to authenticated using (gym_id = my_gym());
create policy p on courses for select to authenticated using (true);
grant select on gyms, coaches, courses to authenticated; grant select on seats to authenticated, anon;
