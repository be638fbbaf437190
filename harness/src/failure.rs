//! Why a step did not pass, as the person on call reads it. The layout of the text has its one home here.

use std::{error::Error, fmt, time::Duration};

use crate::{
    clock::Clock,
    outcome::Outcome,
    privacy::Privacy,
    redaction::Redactor,
    runbook::{Cause, Runbook, Step},
    stopwatch::Took,
};

/// What a check answers with. The test runner prints the failure as it is.
pub type Verdict<T = ()> = Result<T, Failure>;

/// An outcome other than passed, with its explanation.
///
/// ```
/// use harness::Failure;
/// let failure = Failure::failed("the document is never kept").expected("cache-control: no-cache").seen("max-age=31536000");
/// assert!(failure.to_string().contains("expected  cache-control: no-cache"));
/// ```
#[derive(Clone, PartialEq)]
pub struct Failure {
    outcome: Outcome,
    claim: String,
    facts: Vec<(&'static str, String)>,
    step: Option<&'static Step>,
    cause: Option<Cause>,
    shared: bool,
}

impl Failure {
    fn new(outcome: Outcome, claim: impl Into<String>) -> Self {
        Self { outcome, claim: claim.into(), facts: Vec::new(), step: None, cause: None, shared: false }
    }

    /// The portal does not keep `claim`, a sentence that is true of a good portal.
    pub fn failed(claim: impl Into<String>) -> Self {
        Self::new(Outcome::Failed, claim)
    }

    /// Whether `claim` is true remains unknown.
    pub fn undecided(claim: impl Into<String>) -> Self {
        Self::new(Outcome::Undecided, claim)
    }

    /// Nothing was looked at.
    pub fn not_run(why: impl Into<String>) -> Self {
        Self::new(Outcome::NotRun, why)
    }

    /// What a good portal shows.
    pub fn expected(self, text: impl Into<String>) -> Self {
        self.fact("expected", text)
    }

    /// What this one showed.
    pub fn seen(self, text: impl Into<String>) -> Self {
        self.fact("seen", text)
    }

    /// Where: a URL, a file with its line, a request id.
    pub fn at(self, text: impl Into<String>) -> Self {
        self.fact("where", text)
    }

    /// What the reader does next, where the runbook's own remedy is not the answer.
    pub fn advice(self, text: impl Into<String>) -> Self {
        self.fact("do", text)
    }

    /// A further line under a label of at most eight letters. An empty text adds nothing.
    pub fn fact(mut self, label: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.facts.push((label, text));
        }
        self
    }

    /// What is at fault, where a check saw it: it decides on severity and remedy instead of the step.
    pub fn caused_by(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Undecided where what was kept waiting by this machine might have kept the limit elsewhere.
    #[must_use]
    pub fn unless_kept_waiting(self, took: Took, limit: Duration) -> Self {
        if took.is_beyond(limit) {
            return self;
        }
        let waited = format!("a thread waited {:.1} s for a processor of this machine", took.waited.as_secs_f64());
        self.excused("machine", waited).advice("run the check again while this machine is less busy")
    }

    /// Undecided where something happened to the clock while the check ran.
    pub(crate) fn unless_disturbed(self, clock: &Clock) -> Self {
        match clock.disturbance().filter(|_| self.outcome == Outcome::Failed) {
            Some(what) => self.excused("clock", what).advice("run the check again"),
            None => self,
        }
    }

    /// What failed may have failed for this reason, which is not the portal's.
    fn excused(mut self, label: &'static str, why: String) -> Self {
        self.outcome = Outcome::Undecided;
        self.fact(label, why)
    }

    /// Every check of this process meets the same obstacle, so only the first reports it in full.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.shared
    }

    /// Only what says that it was reported before.
    pub(crate) fn in_one_line(mut self) -> Self {
        let why = "the first failure of this run says why";
        self.claim = match self.step.take() {
            Some(step) => format!("{}  {}: {why}", step.id, step.title),
            None => why.to_owned(),
        };
        self.facts.clear();
        self
    }

    pub(crate) fn cleaned(mut self, redactor: &Redactor) -> Self {
        self.claim = redactor.clean(&self.claim);
        for (_, text) in &mut self.facts {
            *text = redactor.clean(text);
        }
        self
    }

    /// Without members' data.
    pub(crate) fn masked(mut self, privacy: &Privacy) -> Self {
        self.claim = privacy.reported(&self.claim);
        for (_, text) in self.facts.iter_mut().filter(|(label, _)| !matches!(*label, "do" | "evidence")) {
            *text = privacy.reported(text);
        }
        self
    }

    pub(crate) fn about(mut self, step: &'static Step) -> Self {
        self.step = Some(step);
        self
    }

    /// What became of the step.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The sentence that is not true.
    pub fn claim(&self) -> &str {
        &self.claim
    }

    /// What was expected, seen, where, in the order in which it is shown.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (&str, &str)> {
        // What was promised and what was seen come first, in whatever order a check learnt them.
        let is_first = |(label, _): &&(&str, String)| matches!(*label, "expected" | "seen");
        let (first, others) = (self.facts.iter().filter(is_first), self.facts.iter());
        first.chain(others.filter(move |fact| !is_first(fact))).map(|(label, text)| (*label, text.as_str()))
    }

    /// Key of the severity of what failed; what did not fail has none.
    pub(crate) fn severity_key(&self) -> Option<&str> {
        let step = self.step.filter(|_| self.outcome == Outcome::Failed)?;
        Some(self.cause.map_or(step.severity.as_str(), |cause| cause.severity_of(step)))
    }

    /// Key of what the runbook does about what failed, by the cause that was seen or else by the step; none where the
    /// check says itself what to do.
    pub(crate) fn remedy_key(&self) -> Option<&str> {
        let step = self.step.filter(|_| self.outcome == Outcome::Failed && self.get("do").is_none())?;
        Some(self.cause.map_or(step.remedy.as_str(), |cause| cause.remedy_of(step)))
    }

    /// The first line under a label.
    pub fn get(&self, label: &str) -> Option<&str> {
        self.facts.iter().find(|(name, _)| *name == label).map(|(_, text)| text.as_str())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, label: &str, text: &str| -> fmt::Result {
            for (index, part) in text.lines().enumerate() {
                let label = if index == 0 { label } else { "" };
                write!(f, "\n  {label:<10}{part}")?;
            }
            Ok(())
        };
        match self.step {
            Some(step) => write!(f, "{}  {}  {}\n  {}", self.outcome, step.id, step.title, self.claim)?,
            None => write!(f, "{}  {}", self.outcome, self.claim)?,
        }
        for (label, text) in self.facts() {
            line(f, label, text)?;
        }
        if let Some(step) = self.step {
            line(f, "runbook", &format!("{} (line {})", step.section, step.line))?;
        }
        let runbook = Runbook::get();
        if let Some((key, severity)) = self.severity_key().and_then(|key| Some((key, runbook.severity(key)?))) {
            line(f, "severity", &format!("{key} {}; respond {}", severity.definition, severity.respond_within))?;
        }
        if let Some(remedy) = self.remedy_key().and_then(|key| runbook.remedy(key)) {
            line(f, "do", &format!("{}: {}", remedy.title, remedy.action))?;
        }
        Ok(())
    }
}

/// The test runner prints failures with `{:?}`; people read them.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Failure {}

/// A text as a failure shows it: "none" where there is none.
pub fn or_none(text: Option<impl AsRef<str>>) -> String {
    text.map_or_else(|| "none".to_owned(), |text| text.as_ref().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(step: &str, cause: Option<Cause>) -> Failure {
        let failure = Failure::failed("it works").about(Runbook::get().step(step).unwrap());
        cause.into_iter().fold(failure, Failure::caused_by)
    }

    fn keys(failure: &Failure) -> (Option<&str>, Option<&str>) {
        (failure.severity_key(), failure.remedy_key())
    }

    #[test]
    fn the_step_decides_where_no_cause_was_seen() {
        assert_eq!(keys(&failed("4.3.2", None)), (Some("P1"), Some("data")));
        assert_eq!(keys(&failed("post.3.1", None)), (Some("P2"), Some("frontend")));
    }

    #[test]
    fn the_cause_that_was_seen_decides_instead_of_the_step() {
        for (step, cause, remedy) in [
            ("4.3.2", Cause::FrontEnd, "frontend"),
            ("3.3.3", Cause::Access, "access"),
            ("4.4.6", Cause::Database, "data"),
            ("pre.2.5", Cause::Functions, "functions"),
        ] {
            assert_eq!(keys(&failed(step, Some(cause))), (Some("P1"), Some(remedy)));
        }
    }

    #[test]
    fn slow_views_and_other_words_are_no_emergency_and_no_reason_to_touch_the_database() {
        for step in Runbook::get().steps() {
            for (cause, severity) in [(Cause::Slow, "P3"), (Cause::Wording, "P4")] {
                let failure = failed(&step.id, Some(cause));
                assert_eq!(failure.severity_key(), Some(severity), "{}", step.id);
                let remedy = failure.remedy_key().and_then(|key| Runbook::get().remedy(key)).unwrap();
                assert_eq!(remedy.level, None, "{}", step.id);
            }
        }
    }

    #[test]
    fn what_did_not_fail_has_neither_severity_nor_remedy_and_advice_of_its_own_comes_first() {
        let step = Runbook::get().step("4.1.2").unwrap();
        let undecided = Failure::undecided("it works").about(step).caused_by(Cause::Slow);
        assert_eq!(keys(&undecided), (None, None));
        assert_eq!(keys(&failed("4.1.2", Some(Cause::Slow)).advice("wait")), (Some("P3"), None));
    }
}
