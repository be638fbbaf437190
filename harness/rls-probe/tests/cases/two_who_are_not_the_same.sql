-- A row that names two who may not be the same is made of two.
-- base: hosted
-- clean
-- own: table public.repayments: read insert by admin flatmate

create table flats (id uuid primary key default gen_random_uuid(), name text not null);
create table flatmates (id uuid primary key default gen_random_uuid(), flat_id uuid not null references flats, user_id uuid references auth.users, role text not null check (role in ('admin', 'flatmate')), unique (flat_id, user_id), unique (id, flat_id));
create table repayments (id uuid primary key default gen_random_uuid(), flat_id uuid not null references flats, payer uuid not null, receiver uuid not null, cents int not null check (cents > 0), check (payer <> receiver), foreign key (payer, flat_id) references flatmates (id, flat_id), foreign key (receiver, flat_id) references flatmates (id, flat_id));
create function my_flats() returns setof uuid language sql stable security definer set search_path = '' as $$ select flat_id from public.flatmates where user_id = auth.uid() $$;
alter table flats enable row level security; alter table flatmates enable row level security; alter table repayments enable row level security;
create policy p on flats for select to authenticated using (id in (select my_flats()));
create policy p on flatmates for select to authenticated using (flat_id in (select my_flats()));
create policy p on repayments for all to authenticated using (flat_id in (select my_flats()));
