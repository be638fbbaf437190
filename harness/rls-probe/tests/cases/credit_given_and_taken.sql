-- Whoever gives of what they have to somebody takes nothing; with a number below zero they do.
-- base: hosted
-- right: function public.send_coins: call by user newcomer
-- says: can change the other tenant's rows of public.purses

create table purses (user_id uuid primary key references auth.users on delete cascade, coins int not null default 500);
create table sendings (id uuid primary key default gen_random_uuid(), sender uuid not null references purses, receiver uuid not null references purses, amount int not null);
create function open_purse() returns trigger language plpgsql security definer set search_path = '' as $$ begin insert into public.purses (user_id) values (new.id); return new; end $$;
create trigger open_purse after insert on auth.users for each row execute function open_purse();
alter table purses enable row level security; alter table sendings enable row level security;
create policy "own purse" on purses for select to authenticated using (user_id = auth.uid());
create function send_coins(receiver uuid, amount int) returns void language plpgsql security definer set search_path = '' as $$ begin
  if (select coins from public.purses where user_id = auth.uid()) < amount then raise exception 'not enough'; end if;
  update public.purses set coins = coins - amount where user_id = auth.uid();
  update public.purses set coins = coins + amount where user_id = receiver;
  insert into public.sendings (sender, receiver, amount) values (auth.uid(), receiver, amount); end $$;
create function give_coins(receiver uuid, amount int) returns void language plpgsql security definer set search_path = '' as $$ begin
  if auth.uid() is null or amount <= 0 or (select coins from public.purses where user_id = auth.uid()) < amount then raise exception 'not enough'; end if;
  update public.purses set coins = coins - amount where user_id = auth.uid();
  update public.purses set coins = coins + amount where user_id = receiver; end $$;
revoke execute on function send_coins, open_purse from anon, public; revoke execute on function give_coins from anon, public;
