//! Crossings that have one cause are one finding.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use crate::{
    catalog::{Catalog, Relation},
    fix::{Fix, advice},
    harm::Harm,
    record::{Cause, Crossing, Object, Verb},
    rule::Rule,
};

/// A way across the wall, by whomever.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What kind of fault it is.
    pub rule: Rule,
    /// How bad the worst of it is.
    pub harm: Harm,
    /// What is open.
    pub object: Object,
    /// What happens, for everything that the same cause allows.
    pub effects: Vec<Effect>,
    /// The policy, grant, function or constraint at fault.
    pub cause: Cause,
    /// What mends it.
    pub fix: Fix,
    /// Views and functions through which the same is seen.
    pub also: Vec<Object>,
}

/// What somebody can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// What they do, in a word.
    pub verb: Verb,
    /// Everybody who can.
    pub actors: Vec<String>,
    /// The end of a sentence that begins with them.
    pub text: String,
    /// How bad it is.
    pub harm: Harm,
    /// What shows it when pasted into psql behind [`Report::world`](super::Report::world), by the first of them.
    pub sql: String,
}

impl Finding {
    /// Everything that can be done.
    pub fn verbs(&self) -> BTreeSet<Verb> {
        self.effects.iter().map(|effect| effect.verb).collect()
    }

    /// Everybody who can do any of it.
    pub fn actors(&self) -> BTreeSet<&str> {
        self.effects.iter().flat_map(|effect| effect.actors.iter().map(String::as_str)).collect()
    }
}

/// With `{:#}` the SQL that shows it is there as well.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, harm, object, effects, cause, fix, also } = self;
        writeln!(f, "{} {object} ({})", harm.name().to_uppercase(), rule.id())?;
        for effect in effects {
            writeln!(f, "  {} {}", effect.actors.join(", "), effect.text)?;
        }
        writeln!(f, "  {:<10}{cause}", "cause")?;
        if !also.is_empty() {
            let also: Vec<_> = also.iter().map(ToString::to_string).collect();
            writeln!(f, "  {:<10}{}", "also", also.join(", "))?;
        }
        if f.alternate()
            && let Some(effect) = effects.first()
        {
            writeln!(f, "  {:<10}{}", "shown by", effect.sql.replace('\n', "\n            "))?;
        }
        let label = if fix.is_tried { "fix" } else { "advice" };
        writeln!(f, "  {label:<10}{}", fix.sql.replace('\n', "\n            "))
    }
}

/// Whether a hint says nothing beside what else the same actor does with the object: worse by the same verb, or the same
/// constraint passed by a row that is added.
pub fn is_said(crossings: &[Crossing], hint: &Crossing) -> bool {
    let mut of_actor = crossings.iter().filter(|other| other.actor == hint.actor && other.object == hint.object);
    hint.harm == Harm::Low
        && matches!(hint.cause, Cause::Constraint(_) | Cause::Function)
        && of_actor.any(|other| {
            let is_worse = other.verb == hint.verb && other.harm > Harm::Low;
            is_worse || other.cause == hint.cause && hint.verb == Verb::Update && other.verb == Verb::Insert
        })
}

/// Whether a view or a function reads a table, itself or through another one.
fn reads(catalog: &Catalog, other: &Object, of: &Relation) -> bool {
    match catalog.named(&other.name) {
        Some(view) => catalog.is_behind(view, of),
        None => {
            let mut named = catalog.functions.iter().filter(|function| function.title() == other.name);
            named.any(|function| catalog.asks_of(&function.source, of))
        }
    }
}

/// Groups crossings by cause.
pub fn findings(catalog: &Catalog, crossings: &[Crossing]) -> Vec<Finding> {
    let open = |actor: &str| {
        crossings.iter().any(|crossing| {
            crossing.actor == actor
                && crossing.object.noun == "table"
                && crossing.object.name.split('.').next() != Some("auth")
        })
    };
    let follows = |crossing: &Crossing| match (&crossing.cause, crossing.object.noun) {
        // What runs as its caller shows what its caller may see anyway.
        (Cause::Policies(_), "view") => true,
        (Cause::Function, _) => {
            let function = catalog.functions.iter().find(|function| function.title() == crossing.object.name);
            function.is_some_and(|function| !function.definer) && open(&crossing.actor)
        }
        _ => false,
    };
    let mut groups: BTreeMap<(Object, Cause), Vec<&Crossing>> = BTreeMap::new();
    for crossing in crossings.iter().filter(|crossing| !follows(crossing) && !is_said(crossings, crossing)) {
        groups.entry((crossing.object.clone(), crossing.cause.clone())).or_default().push(crossing);
    }
    let following: BTreeSet<&Object> =
        crossings.iter().filter(|crossing| follows(crossing)).map(|crossing| &crossing.object).collect();
    let mut findings: Vec<_> = groups
        .into_iter()
        .map(|((object, cause), group)| {
            let mut effects: Vec<Effect> = Vec::new();
            for crossing in &group {
                match effects.iter_mut().find(|effect| (effect.verb, &effect.text) == (crossing.verb, &crossing.effect))
                {
                    Some(effect) => {
                        effect.actors.push(crossing.actor.clone());
                        effect.harm = effect.harm.max(crossing.harm);
                    }
                    None => effects.push(Effect {
                        verb: crossing.verb,
                        actors: vec![crossing.actor.clone()],
                        text: crossing.effect.clone(),
                        harm: crossing.harm,
                        sql: crossing.sql.clone(),
                    }),
                }
            }
            effects.sort_by_key(|effect| effect.verb);
            let harm = group.iter().map(|crossing| crossing.harm).max().unwrap_or(Harm::Low);
            let fix = advice(catalog, &object, &cause);
            let is_of_it = |other: &&&Object| catalog.named(&object.name).is_some_and(|of| reads(catalog, other, of));
            let also = following.iter().filter(|_| object.noun == "table").filter(is_of_it);
            let also = also.map(|other| (*other).clone()).collect();
            Finding { rule: Rule::of(&cause), harm, object, effects, cause, fix, also }
        })
        .collect();
    findings.sort_by(|one, other| (other.harm, &one.object).cmp(&(one.harm, &other.object)));
    findings
}
