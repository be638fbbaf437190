//! `cargo xtask postgrest-specs`: PostgREST's own specs, read off a clone of its repository, against the embedded REST server.
//! Nothing of them is kept here: what is read, and what cannot be, is counted each time.

mod answer;
mod expression;
mod looked;
mod pairs;
mod server;
mod tokens;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use comfy_table::Table;
use reqwest::Client;
use serde_json::Value;
use tokio::runtime::Builder;

use crate::{Error, Verdict, print, say, table::table};
use answer::Answer;
use pairs::{Expected, Pair, Place, Request, Spec};
use server::Server;

/// Which specs.
#[derive(clap::Args)]
pub struct Options {
    /// A clone of PostgREST/postgrest
    clone: PathBuf,
    /// Only the specs whose path contains this
    #[arg(long)]
    only: Option<String>,
    /// Show each pair that differs: where it is, what was expected, what was answered
    #[arg(long)]
    show: bool,
    /// Show each pair that could not be read, and why
    #[arg(long)]
    unread: bool,
}

/// What became of the pairs of a spec.
#[derive(Default)]
struct Count {
    passed: usize,
    refused: usize,
    on_purpose: usize,
    differ: usize,
    unread: usize,
}

/// Why an answer is another one on purpose, and which answers are such.
type Reason = (&'static str, fn(&Request, &Expected, &Answer) -> bool);

const ON_PURPOSE: [Reason; 4] = [
    ("a change of all rows is refused, as hosted projects refuse it", |request, _, answer| {
        matches!(request.method.as_str(), "PATCH" | "DELETE") && answer.json()["code"] == "21000"
    }),
    ("PostgREST 14 suggests no table whose name is less alike", |_, expected, answer| {
        let mut expected = expected.json();
        if expected["code"] != "PGRST205" {
            return false;
        }
        expected["hint"] = Value::Null;
        answer.json() == expected
    }),
    ("PostgREST 14 words an unknown schema otherwise", |_, expected, answer| {
        expected.json()["code"] == "PGRST106" && answer.json()["code"] == "PGRST106" && answer.status == 406
    }),
    ("the same rows, in another order that the request leaves open", |request, expected, answer| {
        let rows = |body: Value| body.as_array().cloned().unwrap_or_default();
        let (expected, seen) = (rows(expected.json()), rows(answer.json()));
        let sorted = |rows: &[Value]| {
            let mut rows: Vec<_> = rows.iter().map(Value::to_string).collect();
            rows.sort();
            rows
        };
        !seen.is_empty() && sorted(&expected) == sorted(&seen) && leaves_open(&request.path, &expected, &seen)
    }),
];

/// No order is asked for, or by one column whose values come in the same order.
fn leaves_open(path: &str, expected: &[Value], seen: &[Value]) -> bool {
    let Some((_, order)) = path.split_once("order=") else { return true };
    let column = order.split(['&', '.']).next().unwrap_or_default();
    let values = |rows: &[Value]| rows.iter().map(|row| row.get(column).cloned()).collect::<Option<Vec<_>>>();
    !order.contains(',') && values(expected).is_some_and(|expected| values(seen) == Some(expected))
}

/// True when nothing differs but what does so on purpose.
///
/// # Errors
/// When there are no specs, or the portal cannot be started with their schema.
pub fn run(options: &Options) -> Verdict {
    let folder = options.clone.join("test/spec");
    let mut files = Vec::new();
    find(&folder.join("Feature"), &mut files)?;
    let path = |file: &Path| file.strip_prefix(&folder).unwrap_or(file).display().to_string();
    files.retain(|file| options.only.as_ref().is_none_or(|only| path(file).contains(only)));
    files.sort();
    if files.is_empty() {
        return Err(format!("no spec in {}", folder.display()).into());
    }
    Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(count(&folder, &files, options))
}

/// The Haskell files of a folder and of those in it.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "hs") {
            files.push(path);
        }
    }
    Ok(())
}

async fn count(folder: &Path, files: &[PathBuf], options: &Options) -> Verdict {
    let mut server = Server::start(folder).await?;
    for refused in &server.refused {
        say(&format!("not in the schema: {refused}"));
    }
    // Client::build panics without one; a second one is refused, and is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build()?;
    let fixtures = folder.join("fixtures");
    let place = Place { fixtures: &fixtures, version: server.version };
    let (mut counts, mut reasons) = (Vec::new(), BTreeMap::new());
    for file in files {
        let shown = file.strip_prefix(folder).unwrap_or(file).display().to_string();
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        for (name, pairs) in Spec::read(&fs::read_to_string(file)?).pairs(place) {
            server.set(&stem, &name).await?;
            let mut count = Count::default();
            for pair in &pairs {
                match judge(pair, &mut server, &client).await? {
                    Judged::Passed => count.passed += 1,
                    Judged::Refused => count.refused += 1,
                    Judged::OnPurpose(reason) => {
                        count.on_purpose += 1;
                        *reasons.entry(reason).or_insert(0) += 1;
                    }
                    Judged::Unread(why) => {
                        count.unread += 1;
                        if options.unread {
                            say(&format!("{shown}:{}: not read: {why}", pair.line));
                        }
                    }
                    Judged::Differs(what) => {
                        count.differ += 1;
                        if options.show {
                            say(&format!("{shown}:{}: {what}", pair.line));
                        }
                    }
                }
            }
            let shown = shown.trim_start_matches("Feature/").trim_end_matches(".hs").trim_end_matches("Spec");
            counts.push((if name == "spec" { shown.to_owned() } else { format!("{shown}, {name}") }, count));
        }
    }
    print(&rows(&counts).to_string());
    for (reason, count) in reasons {
        print(&format!("{count} on purpose: {reason}"));
    }
    Ok(counts.iter().all(|(_, count)| count.differ == 0))
}

enum Judged {
    Passed,
    Refused,
    OnPurpose(&'static str),
    Differs(String),
    Unread(String),
}

async fn judge(pair: &Pair, server: &mut Server, client: &Client) -> Result<Judged, Error> {
    let (request, expected) = match &pair.read {
        Ok(read) => read,
        Err(why) => return Ok(Judged::Unread(why.clone())),
    };
    let answer = Answer::to(request, &server.portal, client).await?;
    let differences = answer.differences(expected);
    if differences.is_empty() {
        return Ok(Judged::Passed);
    }
    if answer.refuses_by_name() {
        return Ok(Judged::Refused);
    }
    if let Some((reason, _)) = ON_PURPOSE.iter().find(|(_, is)| is(request, expected, &answer)) {
        return Ok(Judged::OnPurpose(reason));
    }
    if let Some(name) = answer.unfound().filter(|_| expected.json()["code"] != answer.json()["code"])
        && server.lacks(&name).await?
    {
        return Ok(Judged::Unread(format!("the fixtures have no `{name}`")));
    }
    let Request { method, path, headers, body, .. } = request;
    let sent = if body.is_empty() { String::new() } else { format!("\n  sent {}", body.trim()) };
    let headers = if headers.is_empty() { String::new() } else { format!("\n  with {headers:?}") };
    Ok(Judged::Differs(format!("{method} {path}{headers}{sent}\n    {}", differences.join("\n    "))))
}

fn rows(counts: &[(String, Count)]) -> Table {
    let mut rows = table(&["spec", "pairs", "passed", "refused by name", "on purpose", "differ", "not read"]);
    let mut all = Count::default();
    let cells = |name: &str, count: &Count| {
        let Count { passed, refused, on_purpose, differ, unread } = count;
        let pairs = passed + refused + on_purpose + differ + unread;
        let figure = |count: &usize| if *count == 0 { String::new() } else { count.to_string() };
        let figures = [&pairs, passed, refused, on_purpose, differ, unread].map(figure);
        [name.to_owned()].into_iter().chain(figures).collect::<Vec<_>>()
    };
    for (name, count) in counts {
        rows.add_row(cells(name, count));
        all.passed += count.passed;
        all.refused += count.refused;
        all.on_purpose += count.on_purpose;
        all.differ += count.differ;
        all.unread += count.unread;
    }
    rows.add_row(cells("all", &all));
    rows
}
