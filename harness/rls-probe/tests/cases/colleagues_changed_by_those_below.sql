-- base: clubs
-- right: table public.helpers: update by aide
-- fixed: table public.helpers

-- Who changes colleagues says one policy, which lets those do it whom managers are above: managers go on.
alter type rank rename value 'chief' to 'manager';
create policy "change colleagues" on helpers for update to authenticated
  using (my_rank() in ('manager', 'aide') and club_id = my_club() and user_id <> auth.uid())
  with check (my_rank() in ('manager', 'aide') and club_id = my_club() and user_id <> auth.uid() and role <> 'root');
create policy "add colleagues" on helpers for insert to authenticated
  with check (my_rank() = 'manager' and club_id = my_club() and role <> 'root' and user_id <> auth.uid());
