create type extensions.http_header as (field varchar, value varchar);
create type extensions.http_response as (status integer, content_type varchar, headers extensions.http_header[], content varchar);
create type extensions.http_request as (method text, uri varchar, headers extensions.http_header[], content_type varchar, content varchar);
create function extensions.http(request extensions.http_request) returns extensions.http_response language plpgsql as $$
begin raise exception 'the extension "http" is not installed here'; end $$;
create function extensions.http_get(uri varchar) returns extensions.http_response language plpgsql as $$
begin raise exception 'the extension "http" is not installed here'; end $$;
create function extensions.http_post(uri varchar, content varchar, content_type varchar) returns extensions.http_response language plpgsql as $$
begin raise exception 'the extension "http" is not installed here'; end $$;
