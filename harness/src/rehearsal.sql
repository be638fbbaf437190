-- What a schema is made of, one line for each part, so that two can be compared.
with names as (
  select oid, nspname from pg_namespace
  where nspname not in ('pg_catalog', 'information_schema', 'supabase_migrations') and nspname not like 'pg\_%'
)
select line from (
  select format('schema %s granted %s', n.nspname, s.nspacl) as line
  from names n join pg_namespace s using (oid)
  union all
  select format('%s %s row security %s forced %s granted %s with %s', case c.relkind when 'v' then 'view' when 'i' then 'index' when 'S' then 'sequence' else 'table' end,
    c.oid::regclass, c.relrowsecurity, c.relforcerowsecurity, c.relacl, c.reloptions)
  from pg_class c join names n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select format('column %s.%s %s default %s not null %s granted %s', a.attrelid::regclass, a.attname,
    format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.attacl)
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid join names n on n.oid = c.relnamespace
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f')
  union all
  select format('view %s is %s', c.oid::regclass, md5(pg_get_viewdef(c.oid)))
  from pg_class c join names n on n.oid = c.relnamespace where c.relkind in ('v', 'm')
  union all
  select format('constraint %s on %s %s', k.conname, k.conrelid::regclass, pg_get_constraintdef(k.oid))
  from pg_constraint k join names n on n.oid = k.connamespace where k.conrelid <> 0
  union all
  select indexdef from pg_indexes join names n on n.nspname = schemaname
  union all
  select format('function %s is %s granted %s', p.oid::regprocedure, md5(pg_get_functiondef(p.oid)), p.proacl)
  from pg_proc p join names n on n.oid = p.pronamespace where p.prokind in ('f', 'p')
  union all
  select pg_get_triggerdef(t.oid) || ' enabled ' || t.tgenabled::text
  from pg_trigger t join pg_class c on c.oid = t.tgrelid join names n on n.oid = c.relnamespace where not t.tgisinternal
  union all
  select format('policy %s on %s.%s %s %s to %s using %s check %s', policyname, schemaname, tablename, permissive, cmd, roles, qual, with_check)
  from pg_policies join names n on n.nspname = schemaname
  union all
  select format('type %s %s', t.oid::regtype, (select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid))
  from pg_type t join names n on n.oid = t.typnamespace where t.typtype in ('e', 'd')
  union all
  -- What they are by default is told as if nobody had ever said it.
  select format('default privileges of %s on %s: %s', defaclrole::regrole, defaclobjtype, defaclacl)
  from pg_default_acl where defaclacl <> acldefault(case defaclobjtype when 'S' then 's' else defaclobjtype end, defaclrole)
) parts order by line
