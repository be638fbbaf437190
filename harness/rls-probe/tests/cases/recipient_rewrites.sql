-- A recipient changes the text that somebody else wrote.
-- right: table public.notes_between: update by user

create table notes_between (id uuid primary key default gen_random_uuid(), sender_id uuid not null references auth.users, recipient_id uuid not null references auth.users, body text not null, read_at timestamptz);
alter table notes_between enable row level security;
create policy s on notes_between for select to authenticated using (auth.uid() in (sender_id, recipient_id));
create policy i on notes_between for insert to authenticated with check (sender_id = auth.uid());
create policy "recipients mark as read" on notes_between for update to authenticated using (recipient_id = auth.uid()) with check (recipient_id = auth.uid());
grant select, insert, update on notes_between to authenticated;
