//! The verdict as JSON, for programs. `schema` changes when a field changes its meaning or goes; fields may be added.

use std::collections::BTreeSet;

use harness::{
    Outcome, Section, Target,
    run::{JudgedStep, Judgement, LeftOutBecause, Run},
};
use jiff::Timestamp;
use serde::Serialize;

/// What `verify --json` prints.
#[derive(Debug, Serialize)]
pub struct VerdictDocument<'r> {
    /// 1.
    schema: u32,
    /// The runs that were judged.
    runs: Vec<JudgedRun<'r>>,
    /// The target.
    target: Option<Target>,
    /// `passed`, `failed`, or `undecided` where something is open.
    verdict: Outcome,
    /// Steps by outcome.
    counts: Counts,
    /// The chosen steps, in the runbook's order.
    steps: Vec<StepDocument<'r>>,
    /// What keeps the runs from being whole.
    problems: &'r [String],
    /// Promises of the runbook that the contract weakens.
    weakened: &'r [harness::Weakened],
    /// Chosen steps of which nothing is promised.
    unpromised: Vec<&'r str>,
    /// Parts of the contract that the portal has no use for.
    not_promised: &'r BTreeSet<Section>,
}

#[derive(Debug, Serialize)]
struct JudgedRun<'r> {
    id: &'r str,
    folder: String,
    began: Timestamp,
    finished: Timestamp,
    whole: bool,
}

#[derive(Debug, Default, Serialize)]
struct Counts {
    passed: usize,
    failed: usize,
    undecided: usize,
    not_run: usize,
}

#[derive(Debug, Serialize)]
struct StepDocument<'r> {
    id: &'r str,
    title: &'r str,
    outcome: Outcome,
    /// Of its checks together.
    milliseconds: u64,
    /// What they measured.
    measured: Option<String>,
    checks: Vec<CheckDocument<'r>>,
    left_out: Vec<LeftOutDocument<'r>>,
}

#[derive(Debug, Serialize)]
struct CheckDocument<'r> {
    name: &'r str,
    outcome: Outcome,
    /// The claim that does not hold, or why there is no result.
    why: Option<&'r str>,
    /// `P1` to `P4`, of what failed.
    severity: Option<&'r str>,
    /// The whole text.
    text: Option<&'r str>,
}

#[derive(Debug, Serialize)]
struct LeftOutDocument<'r> {
    name: &'r str,
    /// In words.
    why: String,
    #[serde(flatten)]
    because: LeftOutBecause,
    /// The run of staging in which it passed.
    proved_by: Option<&'r str>,
}

impl<'r> VerdictDocument<'r> {
    pub(super) fn of(
        runs: &'r [Run],
        judgement: &'r Judgement<'r>,
        verdict: Outcome,
        word: impl Fn(&JudgedStep<'r>) -> Outcome,
    ) -> Self {
        let mut counts = Counts::default();
        for step in &judgement.steps {
            *match word(step) {
                Outcome::Passed => &mut counts.passed,
                Outcome::Failed => &mut counts.failed,
                Outcome::Undecided => &mut counts.undecided,
                Outcome::NotRun => &mut counts.not_run,
            } += 1;
        }
        let run = |run: &'r Run| JudgedRun {
            id: &run.manifest.id,
            folder: run.folder.display().to_string(),
            began: run.manifest.began,
            finished: run.finished(),
            whole: run.is_whole(),
        };
        Self {
            schema: 1,
            runs: runs.iter().map(run).collect(),
            target: runs.first().and_then(|run| run.manifest.target),
            verdict,
            counts,
            steps: judgement.steps.iter().map(|step| StepDocument::of(step, word(step))).collect(),
            problems: &judgement.problems,
            weakened: &judgement.weakened,
            unpromised: judgement.unpromised.iter().map(|step| step.id.as_str()).collect(),
            not_promised: &judgement.not_promised,
        }
    }
}

impl<'r> StepDocument<'r> {
    fn of(step: &'r JudgedStep<'r>, outcome: Outcome) -> Self {
        let checks = step.checks.iter().map(|check| {
            let failure = check.result.as_ref().ok().and_then(|result| result.failure.as_ref());
            CheckDocument {
                name: &check.planned.name,
                outcome: check.outcome(),
                why: check.why(),
                severity: failure.and_then(|failure| failure.severity.as_deref()),
                text: failure.map(|failure| failure.text.as_str()),
            }
        });
        let left_out = step.left_out.iter().map(|check| LeftOutDocument {
            name: &check.planned.name,
            why: check.because.to_string(),
            because: check.because,
            proved_by: check.proof.as_ref().map(|proof| proof.run.as_str()),
        });
        Self {
            id: &step.step.id,
            title: &step.step.title,
            outcome,
            milliseconds: step.milliseconds(),
            measured: Some(step.measured()).filter(|measured| !measured.is_empty()),
            checks: checks.collect(),
            left_out: left_out.collect(),
        }
    }
}
