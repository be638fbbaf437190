//! What runs say of the runbook's steps. The one place that groups results by step and takes the worst of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{exclusion::LeftOutBecause, manifest::Planned, read::Run, result::CheckResult};
use crate::{
    contract::Weakened,
    outcome::Outcome,
    runbook::{Runbook, Step},
    section::Section,
    target::Target,
};

/// What runs say of the runbook's steps.
#[derive(Debug)]
pub struct Judgement<'r> {
    /// The steps that were chosen, in the runbook's order.
    pub steps: Vec<JudgedStep<'r>>,
    /// What keeps the runs from being whole, apart from missing results.
    pub problems: Vec<String>,
    /// What the contract asks less of than the runbook does.
    pub weakened: Vec<Weakened>,
    /// Chosen steps of which nothing is promised, so that nothing can be said of them.
    pub unpromised: Vec<&'static Step>,
    /// Parts of the contract that the portal has no use for.
    pub not_promised: BTreeSet<Section>,
    /// Checks that were left out whatever the target is: the names of their steps by the reason.
    pub left_out: BTreeMap<LeftOutBecause, BTreeSet<&'r str>>,
}

/// A step, and what became of it.
#[derive(Debug)]
pub struct JudgedStep<'r> {
    /// The step.
    pub step: &'static Step,
    /// The worst of its checks; none where the target leaves all of them out.
    pub outcome: Option<Outcome>,
    /// The checks.
    pub checks: Vec<JudgedCheck<'r>>,
    /// Checks that are left out by design.
    pub left_out: Vec<LeftOut<'r>>,
}

/// A check, and its result or the reason why there is none.
#[derive(Debug)]
pub struct JudgedCheck<'r> {
    /// The check.
    pub planned: &'r Planned,
    /// Result, or why there is none.
    pub result: Result<&'r CheckResult, String>,
}

/// A check that is left out by design.
#[derive(Debug)]
pub struct LeftOut<'r> {
    /// The check.
    pub planned: &'r Planned,
    /// Why it is.
    pub because: LeftOutBecause,
    /// Where it did pass.
    pub proof: Option<Proof>,
}

/// The run of another target that shows what this one leaves out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// The run.
    pub run: String,
    /// The target.
    pub target: String,
    /// The commit that its checks were compiled from.
    pub commit: Option<String>,
    /// When the check ended.
    pub finished: Timestamp,
}

/// Judges runs of one target. `proofs` are runs of other targets, which may show what this one leaves out; `chosen` is
/// the steps to judge.
pub fn judge<'r>(runs: &'r [Run], proofs: &'r [Run], chosen: impl Fn(&Step) -> bool) -> Judgement<'r> {
    let mut by_step: BTreeMap<&str, Vec<(&Planned, &Run)>> = BTreeMap::new();
    let mut left_out: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for run in runs {
        for check in run.planned() {
            let because = check.left_out.filter(|because| !because.is_of_the_target());
            because.map(|because| left_out.entry(because).or_default().insert(check.step.as_str()));
            if because != Some(LeftOutBecause::NotInRunbook) {
                by_step.entry(check.step.as_str()).or_default().push((check, run));
            }
        }
    }
    let everything =
        runs.iter().any(|run| run.manifest.chosen.suites.is_empty() && run.manifest.chosen.filter.is_empty());
    let (mut steps, mut unpromised) = (Vec::new(), Vec::new());
    let mut problems: Vec<String> = Vec::new();
    for step in Runbook::get().steps().iter().filter(|step| step.is_tested() && chosen(step)) {
        match by_step.remove(step.id.as_str()) {
            Some(checks) => match JudgedStep::of(step, &checks, proofs) {
                judged if judged.is_promised() => steps.push(judged),
                _ => unpromised.push(step),
            },
            // Somebody chose suites, and none of them is about this step.
            None if !everything => {}
            None => steps.push(JudgedStep {
                step,
                outcome: Some(Outcome::NotRun),
                checks: Vec::new(),
                left_out: Vec::new(),
            }),
        }
    }
    for (id, checks) in by_step {
        if Runbook::get().step(id).is_none_or(|step| !step.is_tested()) {
            problems.push(format!("{} verifies {id}, which is no step that tests verify", checks[0].0.name));
        }
    }
    let several = runs.len() > 1;
    for run in runs {
        let named =
            |problem: &String| if several { format!("{}: {problem}", run.manifest.id) } else { problem.clone() };
        problems.extend(run.problems.iter().map(named));
    }
    let mut weakened: Vec<_> = runs.iter().flat_map(|run| run.manifest.weakened.clone()).collect();
    weakened.sort();
    weakened.dedup();
    let not_promised = runs.iter().flat_map(|run| run.manifest.not_promised.iter().copied()).collect();
    Judgement { steps, problems, weakened, unpromised, not_promised, left_out }
}

impl Judgement<'_> {
    /// Why there is nothing that a step could be about, as far as its checks say.
    pub fn reason(&self, step: &Step) -> String {
        let reasons = self.left_out.iter().filter(|(_, steps)| steps.contains(step.id.as_str()));
        reasons.map(|(because, _)| because.to_string()).collect::<Vec<_>>().join("; ")
    }
}

impl<'r> JudgedStep<'r> {
    fn of(step: &'static Step, checks: &[(&'r Planned, &'r Run)], proofs: &'r [Run]) -> Self {
        // Shards of one run each list every check, and one of them has its result.
        let mut by_name: BTreeMap<&str, (&'r Planned, Result<&'r CheckResult, String>)> = BTreeMap::new();
        for (planned, run) in checks {
            let result = run.result(planned);
            let worse = match (by_name.get(planned.name.as_str()), &result) {
                (None, _) | (Some((_, Err(_))), Ok(_)) => true,
                (Some((_, Ok(before))), Ok(now)) => now.outcome > before.outcome,
                (Some(_), Err(_)) => false,
            };
            if worse {
                by_name.insert(&planned.name, (planned, result));
            }
        }
        let (mut checks, mut left_out) = (Vec::new(), Vec::new());
        for (planned, result) in by_name.into_values() {
            match planned.left_out {
                Some(because) => left_out.push(LeftOut { planned, because, proof: Proof::among(proofs, planned) }),
                None => checks.push(JudgedCheck { planned, result }),
            }
        }
        Self { step, outcome: Outcome::worst(checks.iter().map(JudgedCheck::outcome)), left_out, checks }
    }

    /// Whether a check of it has something to look at, here or on another target.
    fn is_promised(&self) -> bool {
        !self.checks.is_empty() || self.left_out_by_target().next().is_some()
    }

    /// Checks that this target leaves out, and another one shows.
    pub fn left_out_by_target(&self) -> impl Iterator<Item = &LeftOut<'r>> {
        self.left_out.iter().filter(|check| check.because.is_of_the_target())
    }

    /// Whether every check passed, here or where it is not left out.
    pub fn is_passed(&self) -> bool {
        self.is_promised()
            && self.outcome.is_none_or(|outcome| outcome == Outcome::Passed)
            && self.left_out_by_target().all(|check| check.proof.is_some())
    }

    /// What became of it in one word: what is left out and proved nowhere was not run.
    pub fn word(&self) -> Outcome {
        match self.outcome {
            _ if self.is_passed() => Outcome::Passed,
            None | Some(Outcome::Passed) => Outcome::NotRun,
            Some(outcome) => outcome,
        }
    }

    /// The worst of its checks.
    pub fn worst(&self) -> Option<&JudgedCheck<'r>> {
        self.checks.iter().max_by_key(|check| check.outcome())
    }

    /// The figures that its checks measured.
    pub fn measured(&self) -> String {
        let figures = self.checks.iter().filter_map(|check| check.result.as_ref().ok()?.measured.as_deref());
        figures.collect::<Vec<_>>().join(", ")
    }

    /// How long its checks took together, in milliseconds.
    pub fn milliseconds(&self) -> u64 {
        self.checks.iter().filter_map(|check| Some(check.result.as_ref().ok()?.milliseconds())).sum()
    }
}

impl JudgedCheck<'_> {
    /// What became of it; a check without a result was not run.
    pub fn outcome(&self) -> Outcome {
        self.result.as_ref().map_or(Outcome::NotRun, |result| result.outcome)
    }

    /// Why it did not pass, in one line.
    pub fn why(&self) -> Option<&str> {
        match &self.result {
            Ok(result) => result.claim(),
            Err(why) => Some(why),
        }
    }
}

impl Proof {
    /// The newest of those whole runs on staging in which the check passed.
    fn among(runs: &[Run], check: &Planned) -> Option<Self> {
        let proofs = runs.iter().filter(|run| run.manifest.target == Some(Target::Staging) && run.is_whole());
        let proofs = proofs.filter_map(|run| {
            let planned = run.planned().find(|planned| planned.name == check.name && planned.step == check.step)?;
            let result = run.result(planned).ok().filter(|result| result.outcome == Outcome::Passed)?;
            Some(Self {
                run: run.manifest.id.clone(),
                target: Target::Staging.to_string(),
                commit: run.manifest.harness.commit.clone(),
                finished: result.finished,
            })
        });
        proofs.max_by_key(|proof| proof.finished)
    }
}
