//! A step of the runbook in the document: what became of it, and who says so.

use std::collections::{BTreeMap, BTreeSet};

use harness::{
    Manual, Outcome, Runbook, Step, Target,
    run::{CheckResult, JudgedStep, Run},
};
use serde::Serialize;

use super::{
    as_text,
    exhibit::Exhibit,
    moment, proof,
    signed::{Signature, Signed},
    state::State,
    subject::{each, end, runner},
    trouble::{self, Trouble},
};
use crate::{Error, Usage};

/// A step and what became of it.
#[derive(Clone, Serialize)]
pub struct Line {
    pub id: &'static str,
    pub title: &'static str,
    #[serde(serialize_with = "as_text")]
    pub state: State,
    pub is_done: bool,
    evidence: String,
    /// The figures that its checks measured, or what was noted of it.
    pub actual: String,
    by: String,
    time: String,
    /// Of what failed, else the step's own.
    pub severity: String,
    definition: &'static str,
    respond_within: &'static str,
    /// What somebody has to look at, or why it was not run.
    text: String,
    pub troubles: Vec<Trouble>,
    /// What checks that passed kept.
    pub exhibits: Vec<Exhibit>,
}

/// What lines are made of.
pub struct Source<'s> {
    pub runs: &'s [Run],
    pub proofs: &'s [Run],
    pub signed: &'s Signed,
}

impl Line {
    fn of(step: &'static Step, state: State) -> Self {
        let severity = step.severity();
        Self {
            id: &step.id,
            title: &step.title,
            state,
            is_done: state.is_done(),
            evidence: String::new(),
            actual: String::new(),
            by: String::new(),
            time: String::new(),
            severity: step.severity.clone(),
            definition: &severity.definition,
            respond_within: &severity.respond_within,
            text: String::new(),
            troubles: Vec::new(),
            exhibits: Vec::new(),
        }
    }

    /// A step that has nothing to be about, with the reason.
    pub fn left_out(step: &'static Step, because: String) -> Self {
        Self { evidence: because, ..Self::of(step, State::LeftOut) }
    }

    /// A step that no others decide.
    ///
    /// # Errors
    /// When somebody signed for what its checks did look at.
    pub fn made(step: &'static Step, judged: Option<&JudgedStep<'_>>, source: &Source<'_>) -> Result<Self, Error> {
        if let Some(manual) = &step.manual {
            return Ok(Self::of_proof(step, source).unwrap_or_else(|| Self::of_people(step, manual, source.signed)));
        }
        let signature = source.signed.signature(&step.id);
        match (judged, signature) {
            (Some(judged), Some(signature)) if source.signed.covers(judged) => Ok(Self::signed(step, signature)),
            (None, Some(signature)) if step.otherwise.is_some() => Ok(Self::signed(step, signature)),
            (Some(judged), Some(_)) if judged.word() != Outcome::Passed => Err(Usage::error(format!(
                "{} is signed for, and its tests did look: {}. Take the signature out",
                step.id,
                judged.word()
            ))),
            _ => Ok(Self::of_tests(step, judged, source)),
        }
    }

    fn signed(step: &'static Step, signature: &Signature) -> Self {
        Self {
            by: signature.by.clone(),
            time: moment(signature.at),
            evidence: signature.note.clone(),
            actual: signature.note.clone(),
            ..Self::of(step, State::Signed)
        }
    }

    fn of_people(step: &'static Step, manual: &Manual, signed: &Signed) -> Self {
        match signed.signature(&step.id) {
            Some(signature) => Self::signed(step, signature),
            None => Self { text: format!("{}: {}", manual.by, manual.look), ..Self::of(step, State::NotSigned) },
        }
    }

    /// A step that a run of another target proves, where there is one.
    fn of_proof(step: &'static Step, source: &Source<'_>) -> Option<Self> {
        let target: Target = step.proven_by?;
        let proof = proof::last_of(source.proofs, target)?;
        Some(Self {
            evidence: proof.evidence(end(source.runs)),
            by: runner(proof.run.manifest.runner).to_owned(),
            time: moment(proof.run.finished()),
            text: if proof.outcome == Outcome::Passed { String::new() } else { proof.evidence(end(source.runs)) },
            ..Self::of(step, proof.outcome.into())
        })
    }

    fn of_tests(step: &'static Step, judged: Option<&JudgedStep<'_>>, source: &Source<'_>) -> Self {
        let otherwise = step.otherwise.as_ref().map(|manual| format!("or {}: {}", manual.by, manual.look));
        let Some(judged) = judged else {
            let mut text = vec!["no check of the run covers this step".to_owned()];
            text.extend(otherwise);
            return Self { text: text.join("\n"), ..Self::of(step, State::NotRun) };
        };
        let checks: Vec<&CheckResult> =
            judged.checks.iter().filter_map(|check| check.result.as_ref().ok().copied()).collect();
        let troubles = Trouble::all_of(judged);
        let key = trouble::severity(step, &troubles).to_owned();
        // `trouble::severity` answers with a key that is in the table.
        let severity = Runbook::get().severity(&key).unwrap_or(step.severity());
        let state: State = judged.word().into();
        let left_out = proof::of_left_out(judged, end(source.runs));
        let mut text: Vec<String> = Vec::new();
        if state == State::NotRun {
            text.extend(left_out.clone().filter(|_| troubles.is_empty()));
            text.extend(otherwise);
        }
        Self {
            evidence: seen(&checks, judged.measured(), left_out),
            actual: judged.measured(),
            by: each(source.runs, |run| Some(runner(run.manifest.runner).to_owned())).unwrap_or_default(),
            time: checks.iter().map(|check| check.finished).max().map(moment).unwrap_or_default(),
            severity: key,
            definition: &severity.definition,
            respond_within: &severity.respond_within,
            text: text.join("\n"),
            troubles,
            exhibits: checks
                .iter()
                .filter(|check| check.outcome == Outcome::Passed)
                .flat_map(|check| Exhibit::all_of(check))
                .collect(),
            ..Self::of(step, state)
        }
    }

    /// The worst of the steps that it sums up.
    pub fn of_others(step: &'static Step, lines: &BTreeMap<&str, Line>) -> Self {
        let summed = Runbook::get().steps().iter().filter(|other| step.sums_up(other));
        let summed: Vec<_> = summed.filter_map(|other| lines.get(other.id.as_str())).collect();
        let open: Vec<_> = summed.iter().filter(|line| !line.is_done).map(|line| line.id).collect();
        let by: BTreeSet<_> = summed.iter().filter(|line| line.is_done).map(|line| line.by.as_str()).collect();
        let evidence = match open.len() {
            0 => format!("{} steps", summed.len()),
            count => format!("{count} of {} steps open: {}", summed.len(), open.join(", ")),
        };
        Self {
            evidence,
            by: by.into_iter().collect::<Vec<_>>().join(", "),
            time: summed.iter().map(|line| line.time.clone()).max().unwrap_or_default(),
            ..Self::of(step, summed.iter().map(|line| line.state).max().unwrap_or(State::NotRun))
        }
    }

    /// Without what is shown once, among what is open or among the evidence.
    pub fn in_a_row(&self) -> Self {
        Self { exhibits: Vec::new(), troubles: Vec::new(), ..self.clone() }
    }
}

/// How many checks looked, what they measured, and what stands for those that were left out.
fn seen(checks: &[&CheckResult], measured: String, left_out: Option<String>) -> String {
    let count = match checks.len() {
        0 => None,
        1 => Some("1 check".to_owned()),
        count => Some(format!("{count} checks")),
    };
    let measured = Some(measured).filter(|measured| !measured.is_empty());
    let own = match (count, measured) {
        (Some(count), Some(measured)) => Some(format!("{count}: {measured}")),
        (count, _) => count,
    };
    own.into_iter().chain(left_out).collect::<Vec<_>>().join("; ")
}
