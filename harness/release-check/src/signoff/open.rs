//! What is open, and who does what about it.

use std::collections::BTreeSet;

use harness::{Remedy, Runbook, Step, Target, Weakened};
use serde::Serialize;

use super::{line::Line, moment, signed::Signed, state::State};

/// A line that is not done.
#[derive(Serialize)]
pub struct Open {
    pub line: Line,
    /// What to do about it.
    actions: BTreeSet<String>,
    /// Whom to call.
    calls: BTreeSet<String>,
}

impl Open {
    /// By the causes that its checks saw.
    pub fn of(step: &'static Step, line: &Line, signed: &Signed, target: Target) -> Self {
        let failed = line.troubles.iter().filter(|trouble| trouble.state == State::Failed);
        let remedies: Vec<&Remedy> =
            failed.filter_map(|trouble| Runbook::get().remedy(trouble.remedy.as_deref()?)).collect();
        let mut actions: BTreeSet<_> =
            remedies.iter().map(|remedy| format!("{}: {}", remedy.title, remedy.action)).collect();
        let mut calls: BTreeSet<_> = remedies.iter().map(|remedy| signed.whom_to_call(&remedy.escalate_to)).collect();
        if line.state == State::Undecided {
            actions.insert(format!(
                "remove what kept its checks from deciding, as named below, then run release-check verify --target {target} --step {}",
                step.id
            ));
            calls.insert(signed.whom_to_call(&step.remedy().escalate_to));
        }
        Self { line: line.clone(), actions, calls }
    }
}

/// A promise of the runbook that the contract weakens: open, unless somebody answers for it.
#[derive(Serialize)]
pub struct Promise {
    pub id: String,
    says: String,
    runbook: String,
    pub is_done: bool,
    /// Who accepted it, when and why.
    accepted: String,
}

impl Promise {
    /// With the acceptance, where there is one.
    pub fn of(weakened: &Weakened, signed: &Signed) -> Self {
        let acceptance = signed.acceptance(&weakened.id);
        Self {
            id: weakened.id.clone(),
            says: weakened.says.clone(),
            runbook: weakened.runbook.clone(),
            is_done: acceptance.is_some(),
            accepted: acceptance
                .map(|accepted| format!("{}, {}: {}", accepted.by, moment(accepted.at), accepted.note))
                .unwrap_or_default(),
        }
    }
}
