-- Whoever can be looked for is found: a function that answers to a phone number with an address.
-- base: hosted
-- right: function public.address_of: call by user newcomer anonymous

create table persons (id uuid primary key references auth.users, email text, phone text unique);
create table errands (id bigserial primary key, user_id uuid not null references auth.users, body text not null);
create function enrol() returns trigger language plpgsql security definer set search_path = '' as $$ begin insert into public.persons (id, email) values (new.id, new.email); return new; end $$;
create trigger t after insert on auth.users for each row execute function enrol();
alter table persons enable row level security; alter table errands enable row level security;
create policy p on persons for select to authenticated using (id = auth.uid());
create policy p on errands for all to authenticated using (user_id = auth.uid());
create function address_of(p_phone text) returns text language sql stable security definer set search_path = '' as $$ select email from public.persons where phone = trim(p_phone) $$;
