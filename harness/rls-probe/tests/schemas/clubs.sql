-- The default privileges of hosted projects.
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
grant usage on schema public to anon, authenticated, service_role;

-- Clubs (the tenant), their helpers (the members; root is the platform's role), and what they owe.
create type rank as enum ('root','chief','aide','reader');
create table clubs (id uuid primary key default gen_random_uuid(), title text not null, stage text not null default 'OPEN');
create table helpers (user_id uuid primary key references auth.users on delete cascade,
  club_id uuid references clubs, role rank not null default 'aide', is_active boolean not null default true);
create function my_club() returns uuid language sql stable security definer set search_path = '' as
  $$ select club_id from public.helpers where user_id = auth.uid() and is_active $$;
create function is_root() returns boolean language sql stable security definer set search_path = '' as
  $$ select coalesce((select role = 'root' from public.helpers where user_id = auth.uid() and is_active), false) $$;
create function my_rank() returns text language sql stable security definer set search_path = '' as
  $$ select role::text from public.helpers where user_id = auth.uid() and is_active $$;
create function join_up() returns trigger language plpgsql security definer set search_path = '' as
  $$ begin insert into public.helpers (user_id) values (new.id); return new; end $$;
create trigger on_signup after insert on auth.users for each row execute function join_up();
create table dues (id uuid primary key default gen_random_uuid(), club_id uuid not null references clubs,
  amount numeric not null, kind text not null default 'OTHER', paid_at timestamptz, note text);
alter table clubs enable row level security; alter table helpers enable row level security; alter table dues enable row level security;
create policy see on clubs for select to authenticated using (is_root() or id = my_club());
create policy see on helpers for select to authenticated using (is_root() or club_id = my_club());
create policy see on dues for select to authenticated using (is_root() or club_id = my_club());
create policy add on dues for insert to authenticated with check (my_rank() in ('chief','aide') and club_id = my_club());
revoke truncate, trigger, references on all tables in schema public from anon, authenticated;
revoke all on all functions in schema public from public, anon; grant execute on all functions in schema public to authenticated;
