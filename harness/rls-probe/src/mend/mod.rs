//! Fixes are tried where the hole is: in the prober's transaction, by probing the object again. One counts that closes a
//! finding for everybody who crossed, opens nothing, and takes nothing from those who may.

mod loss;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    actor::Kind,
    constraint::within,
    desk::Desk,
    error::Error,
    finding::{Finding, is_said},
    fix::{Fix, candidates},
    guard::{guards, helpers, trusting},
    probe::Prober,
    record::{Cause, Crossing, Object, Record, Verb, matrix},
    world::World,
};

use self::loss::{Loss, Mending, otherwise};

/// How many fixes are tried for all findings together.
const BUDGET: usize = 200;

/// How many more are tried for a finding after one that takes nothing, and leaves a command to nobody.
const MORE: usize = 8;

/// How many more are tried after one that takes something.
const LEAST: usize = 24;

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
        let candidates = candidates_for(desk, world, finding, &mended).await?;
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
        if let Some((loss, sql)) = best(desk, world, &mending, candidates, &mut left).await? {
            if finding.cause != Cause::Function && sql.starts_with("CREATE OR REPLACE FUNCTION") {
                mended.push(sql.clone());
            }
            let sql = loss.warning().map(|warning| format!("{warning}\n{sql}")).unwrap_or(sql);
            findings[at].fix = Fix { sql, is_tried: true };
        }
    }
    Ok(())
}

/// All that may close a finding, the likeliest first.
async fn candidates_for(
    desk: &mut Desk,
    world: &World<'_>,
    finding: &Finding,
    mended: &[String],
) -> Result<Vec<String>, Error> {
    let shown_by: Vec<_> = finding.effects.iter().map(|effect| effect.sql.as_str()).collect();
    let mut candidates = candidates((world.catalog, world.tenancy), &finding.object, &finding.cause, &shown_by);
    if let Some(relation) = world.catalog.named(&finding.object.name) {
        let names: Vec<_> = match &finding.cause {
            Cause::Constraint(name) => vec![name],
            Cause::Trigger(_) => relation.references.iter().map(|reference| &reference.name).collect(),
            _ => Vec::new(),
        };
        let names = names.into_iter();
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
    Ok(candidates)
}

/// Of the candidates that close a finding the one that takes the least, as far as there is time.
async fn best(
    desk: &mut Desk,
    world: &World<'_>,
    mending: &Mending<'_>,
    candidates: Vec<String>,
    left: &mut usize,
) -> Result<Option<(Loss, String)>, Error> {
    let (mut best, mut more, mut least): (Option<(Loss, String)>, _, _) = (None, MORE, LEAST);
    for sql in candidates {
        if [*left, more, least].contains(&0) {
            break;
        }
        *left -= 1;
        desk.mark("mending").await?;
        let is_made = desk.keep(&sql).await?.is_ok();
        let loss = match is_made && !still_crosses(desk, world, &mending.finding.object, &mending.own).await? {
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
            Some(_) => least -= 1,
            None => {}
        }
    }
    Ok(best)
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
