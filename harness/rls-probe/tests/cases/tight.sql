-- A sound schema.
-- base: clubs
-- clean

select 1;
