-- base: clubs
-- clean
-- own: table public.invites: insert by chief

-- The only role that is named is the one that nobody is invited to.
create table invites (id uuid primary key default gen_random_uuid(), club_id uuid not null references clubs,
  email text not null check (email like '_%@_%'), role text not null check (role like 'ai%' or role = 'root'));
alter table invites enable row level security;
create policy see on invites for select to authenticated using (is_root() or club_id = my_club());
create policy invite on invites for insert to authenticated
  with check (my_rank() = 'chief' and club_id = my_club() and role <> 'root');
