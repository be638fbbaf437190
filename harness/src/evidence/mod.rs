//! What a run leaves behind: one Allure result per check, with screenshot, page, console and requests of a failure.
//!
//! Plain `cargo test` writes them, so any Allure tool renders a run and `xtask` reads its verdicts from the same files.
//! A check's files have names made of its own name: a new run replaces those of the last. Everything passes a
//! [`Redactor`] first.

mod figure;
mod redaction;
mod results;

use std::{
    env, io,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use allure_rust_commons::{Attachment, FileSystemResultsWriter, Label, Stage, Status, StatusDetails, TestResult};
use uuid::Uuid;

pub use figure::Figure;
pub(crate) use redaction::Redactor;
pub use results::{AttachedFile, CheckResult, read_results};

use crate::{
    deployment::Target,
    failure::{Failure, Outcome, Verdict},
    runbook::Step,
};

/// The folder that results go to; the variable is Allure's own.
const FOLDER: &str = "ALLURE_RESULTS_DIR";

/// The evidence of one check.
#[derive(Debug)]
pub(crate) struct Evidence {
    writer: FileSystemResultsWriter,
    folder: PathBuf,
    id: Uuid,
    name: String,
    step: &'static Step,
    start: SystemTime,
    attachments: Vec<Attachment>,
    measured: Option<String>,
    figure: Option<Figure>,
}

impl Evidence {
    /// Opens the evidence of a check.
    ///
    /// # Errors
    /// Not run when the folder cannot be written to: a check that leaves no evidence cannot be signed.
    pub fn of(name: &str, step: &'static Step) -> Verdict<Self> {
        let folder = folder();
        let writer = FileSystemResultsWriter::new(&folder).map_err(|error| unwritable(&folder, &error))?;
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{}/{name}", env!("CARGO_PKG_NAME")).as_bytes());
        let (name, start) = (name.to_owned(), SystemTime::now());
        Ok(Self { writer, folder, id, name, step, start, attachments: Vec::new(), measured: None, figure: None })
    }

    /// Keeps bytes beside the result and answers with their path.
    ///
    /// # Errors
    /// Not run when the folder cannot be written to.
    pub fn attach(&mut self, name: &str, content_type: &str, bytes: &[u8]) -> Verdict<PathBuf> {
        let source = format!("{}-{name}", self.id);
        let path = self.writer.write_attachment(&source, bytes).map_err(|error| unwritable(&self.folder, &error))?;
        self.attachments.push(Attachment { name: name.to_owned(), source, content_type: content_type.to_owned() });
        Ok(path)
    }

    /// Keeps a figure that the runbook asks for.
    pub fn measured(&mut self, figure: Option<String>) {
        self.measured = figure;
    }

    /// Keeps it where it can be compared.
    pub fn figure(&mut self, figure: Option<Figure>) {
        self.figure = figure;
    }

    /// Writes the result.
    ///
    /// # Errors
    /// Not run when the folder cannot be written to.
    pub fn close(self, target: Option<Target>, failure: Option<&Failure>) -> Verdict {
        let outcome = failure.map_or(Outcome::Passed, Failure::outcome);
        let label = |name: &str, value: &str| Label { name: name.to_owned(), value: value.to_owned() };
        let suite = self.name.split("::").next().unwrap_or_default().to_owned();
        let mut labels = vec![
            label("suite", &suite),
            label("step", &self.step.id),
            label("outcome", &outcome.to_string()),
            label("severity", severity(&self.step.severity)),
            label("framework", "cargo test"),
            label("language", "rust"),
        ];
        labels.extend(self.figure.iter().map(|figure| label("figure", &figure.to_string())));
        let measured = told(self.measured, if failure.is_none() { attempt() } else { 1 });
        labels.extend(measured.map(|figure| label("measured", &figure)));
        labels.extend(target.map(|target| label("target", &target.to_string())));
        let result = TestResult {
            uuid: self.id.to_string(),
            name: self.step.title.clone(),
            full_name: Some(self.name.clone()),
            history_id: Some(self.id.to_string()),
            description: Some(format!("Runbook: {}, line {}", self.step.section, self.step.line)),
            status: Some(status(outcome)),
            status_details: failure.map(|failure| StatusDetails {
                message: Some(failure.claim().to_owned()),
                trace: Some(failure.to_string()),
                expected: failure.get("expected").map(str::to_owned),
                actual: failure.get("seen").map(str::to_owned),
            }),
            stage: Some(Stage::Finished),
            labels,
            attachments: self.attachments,
            start: Some(milliseconds(self.start)),
            stop: Some(milliseconds(SystemTime::now())),
            ..TestResult::default()
        };
        self.writer.write_result(&result).map(drop).map_err(|error| unwritable(&self.folder, &error))
    }
}

/// Which of nextest's attempts this is; without nextest the only one.
fn attempt() -> u32 {
    env::var("NEXTEST_ATTEMPT").ok().and_then(|attempt| attempt.parse().ok()).unwrap_or(1)
}

/// What is told of a check that passed: that it did not at first, and its figure.
fn told(measured: Option<String>, attempt: u32) -> Option<String> {
    let flaky = (attempt > 1).then(|| format!("flaky: passed at attempt {attempt}"));
    let told: Vec<_> = flaky.into_iter().chain(measured).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// What the names of the lists of what stays begin with.
const STAYS: &str = "stays-";

/// Keeps the list of what a run could not remove from the deployment, and says so: nobody shall meet it by surprise.
#[expect(clippy::print_stderr, reason = "the process is ending, and no check is left to tell it")]
pub(crate) fn keep_what_stays(run: &str, target: Target, stays: &[String]) {
    if stays.is_empty() {
        return;
    }
    let path = folder().join(format!("{STAYS}{run}.txt"));
    let text = format!("made by run {run} on {target}:\n{}\n", stays.join("\n"));
    match std::fs::write(&path, &text) {
        Ok(()) => eprintln!("run {run} made {} things that stay in the deployment: {}", stays.len(), path.display()),
        Err(_) => eprintln!("{text}"),
    }
}

/// The lists of what runs could not remove, from a folder of results.
///
/// # Errors
/// When the folder cannot be read.
pub fn read_what_stays(folder: &std::path::Path) -> io::Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(STAYS) {
            texts.push(std::fs::read_to_string(entry.path())?);
        }
    }
    Ok(texts)
}

/// Where results go: `ALLURE_RESULTS_DIR`, or `target/allure-results` of the workspace.
pub(crate) fn folder() -> PathBuf {
    let default = || crate::deployment::root().join("target/allure-results");
    env::var_os(FOLDER).filter(|folder| !folder.is_empty()).map_or_else(default, PathBuf::from)
}

fn unwritable(folder: &std::path::Path, error: &io::Error) -> Failure {
    Failure::not_run("evidence cannot be kept")
        .seen(error.to_string())
        .at(folder.display().to_string())
        .advice(format!("make the folder writable, or set {FOLDER} to one that is"))
        .shared()
}

/// Allure has no word for undecided; "broken" is what it calls a test that could not tell.
fn status(outcome: Outcome) -> Status {
    match outcome {
        Outcome::Passed => Status::Passed,
        Outcome::Failed => Status::Failed,
        Outcome::Undecided => Status::Broken,
        Outcome::NotRun => Status::Skipped,
    }
}

/// The runbook's severities in Allure's words.
fn severity(level: &str) -> &'static str {
    match level {
        "P1" => "blocker",
        "P2" => "critical",
        "P3" => "minor",
        _ => "trivial",
    }
}

fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn a_pass_at_a_second_attempt_is_told() {
        let figure = || Some("160 ms".to_owned());
        assert_eq!((told(None, 1), told(figure(), 1)), (None, figure()));
        assert_eq!(told(figure(), 2).unwrap(), "flaky: passed at attempt 2; 160 ms");
    }
}
