-- A view shows only rows with a date.
-- fixed: view public.dues_by_day
-- base: clubs
-- right: view public.dues_by_day: read by chief aide reader newcomer claimant

create view dues_by_day as select club_id, paid_at::date as day, sum(amount) as total from dues where paid_at is not null group by 1, 2;
