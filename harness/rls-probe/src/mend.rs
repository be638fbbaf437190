//! Fixes are tried where the hole is: in the prober's transaction, by probing the object again. One counts that closes a
//! finding for everybody who crossed, opens nothing, and takes nothing from those who may.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    constraint::within,
    desk::Desk,
    error::Error,
    finding::Finding,
    fix::{Fix, candidates},
    guard::guards,
    probe::{Controlled, Prober},
    record::{Cause, Cell, Crossing, Object, Record, Verb, matrix},
    world::World,
};

/// How many fixes are tried for all findings together.
const BUDGET: usize = 200;

/// Puts a fix that works in the place of advice, wherever one of the candidates does.
///
/// # Errors
/// When the connection is lost.
pub async fn mend(desk: &mut Desk, world: &World<'_>, before: &Record, findings: &mut [Finding]) -> Result<(), Error> {
    let mut left = BUDGET;
    for at in 0..findings.len() {
        let finding = &findings[at];
        let shown_by: Vec<_> = finding.effects.iter().map(|effect| effect.sql.as_str()).collect();
        let mut candidates = candidates(world.catalog, &finding.object, &finding.cause, &shown_by);
        if let (Cause::Constraint(name), Some(relation)) = (&finding.cause, world.catalog.named(&finding.object.name)) {
            candidates.extend(within(world.catalog, relation, name, |relation| world.whose_columns(relation)));
        }
        if finding.cause == Cause::Function {
            candidates.extend(guards(desk, world, &finding.object.name).await?);
        }
        if candidates.is_empty() {
            continue;
        }
        let others = findings.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, finding)| finding);
        let others = others.filter(|other| other.object == finding.object).flat_map(deeds).collect::<BTreeSet<_>>();
        let own: BTreeSet<_> = deeds(finding).filter(|deed| !others.contains(deed)).collect();
        let controls = Prober::controls(desk, world, &finding.object).await?;
        let known: BTreeSet<_> = before.crossings.iter().map(deed).collect();
        let mut best: Option<(Loss, String)> = None;
        for sql in candidates {
            if left == 0 {
                break;
            }
            left -= 1;
            desk.mark("mending").await?;
            let is_made = desk.keep(&sql).await?.is_ok();
            let loss = match is_made && !still_crosses(desk, world, &finding.object, &own).await? {
                true => loss(desk, world, before, finding, (&own, &known), &controls).await?,
                false => None,
            };
            desk.back("mending").await?;
            if let Some(loss) = loss.filter(|loss| best.as_ref().is_none_or(|(least, _)| loss < least)) {
                best = Some((loss, sql));
            }
            if best.as_ref().is_some_and(|(loss, _)| *loss == Loss::default()) {
                break;
            }
        }
        let works = best.map(|(_, sql)| sql);
        if let Some(sql) = works {
            findings[at].fix = Fix { sql, is_tried: true };
        }
    }
    Ok(())
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

/// What the fix that is in place takes; none where it leaves open what is the finding's `own`, opens what is not `known`,
/// or takes what was somebody's right.
async fn loss(
    desk: &mut Desk,
    world: &World<'_>,
    before: &Record,
    finding: &Finding,
    (own, known): (&BTreeSet<Deed<'_>>, &BTreeSet<Deed<'_>>),
    controls: &[Controlled],
) -> Result<Option<Loss>, Error> {
    let object = &finding.object;
    let now = Prober::controls(desk, world, object).await?;
    let less: Vec<_> = controls.iter().zip(&now).filter(|(before, now)| before != now).collect();
    if less.iter().any(|(before, _)| !before.is_outside || !is_for_anybody(finding)) {
        return Ok(None);
    }
    let is_open = |after: &Record| {
        let mut crossed = after.crossings.iter().map(deed);
        crossed.any(|deed| own.contains(&deed) || !known.contains(&deed))
    };
    let after = Prober::again(desk, world, object, None, &is_open).await?;
    let is_closed = !is_open(&after) && !fails(before, &after, object);
    let members = if is_closed { lost(before, &after, object, is_for_anybody(finding)) } else { None };
    Ok(members.map(|members| Loss { members, others: less.len() }))
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
    /// What those had who are of no tenant.
    others: usize,
}

/// How much a fix takes from members; none where it takes what was somebody's right. Who got across the wall by a command
/// may have had their own tenant's rows by nothing else, as long as somebody of every tenant keeps them.
fn lost(before: &Record, after: &Record, object: &Object, is_for_anybody: bool) -> Option<usize> {
    let of_object = || before.own.iter().filter(|(of, ..)| of == object);
    let gone: Vec<_> = of_object().filter(|allowed| !after.own.contains(*allowed)).collect();
    let has_crossed = |actor: &str, verb: Verb| {
        let mut crossings = before.crossings.iter().filter(|crossing| crossing.object == *object);
        crossings.any(|crossing| crossing.actor == actor && crossing.verb == verb)
    };
    let is_kept = |verb: Verb| of_object().any(|allowed| allowed.2 == verb && after.own.contains(allowed));
    // What a function does for its caller's own is seldom by the same hole as what it does for others'.
    let is_by_crossing = |(_, actor, verb): &&(Object, String, Verb)| {
        has_crossed(actor, *verb) && is_kept(*verb) && (*verb != Verb::Call || is_for_anybody)
    };
    gone.iter().all(is_by_crossing).then_some(gone.len())
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
