-- An argument is a column's name.
-- clean

create table posts_of_duty (id bigserial primary key, user_id uuid not null references auth.users, place text);
alter table posts_of_duty enable row level security;
create policy p on posts_of_duty for all to authenticated using (user_id = auth.uid());
create function flag_of(field_name text) returns boolean language plpgsql security definer set search_path = public as $$ declare r boolean; begin
  execute format('select %I from switches limit 1', field_name) into r; return r; end $$;
create table switches (letters_on boolean default true, calls_on boolean default false); insert into switches default values;
alter table switches enable row level security;
grant select, insert, update, delete on posts_of_duty to authenticated; grant usage on all sequences in schema public to authenticated;
