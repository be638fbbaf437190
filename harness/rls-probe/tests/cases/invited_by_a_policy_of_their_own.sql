-- base: clubs
-- right: table public.invites: insert by aide
-- advised: table public.invites

-- Aides invite managers. Without their policy that ends, and so does what they may: managers have another one.
alter type rank rename value 'chief' to 'manager';
create table invites (id uuid primary key default gen_random_uuid(), club_id uuid not null references clubs,
  email text not null check (email like '_%@_%'), role text not null check (role in ('manager', 'aide', 'reader')));
alter table invites enable row level security;
create policy see on invites for select to authenticated using (is_root() or club_id = my_club());
create policy "managers invite" on invites for insert to authenticated
  with check (my_rank() = 'manager' and club_id = my_club());
create policy "aides invite" on invites for insert to authenticated
  with check (my_rank() = 'aide' and club_id = my_club());
