create function extensions.sign(payload json, secret text, algorithm text default 'HS256') returns text language plpgsql immutable as $$
begin raise exception 'the extension "pgjwt" is not installed here'; end $$;
create function extensions.verify(token text, secret text, algorithm text default 'HS256')
  returns table (header json, payload json, valid boolean) language plpgsql immutable as $$
begin raise exception 'the extension "pgjwt" is not installed here'; end $$;
