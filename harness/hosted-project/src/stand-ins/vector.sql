create type extensions.vector;
create function extensions.vector_in(cstring, oid, integer) returns extensions.vector
  language internal immutable strict as 'varcharin';
create function extensions.vector_out(extensions.vector) returns cstring language internal immutable strict as 'varcharout';
create type extensions.vector (
  input = extensions.vector_in, output = extensions.vector_out, like = pg_catalog.text, category = 'V',
  typmod_in = pg_catalog.varchartypmodin, typmod_out = pg_catalog.varchartypmodout
);
create function extensions.vector_distance(extensions.vector, extensions.vector) returns double precision
  language sql immutable as $$ select 0::float8 $$;
create operator extensions.<-> (leftarg = extensions.vector, rightarg = extensions.vector, function = extensions.vector_distance);
create operator extensions.<=> (leftarg = extensions.vector, rightarg = extensions.vector, function = extensions.vector_distance);
create operator extensions.<#> (leftarg = extensions.vector, rightarg = extensions.vector, function = extensions.vector_distance);
create operator extensions.<+> (leftarg = extensions.vector, rightarg = extensions.vector, function = extensions.vector_distance);
create domain extensions.halfvec as text;
create domain extensions.sparsevec as text;
