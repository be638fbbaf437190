-- Nothing is granted, and nothing tried: that is no verdict.
-- undecided: public

create table hives (id bigserial primary key, user_id uuid not null references auth.users, honey int);
-- row level security forgotten; nothing is granted in the migration, since a hosted project's default privileges grant everything
