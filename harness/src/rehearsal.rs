//! A rehearsal of going back: on a scratch database each migration is applied, undone and applied again, and what the
//! schema is made of is compared each time. The rows of the release before have to outlive the newest migration's undoing.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::failure::{Failure, Verdict};

/// How a release changes the schema, and how that is undone.
#[derive(Debug, Clone, Default)]
pub struct Rehearsal {
    /// Files by name, in order.
    pub migrations: Vec<(String, String)>,
    /// What undoes a migration, by the migration's file name.
    pub undo: BTreeMap<String, String>,
    /// Rows to be there when the newest migration is undone.
    pub seed: Option<String>,
}

/// Lines of `rehearsal.sql`.
type Parts = BTreeSet<String>;

/// Names carry their schema when nothing is on the path.
const WHOLE_NAMES: &str = "reset all; set search_path = ''";

const PARTS: &str = include_str!("rehearsal.sql");

const ROWS: &str = "select c.oid::regclass::text as name,
    (xpath('/row/digest/text()', query_to_xml(format('select md5(coalesce(string_agg(t::text, chr(10) order by t::text), '''')) as digest from %s t', c.oid::regclass), false, true, '')))[1]::text as digest
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'supabase_migrations')";

impl Rehearsal {
    /// Rehearses on the database at `url`, which has nothing but the platform in it.
    ///
    /// # Errors
    /// Failed for a migration that has no way back, or one that leads elsewhere or loses rows; undecided where nothing could
    /// be rehearsed.
    pub async fn run(&self, url: &SecretString) -> Verdict<usize> {
        let claim = "each migration can be undone and applied again";
        let lost =
            |error: sqlx::Error| Failure::undecided(claim).expected("a scratch database").seen(error.to_string());
        let mut connection = PgConnection::connect(url.expose_secret()).await.map_err(lost)?;
        let missing: Vec<_> =
            self.migrations.iter().map(|(name, _)| name).filter(|name| !self.undo.contains_key(*name)).collect();
        if !missing.is_empty() || self.migrations.is_empty() {
            let names: Vec<_> = missing.into_iter().map(String::as_str).collect();
            return Err(Failure::failed(claim)
                .expected("a file of the same name that undoes it, for each migration")
                .seen(if names.is_empty() {
                    "no migration".to_owned()
                } else {
                    format!("none for {}", names.join(", "))
                })
                .advice(
                    "write the reversal now, while nobody waits for it: the runbook prefers it to every other way back",
                ));
        }
        let last = self.migrations.len() - 1;
        for (at, (name, sql)) in self.migrations.iter().enumerate() {
            let undo = &self.undo[name];
            let before = parts(&mut connection).await.map_err(lost)?;
            apply(&mut connection, &format!("{name} is applied"), sql).await?;
            let after = parts(&mut connection).await.map_err(lost)?;
            if at == last
                && let Some(seed) = &self.seed
            {
                apply(&mut connection, "the rows of the release before", seed).await?;
            }
            let rows = rows(&mut connection).await.map_err(lost)?;
            apply(&mut connection, &format!("{name} is undone"), undo).await?;
            same(&format!("{name} is undone without a trace"), &before, &parts(&mut connection).await.map_err(lost)?)?;
            let kept = self::rows(&mut connection).await.map_err(lost)?;
            let changed: Vec<_> = kept
                .iter()
                .filter(|(table, digest)| rows.get(*table) != Some(digest))
                .map(|(table, _)| table.as_str())
                .collect();
            if !changed.is_empty() {
                return Err(Failure::failed(format!("the rows that were there before outlive the undoing of {name}"))
                    .expected("tables that stay keep their rows")
                    .seen(format!("other rows in {}", changed.join(", ")))
                    .advice("a reversal takes back the schema, not the ledger: leave the rows alone"));
            }
            apply(&mut connection, &format!("{name} is applied again"), sql).await?;
            same(&format!("{name} makes the same schema again"), &after, &parts(&mut connection).await.map_err(lost)?)?;
        }
        connection.close().await.map_err(lost)?;
        Ok(self.migrations.len())
    }
}

async fn apply(connection: &mut PgConnection, claim: &str, sql: &str) -> Verdict {
    let sql = format!("reset session authorization; reset role; reset all; begin; {sql}\n; commit");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop).map_err(|error| {
        let shown = error.as_database_error().map_or_else(
            || error.to_string(),
            |error| format!("{} {}", error.code().unwrap_or_default(), error.message()),
        );
        Failure::failed(claim).expected("every statement runs on a scratch database").seen(shown)
    })
}

fn same(claim: &str, expected: &Parts, seen: &Parts) -> Verdict {
    const MOST: usize = 6;
    let (lost, left): (Vec<_>, Vec<_>) = (expected.difference(seen).collect(), seen.difference(expected).collect());
    if lost.is_empty() && left.is_empty() {
        return Ok(());
    }
    let shown =
        lost.iter().map(|part| format!("missing: {part}")).chain(left.iter().map(|part| format!("left: {part}")));
    let count = lost.len() + left.len();
    let mut lines: Vec<_> = shown.take(MOST).collect();
    if count > MOST {
        lines.push(format!("and {} more", count - MOST));
    }
    Err(Failure::failed(claim)
        .expected("the same parts of the schema")
        .seen(lines.join("\n"))
        .advice("correct the file that undoes it, until cargo test -p release undone passes"))
}

async fn parts(connection: &mut PgConnection) -> sqlx::Result<Parts> {
    sqlx::raw_sql(WHOLE_NAMES).execute(&mut *connection).await?;
    Ok(sqlx::query_scalar(PARTS).fetch_all(connection).await?.into_iter().collect())
}

async fn rows(connection: &mut PgConnection) -> sqlx::Result<BTreeMap<String, String>> {
    sqlx::raw_sql(WHOLE_NAMES).execute(&mut *connection).await?;
    let rows = sqlx::query(ROWS).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get("name")?, row.try_get("digest")?))).collect()
}
