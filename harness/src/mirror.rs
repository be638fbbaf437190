//! What two deployments of one portal have to have in common, read from both and compared: migrations, functions, names of
//! secrets, settings, exposed schemas, policies, grants, headers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    client::{ClientError, ManagementClient},
    deployment::Deployment,
    failure::{Failure, Verdict},
};

/// What of the database has to be the same: each a query of names and values. The role that it is read by is granted
/// nothing, so views of the information schema are empty for it: rights are read from the catalog. Owners and the roles of
/// the platform differ between projects and are left out.
const DATABASE: [(&str, &str); 14] = [
    ("migration", "select version || '_' || name as name, 'applied' as value from supabase_migrations.schema_migrations"),
    (
        "policy",
        "select format('%s.%s %s', schemaname, tablename, quote_ident(policyname)) as name,
                concat_ws(' ', lower(permissive), lower(cmd), 'to ' || array_to_string(roles, ', '), 'using (' || qual || ')', 'with check (' || with_check || ')') as value
         from pg_catalog.pg_policies where schemaname = any({schemas})",
    ),
    (
        "row level security",
        "select format('%s.%s', n.nspname, c.relname) as name,
                case when c.relforcerowsecurity then 'forced' when c.relrowsecurity then 'on' else 'off' end as value
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and n.nspname = any({schemas})",
    ),
    (
        "view",
        "select format('%s.%s', n.nspname, c.relname) as name,
                concat_ws(' ', md5(pg_catalog.pg_get_viewdef(c.oid)), array_to_string(c.reloptions, ', ')) as value
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('v', 'm') and n.nspname = any({schemas})",
    ),
    (
        "grant",
        "select format('%s.%s%s to %s', n.nspname, c.relname, '.' || g.attname, coalesce(r.rolname, 'everybody')) as name,
                string_agg({privilege}, ', ' order by g.privilege_type) as value
         from (select oid as target, null::name as attname, (pg_catalog.aclexplode(relacl)).* from pg_catalog.pg_class
               union all
               select attrelid, attname, (pg_catalog.aclexplode(attacl)).* from pg_catalog.pg_attribute where not attisdropped) g
         join pg_catalog.pg_class c on c.oid = g.target
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         left join pg_catalog.pg_roles r on r.oid = g.grantee
         where n.nspname = any({schemas}) and g.grantee <> c.relowner and {compared}
         group by n.nspname, c.relname, g.attname, r.rolname",
    ),
    (
        "grant on a schema",
        "select format('%s to %s', g.nspname, coalesce(r.rolname, 'everybody')) as name,
                string_agg({privilege}, ', ' order by g.privilege_type) as value
         from (select nspname, nspowner, (pg_catalog.aclexplode(nspacl)).* from pg_catalog.pg_namespace) g
         left join pg_catalog.pg_roles r on r.oid = g.grantee
         where g.nspname = any({schemas}) and g.grantee <> g.nspowner and {compared}
         group by g.nspname, r.rolname",
    ),
    (
        "default privilege",
        "select format('on new %s of %s to %s', case g.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' else 'schemas' end,
                       coalesce(n.nspname, 'every schema'), coalesce(r.rolname, 'everybody')) as name,
                string_agg(distinct {privilege}, ', ') as value
         from (select defaclobjtype, defaclnamespace, defaclrole, (pg_catalog.aclexplode(defaclacl)).* from pg_catalog.pg_default_acl) g
         left join pg_catalog.pg_namespace n on n.oid = g.defaclnamespace
         left join pg_catalog.pg_roles r on r.oid = g.grantee
         where (n.nspname is null or n.nspname = any({schemas})) and g.grantee <> g.defaclrole and {compared}
         group by g.defaclobjtype, n.nspname, r.rolname",
    ),
    (
        "column",
        "select format('%s.%s.%s', n.nspname, c.relname, a.attname) as name,
                concat_ws(' ', pg_catalog.format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
                          case a.attgenerated when 's' then 'generated ' else 'default ' end || pg_catalog.pg_get_expr(d.adbin, d.adrelid)) as value
         from pg_catalog.pg_attribute a
         join pg_catalog.pg_class c on c.oid = a.attrelid
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and n.nspname = any({schemas})",
    ),
    (
        "constraint",
        "select format('%s.%s %s', n.nspname, c.relname, k.conname) as name, pg_catalog.pg_get_constraintdef(k.oid) as value
         from pg_catalog.pg_constraint k
         join pg_catalog.pg_class c on c.oid = k.conrelid
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where k.contype in ('c', 'f', 'p', 'u', 'x') and n.nspname = any({schemas})",
    ),
    (
        "index",
        "select format('%s.%s', n.nspname, c.relname) as name,
                pg_catalog.pg_get_indexdef(c.oid) || case when i.indisvalid then '' else ' (not valid)' end as value
         from pg_catalog.pg_index i
         join pg_catalog.pg_class c on c.oid = i.indexrelid
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = any({schemas})",
    ),
    (
        "trigger",
        "select format('%s.%s %s', n.nspname, c.relname, t.tgname) as name,
                pg_catalog.pg_get_triggerdef(t.oid) || case t.tgenabled when 'O' then '' else ' (' || t.tgenabled::text || ')' end as value
         from pg_catalog.pg_trigger t
         join pg_catalog.pg_class c on c.oid = t.tgrelid
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where not t.tgisinternal and n.nspname = any({schemas})",
    ),
    (
        "how a function runs",
        "select p.oid::regprocedure::text as name,
                concat_ws(', ', case when p.prosecdef then 'as its owner' else 'as its caller' end,
                          case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
                          array_to_string(p.proconfig, ', ')) as value
         from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
         where p.prokind in ('f', 'p') and n.nspname = any({schemas})",
    ),
    (
        "function of the database",
        "select p.oid::regprocedure::text as name, md5(pg_catalog.pg_get_functiondef(p.oid)) as value
         from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
         where p.prokind in ('f', 'p') and n.nspname = any({schemas})",
    ),
    (
        "right to call",
        "select g.target::regprocedure::text as name, string_agg(coalesce(r.rolname, 'everybody'), ', ' order by r.rolname) as value
         from (select oid as target, proowner, pronamespace, prokind, (pg_catalog.aclexplode(coalesce(proacl, pg_catalog.acldefault('f', proowner)))).* from pg_catalog.pg_proc) g
         join pg_catalog.pg_namespace n on n.oid = g.pronamespace
         left join pg_catalog.pg_roles r on r.oid = g.grantee
         where g.prokind in ('f', 'p') and n.nspname = any({schemas}) and g.grantee <> g.proowner and {compared}
         group by g.target",
    ),
];

/// A privilege of `aclexplode`, in words.
const PRIVILEGE: &str = "(g.privilege_type || case when g.is_grantable then ' with grant option' else '' end)";

/// Whether a grantee is one of the project's: the platform's own roles come and go with its releases.
const COMPARED: &str =
    "(r.rolname is null or r.rolname !~ '^(postgres|supabase_|dashboard_user|pgbouncer|pgsodium_|pg_)')";

/// Said of an edge function by newer answers only: what one of two does not say is no difference.
const MAY_BE_UNSAID: [&str; 2] = ["edge function's code", "edge function's verify_jwt"];

/// Facts of a deployment by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts(BTreeMap<(String, String), String>);

/// A fact that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Such as `policy`.
    pub kind: String,
    /// What it is about.
    pub name: String,
    /// The value here; none where it is missing.
    pub here: Option<String>,
    /// The value there.
    pub there: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    value: String,
}

/// What a database is made of that is said in a declaration: what is computed by views and functions is looked at by checks
/// of its own.
const DECLARED: [&str; 10] = [
    "policy",
    "row level security",
    "grant",
    "grant on a schema",
    "right to call",
    "column",
    "constraint",
    "index",
    "trigger",
    "how a function runs",
];

/// A list of names in quotes, for `any(array[…])`.
fn quoted(schemas: &str) -> Vec<String> {
    schemas.split(',').map(|schema| format!("'{}'", schema.trim().replace('\'', "''"))).collect()
}

impl Facts {
    /// What the database declares in the exposed schemas.
    ///
    /// # Errors
    /// Not run or undecided where the API cannot be asked.
    pub async fn declared(management: &ManagementClient) -> Verdict<Self> {
        let failed = |error: ClientError| Deployment::vendor_failed("what the database declares can be read", &error);
        let schemas = management.rest_settings().await.map_err(failed)?.db_schema;
        let (mut facts, schemas) = (Self::default(), quoted(&schemas));
        Box::pin(facts.read(management, &schemas, |kind| DECLARED.contains(&kind))).await?;
        Ok(facts)
    }

    async fn read(
        &mut self,
        management: &ManagementClient,
        schemas: &[String],
        wanted: impl Fn(&str) -> bool,
    ) -> Verdict {
        let failed =
            |error: ClientError| Deployment::vendor_failed("what the deployment is made of can be read", &error);
        for (kind, sql) in DATABASE.into_iter().filter(|(kind, _)| wanted(kind)) {
            let sql = sql.replace("{schemas}", &format!("array[{}]::text[]", schemas.join(", ")));
            let sql = sql.replace("{privilege}", PRIVILEGE).replace("{compared}", COMPARED);
            for Named { name, value } in management.query(&sql).await.map_err(failed)? {
                self.add(kind, name, value);
            }
        }
        Ok(())
    }

    /// Reads them.
    ///
    /// # Errors
    /// Not run or undecided where an API cannot be asked.
    pub async fn of(deployment: &Deployment) -> Verdict<Self> {
        let claim = "what the deployment is made of can be read";
        let failed = |error: ClientError| Deployment::vendor_failed(claim, &error);
        let (management, mut facts) = (deployment.management()?, Self::default());
        for function in management.functions().await.map_err(failed)? {
            let [code, guarded] = MAY_BE_UNSAID;
            if let Some(hash) = function.ezbr_sha256 {
                facts.add(code, &function.slug, hash);
            }
            if let Some(verify_jwt) = function.verify_jwt {
                facts.add(guarded, &function.slug, verify_jwt.to_string());
            }
            facts.add("edge function", function.slug, function.status);
        }
        for name in management.secrets().await.map_err(failed)?.into_keys() {
            facts.add("secret", name, "set");
        }
        let rest = management.rest_settings().await.map_err(failed)?;
        let schemas = quoted(&rest.db_schema);
        facts.add("exposed schemas", "db_schema", rest.db_schema);
        // On the heap: the stack of a test is small.
        Box::pin(facts.read(&management, &schemas, |_| true)).await?;
        let settings = deployment.auth()?.settings().await.map_err(failed)?;
        for (name, value) in settings.as_object().into_iter().flatten() {
            facts.add("auth setting", name.as_str(), text(value));
        }
        if let Ok(pages) = deployment.pages() {
            for name in pages.project().await.map_err(failed)?.variables().into_keys() {
                facts.add("build variable", name, "set");
            }
        }
        let (site, api) = (deployment.site().url("/"), deployment.api()?.url.clone());
        let document = deployment.site().document("/").await?;
        for name in deployment.contract().headers.keys() {
            // Each allows its own origins.
            let value = document.fetched.header(name);
            let value = value.replace(origin(&site).as_str(), "{site}").replace(origin(&api).as_str(), "{api}");
            facts.add("header", name.as_str(), value);
        }
        Ok(facts)
    }

    fn add(&mut self, kind: &str, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert((kind.to_owned(), name.into()), value.into());
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What is not the same in `there`, by kind and name.
    pub fn differences(&self, there: &Self) -> Vec<Difference> {
        let all: BTreeSet<_> = self.0.keys().chain(there.0.keys()).collect();
        let differing = all.into_iter().filter(|key| match (self.0.get(*key), there.0.get(*key)) {
            (Some(ours), Some(theirs)) => ours != theirs,
            _ => !MAY_BE_UNSAID.contains(&key.0.as_str()),
        });
        let difference = |(kind, name): &(String, String)| Difference {
            kind: kind.clone(),
            name: name.clone(),
            here: self.0.get(&(kind.clone(), name.clone())).cloned(),
            there: there.0.get(&(kind.clone(), name.clone())).cloned(),
        };
        differing.map(difference).collect()
    }
}

/// One in a line.
impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|((kind, name), value)| writeln!(f, "{kind} {name}: {value}"))
    }
}

fn origin(url: &url::Url) -> String {
    url.origin().ascii_serialization()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The differences as a table in Markdown.
pub fn table(differences: &[Difference], here: &str, there: &str) -> String {
    let cell = |value: &Option<String>| value.as_deref().unwrap_or("missing").replace('|', "\\|").replace('\n', " ");
    let mut table = format!("| what | name | {here} | {there} |\n|---|---|---|---|\n");
    for difference in differences {
        let Difference { kind, name, here, there } = difference;
        table += &format!("| {kind} | {} | {} | {} |\n", name.replace('|', "\\|"), cell(here), cell(there));
    }
    table
}

impl Failure {
    /// Each difference in a line or two, the first ones in full.
    pub fn differing(self, differences: &[Difference], here: &str, there: &str) -> Self {
        const MOST: usize = 8;
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "missing".to_owned());
        let mut lines: Vec<_> = differences
            .iter()
            .take(MOST)
            .map(|it| {
                format!("{} {}\n  {here}: {}\n  {there}: {}", it.kind, it.name, shown(&it.here), shown(&it.there))
            })
            .collect();
        if differences.len() > MOST {
            lines.push(format!("and {} more: they are in the evidence, mirror.md", differences.len() - MOST));
        }
        self.seen(lines.join("\n"))
    }
}
