-- A role comes from sign-up metadata, as an enum.
-- base: clubs
-- right: function public.join_up: call by claimant
-- fixed: function public.join_up

create or replace function join_up() returns trigger language plpgsql security definer set search_path = '' as
  $$ begin insert into public.helpers (user_id, role) values (new.id, coalesce((new.raw_user_meta_data->>'role')::public.rank, 'aide')); return new; end $$;
