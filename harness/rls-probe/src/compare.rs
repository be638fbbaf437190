//! Two reports: what one has opened that the other had not, what it has closed, and what it can say no more.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{
    harm::Harm,
    record::{Object, Verb},
    report::{Report, Undecided},
};

/// What a change makes of a database.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// What is open in one of both only: first what is opened, and of it the worst.
    pub changes: Vec<Change>,
    /// What could be decided before the change, and cannot be any more.
    pub undecided: Vec<Undecided>,
}

/// A way that is open in one of two databases only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// It was not open before.
    pub is_opened: bool,
    /// How bad it is.
    pub harm: Harm,
    /// What is open.
    pub object: Object,
    /// What is done to it.
    pub verb: Verb,
    /// The end of a sentence that begins with the actors.
    pub effect: String,
    /// By whom.
    pub actors: Vec<String>,
}

/// What somebody can do: whose harm it is said with does not make it another one.
type Ways<'r> = BTreeMap<(&'r Object, Verb, &'r str, &'r str), Harm>;

impl Difference {
    /// What is open in one report only, and what only the second leaves undecided.
    pub fn between(before: &Report, after: &Report) -> Self {
        let (was, is) = (ways(before), ways(after));
        let mut changes: Vec<Change> = opened(&was, &is, true).chain(opened(&is, &was, false)).fold(
            Vec::new(),
            |mut changes, (is_opened, harm, (object, verb, effect, actor))| {
                let same = changes.iter_mut().find(|change: &&mut Change| {
                    (change.is_opened, &change.object, change.verb, change.effect.as_str())
                        == (is_opened, object, verb, effect)
                });
                match same {
                    Some(change) => {
                        change.harm = change.harm.max(harm);
                        change.actors.push(actor.to_owned());
                    }
                    None => changes.push(Change {
                        is_opened,
                        harm,
                        object: object.clone(),
                        verb,
                        effect: effect.to_owned(),
                        actors: vec![actor.to_owned()],
                    }),
                }
                changes
            },
        );
        // Within these, objects stay in their order.
        changes.sort_by_key(|change| (!change.is_opened, std::cmp::Reverse(change.harm)));
        let was_open = |open: &&Undecided| {
            before.undecided.iter().any(|other| (&other.object, other.verb) == (&open.object, open.verb))
        };
        let undecided = after.undecided.iter().filter(|open| !was_open(open)).cloned().collect();
        Self { changes, undecided }
    }

    /// The worst that is opened.
    pub fn worst(&self) -> Option<Harm> {
        self.changes.iter().filter(|change| change.is_opened).map(|change| change.harm).max()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { changes, undecided } = self;
        changes.iter().try_for_each(|change| writeln!(f, "{change}"))?;
        undecided.iter().try_for_each(|open| writeln!(f, "{open}"))?;
        let opened = changes.iter().filter(|change| change.is_opened).count();
        write!(f, "{opened} opened, {} closed", changes.len() - opened)?;
        if undecided.is_empty() { Ok(()) } else { write!(f, ", {} undecided that were not before", undecided.len()) }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_opened, harm, object, effect, actors, .. } = self;
        let does = if *is_opened { "OPENS" } else { "CLOSES" };
        write!(f, "{does} {} {object}: {} {effect}", harm.name(), actors.join(", "))
    }
}

/// What is in the second and not in the first.
fn opened<'w, 'r>(
    was: &'w Ways<'r>,
    is: &'w Ways<'r>,
    is_opened: bool,
) -> impl Iterator<Item = (bool, Harm, (&'r Object, Verb, &'r str, &'r str))> + 'w {
    is.iter().filter(|(way, _)| !was.contains_key(way)).map(move |(way, harm)| (is_opened, *harm, *way))
}

fn ways(report: &Report) -> Ways<'_> {
    let effects =
        report.findings.iter().flat_map(|finding| finding.effects.iter().map(move |effect| (finding, effect)));
    let each = effects.flat_map(|(finding, effect)| {
        let of = |actor| (&finding.object, effect.verb, effect.text.as_str(), actor);
        effect.actors.iter().map(move |actor| (of(actor.as_str()), effect.harm))
    });
    each.collect()
}
