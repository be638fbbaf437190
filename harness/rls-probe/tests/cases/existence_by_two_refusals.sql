-- Two refusals tell an unguessable id's existence.
-- base: clubs
-- low

create function drop_due(p_due_id uuid) returns void language plpgsql security definer set search_path='' as $$
declare d public.dues;
begin if public.my_rank() is distinct from 'chief' then raise exception 'Permission denied'; end if;
 select * into d from public.dues where id = p_due_id;
 if d.id is null then raise exception 'Due not found'; end if;
 if d.club_id is distinct from public.my_club() then raise exception 'That due is not yours'; end if;
 delete from public.dues where id = p_due_id; end $$;
