//! Checks of a step that did not pass, a cause that several met once.

use harness::{
    Outcome, Runbook, Step,
    run::{CheckResult, Explanation, JudgedStep},
};
use serde::Serialize;

use super::{as_text, exhibit::Exhibit, state::State};

/// What one or more checks of a step met.
#[derive(Clone, Serialize)]
pub struct Trouble {
    checks: Vec<String>,
    #[serde(serialize_with = "as_text")]
    pub state: State,
    claim: String,
    /// The whole text, as the test runner shows it.
    text: String,
    /// What it says to do, where the runbook's remedy is not the answer.
    advice: String,
    /// Keys of the runbook's tables, of what failed.
    #[serde(skip)]
    pub severity: Option<String>,
    #[serde(skip)]
    pub remedy: Option<String>,
    exhibits: Vec<Exhibit>,
}

impl Trouble {
    /// All of a step, the worst first.
    pub fn all_of(judged: &JudgedStep<'_>) -> Vec<Self> {
        let mut met: Vec<(&CheckResult, &Explanation, Self)> = Vec::new();
        let mut troubles: Vec<Self> = Vec::new();
        for check in judged.checks.iter().filter(|check| check.outcome() != Outcome::Passed) {
            let (result, failure) = match &check.result {
                Ok(result) => (*result, result.failure.as_ref()),
                Err(why) => {
                    troubles.push(Self::missing(&check.planned.name, why));
                    continue;
                }
            };
            let Some(failure) = failure else { continue };
            let same = |other: &&mut (&CheckResult, &Explanation, Self)| {
                other.0.outcome == result.outcome
                    && other.1.claim == failure.claim
                    && other.1.seen() == failure.seen()
                    && (&other.2.severity, &other.2.remedy) == (&failure.severity, &failure.remedy)
            };
            match met.iter_mut().find(same) {
                Some((_, _, trouble)) => {
                    trouble.checks.push(result.name.clone());
                    trouble.exhibits.extend(Exhibit::all_of(result));
                }
                None => met.push((result, failure, Self::of(result, failure))),
            }
        }
        troubles.extend(met.into_iter().map(|(_, _, trouble)| trouble));
        troubles.sort_by(|one, other| other.state.cmp(&one.state).then_with(|| one.severity.cmp(&other.severity)));
        troubles
    }

    fn of(result: &CheckResult, failure: &Explanation) -> Self {
        let advice: Vec<_> =
            failure.facts.iter().filter(|(label, _)| label == "do").map(|(_, text)| text.as_str()).collect();
        Self {
            checks: vec![result.name.clone()],
            state: result.outcome.into(),
            claim: failure.claim.clone(),
            text: failure.text.clone(),
            advice: advice.join("\n"),
            severity: failure.severity.clone(),
            remedy: failure.remedy.clone(),
            exhibits: Exhibit::all_of(result).collect(),
        }
    }

    fn missing(check: &str, why: &str) -> Self {
        Self {
            checks: vec![check.to_owned()],
            state: State::NotRun,
            claim: why.to_owned(),
            text: format!("{check}: {why}"),
            advice: String::new(),
            severity: None,
            remedy: None,
            exhibits: Vec::new(),
        }
    }
}

/// Key of the worst severity among what failed at a step; the step's own where nothing did.
pub fn severity<'k>(step: &'k Step, troubles: &'k [Trouble]) -> &'k str {
    let failed = troubles.iter().filter(|trouble| trouble.state == State::Failed);
    let known = failed.filter_map(|trouble| trouble.severity.as_deref());
    known.filter(|key| Runbook::get().severity(key).is_some()).min().unwrap_or(&step.severity)
}
