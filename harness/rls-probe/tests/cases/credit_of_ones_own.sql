-- What somebody has to their credit they do not write themselves.
-- base: hosted
-- right: table public.wallets: update by user
-- says: can set balance on themselves
-- fixed: table public.wallets

create table wallets (user_id uuid primary key references auth.users, nickname text, balance numeric not null default 0);
alter table wallets enable row level security;
create policy "own wallet" on wallets for select to authenticated using (user_id = auth.uid());
create policy "rename own wallet" on wallets for update to authenticated using (user_id = auth.uid());
