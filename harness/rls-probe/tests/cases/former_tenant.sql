-- Those who were let in once change rows of their former tenant.
-- base: clubs
-- right: function public.note_due: call by deactivated
-- says: their former tenant

create function note_due(p_due_id uuid, p_note text) returns void language plpgsql security definer set search_path='' as $$
begin update public.dues set note = p_note where id = p_due_id
 and club_id = (select club_id from public.helpers where user_id = auth.uid()); end $$;
