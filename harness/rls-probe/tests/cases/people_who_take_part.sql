-- A conversation says of nobody whose it is: those take part in it whom another table names. What others wrote there is theirs.
-- base: hosted
-- low
-- right: table public.messages: insert update by user
-- says: can add rows in somebody else's name
-- says: can change what somebody else wrote (content)
-- says: can add rows to the other tenant's conversations

create table conversations (id uuid primary key default gen_random_uuid(), title text, created_by uuid references auth.users);
create table participants (conversation_id uuid not null references conversations, user_id uuid not null references auth.users, primary key (conversation_id, user_id));
create table messages (id uuid primary key default gen_random_uuid(), conversation_id uuid not null references conversations, sender_id uuid not null references auth.users, content text not null);
create function takes_part(c uuid) returns boolean language sql stable security definer set search_path = '' as $$ select exists (select from public.participants where conversation_id = c and user_id = auth.uid()) $$;
create function start_conversation(other_user uuid) returns uuid language plpgsql security definer set search_path = public as $$ declare c uuid; begin
  if auth.uid() is null then raise exception 'not signed in'; end if;
  insert into conversations (created_by) values (auth.uid()) returning id into c;
  insert into participants values (c, auth.uid()), (c, other_user) on conflict do nothing; return c; end $$;
alter table conversations enable row level security; alter table participants enable row level security; alter table messages enable row level security;
create policy "see" on conversations for select to authenticated using (takes_part(id));
create policy "see" on participants for select to authenticated using (takes_part(conversation_id));
create policy "see" on messages for select to authenticated using (takes_part(conversation_id));
create policy "send" on messages for insert to authenticated with check (takes_part(conversation_id) or sender_id = auth.uid());
create policy "edit" on messages for update to authenticated using (takes_part(conversation_id)) with check (takes_part(conversation_id));
