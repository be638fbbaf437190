-- Whoever signs up gets a tenant of their own.
-- clean

create table studios (id uuid primary key default gen_random_uuid(), name text not null);
create table studio_members (studio_id uuid not null references studios, user_id uuid not null references auth.users, role text not null check (role in ('owner','guest_artist')), primary key (studio_id, user_id));
create table canvases (id bigserial primary key, studio_id uuid not null references studios, title text);
create function on_sign_up() returns trigger language plpgsql security definer set search_path = '' as $$
declare s uuid; begin
  insert into public.studios (name) values ('mine') returning id into s;
  insert into public.studio_members values (s, new.id, 'owner'); return new;
end $$;
revoke execute on function on_sign_up() from public;
create trigger t after insert on auth.users for each row execute function on_sign_up();
alter table studios enable row level security; alter table studio_members enable row level security; alter table canvases enable row level security;
create function my_studios() returns setof uuid language sql stable security definer set search_path = '' as $$ select studio_id from public.studio_members where user_id = auth.uid() $$;
create policy p on studios for select to authenticated using (id in (select my_studios()));
create policy p on studio_members for select to authenticated using (studio_id in (select my_studios()));
create policy p on canvases for select to authenticated using (studio_id in (select my_studios()));
grant select, update on studio_members to authenticated; grant select on studios, canvases to authenticated;
