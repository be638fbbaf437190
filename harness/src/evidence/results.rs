//! Reading a run's results back: what `xtask` makes its tables of.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Deserialize;

use super::Figure;
use crate::failure::Outcome;

/// What became of one check.
#[derive(Debug, Clone, PartialEq)]
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
    /// The same as a number with its limit, where the runbook has one.
    pub figure: Option<Figure>,
    /// The whole failure text.
    pub explanation: Option<String>,
    /// What it kept, in the order in which it did.
    pub attachments: Vec<AttachedFile>,
}

/// A file of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedFile {
    /// What the check calls it.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Where it is.
    pub path: PathBuf,
}

/// The fields of an Allure result that are read back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    full_name: String,
    labels: Vec<StoredLabel>,
    status_details: Option<StoredDetails>,
    #[serde(default)]
    attachments: Vec<StoredAttachment>,
    start: u64,
    stop: u64,
}

#[derive(Debug, Deserialize)]
struct StoredLabel {
    name: String,
    value: String,
}

#[derive(Debug, Deserialize)]
struct StoredAttachment {
    name: String,
    #[serde(rename = "type")]
    content_type: String,
    source: PathBuf,
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
            results.extend(CheckResult::of(stored, folder));
        }
    }
    results.sort_by(|one, other| (&one.step, &one.name).cmp(&(&other.step, &other.name)));
    Ok(results)
}

impl CheckResult {
    fn of(stored: Stored, folder: &Path) -> Option<Self> {
        let label = |name: &str| stored.labels.iter().find(|label| label.name == name).map(|label| label.value.clone());
        let outcomes = [Outcome::Passed, Outcome::NotRun, Outcome::Undecided, Outcome::Failed];
        let outcome = label("outcome")?;
        Some(Self {
            step: label("step")?,
            outcome: outcomes.into_iter().find(|known| known.to_string() == outcome)?,
            measured: label("measured"),
            figure: label("figure").and_then(|text| text.parse().ok()),
            name: stored.full_name,
            finished: Timestamp::from_millisecond(i64::try_from(stored.stop).unwrap_or_default()).unwrap_or_default(),
            milliseconds: stored.stop.saturating_sub(stored.start),
            explanation: stored.status_details.and_then(|details| details.trace),
            attachments: stored.attachments.into_iter().filter_map(|stored| stored.in_folder(folder)).collect(),
        })
    }
}

impl StoredAttachment {
    /// A source is the name of a file beside the result, and nothing leads out of the folder.
    fn in_folder(self, folder: &Path) -> Option<AttachedFile> {
        let path = folder.join(self.source.file_name()?);
        Some(AttachedFile { name: self.name, content_type: self.content_type, path })
    }
}
