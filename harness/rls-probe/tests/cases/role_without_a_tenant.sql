-- A member with a role and no tenant passes a comparison with NULL.
-- base: clubs
-- right: function public.rename_club: call by chief without a tenant,

create function rename_club(p_club_id uuid, p_title text) returns void language plpgsql security definer set search_path='' as $$
declare me public.helpers;
begin select * into me from public.helpers where user_id = auth.uid() and is_active;
 if me.role is distinct from 'chief' then raise exception 'Permission denied'; end if;
 if me.club_id <> p_club_id then raise exception 'Not yours'; end if;
 update public.clubs set title = p_title where id = p_club_id; end $$;
