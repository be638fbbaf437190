-- A trigger refuses every row that is made: that says nothing of who may add one.
-- base: clubs
-- undecided: public.dues

create function checked() returns trigger language plpgsql as $$ begin
  if new.kind <> 'YEARLY' then raise exception 'unknown kind %', new.kind; end if; return new; end $$;
create trigger checked before insert on dues for each row execute function checked();
