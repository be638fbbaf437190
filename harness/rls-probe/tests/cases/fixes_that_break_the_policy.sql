-- A fix that makes a policy fail, or that compares with a key that is nobody's id, closes nothing: it breaks the table.
-- base: hosted
-- right: table public.crew: insert by rower newcomer
-- right: table public.crew: read by rower
-- undecided: public.boats
-- undecided: public.oars
-- says: drop policy "sign on" on "public"."crew";

create table sailors (id uuid primary key references auth.users, nickname text);
create table boats (id uuid primary key default gen_random_uuid(), name text not null);
create table crew (id uuid primary key default gen_random_uuid(), boat_id uuid not null references boats, user_id uuid not null references auth.users, role text not null check (role in ('owner','rower')), unique (boat_id, user_id));
create table oars (id bigserial primary key, boat_id uuid not null references boats, label text);
alter table sailors enable row level security; alter table boats enable row level security; alter table crew enable row level security; alter table oars enable row level security;
create policy "own" on sailors for select to authenticated using (auth.uid() = id);
create policy "sign on" on crew for insert to authenticated with check (user_id = auth.uid());
create policy "crews" on crew for select to authenticated using (exists (select from crew c where c.boat_id = crew.boat_id and c.user_id = auth.uid()));
create policy "open boats" on boats for select to authenticated using (name like 'open%');
create policy "open oars" on oars for select to authenticated using (label like 'open%');
