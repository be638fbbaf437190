-- base: clubs
-- right: column public.settings.webhook_secret: read by aide
-- advised: column public.settings.webhook_secret

-- A grant of all columns but the secret would take the function from chiefs, which answers with the whole row.
create table settings (club_id uuid primary key references clubs, days integer not null default 1, webhook_secret text);
alter table settings enable row level security;
create policy see on settings for select to authenticated using (is_root() or club_id = my_club());
create policy change on settings for update to authenticated using (my_rank() = 'chief' and club_id = my_club())
  with check (my_rank() = 'chief' and club_id = my_club());
insert into settings (club_id, webhook_secret) select id, 'whsec_9f8e7d6c5b4a39281706' from clubs;
create function set_days(p_club_id uuid, p_days integer) returns settings language plpgsql set search_path = '' as $$
declare v public.settings;
begin
  update public.settings set days = p_days where club_id = p_club_id returning * into v;
  if not found then raise insufficient_privilege; end if;
  return v;
end $$;
