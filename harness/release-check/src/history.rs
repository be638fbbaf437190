//! `release-check history`: a line for each verification that left nothing out, and the trend of its figures.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use harness::{
    Outcome, Runbook, Target,
    run::{Judgement, Run, runs_folder},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Error, Exit, table::table, terminal::print};

/// How many verifications a trend shows.
pub const SHOWN: usize = 8;

/// Which history.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only of this target
    #[arg(long, value_name = "TARGET")]
    target: Option<Target>,
    /// Only the last so many verifications
    #[arg(long, value_name = "COUNT")]
    last: Option<usize>,
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
    /// The URL.
    pub site: Option<String>,
    /// The version, or the commit that was live.
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

    /// How many steps became what, the worst first.
    pub fn sum(&self) -> String {
        let counts: Vec<_> = self.counts.iter().rev().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        counts.join(", ")
    }
}

/// The lines of a folder of runs.
#[derive(Debug)]
pub struct History(PathBuf);

impl Default for History {
    /// In `target/runs`.
    fn default() -> Self {
        Self::of(&runs_folder())
    }
}

impl History {
    /// In a folder of runs.
    pub fn of(runs: &Path) -> Self {
        Self(runs.join("history.jsonl"))
    }

    /// Adds a line, unless the same was said of the run last.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&self, entry: &Entry) -> Result<(), Error> {
        if self.read(None).contains(entry) {
            return Ok(());
        }
        let torn = fs::read(&self.0).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
        // A line that a full disk cut off must not take this one along.
        let line = format!("{}{}\n", if torn { "\n" } else { "" }, serde_json::to_string(entry)?);
        let folder = self.0.parent().unwrap_or(Path::new("."));
        // One write of one line: of two at once none tears the other's.
        let written = fs::create_dir_all(folder)
            .and_then(|()| OpenOptions::new().create(true).append(true).open(&self.0)?.write_all(line.as_bytes()));
        written.map_err(|error| format!("{}: {error}", self.0.display()).into())
    }

    /// The verifications, the oldest first; of a run that was judged again, what was said last. A line that cannot be
    /// read, because it was cut off or is of a later version, is left out.
    pub fn read(&self, target: Option<Target>) -> Vec<Entry> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let mut last: BTreeMap<String, Entry> = BTreeMap::new();
        for entry in text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok()) {
            last.insert(entry.run.clone(), entry);
        }
        let mut entries: Vec<_> =
            last.into_values().filter(|entry| target.is_none() || entry.target == target).collect();
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    /// How steps and the monitoring table's figures went over the last verifications of this target, in a line; none
    /// where there is nothing to compare with.
    pub fn trend(&self, runs: &[Run]) -> Option<String> {
        let entries = self.read(Some(runs.first()?.manifest.target?));
        trend(&entries[entries.len().saturating_sub(SHOWN)..])
    }
}

fn trend(entries: &[Entry]) -> Option<String> {
    if entries.len() < 2 {
        return None;
    }
    let steps: Vec<_> = entries.iter().map(Entry::sum).collect();
    let mut courses = vec![steps.join(" → ")];
    for step in Runbook::get().steps().iter().filter(|step| step.is_monitored()) {
        let values: Vec<_> =
            entries.iter().filter_map(|entry| entry.figures.get(&step.id)).map(|value| shown(*value)).collect();
        if values.len() > 1 {
            courses.push(format!("{} {}", step.id, values.join(" → ")));
        }
    }
    Some(format!("last {} verifications: {}", entries.len(), courses.join("; ")))
}

/// The last verification of each release before a moment, the oldest first: what a release is compared with.
pub fn releases_before(entries: &[Entry], moment: Timestamp) -> Vec<&Entry> {
    let mut releases: Vec<&Entry> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.at < moment) {
        if let Some(known) = &entry.release {
            releases.retain(|other| other.release.as_ref() != Some(known));
        }
        releases.push(entry);
    }
    releases.split_off(releases.len().saturating_sub(SHOWN - 1))
}

/// Prints the history.
///
/// # Errors
/// Never, unless memory runs out.
pub fn run(options: &Options) -> Result<Exit, Error> {
    let mut entries = History::default().read(options.target);
    let entries = entries.split_off(entries.len().saturating_sub(options.last.unwrap_or(entries.len())));
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
    print(&rows(&entries));
    Ok(Exit::Passed)
}

fn rows(entries: &[Entry]) -> String {
    let monitored: Vec<_> = Runbook::get().steps().iter().filter(|step| step.is_monitored()).collect();
    let mut header = vec!["when", "target", "release", "verdict", "steps"];
    header.extend(monitored.iter().map(|step| step.title.as_str()));
    let mut rows = table(&header);
    for entry in entries {
        let mut row = vec![
            entry.at.strftime("%Y-%m-%d %H:%MZ").to_string(),
            entry.target.map_or_else(String::new, |target| target.to_string()),
            entry.release.clone().unwrap_or_default(),
            entry.verdict.to_string(),
            entry.sum(),
        ];
        row.extend(
            monitored.iter().map(|step| entry.figures.get(&step.id).map_or_else(String::new, |value| shown(*value))),
        );
        rows.add_row(row);
    }
    rows.to_string()
}

/// A figure without digits that say nothing.
pub fn shown(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(run: &str, minute: i64, release: Option<&str>) -> Entry {
        Entry {
            run: run.to_owned(),
            at: Timestamp::from_second(1_750_000_000 + 60 * minute).unwrap(),
            target: Some(Target::Production),
            site: None,
            release: release.map(str::to_owned),
            verdict: Outcome::Passed,
            counts: BTreeMap::from([(Outcome::Passed, 75), (Outcome::Failed, 1)]),
            figures: BTreeMap::from([("post.3.1".to_owned(), 165.5)]),
        }
    }

    #[test]
    fn what_is_added_is_read_back_oldest_first_and_by_target() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::of(&folder.path().join("runs"));
        assert_eq!(history.read(None), []);
        let (older, newer) = (entry("a", 1, None), entry("b", 2, None));
        let staging = Entry { target: Some(Target::Staging), ..entry("c", 3, None) };
        for entry in [&newer, &older, &staging, &newer] {
            history.add(entry).unwrap();
        }
        assert_eq!(history.read(Some(Target::Production)), [older, newer]);
        assert_eq!(history.read(None).len(), 3);
    }

    #[test]
    fn a_run_that_is_judged_again_has_its_last_verdict() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::of(folder.path());
        history.add(&Entry { verdict: Outcome::Undecided, ..entry("a", 1, None) }).unwrap();
        history.add(&entry("a", 1, None)).unwrap();
        assert_eq!(history.read(None), [entry("a", 1, None)]);
    }

    #[test]
    fn a_line_that_was_cut_off_takes_no_other_along() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::of(folder.path());
        fs::write(folder.path().join("history.jsonl"), "{\"run\":\"torn").unwrap();
        history.add(&entry("a", 1, None)).unwrap();
        assert_eq!(history.read(None), [entry("a", 1, None)]);
    }

    #[test]
    fn a_release_is_compared_with_the_last_verification_of_each_before() {
        let entries =
            [entry("a", 1, Some("1.0")), entry("b", 2, Some("1.0")), entry("c", 3, Some("1.1")), entry("d", 4, None)];
        let before = releases_before(&entries, entries[3].at);
        assert_eq!(before.iter().map(|entry| entry.run.as_str()).collect::<Vec<_>>(), ["b", "c"]);
    }

    #[test]
    fn a_trend_takes_two() {
        let mut later = entry("b", 2, None);
        (later.counts, later.figures) =
            (BTreeMap::from([(Outcome::Passed, 76)]), BTreeMap::from([("post.3.1".to_owned(), 190.0)]));
        assert_eq!(trend(&[later.clone()]), None);
        assert_eq!(
            trend(&[entry("a", 1, None), later]).as_deref(),
            Some("last 2 verifications: 1 FAILED, 75 passed → 76 passed; post.3.1 165.5 → 190")
        );
    }

    #[test]
    fn the_table_names_the_figures_by_the_runbook() {
        let rows = rows(&[entry("a", 1, Some("1.4.0"))]);
        assert!(rows.contains("1.4.0") && rows.contains("165.5"), "{rows}");
        assert!(entry("a", 1, None).sum() == "1 FAILED, 75 passed");
    }
}
