//! Statements of migrations, run one by one: a transaction that a file has open stays usable after one that fails, and what
//! names something that a later statement makes waits for it.

use std::sync::LazyLock;

use regex::Regex;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use hosted_project::is_there_already;

use super::{Skipped, said};
use crate::error::Error;

/// Runs a statement; what the server answers where it refuses it.
pub(super) async fn tried(
    connection: &mut PgConnection,
    sql: &str,
    is_within: bool,
) -> Result<Option<(String, String)>, Error> {
    let is_kept = is_within && begins_or_ends(sql).is_none();
    if is_kept {
        set(connection, "savepoint before_statement").await?;
    }
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await;
    let Err(error) = done else { return Ok(None) };
    if is_kept {
        set(connection, "rollback to savepoint before_statement").await?;
    }
    Ok(Some(said(&error)))
}

/// Makes a function whose text names what is not there yet, without looking into the text; whether it was one.
pub(super) async fn made_early(
    connection: &mut PgConnection,
    sql: &str,
    code: &str,
    is_within: bool,
) -> Result<bool, Error> {
    if function_of(sql).is_none() || !is_missing(code) {
        return Ok(false);
    }
    set(connection, "set check_function_bodies = off").await?;
    let refused = tried(connection, sql, is_within).await?;
    set(connection, "set check_function_bodies = on").await?;
    Ok(refused.is_none())
}

/// What is missing still when all statements were run, of those that named what was not there yet.
pub(super) async fn missed(
    connection: &mut PgConnection,
    mut late: Vec<(Skipped, String)>,
) -> Result<Vec<Skipped>, Error> {
    loop {
        let count = late.len();
        let mut missed = Vec::new();
        for (skipped, sql) in late {
            let is_made = match function_of(&sql) {
                Some(name) => is_valid(connection, name).await?,
                None => tried(connection, &sql, false).await?.is_none(),
            };
            if !is_made {
                missed.push((skipped, sql));
            }
        }
        late = missed;
        if late.len() == count || late.is_empty() {
            return Ok(late.into_iter().map(|(skipped, _)| skipped).collect());
        }
    }
}

/// Whether functions of a name are there, and the server finds nothing wrong with their texts.
async fn is_valid(connection: &mut PgConnection, name: &str) -> Result<bool, Error> {
    let checks = sqlx::query_scalar::<_, String>(
        "select format('select %s(%s)', l.lanvalidator::regproc, p.oid) from pg_proc p join pg_language l on l.oid = p.prolang where p.proname = $1 and l.lanvalidator <> 0",
    );
    let checks = checks.bind(name).fetch_all(&mut *connection).await.map_err(|error| Error::Server(said(&error).1))?;
    for check in &checks {
        if tried(connection, check, false).await?.is_some() {
            return Ok(false);
        }
    }
    Ok(!checks.is_empty())
}

/// Whether a statement that was refused changes nothing that is judged: an index, a setting that only newer servers have, or
/// what the platform has already.
pub(super) fn is_needless(sql: &str, code: &str) -> bool {
    let head = head(sql);
    let is_setting = code == "42704" && head.starts_with("set ");
    is_setting || head.starts_with("create index") || is_there_already(sql, code)
}

/// Whether a statement was refused since it names what is not there.
pub(super) fn is_missing(code: &str) -> bool {
    matches!(code, "42P01" | "42883" | "42704" | "42703" | "3F000")
}

/// Whether a transaction is open after a statement that opens or ends one.
pub(super) fn begins_or_ends(sql: &str) -> Option<bool> {
    let head = head(sql);
    match head.split([' ', ';']).next()? {
        "begin" | "start" => Some(true),
        "commit" | "end" => Some(false),
        "rollback" if !head.contains(" to ") => Some(false),
        _ => None,
    }
}

/// The name of the function that a statement makes.
fn function_of(sql: &str) -> Option<&str> {
    static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?is)^(?:\s|--[^\n]*\n)*create\s+(?:or\s+replace\s+)?function\s+(?:"?\w+"?\s*\.\s*)?"?(\w+)"?"#)
            .expect("a pattern")
    });
    Some(FUNCTION.captures(sql)?.get(1)?.as_str())
}

/// A statement's first words, without the comments before them.
fn head(sql: &str) -> String {
    let lines = sql.lines().map(str::trim).skip_while(|line| line.is_empty() || line.starts_with("--"));
    lines.take(2).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Runs one of the prober's own.
pub(super) async fn set(connection: &mut PgConnection, sql: &'static str) -> Result<(), Error> {
    connection.execute(sql).await.map_err(|error| Error::Server(said(&error).1)).map(|_| ())
}
