-- An answer that says nothing is shown as an answer.
-- base: clubs
-- clean
-- own: function public.hello: call by anonymous

create function hello() returns text language sql stable as $$ select 'hello'::text $$;
grant execute on function hello to anon, authenticated;
