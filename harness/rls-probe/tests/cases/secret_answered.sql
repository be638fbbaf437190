-- An anonymous caller receives a secret.
-- base: clubs
-- right: function public.get_encryption_key: call by anonymous

create function get_encryption_key() returns text language plpgsql security definer set search_path='' as $$ begin return coalesce(current_setting('app.key', true), 'c2VjcmV0LWtleS0zMi1ieXRlcw=='); end $$;
grant execute on function get_encryption_key to anon, authenticated;
