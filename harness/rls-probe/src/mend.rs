//! Fixes are tried where the hole is: in the prober's transaction, by probing the object again. One counts that closes a
//! finding for everybody who crossed, opens nothing, and takes nothing from those who may.

use std::collections::BTreeSet;

use crate::{
    desk::Desk,
    error::Error,
    finding::Finding,
    fix::{Fix, candidates},
    probe::Prober,
    record::{Record, Verb},
    world::World,
};

/// How many fixes are tried for all findings together.
const BUDGET: usize = 80;

/// Puts a fix that works in the place of advice, wherever one of the candidates does.
///
/// # Errors
/// When the connection is lost.
pub async fn mend(desk: &mut Desk, world: &World<'_>, before: &Record, findings: &mut [Finding]) -> Result<(), Error> {
    let mut left = BUDGET;
    for at in 0..findings.len() {
        let finding = &findings[at];
        let candidates = candidates(world.catalog, &finding.object, &finding.cause);
        if candidates.is_empty() {
            continue;
        }
        let others = findings.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, finding)| finding);
        let others = others.filter(|other| other.object == finding.object).flat_map(deeds).collect::<BTreeSet<_>>();
        let own: BTreeSet<_> = deeds(finding).filter(|deed| !others.contains(deed)).collect();
        let controls = Prober::controls(desk, world, &finding.object).await?;
        let known: BTreeSet<_> = findings.iter().flat_map(deeds).collect();
        let mut works = None;
        for sql in candidates {
            if left == 0 {
                break;
            }
            left -= 1;
            desk.mark("mending").await?;
            if desk.keep(&sql).await?.is_ok() {
                let after = Prober::again(desk, world, &finding.object).await?;
                let crossed: BTreeSet<_> = after
                    .crossings
                    .iter()
                    .map(|crossing| (crossing.verb, crossing.actor.as_str(), crossing.effect.as_str()))
                    .collect();
                let is_closed = crossed.is_disjoint(&own) && crossed.is_subset(&known);
                let keeps = before.own.iter().filter(|(object, ..)| *object == finding.object);
                let keeps = keeps.into_iter().all(|allowed| after.own.contains(allowed));
                if is_closed && keeps && Prober::controls(desk, world, &finding.object).await? == controls {
                    works = Some(sql);
                }
            }
            desk.back("mending").await?;
            if works.is_some() {
                break;
            }
        }
        if let Some(sql) = works {
            findings[at].fix = Fix { sql, is_tried: true };
        }
    }
    Ok(())
}

/// Everything that somebody can do, by whom.
fn deeds(finding: &Finding) -> impl Iterator<Item = (Verb, &str, &str)> {
    finding
        .effects
        .iter()
        .flat_map(|effect| effect.actors.iter().map(move |actor| (effect.verb, actor.as_str(), effect.text.as_str())))
}
