//! Fixes are tried where the hole is: in the prober's transaction, by probing the object again. One counts that closes a
//! finding for everybody who crossed, opens nothing, and takes nothing from those who may.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    actor::{Actor, Kind},
    constraint::within,
    desk::Desk,
    error::Error,
    finding::{Finding, is_said},
    fix::{Fix, candidates},
    guard::{guards, helpers, trusting},
    probe::{Controlled, Prober},
    record::{Cause, Cell, Crossing, Object, Record, Verb, matrix},
    sql::{ident, names_word},
    world::World,
};

/// How many fixes are tried for all findings together.
const BUDGET: usize = 200;

/// How many more are tried for a finding after one that takes nothing, and leaves a command to nobody.
const MORE: usize = 8;

/// Puts a fix that works in the place of advice, wherever one of the candidates does.
///
/// # Errors
/// When the connection is lost.
pub async fn mend(desk: &mut Desk, world: &World<'_>, before: &Record, findings: &mut [Finding]) -> Result<(), Error> {
    let mut left = BUDGET;
    // Helpers that were mended for one finding may be what others come from.
    let mut mended: Vec<String> = Vec::new();
    for at in 0..findings.len() {
        let finding = &findings[at];
        if let (Cause::Trigger(_), "function") = (&finding.cause, finding.object.noun) {
            if let Some(sql) = signed_up(desk, world, finding).await? {
                findings[at].fix = Fix { sql, is_tried: true };
            }
            continue;
        }
        let shown_by: Vec<_> = finding.effects.iter().map(|effect| effect.sql.as_str()).collect();
        let mut candidates = candidates((world.catalog, world.tenancy), &finding.object, &finding.cause, &shown_by);
        if let (Cause::Constraint(name), Some(relation)) = (&finding.cause, world.catalog.named(&finding.object.name)) {
            candidates.extend(within(world.catalog, relation, name, |relation| world.whose_columns(relation)));
        }
        if let (Cause::Trigger(_), Some(relation)) = (&finding.cause, world.catalog.named(&finding.object.name)) {
            let names = relation.references.iter().map(|reference| &reference.name);
            candidates.extend(
                names.flat_map(|name| within(world.catalog, relation, name, |relation| world.whose_columns(relation))),
            );
        }
        if finding.cause == Cause::Function {
            candidates.extend(guards(desk, world, &finding.object.name).await?);
        }
        let asked = asked_by(world, finding);
        if !asked.is_empty() {
            let helpers = helpers(desk, world, &asked).await?;
            // Who is in office no more, or says more of themselves than the server, is let in by what all policies ask.
            let is_by_helper = finding.actors().iter().all(|actor| is_misjudged(world, actor));
            let (first, last): (Vec<_>, Vec<_>) =
                helpers.into_iter().partition(|helper| is_by_helper || mended.contains(helper));
            candidates.splice(0..0, first);
            candidates.extend(last);
        }
        if candidates.is_empty() || is_unsure(before, finding) {
            continue;
        }
        let others = findings.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, finding)| finding);
        let others = others.filter(|other| other.object == finding.object).flat_map(deeds).collect::<BTreeSet<_>>();
        let mending = Mending {
            before,
            finding,
            own: deeds(finding).filter(|deed| !others.contains(deed)).collect(),
            known: before.crossings.iter().map(deed).collect(),
            controls: Prober::controls(desk, world, &finding.object).await?,
            kept: Prober::kept(desk, world, &finding.object).await?,
            otherwise: otherwise(desk, world, before, finding).await?,
        };
        let (mut best, mut more): (Option<(Loss, String)>, _) = (None, MORE);
        for sql in candidates {
            if left == 0 || more == 0 {
                break;
            }
            left -= 1;
            desk.mark("mending").await?;
            let is_made = desk.keep(&sql).await?.is_ok();
            let loss = match is_made && !still_crosses(desk, world, &finding.object, &mending.own).await? {
                true => mending.loss(desk, world).await?,
                false => None,
            };
            desk.back("mending").await?;
            if let Some(loss) = loss.filter(|loss| best.as_ref().is_none_or(|(least, _)| loss < least)) {
                best = Some((loss, sql));
            }
            match &best {
                Some((loss, _)) if *loss == Loss::default() => break,
                Some((loss, _)) if loss.takes_nothing() => more -= 1,
                _ => {}
            }
        }
        if let Some((loss, sql)) = best {
            if finding.cause != Cause::Function && sql.starts_with("CREATE OR REPLACE FUNCTION") {
                mended.push(sql.clone());
            }
            let sql = loss.warning().map(|warning| format!("{warning}\n{sql}")).unwrap_or(sql);
            findings[at].fix = Fix { sql, is_tried: true };
        }
    }
    Ok(())
}

/// Whether somebody is let in who only seems to be what policies ask for.
fn is_misjudged(world: &World<'_>, name: &str) -> bool {
    let kind = world.actors.iter().find(|actor| actor.name == name).map(|actor| actor.kind);
    name == "claimant" || matches!(kind, Some(Kind::Dead | Kind::Closed))
}

/// What closes a trigger that believes those who sign up: somebody who claims the same gets nothing by it then, and somebody
/// who claims nothing can sign up as before.
async fn signed_up(desk: &mut Desk, world: &World<'_>, finding: &Finding) -> Result<Option<String>, Error> {
    let named = |name: &str| world.actors.iter().find(|actor| actor.name == name)?.user.clone();
    let (Some(claimant), Some(newcomer), Some(effect)) =
        (named("claimant"), named("newcomer"), finding.effects.first())
    else {
        return Ok(None);
    };
    let Some(sql) = trusting(desk, world, &finding.object.name).await? else { return Ok(None) };
    let of_newcomer = effect.sql.replace(&claimant, &newcomer);
    let mut is_closed = true;
    for signing_up in [&effect.sql, &of_newcomer] {
        desk.mark("mending").await?;
        let made = desk.keep(&sql).await?.is_ok();
        let got = desk.keep(signing_up).await?;
        desk.back("mending").await?;
        is_closed &= made && got.is_ok_and(|got| got.rows.is_empty());
    }
    Ok(is_closed.then_some(sql))
}

/// Whether it could not be decided of somebody who crossed what is theirs: then nobody sees whether a fix leaves it to them.
fn is_unsure(before: &Record, finding: &Finding) -> bool {
    let mut deeds = deeds(finding);
    deeds.any(|(verb, actor, _)| before.unsure.contains(&(finding.object.clone(), actor.to_owned(), verb)))
}

/// What is asked by the policies or the function that a finding is about.
fn asked_by<'c>(world: &World<'c>, finding: &Finding) -> Vec<&'c str> {
    let relation = world.catalog.named(&finding.object.name);
    match (&finding.cause, relation) {
        (Cause::Policies(names), Some(relation)) => {
            let policies = relation.policies.iter().filter(|policy| names.contains(&policy.name));
            policies.flat_map(|policy| [policy.using.as_deref(), policy.check.as_deref()]).flatten().collect()
        }
        (Cause::Function, _) => {
            let functions = world.catalog.functions.iter();
            let functions = functions.filter(|function| function.title() == finding.object.name);
            functions.map(|function| function.source.as_str()).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether the first of those who crossed still does: most of what does not work is found out by that.
async fn still_crosses(
    desk: &mut Desk,
    world: &World<'_>,
    object: &Object,
    own: &BTreeSet<Deed<'_>>,
) -> Result<bool, Error> {
    let Some((_, actor, _)) = own.first() else { return Ok(false) };
    let crosses = |record: &Record| record.crossings.iter().any(|crossing| own.contains(&deed(crossing)));
    Ok(crosses(&Prober::again(desk, world, object, Some(actor), &crosses).await?))
}

/// A finding that is to be mended, and what a fix is held against.
struct Mending<'f> {
    before: &'f Record,
    finding: &'f Finding,
    /// What nobody must be able to do any more.
    own: BTreeSet<Deed<'f>>,
    /// What somebody can do without a fix.
    known: BTreeSet<Deed<'f>>,
    /// What those get who may.
    controls: Vec<Controlled>,
    /// How many rows of their own members get.
    kept: Vec<u64>,
    /// What members have of their own by other policies than those at fault.
    otherwise: BTreeSet<(Object, String, Verb)>,
}

impl Mending<'_> {
    /// What the fix that is in place takes; none where it leaves the finding open, opens something, or takes what was
    /// somebody's right.
    async fn loss(&self, desk: &mut Desk, world: &World<'_>) -> Result<Option<Loss>, Error> {
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
async fn otherwise(
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
struct Loss {
    /// What members had of their own, who crossed in the same way.
    members: usize,
    /// Commands that nobody gives any more: a policy for one is there for somebody.
    unused: usize,
    /// What those had who are of no tenant.
    others: usize,
    /// Hints that the finding said as well, and that are left.
    left: usize,
}

impl Loss {
    fn takes_nothing(&self) -> bool {
        (self.members, self.others) == (0, 0)
    }

    /// What whoever runs the fix has to know, where it may take what somebody was meant to have.
    fn warning(&self) -> Option<&'static str> {
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

/// All fixes together.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Mended {
    /// A migration of all fixes that go together.
    pub sql: String,
    /// Who may do what before it.
    pub before: String,
    /// Who may do what after it.
    pub after: String,
    /// How many findings it closes.
    pub closes: usize,
}

/// Tries all fixes together: one that opens something, or takes something from those who may, beside the others is taken
/// for advice.
///
/// # Errors
/// When the connection is lost.
pub async fn together(
    desk: &mut Desk,
    world: &World<'_>,
    before: &Record,
    findings: &mut [Finding],
) -> Result<Mended, Error> {
    let actors: Vec<_> = world.actors.iter().map(|actor| actor.name.clone()).collect();
    loop {
        let fixes = findings.iter().filter(|finding| finding.fix.is_tried);
        let fixes: Vec<_> = fixes.map(|finding| finding.fix.sql.as_str()).collect();
        let sql = fixes.join("\n\n");
        desk.mark("together").await?;
        let is_made = sql.is_empty() || desk.keep(&sql).await?.is_ok();
        let after = if is_made { Prober::run(desk, world, None).await? } else { Record::default() };
        desk.back("together").await?;
        let known: BTreeSet<_> = before.crossings.iter().map(deed).collect();
        let open: BTreeSet<_> = after.crossings.iter().map(deed).collect();
        let is_new = |crossing: &&Crossing| !known.contains(&deed(crossing));
        let opened = after.crossings.iter().filter(is_new).map(|crossing| &crossing.object);
        let lost = before.own.difference(&after.own).map(|(object, ..)| object);
        let broken: BTreeSet<_> = lost.chain(opened).cloned().collect();
        let breaks = |finding: &Finding| finding.fix.is_tried && (!is_made || broken.contains(&finding.object));
        let worst = findings.iter().position(breaks);
        match worst {
            Some(worst) => findings[worst].fix.is_tried = false,
            None => {
                let is_closed =
                    |finding: &&Finding| finding.fix.is_tried && !deeds(finding).any(|deed| open.contains(&deed));
                let closes = findings.iter().filter(is_closed);
                return Ok(Mended {
                    closes: closes.count(),
                    before: matrix(&before.cells, &actors),
                    after: matrix(&after.cells, &actors),
                    sql,
                });
            }
        }
    }
}

/// Crossings without hints that say nothing beside the others.
fn told(crossings: &[Crossing]) -> impl Iterator<Item = &Crossing> {
    crossings.iter().filter(move |crossing| !is_said(crossings, crossing))
}

/// Something that somebody can do: the verb, the actor, the effect.
type Deed<'d> = (Verb, &'d str, &'d str);

fn deed(crossing: &Crossing) -> Deed<'_> {
    (crossing.verb, &crossing.actor, &crossing.effect)
}

/// Everything that somebody can do, by whom.
fn deeds(finding: &Finding) -> impl Iterator<Item = Deed<'_>> {
    finding
        .effects
        .iter()
        .flat_map(|effect| effect.actors.iter().map(move |actor| (effect.verb, actor.as_str(), effect.text.as_str())))
}
