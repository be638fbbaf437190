//! What stands for checks that the target leaves out: runs of staging in which they passed.

use harness::{
    Outcome, Target,
    run::{JudgedStep, Run, judge},
};
use jiff::Timestamp;

use crate::ago::between;

/// The last run of everything on another target.
pub struct WholeProof<'r> {
    pub run: &'r Run,
    /// The worst of its steps.
    pub outcome: Outcome,
    counts: String,
}

/// The last whole run of everything among these; what it says counts, whatever earlier ones said.
pub fn last_of(proofs: &[Run], target: Target) -> Option<WholeProof<'_>> {
    let run = proofs
        .iter()
        .filter(|run| run.manifest.target == Some(target) && run.manifest.chosen.is_everything() && run.is_whole())
        .max_by_key(|run| run.finished())?;
    let judgement = judge(std::slice::from_ref(run), &[], |_| true);
    let outcome = Outcome::worst(judgement.steps.iter().map(JudgedStep::word)).unwrap_or(Outcome::NotRun);
    let count = |outcome: Outcome| judgement.steps.iter().filter(|step| step.word() == outcome).count();
    let counts: Vec<_> = [Outcome::Failed, Outcome::Undecided, Outcome::NotRun, Outcome::Passed]
        .into_iter()
        .filter(|outcome| count(*outcome) > 0)
        .map(|outcome| format!("{} {outcome}", count(outcome)))
        .collect();
    Some(WholeProof { run, outcome, counts: counts.join(", ") })
}

impl WholeProof<'_> {
    /// Which run it is and how it went, with its age when the release's own run ended.
    pub fn evidence(&self, end: Timestamp) -> String {
        let manifest = &self.run.manifest;
        let target = manifest.target.map(|target| target.to_string()).unwrap_or_default();
        let harness = commit(manifest.harness.commit.as_deref());
        format!("{target}, {}: {}; run {}, harness {harness}", age(self.run.finished(), end), self.counts, manifest.id)
    }
}

/// What stands for the checks of a step that are left out, if any are.
pub fn of_left_out(judged: &JudgedStep<'_>, end: Timestamp) -> Option<String> {
    let why = judged.left_out_by_target().next()?.because;
    let count = judged.left_out_by_target().count();
    let plural = if count == 1 { "" } else { "s" };
    let proofs: Vec<_> = judged.left_out_by_target().filter_map(|check| check.proof.as_ref()).collect();
    let proved = match proofs.iter().min_by_key(|proof| proof.finished) {
        Some(proof) if proofs.len() == count => format!(
            "passed on {}, {}, run {}, harness {}",
            proof.target,
            age(proof.finished, end),
            proof.run,
            commit(proof.commit.as_deref())
        ),
        _ => "not shown on staging: verify --target staging, or sign for it".to_owned(),
    };
    Some(format!("{count} check{plural} left out here, {why}; {proved}"))
}

fn age(finished: Timestamp, end: Timestamp) -> String {
    let order = if finished <= end { "before" } else { "after" };
    format!("{} {order} this run ended", between(finished, end))
}

fn commit(commit: Option<&str>) -> &str {
    commit.map_or("of an unknown commit", |commit| commit.get(..12).unwrap_or(commit))
}
