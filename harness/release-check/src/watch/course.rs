//! What was seen so far: the samples of each metric, and which of them are in breach.

use std::{collections::BTreeMap, fmt};

use harness::{
    Outcome, Runbook,
    run::{CheckResult, Figure},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::{Exit, table::table};

/// How many of the last samples the terminal shows.
const SHOWN: usize = 24;

/// One look at one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub at: Timestamp,
    pub step: String,
    pub outcome: Outcome,
    pub figure: Option<Figure>,
    /// What was measured, or why nothing was.
    pub seen: String,
    /// What its failure says.
    pub text: String,
}

impl Sample {
    pub fn of(result: CheckResult, at: Timestamp) -> Self {
        let why = result.claim().unwrap_or_default().to_owned();
        let text = result.text().unwrap_or_default().to_owned();
        // What kept a release's check out leaves it undecided; to who watches, nobody answered.
        let outcome = if result.target.is_none() { Outcome::NotRun } else { result.outcome };
        Self { at, step: result.step, outcome, figure: result.figure, seen: result.measured.unwrap_or(why), text }
    }

    /// Belongs to a round that did not end in time: what it could not tell, nobody answered.
    pub fn came_late(&mut self) {
        if self.outcome == Outcome::Undecided {
            self.outcome = Outcome::NotRun;
        }
    }

    /// Over its limit, or nobody answered, or much worse than before the release. What is undecided is none of them.
    fn is_bad(&self, baseline: &Baseline) -> bool {
        matches!(self.outcome, Outcome::Failed | Outcome::NotRun)
            || self.outcome == Outcome::Passed
                && baseline
                    .limit(&self.step)
                    .is_some_and(|limit| self.figure.as_ref().is_some_and(|figure| figure.value > limit))
    }

    /// Why none of them looked at anything, if that is so.
    pub fn obstacle(samples: &[Sample]) -> Option<&str> {
        let first = samples.first().map_or("no check of the monitoring table", |sample| sample.text.as_str());
        samples.iter().all(|sample| sample.outcome == Outcome::NotRun).then_some(first)
    }
}

/// What each metric was before the release, and how much worse it may be.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    medians: BTreeMap<String, f64>,
    /// In percent of the median.
    worse: f64,
}

/// A line of `watch.jsonl`.
#[derive(Deserialize)]
struct Line {
    step: String,
    value: Option<f64>,
}

impl Baseline {
    /// Of the samples that an earlier watch left in its `watch.jsonl`.
    pub fn read(text: &str, worse: f64) -> Result<Self, serde_json::Error> {
        let mut values = BTreeMap::<String, Vec<f64>>::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let Line { step, value } = serde_json::from_str(line)?;
            values.entry(step).or_default().extend(value);
        }
        let median = |mut all: Vec<f64>| {
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied()
        };
        let medians = values.into_iter().filter_map(|(step, all)| Some((step, median(all)?))).collect();
        Ok(Self { medians, worse })
    }

    /// What a metric may not exceed; none of one that was not measured, or was nothing.
    fn limit(&self, step: &str) -> Option<f64> {
        let median = self.medians.get(step).filter(|median| **median > 0.0)?;
        Some(median * (1.0 + self.worse / 100.0))
    }

    /// What to say of a sample that is within its limit, and worse than it was.
    fn note(&self, sample: &Sample) -> String {
        let worse =
            self.limit(&sample.step).zip(sample.figure.as_ref()).filter(|(limit, figure)| figure.value > *limit);
        worse.map_or_else(String::new, |(limit, figure)| {
            format!(
                " (before the release {:.0} {unit}, {limit:.0} {unit} at most)",
                self.medians[&sample.step],
                unit = figure.unit
            )
        })
    }
}

/// What a round has brought.
#[derive(Debug, Default)]
pub struct Added {
    /// Each breach that has lasted long enough now.
    pub begun: Vec<Breach>,
    /// Whether nobody answered any check of the round.
    pub is_outage: bool,
    /// Whether it shows how something became bad; of what stays bad for hours, the first rounds do.
    pub is_evidence: bool,
}

/// A metric that was bad for long.
#[derive(Debug, Clone, PartialEq)]
pub struct Breach {
    pub since: Timestamp,
    pub sample: Sample,
    /// How it compares with before the release.
    note: String,
}

impl Breach {
    /// Whether nobody answered.
    pub fn is_outage(&self) -> bool {
        self.sample.outcome == Outcome::NotRun
    }

    /// The step's title.
    pub fn title(&self) -> &'static str {
        Runbook::get().step(&self.sample.step).map_or("", |step| step.title.as_str())
    }
}

/// In one line.
impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { since, sample, note } = self;
        let word = if self.is_outage() { "OUTAGE" } else { "BREACH" };
        let since = since.strftime("%H:%M:%SZ");
        write!(f, "{word} since {since}  {}  {}: {}{note}", sample.step, self.title(), sample.seen)
    }
}

/// All samples by step.
pub struct Course {
    lasts: usize,
    baseline: Baseline,
    pub samples: BTreeMap<String, Vec<Sample>>,
    /// The first breach of each step that lasted.
    breaches: BTreeMap<String, Breach>,
}

impl Course {
    pub fn new(lasts: usize) -> Self {
        Self { lasts, baseline: Baseline::default(), samples: BTreeMap::new(), breaches: BTreeMap::new() }
    }

    /// Compared with before the release as well.
    pub fn against(self, baseline: Baseline) -> Self {
        Self { baseline, ..self }
    }

    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Adds a round.
    pub fn add(&mut self, round: Vec<Sample>) -> Added {
        let is_outage = !round.is_empty() && round.iter().all(|sample| sample.outcome == Outcome::NotRun);
        let mut added = Added { is_outage, ..Added::default() };
        for sample in round {
            let all = self.samples.entry(sample.step.clone()).or_default();
            all.push(sample.clone());
            let bad = all.iter().rev().take_while(|sample| sample.is_bad(&self.baseline)).count();
            added.is_evidence |= (1..=self.lasts).contains(&bad);
            // Who never answered was never asked rightly: a key or a browser is missing.
            let answered = all.iter().any(|sample| sample.outcome != Outcome::NotRun);
            if answered && bad >= self.lasts && !self.breaches.contains_key(&sample.step) {
                let (since, note) = (all[all.len() - bad].at, self.baseline.note(&sample));
                let breach = Breach { since, note, sample };
                added.begun.push(breach.clone());
                self.breaches.insert(breach.sample.step.clone(), breach);
            }
        }
        added
    }

    pub fn was_in_breach(&self) -> bool {
        !self.breaches.is_empty()
    }

    /// Which metrics were in breach, since when, and what to do; or that none was.
    pub fn last_word(&self) -> String {
        let rounds = self.samples.values().map(Vec::len).max().unwrap_or(0);
        let mut shown: Vec<_> = self
            .breaches
            .values()
            .map(|breach| format!("{breach}\n{}", breach.sample.text).trim_end().to_owned())
            .collect();
        if shown.is_empty() {
            shown.push(format!("{rounds} rounds, no breach of {} in a row", self.lasts));
        }
        shown.extend(self.never_decided().map(|last| format!("never decided: {}, {}", last.step, last.seen)));
        shown.join("\n")
    }

    /// The last samples of the metrics that nobody could decide in any round.
    fn never_decided(&self) -> impl Iterator<Item = &Sample> {
        let is_open = |samples: &&Vec<Sample>| {
            samples.iter().all(|sample| matches!(sample.outcome, Outcome::NotRun | Outcome::Undecided))
        };
        self.samples.values().filter(is_open).filter_map(|samples| samples.last())
    }

    /// No breach is good only of what was decided.
    pub fn exit(&self) -> Exit {
        match self.breaches.is_empty() {
            false => Exit::Failed,
            true if self.is_empty() || self.never_decided().next().is_some() => Exit::Open,
            true => Exit::Passed,
        }
    }

    /// What `--json` prints: `schema` 1.
    pub fn document(&self) -> serde_json::Value {
        let line = |sample: &Sample| json!({ "at": sample.at, "step": sample.step, "outcome": sample.outcome, "seen": sample.seen, "figure": sample.figure });
        let breach = |breach: &Breach| json!({ "since": breach.since, "outage": breach.is_outage(), "sample": line(&breach.sample) });
        json!({
            "schema": 1,
            "rounds": self.samples.values().map(Vec::len).max().unwrap_or(0),
            "last": self.samples.values().filter_map(|samples| samples.last()).map(line).collect::<Vec<_>>(),
            "breaches": self.breaches.values().map(breach).collect::<Vec<_>>(),
            "never_decided": self.never_decided().map(line).collect::<Vec<_>>(),
        })
    }

    /// The metric's last samples as letters, by how near its limit each is.
    fn history(samples: &[Sample]) -> String {
        const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let letter = |sample: &Sample| match (&sample.figure, sample.outcome) {
            (_, Outcome::NotRun) => '×',
            (None, _) => '?',
            (Some(Figure { value, limit, .. }), _) => {
                let share = (value / limit.max(f64::EPSILON)).clamp(0.0, 1.0);
                // 0 to 7.
                LEVELS[(share * 7.0).round() as usize]
            }
        };
        samples[samples.len().saturating_sub(SHOWN)..].iter().map(letter).collect()
    }
}

/// As the terminal shows it.
impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = table(&["step", "", "history", "now", "outcome"]);
        for (step, samples) in &self.samples {
            let Some(last) = samples.last() else { continue };
            let title = Runbook::get().step(step).map_or("", |step| step.title.as_str());
            let outcome =
                if last.outcome == Outcome::NotRun { "no answer".to_owned() } else { last.outcome.to_string() };
            rows.add_row([step, title, &Self::history(samples), &last.seen, &outcome]);
        }
        write!(f, "{rows}")
    }
}
