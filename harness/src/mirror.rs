//! What two deployments of one portal have to have in common, read from both and compared: migrations, functions, names of
//! secrets, settings, exposed schemas, policies, grants, headers.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    client::ClientError,
    deployment::Deployment,
    failure::{Failure, Verdict},
};

/// What of the database has to be the same: each a query of names and values.
const DATABASE: [(&str, &str); 5] = [
    ("migration", "select version || '_' || name as name, 'applied' as value from supabase_migrations.schema_migrations"),
    (
        "policy",
        "select format('%s.%s %s', schemaname, tablename, quote_ident(policyname)) as name,
                concat_ws(' ', lower(permissive), lower(cmd), 'to ' || array_to_string(roles, ', '), 'using (' || qual || ')', 'with check (' || with_check || ')') as value
         from pg_policies where schemaname = any({schemas})",
    ),
    (
        "row level security",
        "select format('%s.%s', n.nspname, c.relname) as name,
                case when c.relforcerowsecurity then 'forced' when c.relrowsecurity then 'on' else 'off' end as value
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and n.nspname = any({schemas})",
    ),
    (
        "grant",
        "select format('%s.%s to %s', table_schema, table_name, grantee) as name,
                string_agg(privilege_type, ', ' order by privilege_type) as value
         from information_schema.role_table_grants
         where grantee in ('anon', 'authenticated', 'service_role') and table_schema = any({schemas})
         group by table_schema, table_name, grantee",
    ),
    (
        "function of the database",
        "select p.oid::regprocedure::text as name,
                concat_ws(' ', md5(pg_get_functiondef(p.oid)), 'executable by', (
                    select string_agg(r.rolname, ', ' order by r.rolname) from pg_roles r
                    where r.rolname in ('anon', 'authenticated', 'service_role')
                    and has_function_privilege(r.oid, p.oid, 'execute'))) as value
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where p.prokind = 'f' and n.nspname = any({schemas})",
    ),
];

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

impl Facts {
    /// Reads them.
    ///
    /// # Errors
    /// Not run or undecided where an API cannot be asked.
    pub async fn of(deployment: &Deployment) -> Verdict<Self> {
        let claim = "what the deployment is made of can be read";
        let failed = |error: ClientError| Deployment::vendor_failed(claim, &error);
        let (management, mut facts) = (deployment.management()?, Self::default());
        for function in management.functions().await.map_err(failed)? {
            let hash = function.ezbr_sha256.unwrap_or_else(|| format!("version {}", function.version));
            let shown = format!("{}, verify_jwt {:?}, {hash}", function.status, function.verify_jwt);
            facts.add("edge function", function.slug, shown);
        }
        for name in management.secrets().await.map_err(failed)?.into_keys() {
            facts.add("secret", name, "set");
        }
        let rest = management.rest_settings().await.map_err(failed)?;
        let schemas: Vec<_> =
            rest.db_schema.split(',').map(|schema| format!("'{}'", schema.trim().replace('\'', "''"))).collect();
        facts.add("exposed schemas", "db_schema", rest.db_schema);
        for (kind, sql) in DATABASE {
            let sql = sql.replace("{schemas}", &format!("array[{}]::text[]", schemas.join(", ")));
            for Named { name, value } in management.query(&sql).await.map_err(failed)? {
                facts.add(kind, name, value);
            }
        }
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
        let differing = all.into_iter().filter(|key| self.0.get(*key) != there.0.get(*key));
        let difference = |(kind, name): &(String, String)| Difference {
            kind: kind.clone(),
            name: name.clone(),
            here: self.0.get(&(kind.clone(), name.clone())).cloned(),
            there: there.0.get(&(kind.clone(), name.clone())).cloned(),
        };
        differing.map(difference).collect()
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
