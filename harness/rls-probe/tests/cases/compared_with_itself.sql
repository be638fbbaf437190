-- A subquery that compares a column of its own with itself: the row's was meant.
-- base: hosted
-- right: table public.minutes: read by chair clerk
-- fixed: table public.minutes
-- says: s.circle_id = "minutes".circle_id

create table circles (id uuid primary key default gen_random_uuid(), title text not null);
create table seats (user_id uuid not null references auth.users on delete cascade, circle_id uuid not null references circles, role text not null check (role in ('chair', 'clerk')), primary key (circle_id, user_id));
create table minutes (id uuid primary key default gen_random_uuid(), circle_id uuid not null references circles, body text not null);
alter table circles enable row level security; alter table seats enable row level security; alter table minutes enable row level security;
create policy own on seats for select to authenticated using (user_id = auth.uid());
create policy see on circles for select to authenticated using (exists (select from seats s where s.user_id = auth.uid() and s.circle_id = circles.id));
create policy see on minutes for select to authenticated using (exists (select from seats s where s.user_id = auth.uid() and s.circle_id = circle_id));
