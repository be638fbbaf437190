//! A result in Allure's format, for its tools. Nothing of ours reads it back.

use allure_rust_commons::{Attachment, Label, Stage, Status, StatusDetails, TestResult};
use uuid::Uuid;

use crate::{outcome::Outcome, run::CheckResult, runbook::Step};

pub(super) fn of(result: &CheckResult, step: &Step, id: Uuid) -> TestResult {
    let label = |name: &str, value: &str| Label { name: name.to_owned(), value: value.to_owned() };
    let mut labels = vec![
        label("suite", result.name.split("::").next().unwrap_or_default()),
        label("step", &step.id),
        label("outcome", &result.outcome.to_string()),
        label("severity", severity(&step.severity)),
        label("run", &result.run),
        label("framework", "cargo test"),
        label("language", "rust"),
    ];
    labels.extend(result.measured.iter().map(|figure| label("measured", figure)));
    labels.extend(result.target.map(|target| label("target", &target.to_string())));
    let fact = |name: &str| {
        let failure = result.failure.as_ref()?;
        failure.facts.iter().find(|(label, _)| label == name).map(|(_, text)| text.clone())
    };
    let attachments = result.attachments.iter().map(|file| Attachment {
        name: file.name.clone(),
        source: file.path.display().to_string(),
        content_type: file.content_type.clone(),
    });
    TestResult {
        uuid: id.to_string(),
        name: step.title.clone(),
        full_name: Some(result.name.clone()),
        history_id: Some(id.to_string()),
        description: Some(format!("Runbook: {}, line {}", step.section, step.line)),
        status: Some(status(result.outcome)),
        status_details: result.failure.as_ref().map(|failure| StatusDetails {
            message: Some(failure.claim.clone()),
            trace: Some(failure.text.clone()),
            expected: fact("expected"),
            actual: fact("seen"),
        }),
        stage: Some(Stage::Finished),
        labels,
        attachments: attachments.collect(),
        start: Some(result.started.as_millisecond()),
        stop: Some(result.finished.as_millisecond()),
        ..TestResult::default()
    }
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
