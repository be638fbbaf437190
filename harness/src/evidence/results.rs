//! Reading a run's results back: what `xtask` makes its tables of.

use std::{fs, io, path::Path};

use jiff::Timestamp;
use serde::Deserialize;

use crate::failure::Outcome;

/// What became of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The test's name, with its suite: `smoke::routes::…`.
    pub name: String,
    /// The runbook's step.
    pub step: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// When it ended.
    pub finished: Timestamp,
    /// The figure that it measured.
    pub measured: Option<String>,
    /// The whole failure text.
    pub explanation: Option<String>,
}

/// The fields of an Allure result that are read back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    full_name: String,
    labels: Vec<StoredLabel>,
    status_details: Option<StoredDetails>,
    start: u64,
    stop: u64,
}

#[derive(Debug, Deserialize)]
struct StoredLabel {
    name: String,
    value: String,
}

#[derive(Debug, Deserialize)]
struct StoredDetails {
    trace: Option<String>,
}

/// The results in a folder, by step and name.
///
/// # Errors
/// When the folder or a result cannot be read.
pub fn read_results(folder: &Path) -> io::Result<Vec<CheckResult>> {
    let mut results = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with("-result.json") {
            let stored: Stored = serde_json::from_slice(&fs::read(&path)?)?;
            results.extend(CheckResult::of(stored));
        }
    }
    results.sort_by(|one, other| (&one.step, &one.name).cmp(&(&other.step, &other.name)));
    Ok(results)
}

impl CheckResult {
    fn of(stored: Stored) -> Option<Self> {
        let label = |name: &str| stored.labels.iter().find(|label| label.name == name).map(|label| label.value.clone());
        let outcomes = [Outcome::Passed, Outcome::NotRun, Outcome::Undecided, Outcome::Failed];
        let outcome = label("outcome")?;
        Some(Self {
            step: label("step")?,
            outcome: outcomes.into_iter().find(|known| known.to_string() == outcome)?,
            measured: label("measured"),
            name: stored.full_name,
            finished: Timestamp::from_millisecond(i64::try_from(stored.stop).unwrap_or_default()).unwrap_or_default(),
            milliseconds: stored.stop.saturating_sub(stored.start),
            explanation: stored.status_details.and_then(|details| details.trace),
        })
    }
}
