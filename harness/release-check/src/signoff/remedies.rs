//! What to do about a release that failed. It follows from the causes that checks saw, which their failures name, and
//! not from the steps alone: two slow views are no reason to restore a database.

use std::collections::BTreeMap;

use harness::{Rollback, Runbook};
use serde::Serialize;

use super::{line::Line, signed::Signed, state::State};

/// What the runbook says to do, and the rollback that applies.
#[derive(Serialize)]
pub struct Remedies {
    rollback: Option<Applies>,
    each: Vec<Advice>,
}

/// A remedy, and what it is for.
#[derive(Serialize)]
struct Advice {
    title: &'static str,
    action: &'static str,
    call: String,
    steps: Vec<&'static str>,
}

/// The rollback that applies.
#[derive(Serialize)]
struct Applies {
    level: u8,
    title: &'static str,
    use_when: &'static str,
    /// The steps whose failures it is for.
    steps: Vec<&'static str>,
}

impl Remedies {
    /// Of what failed. The rollback is the highest level among the remedies.
    pub fn of<'l>(lines: impl Iterator<Item = &'l Line>, signed: &Signed) -> Self {
        let runbook = Runbook::get();
        let mut steps: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
        for line in lines {
            let failed = line.troubles.iter().filter(|trouble| trouble.state == State::Failed);
            for key in failed.filter_map(|trouble| trouble.remedy.as_deref()) {
                let known = steps.entry(key).or_default();
                if !known.contains(&line.id) {
                    known.push(line.id);
                }
            }
        }
        let remedies: Vec<_> =
            steps.into_iter().filter_map(|(key, steps)| Some((runbook.remedy(key)?, steps))).collect();
        let level = remedies.iter().filter_map(|(remedy, _)| remedy.level).max();
        let applies = level.and_then(|level| runbook.rollback(level)).map(|rollback: &'static Rollback| {
            let mut steps: Vec<_> = remedies
                .iter()
                .filter(|(remedy, _)| remedy.level == level)
                .flat_map(|(_, steps)| steps.iter().copied())
                .collect();
            steps.sort_unstable();
            steps.dedup();
            Applies { level: rollback.level, title: &rollback.title, use_when: &rollback.use_when, steps }
        });
        let mut each: Vec<_> = remedies
            .into_iter()
            .map(|(remedy, steps)| {
                let call = signed.whom_to_call(&remedy.escalate_to);
                (remedy.level, Advice { title: &remedy.title, action: &remedy.action, call, steps })
            })
            .collect();
        each.sort_by(|(one, a), (other, b)| other.cmp(one).then(a.title.cmp(b.title)));
        Self { rollback: applies, each: each.into_iter().map(|(_, advice)| advice).collect() }
    }
}
