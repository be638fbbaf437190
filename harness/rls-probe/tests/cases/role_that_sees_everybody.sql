-- A role to which policies show everybody's rows is above the others, whatever it is called: who has it may read them, and
-- nobody gives it to themselves.
-- base: hosted
-- owner: user_id
-- right: table public.people: update by user newcomer
-- says: can raise their own role
-- own: table public.cases: read by user

create table people (id uuid primary key references auth.users on delete cascade, role text not null default 'patient' check (role in ('patient', 'provider')), full_name text);
create table cases (id uuid primary key default gen_random_uuid(), user_id uuid not null references people on delete cascade, complaint text);
alter table people enable row level security; alter table cases enable row level security;
create policy "own person" on people for select to authenticated using (auth.uid() = id);
create policy "change own person" on people for update to authenticated using (auth.uid() = id);
create policy "own cases" on cases for select to authenticated using (auth.uid() = user_id);
create policy "open a case" on cases for insert to authenticated with check (auth.uid() = user_id);
create policy "Providers can read all cases" on cases for select to authenticated using (exists (select from people where people.id = auth.uid() and people.role = 'provider'));
