-- Every role is tried as an argument. Whoever was a chief is none any more, which nobody asks.
-- base: clubs
-- right: function public.invite: call by deactivated
-- own: function public.invite: call by chief

create table invites (id uuid primary key default gen_random_uuid(), club_id uuid not null references clubs, email text not null, role text not null);
alter table invites enable row level security;
create policy see on invites for select to authenticated using (club_id = my_club());
create function invite(p_email text, p_club_id uuid, p_role text) returns uuid language plpgsql security definer set search_path='' as $$
declare me public.helpers; v uuid;
begin select * into me from public.helpers where user_id = auth.uid();
 if me.role not in ('root','chief') or me.role is null then raise exception 'Permission denied'; end if;
 if me.role = 'chief' then
   if p_role in ('root','chief') then raise exception 'Cannot invite that high'; end if;
   if me.club_id is distinct from p_club_id then raise exception 'Not yours'; end if;
 end if;
 insert into public.invites(club_id,email,role) values (p_club_id,p_email,p_role) returning id into v; return v; end $$;
