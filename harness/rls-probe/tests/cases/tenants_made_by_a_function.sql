-- base: clubs
-- right: function public.make_club: call by chief, aide, reader, newcomer
-- own: function public.found_club: call by newcomer

-- Clubs are made by nobody but root, through a function by everybody; through another one for those who become its chief.
create function make_club(p_title text) returns uuid language sql security definer set search_path = '' as
  $$ insert into public.clubs (title) values (p_title) returning id $$;
create function found_club(p_title text) returns void language plpgsql security definer set search_path = '' as $$
declare v uuid;
begin
  if exists (select from public.helpers where user_id = auth.uid() and club_id is not null) then
    raise insufficient_privilege;
  end if;
  insert into public.clubs (title) values (p_title) returning id into v;
  update public.helpers set club_id = v, role = 'chief' where user_id = auth.uid();
end $$;
revoke execute on function make_club(text), found_club(text) from public, anon;
