-- Somebody who belongs to nobody is made one's own staff.
-- base: clubs
-- right: function public.set_rank: call by chief

create function set_rank(p_user_id uuid, p_role text) returns void language plpgsql security definer set search_path='' as $$
declare t public.helpers;
begin if public.my_rank() is distinct from 'chief' then raise exception 'Permission denied' using errcode='42501'; end if;
 if public.my_club() is null then raise exception 'Permission denied' using errcode='42501'; end if;
 if p_role in ('root','chief') then raise exception 'Too high' using errcode='42501'; end if;
 select * into t from public.helpers where user_id = p_user_id;
 if t.club_id <> public.my_club() then raise exception 'Permission denied' using errcode='42501'; end if;
 update public.helpers set role = p_role::public.rank where user_id = p_user_id; end $$;
