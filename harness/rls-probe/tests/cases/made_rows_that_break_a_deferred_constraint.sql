-- A made row breaks a deferred constraint: it is not kept, and no attempt is refused by it.
-- right: table public.recipes: read delete by user newcomer claimant

create table recipes (id bigserial primary key, user_id uuid not null references auth.users, title text);
create table shares_of (id bigserial primary key, recipe_id bigint not null references recipes, user_id uuid not null references auth.users, percent int not null);
create function whole() returns trigger language plpgsql as $$ begin
  if (select sum(percent) from public.shares_of where recipe_id = new.recipe_id) <> 100 then raise exception 'not a whole' using errcode = '23514'; end if; return null; end $$;
create constraint trigger t after insert on shares_of deferrable initially deferred for each row execute function whole();
alter table recipes enable row level security; alter table shares_of enable row level security;
create policy p on recipes for select to authenticated using (true);
create policy d on recipes for delete to authenticated using (true);
create policy p on shares_of for select to authenticated using (user_id = auth.uid());
grant select, delete on recipes to authenticated; grant select on shares_of to authenticated;
