-- Policies refer to one another, so that nobody can use the table.
-- right: table public.halls: read delete by user
-- right: table public.hall_guests: read by user
-- says: policy-fails

create table halls (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users, name text);
create table hall_guests (hall_id uuid not null references halls, user_id uuid not null references auth.users, primary key (hall_id, user_id));
alter table halls enable row level security; alter table hall_guests enable row level security;
create policy p on halls for select to authenticated using (user_id = auth.uid() or exists (select from hall_guests g where g.hall_id = halls.id and g.user_id = auth.uid()));
create policy p on hall_guests for select to authenticated using (user_id = auth.uid() or exists (select from halls h where h.id = hall_guests.hall_id and h.user_id = auth.uid()));
create policy d on halls for delete to authenticated using (true);
grant select, delete on halls to authenticated; grant select on hall_guests to authenticated;
