-- A flag that only decides what everybody is shown closes nothing: those of a tenant go on with it.
-- base: hosted
-- clean
-- own: table public.dishes: read insert update delete by owner editor

create table kitchens (id uuid primary key default gen_random_uuid(), name text not null, is_active boolean not null default true);
create table kitchen_members (kitchen_id uuid not null references kitchens, user_id uuid not null references auth.users, role text not null check (role in ('owner', 'editor')), primary key (kitchen_id, user_id));
create table dishes (id uuid primary key default gen_random_uuid(), kitchen_id uuid not null references kitchens, name text not null);
alter table kitchens enable row level security; alter table kitchen_members enable row level security; alter table dishes enable row level security;
create policy "Public can view active kitchens" on kitchens for select using (is_active = true);
create policy "Members view their kitchens" on kitchens for select using (exists (select from kitchen_members m where m.kitchen_id = kitchens.id and m.user_id = auth.uid()));
create policy "Users view their memberships" on kitchen_members for select using (user_id = auth.uid());
create policy "Public can view dishes of active kitchens" on dishes for select using (exists (select from kitchens k where k.id = dishes.kitchen_id and k.is_active = true));
create policy "Members manage dishes" on dishes for all using (exists (select from kitchens k join kitchen_members m on m.kitchen_id = k.id where k.id = dishes.kitchen_id and m.user_id = auth.uid()));
