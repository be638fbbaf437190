-- Everything of a database that says who may do what, as one JSON document. $1 are the exposed schemas.
with
-- Schemas of a project's own making, and those of the platform that users' rows are in.
looked_at as (
  select n.oid, n.nspname, n.nspname = any ($1) as is_exposed
  from pg_namespace n
  where n.nspname = any ($1 || array['storage'])
    or (n.nspname = 'realtime' and to_regclass('realtime.messages') is not null)
    or (n.nspname !~ '^(pg_|information_schema$|auth$|extensions$|graphql|realtime$|_realtime$|vault$|pgsodium|cron$|net$|supabase_|pgbouncer$|pgtle$|_analytics$)')
),
relations as (
  select c.oid, n.nspname, n.is_exposed, c.relname, c.relkind, c.relrowsecurity, c.reltuples, c.reloptions, c.relispartition
  from pg_class c join looked_at n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not exists (
      select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    )
)
select jsonb_build_object(
  'given_by_default', coalesce((
    -- Schemas whose new tables everybody gets everything of; '' is any.
    select jsonb_agg(distinct coalesce(n.nspname, '')) from pg_default_acl d
    cross join aclexplode(d.defaclacl) g left join pg_namespace n on n.oid = d.defaclnamespace
    where d.defaclobjtype = 'r' and g.privilege_type = 'TRUNCATE' and g.grantee in (
      select oid from pg_roles where rolname in ('anon', 'authenticated')
    )
  ), '[]'),
  'users', coalesce(to_regclass('auth.users')::oid::int8, 0),
  'relations', coalesce((
    select jsonb_agg(jsonb_build_object(
      'oid', c.oid::int8,
      'schema', c.nspname,
      'name', c.relname,
      'exposed', c.is_exposed,
      'kind', c.relkind,
      'partition', c.relispartition,
      'parent', (select i.inhparent::int8 from pg_inherits i where i.inhrelid = c.oid and c.relispartition),
      'rls', c.relrowsecurity,
      'invoker', coalesce(lower((select option_value from pg_options_to_table(c.reloptions) where option_name = 'security_invoker')) in ('true', 'on', '1', 'yes'), false),
      'estimate', greatest(c.reltuples, 0)::int8,
      'columns', (
        select jsonb_agg(jsonb_build_object(
          'number', a.attnum,
          'name', a.attname,
          'type', format_type(a.atttypid, a.atttypmod),
          'base', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null),
          'length', case when t.typname in ('varchar', 'bpchar') and a.atttypmod > 4 then a.atttypmod - 4 end,
          'category', (select b.typcategory from pg_type b where b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)),
          'labels', coalesce((
            select jsonb_agg(e.enumlabel order by e.enumsortorder) from pg_enum e
            where e.enumtypid = coalesce(nullif(t.typbasetype, 0), t.oid)
          ), '[]'),
          'domain_check', (select string_agg(pg_get_constraintdef(k.oid), ' and ') from pg_constraint k where k.contypid = t.oid),
          'not_null', a.attnotnull or t.typnotnull,
          'default', pg_get_expr(d.adbin, d.adrelid),
          'generated', a.attgenerated <> '' or a.attidentity = 'a',
          'identity', a.attidentity <> '',
          'can', jsonb_build_object(
            'anon', array_remove(array[
              case when has_column_privilege('anon', c.oid, a.attnum, 'select') then 'select' end,
              case when has_column_privilege('anon', c.oid, a.attnum, 'insert') then 'insert' end,
              case when has_column_privilege('anon', c.oid, a.attnum, 'update') then 'update' end
            ], null),
            'authenticated', array_remove(array[
              case when has_column_privilege('authenticated', c.oid, a.attnum, 'select') then 'select' end,
              case when has_column_privilege('authenticated', c.oid, a.attnum, 'insert') then 'insert' end,
              case when has_column_privilege('authenticated', c.oid, a.attnum, 'update') then 'update' end
            ], null)
          )
        ) order by a.attnum)
        from pg_attribute a
        join pg_type t on t.oid = a.atttypid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      ),
      'can', jsonb_build_object(
        'anon', array_remove(array[
          case when has_table_privilege('anon', c.oid, 'delete') then 'delete' end,
          case when has_table_privilege('anon', c.oid, 'truncate') then 'truncate' end,
          case when has_table_privilege('anon', c.oid, 'trigger') then 'trigger' end,
          case when has_any_column_privilege('anon', c.oid, 'references') then 'references' end
        ], null),
        'authenticated', array_remove(array[
          case when has_table_privilege('authenticated', c.oid, 'delete') then 'delete' end,
          case when has_table_privilege('authenticated', c.oid, 'truncate') then 'truncate' end,
          case when has_table_privilege('authenticated', c.oid, 'trigger') then 'trigger' end,
          case when has_any_column_privilege('authenticated', c.oid, 'references') then 'references' end
        ], null)
      ),
      'usage', array_remove(array[
        case when has_schema_privilege('anon', c.nspname, 'usage') then 'anon' end,
        case when has_schema_privilege('authenticated', c.nspname, 'usage') then 'authenticated' end
      ], null),
      'keys', coalesce((
        select jsonb_agg(jsonb_build_object(
          'name', i.relname,
          'primary', x.indisprimary,
          'partial', x.indpred is not null,
          'columns', (
            select coalesce(jsonb_agg(distinct a.attname), '[]')
            from pg_attribute a
            where a.attrelid = x.indrelid and a.attnum > 0 and (
              a.attnum = any (x.indkey::int2[])
              -- Of an expression, the columns that it is of.
              or (x.indexprs is not null and exists (
                select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = x.indexrelid
                  and d.refclassid = 'pg_class'::regclass and d.refobjid = x.indrelid and d.refobjsubid = a.attnum
              ))
            )
          ),
          'plain', 0 <> all (x.indkey::int2[]),
          'definition', pg_get_indexdef(x.indexrelid)
        ) order by not x.indisprimary, i.relname)
        from pg_index x join pg_class i on i.oid = x.indexrelid
        where x.indrelid = c.oid and x.indisunique
      ), '[]'),
      'references', coalesce((
        select jsonb_agg(jsonb_build_object(
          'name', k.conname,
          'columns', (
            select jsonb_agg(a.attname order by n.position)
            from unnest(k.conkey) with ordinality n (number, position)
            join pg_attribute a on a.attrelid = k.conrelid and a.attnum = n.number
          ),
          'definition', pg_get_constraintdef(k.oid),
          'target', k.confrelid::int8,
          'target_name', k.confrelid::regclass::text,
          'target_columns', (
            select jsonb_agg(a.attname order by n.position)
            from unnest(k.confkey) with ordinality n (number, position)
            join pg_attribute a on a.attrelid = k.confrelid and a.attnum = n.number
          )
        ) order by k.conname)
        from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.conparentid = 0
      ), '[]'),
      'checks', coalesce((
        select jsonb_agg(jsonb_build_object(
          'name', k.conname,
          'text', pg_get_constraintdef(k.oid),
          'columns', (
            select coalesce(jsonb_agg(a.attname), '[]') from unnest(k.conkey) n (number)
            join pg_attribute a on a.attrelid = k.conrelid and a.attnum = n.number
          )
        ) order by k.conname)
        from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'
      ), '[]'),
      'policies', coalesce((
        select jsonb_agg(jsonb_build_object(
          'name', p.polname,
          'permissive', p.polpermissive,
          'command', case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
          'roles', (select coalesce(jsonb_agg(case r when 0 then 'public' else pg_get_userbyid(r) end), '[]') from unnest(p.polroles) r),
          'using', pg_get_expr(p.polqual, p.polrelid),
          'check', pg_get_expr(p.polwithcheck, p.polrelid)
        ) order by p.polname)
        from pg_policy p where p.polrelid = c.oid
      ), '[]'),
      'uses', coalesce((
        select jsonb_agg(distinct d.refobjid::int8)
        from pg_rewrite w join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
          and d.refclassid = 'pg_class'::regclass and d.refobjid <> c.oid
        where w.ev_class = c.oid and c.relkind in ('v', 'm')
      ), '[]'),
      'definition', case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end,
      'triggers', coalesce((
        select jsonb_agg(g.tgname order by g.tgname) from pg_trigger g
        where g.tgrelid = c.oid and not g.tgisinternal and g.tgenabled <> 'D'
      ), '[]'),
      'published', exists (
        select from pg_publication_tables b
        where b.pubname = 'supabase_realtime' and b.schemaname = c.nspname and b.tablename = c.relname
      )
    ) order by c.nspname, c.relname)
    from relations c
  ), '[]'),
  'functions', coalesce((
    select jsonb_agg(jsonb_build_object(
      'schema', n.nspname,
      'name', p.proname,
      'exposed', n.is_exposed,
      'signature', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
      'kind', p.prokind,
      'definer', p.prosecdef,
      'fixed_path', coalesce(array_to_string(p.proconfig, ',') ~ '(^|,)search_path=', false),
      'set', p.proretset,
      'returns', format_type(p.prorettype, null),
      'answered', coalesce((
        select jsonb_agg(format_type(a.type, null) order by a.position)
        from unnest(p.proallargtypes, p.proargmodes) with ordinality a (type, mode, position) where a.mode in ('t', 'o')
      ), '[]'),
      'volatile', p.provolatile = 'v',
      'source', p.prosrc,
      'language', (select l.lanname from pg_language l where l.oid = p.prolang),
      'extension', exists (
        select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
      ),
      'arguments', coalesce((
        select jsonb_agg(jsonb_build_object(
          'name', coalesce(p.proargnames[a.position], ''),
          'type', format_type(a.type, null),
          'category', t.typcategory,
          'labels', coalesce((select jsonb_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid), '[]'),
          'default', a.position > p.pronargs - p.pronargdefaults
        ) order by a.position)
        from unnest(p.proargtypes::oid[]) with ordinality a (type, position)
        join pg_type t on t.oid = a.type
      ), '[]'),
      'can', array_remove(array[
        case when has_function_privilege('anon', p.oid, 'execute') and has_schema_privilege('anon', n.oid, 'usage') then 'anon' end,
        case when has_function_privilege('authenticated', p.oid, 'execute') and has_schema_privilege('authenticated', n.oid, 'usage') then 'authenticated' end
      ], null)
    ) order by n.nspname, p.proname, p.oid)
    from pg_proc p join looked_at n on n.oid = p.pronamespace
  ), '[]'),
  'creatable', coalesce((
    select jsonb_agg(jsonb_build_object('schema', n.nspname, 'role', r.role) order by n.nspname, r.role)
    from looked_at n cross join (values ('anon'), ('authenticated')) r (role)
    where has_schema_privilege(r.role, n.oid, 'create')
  ), '[]'),
  'auth_triggers', coalesce((
    select jsonb_agg(g.tgfoid::regprocedure::text)
    from pg_trigger g where g.tgrelid = to_regclass('auth.users') and not g.tgisinternal
  ), '[]'),
  'auth_columns', coalesce((
    select jsonb_agg(a.attname) from pg_attribute a
    where a.attrelid = to_regclass('auth.users') and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  ), '[]'),
  'auth_readable', coalesce((
    select jsonb_agg(jsonb_build_object('table', c.oid::regclass::text, 'role', r.role, 'rls', c.relrowsecurity))
    from pg_class c cross join (values ('anon'), ('authenticated')) r (role)
    where c.relnamespace = to_regnamespace('auth') and c.relkind in ('r', 'v')
      and has_schema_privilege(r.role, c.relnamespace, 'usage')
      and has_any_column_privilege(r.role, c.oid, 'select')
  ), '[]'),
  'extensions_in_public', coalesce((
    select jsonb_agg(e.extname order by e.extname) from pg_extension e where e.extnamespace = to_regnamespace('public')
  ), '[]')
)::text
