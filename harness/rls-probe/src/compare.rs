//! Two reports: what one has opened that the other had not, and what it has closed.

use std::{collections::BTreeSet, fmt};

use crate::{
    record::{Object, Verb},
    report::Report,
};

/// A way that is open in one of two databases only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// It was not open before.
    pub is_opened: bool,
    /// What is open.
    pub object: Object,
    /// What is done to it.
    pub verb: Verb,
    /// The end of a sentence that begins with the actors.
    pub effect: String,
    /// By whom.
    pub actors: Vec<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_opened, object, effect, actors, .. } = self;
        write!(f, "{} {object}: {} {effect}", if *is_opened { "OPENS" } else { "CLOSES" }, actors.join(", "))
    }
}

/// What is open in one report only.
pub fn changes(before: &Report, after: &Report) -> Vec<Change> {
    let (was, is) = (ways(before), ways(after));
    let mut changes: Vec<Change> = Vec::new();
    let opened = is.difference(&was).map(|way| (true, way));
    for (is_opened, (object, verb, effect, actor)) in opened.chain(was.difference(&is).map(|way| (false, way))) {
        let same = changes.iter_mut().find(|change| {
            (change.is_opened, &change.object, change.verb, &change.effect) == (is_opened, object, *verb, effect)
        });
        match same {
            Some(change) => change.actors.push(actor.clone()),
            None => changes.push(Change {
                is_opened,
                object: object.clone(),
                verb: *verb,
                effect: effect.clone(),
                actors: vec![actor.clone()],
            }),
        }
    }
    changes.sort_by(|one, other| (other.is_opened, one).cmp(&(one.is_opened, other)));
    changes
}

fn ways(report: &Report) -> BTreeSet<(Object, Verb, String, String)> {
    let effects =
        report.findings.iter().flat_map(|finding| finding.effects.iter().map(move |effect| (finding, effect)));
    let each = effects.flat_map(|(finding, effect)| {
        effect.actors.iter().map(move |actor| (finding.object.clone(), effect.verb, effect.text.clone(), actor.clone()))
    });
    each.collect()
}
