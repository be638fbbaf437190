//! A scratch database's rows: so many of each kind as the contract says, and whoever is to look at them.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use uuid::Uuid;

use super::{CLAIM, asked::role};
use crate::{
    contract::{Contract, Filled, Recipe, Volume},
    failure::{Failure, Verdict},
};

/// Whoever asks, by role; all of one institution.
#[derive(Debug)]
pub(super) struct People {
    pub institution: String,
    by_role: BTreeMap<String, Uuid>,
}

impl People {
    /// The user of a role.
    pub fn user(&self, role: &str) -> Option<Uuid> {
        self.by_role.get(role).copied()
    }

    pub fn claims(&self, role: &str) -> Map<String, Value> {
        let claims = json!({ "sub": self.user(role), "role": "authenticated", "aud": "authenticated" });
        claims.as_object().cloned().unwrap_or_default()
    }
}

/// The tables that no request may read as a whole.
pub(super) fn large(volume: &Volume, make: &BTreeMap<String, Recipe>) -> BTreeSet<String> {
    let of_many = volume.rows.iter().filter(|filled| filled.rows >= volume.large_from);
    of_many.filter_map(|filled| table(filled, filled.kind.as_ref().and_then(|kind| make.get(kind)))).collect()
}

fn table(filled: &Filled, recipe: Option<&Recipe>) -> Option<String> {
    filled.table.as_ref().or(recipe.map(|recipe| &recipe.table)).cloned()
}

/// Fills the database at `url`, and adds whoever is to look.
pub(super) async fn fill(contract: &Contract, volume: &Volume, url: &SecretString) -> Verdict<People> {
    let lost = |what: &str, error: &sqlx::Error| {
        let seen = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
        Failure::undecided(CLAIM)
            .expected(format!("a scratch database with {what}"))
            .seen(seen)
            .advice("correct [volume] or [make] of the contract")
    };
    let mut connection =
        PgConnection::connect(url.expose_secret()).await.map_err(|error| lost("a connection", &error))?;
    let mut transaction = connection.begin().await.map_err(|error| lost("a transaction", &error))?;
    let path = "set local search_path = public, extensions";
    sqlx::raw_sql(path).execute(&mut *transaction).await.map_err(|error| lost("a schema", &error))?;
    let (make, mut made) = (contract.make()?, BTreeMap::<String, u64>::new());
    for filled in &volume.rows {
        let recipe = filled.kind.as_ref().and_then(|kind| make.get(kind));
        let (name, sql) = insert(filled, recipe, &made);
        let run = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await;
        run.map_err(|error| lost(&format!("{} {name}", filled.rows), &error))?;
        if filled.kind.is_some() {
            made.insert(name, filled.rows);
        }
    }
    let institution: String = sqlx::query(r#"select id::text from pg_temp."made_institution" where at = 0"#)
        .fetch_one(&mut *transaction)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| lost("institutions", &error))?;
    let people = people(contract, &institution, volume)?;
    for (role, (user, own)) in &people {
        let sql = profile(contract, role, *user, own.as_deref())?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await.map_err(|error| lost(role, &error))?;
    }
    transaction.commit().await.map_err(|error| lost("rows", &error))?;
    let by_role = people.into_iter().map(|(role, (user, _))| (role, user)).collect();
    Ok(People { institution, by_role })
}

/// So that the planner knows how much there is.
pub(super) async fn analyze(volume: &Volume, make: &BTreeMap<String, Recipe>, url: &SecretString) -> Verdict {
    let tables =
        volume.rows.iter().filter_map(|filled| table(filled, filled.kind.as_ref().and_then(|kind| make.get(kind))));
    let tables: BTreeSet<_> = tables.map(|table| identifier(&table)).collect();
    let sql = format!("set search_path = public, extensions; analyze {}", Vec::from_iter(tables).join(", "));
    let lost =
        |error: sqlx::Error| Failure::undecided(CLAIM).expected("statistics of the rows").seen(error.to_string());
    let mut connection = PgConnection::connect(url.expose_secret()).await.map_err(lost)?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.map(drop).map_err(lost)
}

/// A user for each role that looks, with their institution.
fn people(
    contract: &Contract,
    institution: &str,
    volume: &Volume,
) -> Verdict<BTreeMap<String, (Uuid, Option<String>)>> {
    let readers = contract.views()?.flat_map(|view| &view.readers);
    let callers = volume.calls.iter().map(|call| &call.persona);
    let mut people = BTreeMap::new();
    for persona in readers.chain(callers) {
        let (role, own) = role(contract, persona, institution)?;
        people.insert(role, (Uuid::new_v4(), own.map(str::to_owned)));
    }
    Ok(people)
}

/// The SQL that adds rows, and what later rows call their ids.
fn insert(filled: &Filled, recipe: Option<&Recipe>, made: &BTreeMap<String, u64>) -> (String, String) {
    let table = table(filled, recipe).unwrap_or_default();
    let name = filled.kind.clone().unwrap_or_else(|| table.clone());
    let mut columns: BTreeMap<&String, String> =
        recipe.iter().flat_map(|it| &it.values).map(|(column, value)| (column, of_row(&name, value, made))).collect();
    columns.extend(filled.with.iter().map(|(column, sql)| (column, with_ids(sql, made))));
    let names = columns.keys().map(|column| identifier(column)).collect::<Vec<_>>().join(", ");
    let values = columns.into_values().collect::<Vec<_>>().join(", ");
    let (table, ids, last) = (identifier(&table), identifier(&format!("made_{name}")), filled.rows.saturating_sub(1));
    let rows = format!("insert into {table} ({names}) select {values} from generate_series(0, {last}) as n");
    let sql = match filled.kind {
        None => rows,
        Some(_) => format!(
            "create temporary table {ids} as select 0::bigint as at, id from {table} limit 0;
             with made as ({rows} returning id) insert into {ids} select row_number() over () - 1, id from made"
        ),
    };
    (name, sql)
}

/// A value of a recipe, as SQL of the row's number.
fn of_row(kind: &str, value: &Value, made: &BTreeMap<String, u64>) -> String {
    let Some(text) = value.as_str() else { return literal(&value.to_string()) };
    let numbered =
        |before: &str, after: &str| format!("{} || n || {}", literal(&format!("{before}{kind} ")), literal(after));
    match text.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        None => literal(text),
        Some(("", (name, ""))) => match name {
            _ if made.contains_key(name) => with_ids(text, made),
            "amount" => "1000 + n % 50000".to_owned(),
            "now" => "now()".to_owned(),
            "active" => "true".to_owned(),
            _ => numbered("", ""),
        },
        Some((before, (_, after))) => numbered(before, after),
    }
}

/// `{kind}` becomes the id of an earlier row: those of one tenant belong together.
fn with_ids(sql: &str, made: &BTreeMap<String, u64>) -> String {
    made.iter().fold(sql.to_owned(), |sql, (kind, rows)| {
        let ids = identifier(&format!("made_{kind}"));
        let id = format!("(array(select id from pg_temp.{ids} order by at))[1 + (n % {rows})::int]");
        sql.replace(&format!("{{{kind}}}"), &id)
    })
}

/// The SQL that adds somebody in a role.
fn profile(contract: &Contract, role: &str, user: Uuid, institution: Option<&str>) -> Verdict<String> {
    let lacking = || Failure::undecided(CLAIM).expected("[make.profile] in the contract").seen("none");
    let recipe = contract.make()?.get("profile").ok_or_else(lacking)?;
    let email = format!("{user}@example.com");
    let value = |value: &Value| match value.as_str() {
        Some("{user}") => literal(&user.to_string()),
        Some("{institution}") => institution.map_or_else(|| "null".to_owned(), literal),
        Some("{role}") => literal(role),
        Some(text) => literal(&text.replace("{email}", &email).replace("{name}", role)),
        None => literal(&value.to_string()),
    };
    let names = recipe.values.keys().map(|column| identifier(column)).collect::<Vec<_>>().join(", ");
    let values = recipe.values.values().map(value).collect::<Vec<_>>().join(", ");
    Ok(format!(
        "insert into auth.users (id, email) values ({}, {}); insert into {} ({names}) values ({values})",
        literal(&user.to_string()),
        literal(&email),
        identifier(&recipe.table),
    ))
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_made_of_a_recipe_with_their_numbers_and_the_ids_of_earlier_ones() {
        let made = BTreeMap::from([("tenant".to_owned(), 20)]);
        let of_row = |value: Value| of_row("member", &value, &made);
        assert_eq!(of_row(json!("ACTIVE")), "'ACTIVE'");
        assert_eq!(of_row(json!(true)), "'true'");
        assert_eq!(of_row(json!("{name}")), "'member ' || n || ''");
        assert_eq!(of_row(json!("{code}@example.com")), "'member ' || n || '@example.com'");
        let id = "(array(select id from pg_temp.\"made_tenant\" order by at))[1 + (n % 20)::int]";
        assert_eq!(of_row(json!("{tenant}")), id);
        let filled = Filled {
            kind: None,
            table: Some("events".to_owned()),
            rows: 3,
            with: BTreeMap::from([("tenant_id".to_owned(), "{tenant}".to_owned())]),
        };
        let (_, sql) = insert(&filled, None, &made);
        let values = format!("insert into \"events\" (\"tenant_id\") select {id} from generate_series(0, 2) as n");
        assert_eq!(sql, values);
    }
}
