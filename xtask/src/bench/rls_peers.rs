//! `cargo xtask bench rls --peers`: how many holes other tools name, each made in a database of its own. One counts that
//! prints something about the hole's object which it does not print of the schema without the hole: whether it says what is
//! wrong there, and by whom, is not asked.

use std::{
    collections::BTreeSet,
    io,
    path::Path,
    process::{Command, Stdio},
    sync::LazyLock,
};

use regex::Regex;
use rls_probe::{Report, Wish, probe_as};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    Error,
    holes::{Hole, Schema},
    say,
    table::table,
};

/// A tool that is asked about a database whose address is in `DATABASE_URL`.
struct Peer {
    name: &'static str,
    /// What prepares it in an empty folder.
    before: Option<&'static [&'static str]>,
    command: &'static [&'static str],
    /// Where what it has to say stands in the JSON that it prints.
    list: &'static str,
}

const PEERS: [Peer; 3] = [
    Peer {
        name: "splinter",
        before: None,
        command: &["postgres-language-server", "dblint", "--reporter=json", "--max-diagnostics=none"],
        list: "/diagnostics",
    },
    Peer {
        name: "pgrls",
        before: None,
        command: &["pgrls", "lint", "--format", "json", "--schemas"],
        list: "/violations",
    },
    Peer {
        name: "rlsgrid",
        before: Some(&["rlsgrid", "init", "--from-db", "--force"]),
        command: &["rlsgrid", "check", "--json"],
        list: "/breaches",
    },
];

/// How many holes a tool named.
#[derive(Debug, Clone, Default)]
struct Named {
    holes: usize,
    /// What it says of the schema without a hole.
    tight: usize,
    /// Holes of which it printed nothing that can be read.
    failed: usize,
}

/// A table of what each tool names of these schemas' holes, and in parentheses how much it has to say without one.
///
/// # Errors
/// When a database cannot be made or probed.
pub async fn compare(schemas: &[Schema]) -> Result<String, Error> {
    let mut rows = table(&["schema", "holes", "rls-probe", "its lints alone", "splinter", "pgrls", "rlsgrid"]);
    for schema in schemas {
        let portal = schema.start().await?;
        let tight = schema.tight(&portal).await?;
        let usual: Vec<_> = PEERS.iter().map(|peer| peer.says(portal.database_url(), schema)).collect();
        let (mut ours, mut lints, mut named) = (0, 0, vec![Named::default(); PEERS.len()]);
        for hole in &schema.holes {
            let wish = Wish { migration: Some(&hole.sql), ..Wish::default() };
            let report = probe_as(portal.database_url(), &schema.tenancy, wish).await?;
            let is_linted = new_lints(&report, &tight).any(|object| hole.is_about(object));
            ours += usize::from(is_linted || report.findings.iter().any(|found| hole.is_about(&found.object.name)));
            lints += usize::from(is_linted);
            let holed = schema.start().await?;
            let mut connection = PgConnection::connect(holed.database_url()).await?;
            sqlx::raw_sql(AssertSqlSafe(hole.sql.clone())).execute(&mut connection).await?;
            connection.close().await?;
            for ((peer, usual), named) in PEERS.iter().zip(&usual).zip(&mut named) {
                match (usual, &peer.says(holed.database_url(), schema)) {
                    (Ok(usual), Ok(said)) => {
                        let is_named = said.difference(usual).any(|text| is_about(hole, text));
                        named.holes += usize::from(is_named);
                        say(&format!("{} {} {}: {is_named}", schema.name, hole.name, peer.name));
                    }
                    (Err(error), _) | (_, Err(error)) => {
                        named.failed += 1;
                        say(&format!("{} {} {}: {error}", schema.name, hole.name, peer.name));
                    }
                }
            }
        }
        for (usual, named) in usual.iter().zip(&mut named) {
            named.tight = usual.as_ref().map_or(0, BTreeSet::len);
        }
        let cell = |named: &Named| match named.failed {
            0 => format!("{} ({})", named.holes, named.tight),
            failed => format!("{}, {failed} not judged", named.holes),
        };
        let cells = [
            schema.name.to_owned(),
            schema.holes.len().to_string(),
            format!("{ours} ({})", tight.findings.len()),
            format!("{lints} ({})", tight.lints.len()),
        ];
        rows.add_row(cells.into_iter().chain(named.iter().map(cell)));
    }
    Ok(rows.to_string())
}

/// Objects of lints that the schema without the hole does not have, functions without their arguments.
fn new_lints<'r>(report: &'r Report, tight: &Report) -> impl Iterator<Item = &'r str> {
    let usual: BTreeSet<_> = tight.lints.iter().map(|lint| (lint.name, lint.object.clone())).collect();
    let new = report.lints.iter().filter(move |lint| !usual.contains(&(lint.name, lint.object.clone())));
    new.map(|lint| lint.object.split('(').next().unwrap_or_default())
}

/// Whether a message names a hole's object: with its schema, or as the whole of one of its parts.
fn is_about(hole: &Hole, message: &str) -> bool {
    let words = message.split(|c: char| !c.is_alphanumeric() && !"_.".contains(c));
    words.map(|word| word.trim_matches('.')).any(|word| hole.is_about(word))
}

impl Peer {
    /// What it says of a database, each without what is another at each run.
    fn says(&self, url: &str, schema: &Schema) -> Result<BTreeSet<String>, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        if let Some(before) = self.before {
            run(before, &[], url, folder.path())?;
        }
        let schemas = schema.tenancy.exposed().join(",");
        let last: &[&str] = if self.command.last() == Some(&"--schemas") { &[&schemas] } else { &[] };
        let printed = run(self.command, last, url, folder.path())?;
        let document: Value = serde_json::from_str(&printed).map_err(|error| error.to_string())?;
        let list = document.pointer(self.list).and_then(Value::as_array).ok_or("no list of what it found")?;
        Ok(list.iter().filter(|message| is_of_security(message)).map(plain).collect())
    }
}

/// What a tool prints, however it ends: that something was found is an exit code as well.
fn run(command: &[&str], last: &[&str], url: &str, folder: &Path) -> Result<String, String> {
    let (program, options) = command.split_first().ok_or("no command")?;
    let output = Command::new(program)
        .args(options)
        .args(last)
        .env("DATABASE_URL", url)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "not installed".to_owned(),
            _ => error.to_string(),
        })?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() || printed.trim_start().starts_with('{') {
        true => Ok(printed),
        false => Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned()),
    }
}

/// Whether a message is of what users may do: of splinter's lints those of security, of the rules of `pgrls` those that are
/// numbered `SEC`.
fn is_of_security(message: &Value) -> bool {
    let part = |name: &str| message.get(name).and_then(Value::as_str);
    !part("category").is_some_and(|category| category.contains("/performance/"))
        && part("rule_id").is_none_or(|rule| rule.starts_with("SEC"))
}

/// A message without ids, and with a table's name beside its schema's as one word.
fn plain(message: &Value) -> String {
    static ID: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").expect("a pattern"));
    let part = |name: &str| message.get(name).and_then(Value::as_str);
    let whole = part("schema").zip(part("table")).map(|(schema, table)| format!("{schema}.{table} "));
    let text = format!("{}{message}", whole.unwrap_or_default());
    ID.replace_all(&text.replace('\\', ""), "…").into_owned()
}
