create function extensions.json_matches_schema(schema json, instance json) returns boolean language sql immutable as $$ select true $$;
create function extensions.jsonb_matches_schema(schema json, instance jsonb) returns boolean language sql immutable as $$ select true $$;
