//! What one check leaves in the folder of its run: its result, for a verdict and for Allure's tools, and screenshot,
//! page, console and requests of a failure. Everything passes a [`Redactor`](crate::redaction::Redactor) first.

mod allure;

use std::{env, io, path::PathBuf};

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    failure::{Failure, Verdict},
    outcome::Outcome,
    run::{self, AttachedFile, CheckResult, Current, Explanation, Figure},
    runbook::Step,
    target::Target,
};

/// The evidence of one check.
#[derive(Debug)]
pub(crate) struct Evidence {
    run: &'static Current,
    id: Uuid,
    name: String,
    step: &'static Step,
    started: Timestamp,
    attachments: Vec<AttachedFile>,
    measured: Option<String>,
    figure: Option<Figure>,
}

impl Evidence {
    /// Opens the evidence of a check, in the run that this process takes part in.
    ///
    /// # Errors
    /// Not run when the folder cannot be written to: a check that leaves no evidence cannot be signed.
    pub fn of(name: &str, step: &'static Step) -> Verdict<Self> {
        let run = run::current(name.split("::").next().unwrap_or_default())?;
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{}/{name}", env!("CARGO_PKG_NAME")).as_bytes());
        let (name, started) = (name.to_owned(), Timestamp::now());
        Ok(Self { run, id, name, step, started, attachments: Vec::new(), measured: None, figure: None })
    }

    /// Keeps bytes beside the result and answers with their path.
    ///
    /// # Errors
    /// Not run when the folder cannot be written to.
    pub fn attach(&mut self, name: &str, content_type: &str, bytes: &[u8]) -> Verdict<PathBuf> {
        let file = format!("{}-{name}", self.id);
        let path = self.write(&file, bytes)?;
        self.attachments.push(AttachedFile {
            name: name.to_owned(),
            content_type: content_type.to_owned(),
            path: file.into(),
        });
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
    pub fn close(mut self, target: Option<Target>, failure: Option<&Failure>) -> Verdict {
        let outcome = failure.map_or(Outcome::Passed, Failure::outcome);
        let attempt = attempt();
        let measured = flaky(self.measured.take(), if failure.is_none() { attempt } else { 1 });
        let result = CheckResult {
            run: self.run.id.clone(),
            name: self.name.clone(),
            step: self.step.id.clone(),
            target,
            outcome,
            started: self.started,
            finished: Timestamp::now(),
            attempt,
            measured,
            figure: self.figure.take(),
            failure: failure.map(Explanation::of),
            attachments: std::mem::take(&mut self.attachments),
        };
        let json = |value: serde_json::Result<Vec<u8>>| value.map_err(|error| self.unwritable(&error.into()));
        // Allure's form first: a result counts once the other is there.
        let allure = json(serde_json::to_vec(&allure::of(&result, self.step, self.id)))?;
        self.write(&format!("{}-result.json", self.id), &allure)?;
        let own = json(serde_json::to_vec_pretty(&result))?;
        self.write(&format!("{}-check.json", self.id), &own).map(drop)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Verdict<PathBuf> {
        run::write(&self.run.folder, name, bytes).map_err(|error| self.unwritable(&error))
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        Failure::not_run("evidence cannot be kept")
            .seen(error.to_string())
            .at(self.run.folder.display().to_string())
            .advice("make room, or make the folder writable")
            .shared()
    }
}

/// Which of nextest's attempts this is; without nextest the only one.
fn attempt() -> u32 {
    env::var("NEXTEST_ATTEMPT").ok().and_then(|attempt| attempt.parse().ok()).unwrap_or(1)
}

/// What is said of a check that passed: that it did not at first, and its figure.
fn flaky(measured: Option<String>, attempt: u32) -> Option<String> {
    let flaky = (attempt > 1).then(|| format!("flaky: passed at attempt {attempt}"));
    let said: Vec<_> = flaky.into_iter().chain(measured).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::flaky;

    #[test]
    fn a_pass_at_a_second_attempt_is_named() {
        let figure = || Some("160 ms".to_owned());
        assert_eq!((flaky(None, 1), flaky(figure(), 1)), (None, figure()));
        assert_eq!(flaky(figure(), 2).unwrap(), "flaky: passed at attempt 2; 160 ms");
    }
}
