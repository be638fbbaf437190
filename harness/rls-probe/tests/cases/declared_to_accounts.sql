-- What everybody with an account may see, by a policy's name and its flag, is declared for them.
-- base: hosted
-- clean
-- own: table public.offers: read by newcomer

create table sellers (id uuid primary key references auth.users, shop text not null);
create table offers (id uuid primary key default gen_random_uuid(), seller_id uuid not null references auth.users, title text not null, status text not null default 'active' check (status in ('active','sold')));
create table reviews (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users, offer_id uuid not null references offers, body text);
alter table sellers enable row level security; alter table offers enable row level security; alter table reviews enable row level security;
create policy "Users can view all shops" on sellers for select to authenticated using (true);
create policy "Users can update own shop" on sellers for update to authenticated using (auth.uid() = id);
create policy "Anyone can view active offers" on offers for select to authenticated using (status = 'active' or seller_id = auth.uid());
create policy "Sellers change their offers" on offers for update to authenticated using (seller_id = auth.uid()) with check (seller_id = auth.uid());
create policy "own reviews" on reviews for select to authenticated using (user_id = auth.uid());
