//! What became of one check: `<uuid>-check.json`. Written by the check itself, read by whoever gives a verdict.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{failure::Failure, outcome::Outcome, target::Target};

/// What became of one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// The run that it belongs to.
    pub run: String,
    /// The test's name, with its suite: `smoke::routes::…`.
    pub name: String,
    /// The runbook's step.
    pub step: String,
    /// The deployment that was looked at; none where none could be opened.
    pub target: Option<Target>,
    /// What became of it.
    pub outcome: Outcome,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Which of several attempts this was, from 1 on.
    pub attempt: u32,
    /// The figure that it measured.
    pub measured: Option<String>,
    /// The same as a number with its limit, where the runbook has one.
    pub figure: Option<Figure>,
    /// Why it did not pass; none where it did.
    pub failure: Option<Explanation>,
    /// What it kept, in the order in which it did.
    pub attachments: Vec<AttachedFile>,
}

/// A figure of the runbook's monitoring table, with its limit: `165 of 3000 ms`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What was measured.
    pub value: f64,
    /// What it has to be below.
    pub limit: f64,
    /// Of both.
    pub unit: String,
}

/// Why a check did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The sentence that is not true.
    pub claim: String,
    /// What was expected, seen, where, in the order in which it is shown.
    pub facts: Vec<(String, String)>,
    /// Key of the severity, `P1` to `P4`; none where nothing failed.
    pub severity: Option<String>,
    /// Key of the remedy; none where nothing failed, or where the facts say what to do.
    pub remedy: Option<String>,
    /// The whole text, as the test runner shows it.
    pub text: String,
}

/// A file of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttachedFile {
    /// What the check calls it.
    pub name: String,
    /// The media type.
    pub content_type: String,
    /// Name in the folder of the run; once read, with the folder.
    #[serde(rename = "file")]
    pub path: PathBuf,
}

/// What the name of a result's file ends with.
pub(super) const SUFFIX: &str = "-check.json";

impl CheckResult {
    /// How long it took, in milliseconds.
    pub fn milliseconds(&self) -> u64 {
        let milliseconds = self.finished.as_millisecond() - self.started.as_millisecond();
        u64::try_from(milliseconds).unwrap_or(0)
    }

    /// The whole failure text.
    pub fn text(&self) -> Option<&str> {
        self.failure.as_ref().map(|failure| failure.text.as_str())
    }

    /// The sentence that is not true.
    pub fn claim(&self) -> Option<&str> {
        self.failure.as_ref().map(|failure| failure.claim.as_str())
    }

    /// Reads one. Attachments lead nowhere out of the folder.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        let mut result: Self = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for attached in &mut result.attachments {
            match attached.path.file_name() {
                Some(name) if Path::new(name) == attached.path => attached.path = folder.join(name),
                _ => return Err(format!("the attachment {} is not beside it", attached.path.display())),
            }
        }
        Ok(result)
    }

    /// What it says against itself.
    pub(super) fn contradiction(&self) -> Option<String> {
        match (&self.failure, self.outcome) {
            (Some(_), Outcome::Passed) => Some("it passed, and has a failure".to_owned()),
            (None, outcome) if outcome != Outcome::Passed => Some(format!("it is {outcome}, and says nothing of why")),
            _ if self.finished < self.started => Some("it ended before it began".to_owned()),
            _ => None,
        }
    }
}

impl Explanation {
    pub(crate) fn of(failure: &Failure) -> Self {
        Self {
            claim: failure.claim().to_owned(),
            facts: failure.facts().map(|(label, text)| (label.to_owned(), text.to_owned())).collect(),
            severity: failure.severity_key().map(str::to_owned),
            remedy: failure.remedy_key().map(str::to_owned),
            text: failure.to_string(),
        }
    }

    /// What was seen, or else what it claims.
    pub fn seen(&self) -> &str {
        let seen = self.facts.iter().find(|(label, _)| label == "seen");
        seen.map_or(self.claim.as_str(), |(_, text)| text.as_str())
    }

    /// What the database or a service refused a request with, in its own words and with its code, where that was seen: what
    /// checks then have in common, whatever each of them looked for.
    pub fn refusal(&self) -> Option<&str> {
        let facts = self.facts.iter().filter(|(label, _)| matches!(label.as_str(), "seen" | "requests"));
        facts.flat_map(|(_, text)| text.lines()).find_map(refusal)
    }

    /// Whether what was seen is the same, or has the same cause.
    pub fn is_like(&self, other: &Self) -> bool {
        let is_same = self.claim == other.claim && self.seen() == other.seen();
        is_same || self.refusal().is_some_and(|words| other.refusal() == Some(words))
    }
}

/// The service's words in a line such as `GET https://… answered 403 Forbidden 42501: permission denied for table a`, with
/// their code: without one they say too little to be a cause.
fn refusal(line: &str) -> Option<&str> {
    let (_, answer) = line.split_once(" answered ")?;
    if !answer.starts_with(['4', '5']) {
        return None;
    }
    let (status, _) = answer.split_once(": ")?;
    let code = status
        .rsplit(' ')
        .next()
        .filter(|code| code.len() < status.len() && code.contains(|c: char| c.is_ascii_digit() || c == '_'))?;
    let words = &answer[status.len() - code.len()..];
    // A request has a number of its own in the platform's log.
    Some(words.split(" (request ").next().unwrap_or(words))
}

/// The results in a folder, by step and name, whatever run they belong to: for who made the folder. Whoever gives a
/// verdict reads a [`Run`](super::Run).
///
/// # Errors
/// When the folder or a result cannot be read.
pub fn read_results(folder: &Path) -> io::Result<Vec<CheckResult>> {
    let mut results = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(SUFFIX) {
            let result =
                CheckResult::read(&path).map_err(|why| io::Error::other(format!("{}: {why}", path.display())))?;
            results.push(result);
        }
    }
    results.sort_by(|one, other| (&one.step, &one.name).cmp(&(&other.step, &other.name)));
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(seen: &str) -> Explanation {
        Explanation::of(&Failure::failed(seen.len().to_string()).seen(seen))
    }

    #[test]
    fn what_a_service_refused_is_one_cause_of_several_failures() {
        let table = explained(
            "a console error\nGET https://a.example/rest/v1/tools answered 403 42501: permission denied for table tools",
        );
        let client = explained(
            "POST https://a.example/rest/v1/rpc/loans answered 403 Forbidden 42501: permission denied for table tools",
        );
        assert_eq!(table.refusal(), Some("42501: permission denied for table tools"));
        assert!(table.is_like(&client));
        let other =
            explained("GET https://a.example/rest/v1/loans answered 403 42501: permission denied for table loans");
        assert!(!table.is_like(&other));
        // Words without a code are no cause: two services may say the same for different reasons.
        for words in [
            "GET https://a.example/a answered 500 something went wrong",
            "GET https://a.example/a answered 500: something went wrong",
            "GET https://a.example/a answered 500",
            "7 rows answered",
        ] {
            assert_eq!(explained(words).refusal(), None, "{words}");
        }
    }
}
