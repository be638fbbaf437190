-- What is let in by a secret of which a hash is kept, what only one state of a tenant closes, and files in folders that have names.
-- base: storage kennels
-- own: function public.cancel_stay: call by owner manager helper
-- own: function public.decide_refund: call by owner
-- own: table storage.objects: insert by owner
-- refused: table storage.objects: insert by manager helper
select 1;
