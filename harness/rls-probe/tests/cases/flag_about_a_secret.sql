-- A boolean is no secret.
-- clean

create table guilds (id uuid primary key default gen_random_uuid(), name text not null);
create table guild_people (user_id uuid primary key references auth.users, guild_id uuid not null references guilds, role text not null check (role in ('master','journeyman')), must_change_password boolean not null default false);
create table looms (id bigserial primary key, guild_id uuid not null references guilds, name text);
alter table guilds enable row level security; alter table guild_people enable row level security; alter table looms enable row level security;
create function my_guild() returns uuid language sql stable security definer set search_path = '' as $$ select guild_id from public.guild_people where user_id = auth.uid() $$;
create policy p on guilds for select to authenticated using (id = my_guild());
create policy p on guild_people for select to authenticated using (guild_id = my_guild());
create policy p on looms for select to authenticated using (guild_id = my_guild());
grant select on guilds, guild_people, looms to authenticated;
