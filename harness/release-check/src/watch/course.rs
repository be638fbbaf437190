//! What was seen so far: the samples of each metric, and which of them are in breach.

use std::{collections::BTreeMap, fmt};

use harness::{
    Outcome, Runbook,
    run::{CheckResult, Figure},
};
use jiff::Timestamp;
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

    /// Over its limit, or nobody answered. What is undecided is neither.
    fn is_bad(&self) -> bool {
        matches!(self.outcome, Outcome::Failed | Outcome::NotRun)
    }

    /// Why none of them looked at anything, if that is so.
    pub fn obstacle(samples: &[Sample]) -> Option<&str> {
        let first = samples.first().map_or("no check of the monitoring table", |sample| sample.text.as_str());
        samples.iter().all(|sample| sample.outcome == Outcome::NotRun).then_some(first)
    }
}

/// What a round has brought.
#[derive(Debug, Default)]
pub struct Added {
    /// A line for each breach that has lasted long enough now.
    pub begun: Vec<String>,
    /// Whether it shows how something became bad; of what stays bad for hours, the first rounds do.
    pub is_evidence: bool,
}

/// All samples by step.
pub struct Course {
    lasts: usize,
    pub samples: BTreeMap<String, Vec<Sample>>,
    /// The first breach of each step that lasted: since when, and what was seen when it had.
    breaches: BTreeMap<String, (Timestamp, Sample)>,
}

impl Course {
    pub fn new(lasts: usize) -> Self {
        Self { lasts, samples: BTreeMap::new(), breaches: BTreeMap::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Adds a round.
    pub fn add(&mut self, round: Vec<Sample>) -> Added {
        let mut added = Added::default();
        for sample in round {
            let all = self.samples.entry(sample.step.clone()).or_default();
            all.push(sample.clone());
            let bad = all.iter().rev().take_while(|sample| sample.is_bad()).count();
            added.is_evidence |= (1..=self.lasts).contains(&bad);
            // Who never answered was never asked rightly: a key or a browser is missing.
            let answered = all.iter().any(|sample| sample.outcome != Outcome::NotRun);
            if answered && bad >= self.lasts && !self.breaches.contains_key(&sample.step) {
                let since = all[all.len() - bad].at;
                added.begun.push(shown(&sample, since));
                self.breaches.insert(sample.step.clone(), (since, sample));
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
            .map(|(since, sample)| format!("{}\n{}", shown(sample, *since), sample.text))
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
        let breach = |(since, sample): &(Timestamp, Sample)| json!({ "since": since, "sample": line(sample) });
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

fn shown(sample: &Sample, since: Timestamp) -> String {
    let title = Runbook::get().step(&sample.step).map_or("", |step| step.title.as_str());
    format!("BREACH since {}  {}  {title}: {}", since.strftime("%H:%M:%SZ"), sample.step, sample.seen)
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
