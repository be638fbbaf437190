//! What a fix takes: whether it leaves the finding open, opens something or takes what was somebody's right, and how much it
//! takes from those who may have come by it through the hole.

use std::collections::BTreeSet;

use crate::{
    actor::Actor,
    desk::Desk,
    error::Error,
    finding::Finding,
    probe::{Controlled, Prober},
    record::{Cause, Cell, Object, Record, Verb},
    sql::{ident, names_word},
    world::World,
};

use super::{Deed, deed, deeds, told};

/// A finding that is to be mended, and what a fix is held against.
pub(super) struct Mending<'f> {
    pub(super) before: &'f Record,
    pub(super) finding: &'f Finding,
    /// What nobody must be able to do any more.
    pub(super) own: BTreeSet<Deed<'f>>,
    /// What somebody can do without a fix.
    pub(super) known: BTreeSet<Deed<'f>>,
    /// What those get who may.
    pub(super) controls: Vec<Controlled>,
    /// How many rows of their own members get.
    pub(super) kept: Vec<u64>,
    /// What members have of their own by other policies than those at fault.
    pub(super) otherwise: BTreeSet<(Object, String, Verb)>,
}

impl Mending<'_> {
    /// What the fix that is in place takes; none where it leaves the finding open, opens something, or takes what was
    /// somebody's right.
    pub(super) async fn loss(&self, desk: &mut Desk, world: &World<'_>) -> Result<Option<Loss>, Error> {
        let object = &self.finding.object;
        let now = Prober::controls(desk, world, object).await?;
        let less: Vec<_> = self.controls.iter().zip(&now).filter(|(before, now)| before != now).collect();
        if less.iter().any(|(before, _)| !before.is_outside || !is_for_anybody(self.finding)) {
            return Ok(None);
        }
        let is_open = |after: &Record| {
            let mut crossed = told(&after.crossings).map(deed);
            crossed.any(|deed| self.own.contains(&deed) || !self.known.contains(&deed))
        };
        let after = Prober::again(desk, world, object, None, &is_open).await?;
        let is_closed = !is_open(&after) && !fails(self.before, &after, object);
        let members = if is_closed { self.lost(world, &after) } else { None };
        let Some(members) = members else { return Ok(None) };
        if !leaves_readers(desk, world, self.before, self.finding).await? {
            return Ok(None);
        }
        let kept = Prober::kept(desk, world, object).await?;
        let fewer = self.kept.iter().zip(kept).filter(|(before, now)| *before > now).count();
        let of_finding: BTreeSet<_> = told(&self.before.crossings).map(deed).collect();
        let left = told(&after.crossings).map(deed).filter(|deed| !of_finding.contains(deed)).count();
        Ok(Some(Loss { members: members + fewer, unused: unused(self.finding, &after), others: less.len(), left }))
    }

    /// How much a fix takes from members; none where it takes what was somebody's right. Who got across the wall by a command
    /// may have had their own tenant's rows by nothing else, as long as the highest who had them by the same keeps them.
    fn lost(&self, world: &World<'_>, after: &Record) -> Option<usize> {
        let (before, object) = (self.before, &self.finding.object);
        let of_object = || before.own.iter().filter(|(of, ..)| of == object);
        let gone: Vec<_> = of_object().filter(|allowed| !after.own.contains(*allowed)).collect();
        let has_crossed = |actor: &str, verb: Verb| {
            let mut crossings = before.crossings.iter().filter(|crossing| crossing.object == *object);
            crossings.any(|crossing| crossing.actor == actor && crossing.verb == verb)
        };
        let is_kept = |verb: Verb| {
            let of = |actor: &Actor| (object.clone(), actor.name.clone(), verb);
            let had =
                |allowed: &(Object, String, Verb)| before.own.contains(allowed) && !self.otherwise.contains(allowed);
            let highest = world.actors.iter().map(of).find(had);
            highest.is_some_and(|highest| after.own.contains(&highest))
        };
        // What a function does for its caller's own is seldom by the same hole as what it does for others'.
        let is_by_crossing = |(_, actor, verb): &&(Object, String, Verb)| {
            has_crossed(actor, *verb) && is_kept(*verb) && (*verb != Verb::Call || is_for_anybody(self.finding))
        };
        gone.iter().all(is_by_crossing).then_some(gone.len())
    }
}

/// What members have of their own without the policies at fault, where somebody who crossed has something of their own.
pub(super) async fn otherwise(
    desk: &mut Desk,
    world: &World<'_>,
    before: &Record,
    finding: &Finding,
) -> Result<BTreeSet<(Object, String, Verb)>, Error> {
    let object = &finding.object;
    let (Cause::Policies(names), Some(relation)) = (&finding.cause, world.catalog.named(&object.name)) else {
        return Ok(BTreeSet::new());
    };
    let is_own = |(verb, actor, _): Deed<'_>| before.own.contains(&(object.clone(), actor.to_owned(), verb));
    if object.noun != "table" || !deeds(finding).any(is_own) {
        return Ok(BTreeSet::new());
    }
    let dropped = names.iter().map(|name| format!("drop policy {} on {};", ident(name), relation.sql()));
    desk.mark("mending").await?;
    let is_made = desk.keep(&dropped.collect::<String>()).await?.is_ok();
    let after = match is_made {
        true => Prober::again(desk, world, object, None, &|_| false).await?,
        false => Record::default(),
    };
    desk.back("mending").await?;
    Ok(after.own)
}

/// Whether what reads a table as its caller goes on answering those who have not crossed.
async fn leaves_readers(desk: &mut Desk, world: &World<'_>, before: &Record, finding: &Finding) -> Result<bool, Error> {
    let crossed = finding.actors();
    for reader in readers(world, &finding.object) {
        let had =
            before.own.iter().filter(|(object, actor, _)| *object == reader && !crossed.contains(&actor.as_str()));
        for own in had {
            let has_it = |record: &Record| record.own.contains(own);
            if !has_it(&Prober::again(desk, world, &reader, Some(&own.1), &has_it).await?) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Functions and views that run as their callers and name a table, or the table of a column.
fn readers(world: &World<'_>, object: &Object) -> Vec<Object> {
    let table = if object.noun == "column" { object.name.rsplit_once('.').map(|(table, _)| table) } else { None };
    let Some(relation) = world.catalog.named(table.unwrap_or(&object.name)) else { return Vec::new() };
    let names_it = |text: &str| names_word(text, &relation.name);
    let functions = world.catalog.functions.iter();
    let functions = functions
        .filter(|function| !function.definer && names_it(&function.source))
        .map(|function| Object { noun: "function", name: function.title() });
    let views = world.catalog.relations.iter().filter(|view| view.oid != relation.oid && view.noun() == "view");
    let views = views
        .filter(|view| view.definition.as_deref().is_some_and(names_it))
        .map(|view| Object { noun: "view", name: view.title() });
    functions.chain(views).collect()
}

/// Whether whoever has just signed up can do it: then that others can, the platform's admin or whoever is invited, says
/// nothing of what they may.
fn is_for_anybody(finding: &Finding) -> bool {
    finding.actors().iter().any(|actor| matches!(*actor, "newcomer" | "anonymous"))
}

/// What a fix takes beside what was found, the least first.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Loss {
    /// What members had of their own, who crossed in the same way.
    pub(super) members: usize,
    /// Commands that nobody gives any more: a policy for one is there for somebody.
    pub(super) unused: usize,
    /// What those had who are of no tenant.
    pub(super) others: usize,
    /// Hints that the finding said as well, and that are left.
    pub(super) left: usize,
}

impl Loss {
    pub(super) fn takes_nothing(&self) -> bool {
        (self.members, self.others) == (0, 0)
    }

    /// What whoever runs the fix has to know, where it may take what somebody was meant to have.
    pub(super) fn warning(&self) -> Option<&'static str> {
        (self.members > 0).then_some(
            "-- members get less of their own tenant by it than they had by the same policy: see that nobody needs it",
        )
    }
}

/// Of the commands that a finding is about those that nobody gives with what is theirs.
fn unused(finding: &Finding, after: &Record) -> usize {
    let verbs: BTreeSet<_> = finding.effects.iter().map(|effect| effect.verb).collect();
    let is_given = |verb: &Verb| after.own.iter().any(|(object, _, of)| *object == finding.object && of == verb);
    let is_by_policy = matches!(finding.cause, Cause::Policies(_));
    verbs.iter().filter(|verb| is_by_policy && !is_given(verb)).count()
}

/// Whether something fails, or cannot be decided, that did not before: a policy that ends in an error refuses nobody.
fn fails(before: &Record, after: &Record, object: &Object) -> bool {
    let is_open = |cell: &Cell| matches!(cell, Cell::Failed | Cell::Undecided(_));
    let was_open = |actor: &str, verb: Verb| {
        before.cells.get(object).and_then(|actors| actors.get(actor)?.get(&verb)).is_some_and(is_open)
    };
    let actors = after.cells.get(object).into_iter().flatten();
    actors
        .flat_map(|(actor, verbs)| verbs.iter().map(move |(verb, cell)| (actor, *verb, cell)))
        .any(|(actor, verb, cell)| is_open(cell) && !was_open(actor, verb))
}
