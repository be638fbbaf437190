//! `release-check history`: a line for each verification that left nothing out, and the trend of its figures.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
};

use harness::{
    Outcome, Runbook, Target,
    run::{Judgement, Run, runs_folder},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Error, Exit, table::table, terminal::print};

/// How many verifications a trend shows.
const SHOWN: usize = 8;

/// Which history.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only of this target
    #[arg(long, value_name = "TARGET")]
    target: Option<Target>,
    /// Print the lines as they are kept
    #[arg(long)]
    json: bool,
}

/// A verification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The run, or the first of several.
    pub run: String,
    /// When its last check ended.
    pub at: Timestamp,
    /// What was verified.
    pub target: Option<Target>,
    /// Its URL.
    pub site: Option<String>,
    /// Its version, or the commit that was live.
    pub release: Option<String>,
    /// What came of it.
    pub verdict: Outcome,
    /// Steps by outcome.
    pub counts: BTreeMap<Outcome, usize>,
    /// The monitoring table's figures by step.
    pub figures: BTreeMap<String, f64>,
}

impl Entry {
    /// What is kept of a verification.
    pub fn of(runs: &[Run], judgement: &Judgement<'_>, exit: Exit) -> Self {
        let first = &runs[0];
        let mut counts = BTreeMap::new();
        judgement.steps.iter().for_each(|step| *counts.entry(step.word()).or_default() += 1);
        let figures = judgement.steps.iter().filter_map(|step| {
            let figure = step.checks.iter().find_map(|check| check.result.as_ref().ok()?.figure.as_ref())?;
            Some((step.step.id.clone(), figure.value))
        });
        Self {
            run: first.manifest.id.clone(),
            at: runs.iter().map(Run::finished).max().unwrap_or(first.manifest.began),
            target: first.manifest.target,
            site: first.manifest.site.clone(),
            release: first
                .seen
                .version
                .clone()
                .or_else(|| first.seen.commit.clone())
                .or_else(|| first.manifest.release_commit.clone()),
            verdict: match exit {
                Exit::Passed => Outcome::Passed,
                Exit::Failed => Outcome::Failed,
                Exit::Open | Exit::Interrupted(_) => Outcome::Undecided,
            },
            counts,
            figures: figures.collect(),
        }
    }
}

fn path() -> PathBuf {
    runs_folder().join("history.jsonl")
}

/// Adds a line, once for a run.
///
/// # Errors
/// When it cannot be written.
pub fn add(entry: &Entry) -> Result<(), Error> {
    if read(None).iter().any(|known| known.run == entry.run && known.verdict == entry.verdict) {
        return Ok(());
    }
    let line = serde_json::to_string(entry)? + "\n";
    let path = path();
    // One write of one line: of two at once none tears the other's.
    let written = fs::create_dir_all(runs_folder())
        .and_then(|()| OpenOptions::new().create(true).append(true).open(&path)?.write_all(line.as_bytes()));
    written.map_err(|error| format!("{}: {error}", path.display()).into())
}

/// The lines, the oldest first. One that cannot be read, by a full disk or by a later version, is left out.
pub fn read(target: Option<Target>) -> Vec<Entry> {
    let text = fs::read_to_string(path()).unwrap_or_default();
    let entries = text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
    let mut entries: Vec<_> = entries.filter(|entry| target.is_none() || entry.target == target).collect();
    entries.sort_by_key(|entry| entry.at);
    entries
}

/// Prints the history.
///
/// # Errors
/// Never, unless memory runs out.
pub fn run(options: &Options) -> Result<Exit, Error> {
    let entries = read(options.target);
    if options.json {
        for entry in &entries {
            print(&serde_json::to_string(entry)?);
        }
        return Ok(Exit::Passed);
    }
    if entries.is_empty() {
        print("no verification has been kept yet: release-check verify keeps a line of each that leaves nothing out");
        return Ok(Exit::Passed);
    }
    let monitored: Vec<_> = Runbook::get().steps().iter().filter(|step| step.is_monitored()).collect();
    let mut header = vec!["when", "target", "release", "verdict", "steps"];
    header.extend(monitored.iter().map(|step| step.title.as_str()));
    let mut rows = table(&header);
    for entry in &entries {
        let counts: Vec<_> = entry.counts.iter().rev().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let mut row = vec![
            entry.at.strftime("%Y-%m-%d %H:%MZ").to_string(),
            entry.target.map_or_else(String::new, |target| target.to_string()),
            entry.release.clone().unwrap_or_default(),
            entry.verdict.to_string(),
            counts.join(", "),
        ];
        row.extend(
            monitored.iter().map(|step| entry.figures.get(&step.id).map_or_else(String::new, |value| shown(*value))),
        );
        rows.add_row(row);
    }
    print(&rows.to_string());
    Ok(Exit::Passed)
}

/// How the monitoring table's figures went over the last verifications of this target, in a line; none where there is
/// nothing to compare with.
pub fn trend(runs: &[Run]) -> Option<String> {
    let entries = read(Some(runs.first()?.manifest.target?));
    let last = &entries[entries.len().saturating_sub(SHOWN)..];
    if last.len() < 2 {
        return None;
    }
    let monitored = Runbook::get().steps().iter().filter(|step| step.is_monitored());
    let each: Vec<_> = monitored
        .filter_map(|step| {
            let values: Vec<_> =
                last.iter().filter_map(|entry| entry.figures.get(&step.id)).map(|value| shown(*value)).collect();
            (values.len() > 1).then(|| format!("{} {}", step.id, values.join(" → ")))
        })
        .collect();
    (!each.is_empty()).then(|| format!("last {} verifications: {}", last.len(), each.join("; ")))
}

fn shown(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}
