//! How rows are made, who has which role, and the roles there are: as the database's catalog has it.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Known, revealed, rls::Tenancy};
use serde::Deserialize;
use sqlx::{Connection, PgConnection};

use super::draft::{quoted, quoted_key};

/// What the database says beside whose rows are whose.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    columns: Vec<Column>,
    /// The role of each persona, where it stands in a column.
    pub roles: BTreeMap<String, String>,
}

/// A column that somebody who makes a row gives, or may give.
#[derive(Debug, Clone, Default, Deserialize)]
struct Column {
    table: String,
    name: String,
    kind: String,
    /// Whether a row needs it, and nothing fills it in.
    needed: bool,
    /// The table that it refers to, with its schema.
    target: Option<String>,
    /// What it may be, where there are words for it.
    words: Vec<String>,
}

/// The columns of all tables of `public`, as JSON. A check that names values is read for them.
const COLUMNS: &str = r#"
select coalesce(json_agg(it), '[]')::text from (
select c.relname::text as "table", a.attname::text as name, format_type(a.atttypid, null) as kind,
  a.attnotnull and not a.atthasdef and a.attidentity = '' as needed,
  (select n.nspname || '.' || t.relname from pg_constraint f join pg_class t on t.oid = f.confrelid
   join pg_namespace n on n.oid = t.relnamespace
   where f.conrelid = c.oid and f.contype = 'f' and a.attnum = any(f.conkey) order by cardinality(f.conkey) limit 1) as target,
  coalesce(
    (select array_agg(e.enumlabel::text order by e.enumsortorder) from pg_enum e where e.enumtypid = a.atttypid),
    (select array(select m[1] from regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''', 'g') m)
     from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]
     and pg_get_constraintdef(k.oid) ~ '= ANY|IN \(' limit 1),
    '{}') as words
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
order by c.relname, a.attnum) it"#;

impl Catalog {
    /// Reads it, where the database is known and lets somebody.
    pub async fn read(known: &Known, tenancy: &Tenancy) -> Option<Self> {
        let mut database = PgConnection::connect(revealed(known.database.as_ref()?)).await.ok()?;
        let columns: String = sqlx::query_scalar(COLUMNS).fetch_one(&mut database).await.ok()?;
        let columns = serde_json::from_str(&columns).ok()?;
        let mut roles = BTreeMap::new();
        if let Some((table, user, role)) = role_column(tenancy) {
            let role_of = format!(
                "select role.{}::text from {} role join auth.users u on u.id::text = role.{}::text where u.email = $1 limit 1",
                identifier(role),
                table.split('.').map(identifier).collect::<Vec<_>>().join("."),
                identifier(user),
            );
            for (persona, email, _) in &known.personas {
                let asked = sqlx::query_scalar(sqlx::AssertSqlSafe(role_of.as_str())).bind(email);
                if let Ok(Some(role)) = asked.fetch_optional(&mut database).await {
                    roles.insert(persona.clone(), role);
                }
            }
        }
        Some(Self { columns, roles })
    }

    /// The words for roles, where the database has them, as it has them.
    pub fn rank(&self, tenancy: &Tenancy) -> &[String] {
        let Some((table, _, role)) = role_column(tenancy) else { return &[] };
        self.of(bare(table)).find(|column| column.name == role).map_or(&[], |column| &column.words)
    }

    /// A recipe for a tenant, for who belongs to it, and for each table that `tables` names or that those need.
    pub fn recipes(&self, tenancy: &Tenancy, tables: &[&str]) -> String {
        let (Some(tenant), Some(members)) = (&tenancy.tenant, &tenancy.members) else { return String::new() };
        let (tenants, people) = (bare(&tenant.table), bare(&members.table));
        let mut text = String::from(
            "\n# How checks make what they work with, where they may write: each column that a row needs.\n",
        );
        text += &self.recipe("institution", tenants, &BTreeMap::new());
        let mut given = BTreeMap::from([(members.user.as_str(), "{user}"), (members.tenant.as_str(), "{institution}")]);
        given.extend(members.role.as_deref().map(|role| (role, "{role}")));
        let mails = self.of(people).filter(|column| column.needed && column.name.contains("mail"));
        given.extend(mails.map(|column| (column.name.as_str(), "{email}")));
        text += &self.recipe("profile", people, &given);
        let granted = tenancy.granted.as_ref();
        if let Some(granted) = granted {
            let given = BTreeMap::from([(granted.user.as_str(), "{user}"), (granted.role.as_str(), "{role}")]);
            text += &self.recipe("role", bare(&granted.table), &given);
        }
        let known = [tenants, people].into_iter().chain(granted.map(|granted| bare(&granted.table)));
        let mut done: BTreeSet<_> = known.collect();
        let mut wanted: Vec<_> = tables.to_vec();
        while let Some(table) = wanted.pop() {
            if self.of(table).next().is_none() || !done.insert(table) {
                continue;
            }
            let belongs = self.of(table).find(|column| column.target.as_deref() == Some(&tenant.table));
            let given = belongs.map(|column| (column.name.as_str(), "{institution}")).into_iter().collect();
            text += &self.recipe(table, table, &given);
            wanted.extend(
                self.of(table)
                    .filter(|column| column.needed)
                    .filter_map(|column| Some(bare(column.target.as_deref()?))),
            );
        }
        text
    }

    fn of<'c>(&'c self, table: &str) -> impl Iterator<Item = &'c Column> {
        self.columns.iter().filter(move |column| column.table == table)
    }

    fn recipe(&self, kind: &str, table: &str, given: &BTreeMap<&str, &str>) -> String {
        let (mut values, mut open) = (Vec::new(), Vec::new());
        let mut is_named = false;
        for column in self.of(table) {
            match given.get(column.name.as_str()) {
                Some(name) => values.push((column, quoted(name))),
                None if !column.needed => {}
                None => match column.value(is_named) {
                    Some(value) => {
                        is_named |= value == NAME;
                        values.push((column, value));
                    }
                    None => open.push(column.name.as_str()),
                },
            }
        }
        let values: Vec<_> =
            values.into_iter().map(|(column, value)| format!("{} = {value}", quoted_key(&column.name))).collect();
        let open = match open.is_empty() {
            true => String::new(),
            false => format!("# To be filled in: {}\n", open.join(", ")),
        };
        format!("[make.{}]\n{open}table = {}\nvalues = {{ {} }}\n", quoted_key(kind), quoted(table), values.join(", "))
    }
}

/// What names a row.
const NAME: &str = "\"{name}\"";

impl Column {
    /// What a row may have there; the first text names it.
    fn value(&self, is_named: bool) -> Option<String> {
        if let Some(target) = &self.target {
            return target.strip_prefix("public.").map(|table| quoted(&format!("{{{table}}}")));
        }
        if let Some(word) = self.words.first() {
            return Some(quoted(word));
        }
        let has = |parts: &[&str]| parts.iter().any(|part| self.name.contains(part));
        let value = match self.kind.as_str() {
            // Whatever a country's numbers look like.
            _ if has(&["phone", "mobile", "msisdn"]) => return None,
            "text" | "character varying" | "citext" if has(&["mail"]) => "\"{code}@example.com\"",
            "text" | "character varying" | "citext" if !is_named && !has(&["code", "number", "slug", "ref"]) => NAME,
            "text" | "character varying" | "citext" => "\"{code}\"",
            "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => "1",
            "boolean" => "false",
            "date" | "timestamp with time zone" | "timestamp without time zone" => "\"{now}\"",
            "json" | "jsonb" => "{}",
            kind if kind.ends_with("[]") => "\"{}\"",
            _ => return None,
        };
        Some(value.to_owned())
    }
}

/// The table of the roles, with its columns of the user and of the role.
fn role_column(tenancy: &Tenancy) -> Option<(&str, &str, &str)> {
    let granted = tenancy.granted.as_ref().map(|it| (it.table.as_str(), it.user.as_str(), it.role.as_str()));
    let of_members = || {
        let members = tenancy.members.as_ref()?;
        Some((members.table.as_str(), members.user.as_str(), members.role.as_deref()?))
    };
    granted.or_else(of_members)
}

fn bare(table: &str) -> &str {
    table.strip_prefix("public.").unwrap_or(table)
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(table: &str, name: &str, kind: &str) -> Column {
        let (table, name, kind) = (table.to_owned(), name.to_owned(), kind.to_owned());
        Column { table, name, kind, needed: true, ..Column::default() }
    }

    #[test]
    fn what_a_row_needs_is_given_and_what_it_hangs_on_is_made_with_it() {
        let refers = |to: &str, column: Column| Column { target: Some(to.to_owned()), ..column };
        let columns = vec![
            column("clubs", "name", "text"),
            column("clubs", "slug", "text"),
            refers("public.clubs", column("staff", "club_id", "uuid")),
            column("staff", "user_id", "uuid"),
            column("staff", "email", "text"),
            Column { words: ["owner", "helper"].map(str::to_owned).into(), ..column("staff", "role", "staff_role") },
            refers("public.clubs", Column { needed: false, ..column("loans", "club_id", "uuid") }),
            refers("public.savers", column("loans", "saver_id", "uuid")),
            column("loans", "amount", "numeric"),
            column("loans", "due", "date"),
            Column { needed: false, ..column("loans", "note", "text") },
            refers("public.clubs", column("savers", "club_id", "uuid")),
            column("savers", "full_name", "text"),
            refers("auth.users", column("savers", "made_by", "uuid")),
        ];
        let tenancy: Tenancy = toml::from_str(
            r#"
            [tenant]
            table = "public.clubs"
            column = "club_id"
            [members]
            table = "public.staff"
            user = "user_id"
            tenant = "club_id"
            role = "role"
            "#,
        )
        .unwrap();
        let catalog = Catalog { columns, ..Catalog::default() };
        assert_eq!(catalog.rank(&tenancy), ["owner", "helper"]);
        insta::assert_snapshot!(catalog.recipes(&tenancy, &["loans", "a_view"]), @r#"
        # How checks make what they work with, where they may write: each column that a row needs.
        [make.institution]
        table = "clubs"
        values = { name = "{name}", slug = "{code}" }
        [make.profile]
        table = "staff"
        values = { club_id = "{institution}", user_id = "{user}", email = "{email}", role = "{role}" }
        [make.loans]
        table = "loans"
        values = { club_id = "{institution}", saver_id = "{savers}", amount = 1, due = "{now}" }
        [make.savers]
        # To be filled in: made_by
        table = "savers"
        values = { club_id = "{institution}", full_name = "{name}" }
        "#);
    }
}
