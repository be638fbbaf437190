//! A drill of the last way back: the database is dumped, restored into a scratch server, migrated as it would have to be, and
//! compared with what was dumped: rows, constraints, policies, functions, grants.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    str::FromStr,
};

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::process::Command;
use url::Url;

use crate::{
    failure::{Failure, Verdict},
    rehearsal::{apply, parts, rows},
};

/// What a new project has, and a dump brings along. The schema `public` is there in every database, and not dumped.
const EMPTY: &str = "drop schema if exists auth, extensions, supabase_migrations cascade";

/// Schemas that Supabase fills, and whose extensions only its own servers have.
const OF_THE_PLATFORM: [&str; 9] =
    ["realtime", "vault", "graphql", "graphql_public", "pgsodium", "storage", "supabase_functions", "net", "cron"];

/// Lines of a failure.
const MOST: usize = 6;

/// What a drill needs.
#[derive(Debug)]
pub struct Drill {
    /// The folder of `pg_dump` and `pg_restore`.
    pub programs: PathBuf,
    /// Migrations that are not applied yet, by file name.
    pub pending: Vec<(String, String)>,
}

/// What a drill restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Tables whose rows were compared.
    pub tables: usize,
    /// Parts of the schema that were compared.
    pub parts: usize,
}

impl Drill {
    /// Dumps the database at `source`, restores it into the one at `scratch`, which has nothing but the platform in it, and
    /// compares.
    ///
    /// # Errors
    /// Failed for what is missing or different; undecided where nothing could be dumped or restored.
    pub async fn run(&self, source: &SecretString, scratch: &SecretString) -> Verdict<Restored> {
        let folder = tempfile::tempdir().map_err(|error| lost("a folder for the dump", &error.to_string()))?;
        let dump = folder.path().join("database.dump");
        let connected = |error: sqlx::Error| lost("a connection to the database", &error.to_string());

        let mut database = PgConnection::connect(source.expose_secret()).await.map_err(connected)?;
        // The dump and what it is compared with see the same moment.
        let mut moment = database.begin().await.map_err(connected)?;
        sqlx::raw_sql("set transaction isolation level repeatable read, read only")
            .execute(&mut *moment)
            .await
            .map_err(connected)?;
        let snapshot: String =
            sqlx::query_scalar("select pg_export_snapshot()").fetch_one(&mut *moment).await.map_err(connected)?;
        self.dump(source, &dump, &[format!("--snapshot={snapshot}")]).await?;
        let (all, written) =
            (parts(&mut moment).await.map_err(connected)?, rows(&mut moment).await.map_err(connected)?);
        moment.rollback().await.map_err(connected)?;

        let mut restored = PgConnection::connect(scratch.expose_secret()).await.map_err(connected)?;
        sqlx::raw_sql(EMPTY).execute(&mut restored).await.map_err(connected)?;
        let said = self.restore(scratch, &dump, &[]).await?;
        let read = (parts(&mut restored).await.map_err(connected)?, rows(&mut restored).await.map_err(connected)?);
        let (own, own_rows) = (own(&all), own_tables(&written));
        same(&own, &self::own(&read.0), &own_rows, &own_tables(&read.1), &said)?;
        for (name, sql) in &self.pending {
            apply(&mut restored, &format!("{name} is applied to what was restored"), sql).await?;
        }
        Ok(Restored { tables: own_rows.len(), parts: own.len() })
    }

    /// Makes the schema of the database at `source` in the one at `scratch`, which has nothing but the platform in it; no
    /// row is read. `fill` adds rows before there are indexes, which is faster.
    ///
    /// # Errors
    /// Undecided where nothing could be dumped or restored, or a constraint refuses the rows; else as `fill`.
    pub async fn schema<T>(
        &self,
        source: &SecretString,
        scratch: &SecretString,
        fill: impl AsyncFnOnce() -> Verdict<T>,
    ) -> Verdict<T> {
        let folder = tempfile::tempdir().map_err(|error| lost("a folder for the dump", &error.to_string()))?;
        let dump = folder.path().join("schema.dump");
        self.dump(source, &dump, &["--schema-only".to_owned()]).await?;
        let connected = |error: sqlx::Error| lost("a connection to the database", &error.to_string());
        let mut emptied = PgConnection::connect(scratch.expose_secret()).await.map_err(connected)?;
        sqlx::raw_sql(EMPTY).execute(&mut emptied).await.map_err(connected)?;
        self.restore(scratch, &dump, &["--section=pre-data"]).await?;
        let filled = fill().await?;
        let said = self.restore(scratch, &dump, &["--section=post-data"]).await?;
        let refused = |line: &&str| line.contains("could not create unique index") || line.contains("violates");
        match said.lines().find(refused) {
            Some(line) => Err(lost("rows that every constraint takes", line)),
            None => Ok(filled),
        }
    }

    async fn dump(&self, source: &SecretString, to: &Path, options: &[String]) -> Verdict {
        let mut command = self.program("pg_dump", source)?;
        command.args(["--format=custom", "--compress=0"]).args(options);
        command.args(OF_THE_PLATFORM.map(|schema| format!("--exclude-schema={schema}")));
        let output = command.arg("--file").arg(to).output().await;
        let output = output.map_err(|error| lost("pg_dump", &error.to_string()))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(lost("a dump of the database", &String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// What the program complained of: what that means, the comparison shows.
    async fn restore(&self, scratch: &SecretString, dump: &Path, options: &[&str]) -> Verdict<String> {
        let mut command = self.program("pg_restore", scratch)?;
        let url = PgConnectOptions::from_str(scratch.expose_secret()).ok();
        let database = url.as_ref().and_then(PgConnectOptions::get_database).unwrap_or("postgres");
        let output = command.args(["--dbname", database]).args(options).arg(dump).output().await;
        let output = output.map_err(|error| lost("pg_restore", &error.to_string()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        // Lines of data may follow: only the sentence is kept.
        let errors =
            said.lines().filter_map(|line| line.split_once("ERROR:").map(|(_, error)| error.trim().to_owned()));
        let errors: BTreeSet<_> = errors.collect();
        Ok(errors.into_iter().take(MOST).collect::<Vec<_>>().join("\n"))
    }

    /// A program that connects to `url` without naming it: arguments are seen by everybody on the machine.
    fn program(&self, name: &str, url: &SecretString) -> Verdict<Command> {
        let options = PgConnectOptions::from_str(url.expose_secret());
        let options = options.map_err(|error| lost("the URL of a database", &error.to_string()))?;
        let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |it| it.display().to_string());
        let password = Url::parse(url.expose_secret())
            .ok()
            .and_then(|url| Some(percent_decode_str(url.password()?).decode_utf8_lossy().into_owned()));
        let mut command = Command::new(self.programs.join(name));
        command.env("PGHOST", host).env("PGPORT", options.get_port().to_string()).env("PGUSER", options.get_username());
        command.env("PGDATABASE", options.get_database().unwrap_or("postgres")).env("LC_ALL", "C").kill_on_drop(true);
        if let Some(password) = password {
            command.env("PGPASSWORD", password);
        }
        Ok(command)
    }
}

fn lost(expected: &str, seen: &str) -> Failure {
    Failure::undecided(CLAIM).expected(expected).seen(seen.trim())
}

const CLAIM: &str = "the database can be restored from a dump";

/// Without what Supabase's own servers have, and with rights in one order.
fn own(parts: &BTreeSet<String>) -> BTreeSet<String> {
    let is_own = |part: &&String| {
        !OF_THE_PLATFORM
            .iter()
            .any(|schema| part.contains(&format!("{schema}.")) || part.starts_with(&format!("schema {schema} ")))
    };
    parts.iter().filter(is_own).map(|part| in_order(part)).collect()
}

fn own_tables(rows: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_own = |table: &str| !OF_THE_PLATFORM.iter().any(|schema| table.starts_with(&format!("{schema}.")));
    rows.iter().filter(|(table, _)| is_own(table)).map(|(table, digest)| (table.clone(), digest.clone())).collect()
}

/// Rights are listed in the order in which they were given.
fn in_order(part: &str) -> String {
    let Some((before, list)) = part.split_once("granted {") else { return part.to_owned() };
    let Some((rights, after)) = list.split_once('}') else { return part.to_owned() };
    let mut rights: Vec<_> = rights.split(',').collect();
    rights.sort_unstable();
    format!("{before}granted {{{}}}{after}", rights.join(","))
}

fn same(
    expected: &BTreeSet<String>,
    seen: &BTreeSet<String>,
    written: &BTreeMap<String, String>,
    read: &BTreeMap<String, String>,
    said: &str,
) -> Verdict {
    if written.is_empty() || expected.is_empty() {
        return Err(lost("tables to restore", "none"));
    }
    let other = |(table, digest): &(&String, &String)| read.get(*table) != Some(*digest);
    let tables = written.iter().filter(other).map(|(table, _)| match read.contains_key(table) {
        true => format!("other rows in {table}"),
        false => format!("no table {table}"),
    });
    let lost = expected.difference(seen).map(|part| format!("missing: {part}"));
    let more = seen.difference(expected).map(|part| format!("not in the original: {part}"));
    let wrong: Vec<_> = tables.chain(lost).chain(more).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let mut shown = wrong.clone();
    shown.truncate(MOST);
    if wrong.len() > MOST {
        shown.push(format!("and {} more", wrong.len() - MOST));
    }
    Err(Failure::failed(CLAIM)
        .expected(format!("{} tables with their rows, {} parts of the schema", written.len(), expected.len()))
        .seen(shown.join("\n"))
        .fact("restore", said)
        .advice("what cannot be restored is not backed up: mend what pg_restore complains of by a migration, such as a function in a constraint that needs a search_path"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(parts: &[&str]) -> BTreeSet<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    fn map(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
        rows.iter().map(|(table, digest)| ((*table).to_owned(), (*digest).to_owned())).collect()
    }

    #[test]
    fn rights_are_the_same_in_any_order_and_the_platforms_parts_are_left_out() {
        let parts = set(&["table a granted {x=r/p,a=w/p} with", "view storage.objects is 1", "schema vault granted"]);
        assert_eq!(own(&parts), set(&["table a granted {a=w/p,x=r/p} with"]));
    }

    #[test]
    fn rows_and_parts_that_are_lost_are_named() {
        let (parts, rows) = (set(&["policy one"]), map(&[("public.a", "1"), ("public.b", "2")]));
        assert!(same(&parts, &parts, &rows, &rows, "").is_ok());
        let failure = same(&parts, &set(&["policy two"]), &rows, &map(&[("public.a", "3")]), "no role x").unwrap_err();
        let text = failure.to_string();
        for line in [
            "other rows in public.a",
            "no table public.b",
            "missing: policy one",
            "not in the original: policy two",
            "no role x",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert_eq!(
            same(&set(&[]), &set(&[]), &map(&[]), &map(&[]), "").unwrap_err().outcome(),
            crate::Outcome::Undecided
        );
    }
}
