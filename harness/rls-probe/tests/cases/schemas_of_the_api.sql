-- The schemas that the API exposes are those that its own setting names.
-- owner: user_id
-- right: table club.members: read by user newcomer claimant

create schema club; grant usage on schema club to authenticated;
create table club.members (id bigserial primary key, user_id uuid not null references auth.users, name text);
alter table club.members enable row level security;
create policy p on club.members for select to authenticated using (true);
grant select on club.members to authenticated;
-- what the API serves is said here on a hosted project
alter role authenticator set pgrst.db_schemas = 'public, club';
