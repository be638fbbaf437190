-- The same shape with names in another style.
-- base: hosted
-- low
-- members: public.TeamMember
create table "Profile" ("id" uuid primary key references auth.users on delete cascade, "displayName" text, "avatarUrl" text);
create table "Team" ("id" uuid primary key default gen_random_uuid(), "name" text not null, "ownerId" uuid not null references "Profile"("id"), "createdAt" timestamptz default now());
create table "TeamMember" ("teamId" uuid not null references "Team"("id") on delete cascade, "userId" uuid not null references "Profile"("id") on delete cascade, "memberRole" text not null default 'MEMBER' check ("memberRole" in ('OWNER','ADMIN','MEMBER')), primary key ("teamId","userId"));
create table "Board" ("id" uuid primary key default gen_random_uuid(), "teamId" uuid not null references "Team"("id"), "title" text not null, "isPublic" boolean not null default false);
create table "Card" ("id" uuid primary key default gen_random_uuid(), "boardId" uuid not null references "Board"("id"), "title" text, "createdBy" uuid references "Profile"("id"), "position" int not null default 0);
create function is_team_member(t uuid) returns boolean language sql stable security definer set search_path = public as $$ select exists (select 1 from "TeamMember" where "teamId" = t and "userId" = auth.uid()) $$;
alter table "Profile" enable row level security; alter table "Team" enable row level security; alter table "TeamMember" enable row level security; alter table "Board" enable row level security; alter table "Card" enable row level security;
create policy p on "Profile" for select using (auth.uid() = "id"); create policy u on "Profile" for update using (auth.uid() = "id"); create policy i on "Profile" for insert with check (auth.uid() = "id");
create policy s on "Team" for select using (is_team_member("id") or "ownerId" = auth.uid()); create policy i on "Team" for insert with check ("ownerId" = auth.uid()); create policy u on "Team" for update using ("ownerId" = auth.uid()) with check ("ownerId" = auth.uid());
create policy s on "TeamMember" for select using (is_team_member("teamId")); create policy i on "TeamMember" for insert with check (exists (select 1 from "Team" t where t."id" = "teamId" and t."ownerId" = auth.uid())); create policy d on "TeamMember" for delete using (exists (select 1 from "Team" t where t."id" = "teamId" and t."ownerId" = auth.uid()));
create policy a on "Board" for all using (is_team_member("teamId")) with check (is_team_member("teamId"));
create policy a on "Card" for all using (exists (select 1 from "Board" b where b."id" = "boardId" and is_team_member(b."teamId"))) with check (exists (select 1 from "Board" b where b."id" = "boardId" and is_team_member(b."teamId")));
