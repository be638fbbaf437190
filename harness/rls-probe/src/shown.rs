//! Scripts that show an effect are run before they are handed out: each in a transaction of its own that is rolled back,
//! beside the same by somebody who may, or on rows of one's own.

use std::collections::BTreeMap;

use crate::{
    actor::Actor,
    desk::Desk,
    error::Error,
    finding::Effect,
    record::{Object, Verb},
    report::Report,
    world::{OTHER, OWN, World},
};

/// What came of the scripts.
pub struct Shown {
    /// For each effect, in the order of the report, whether its script ran to its end and showed something.
    pub shown: Vec<bool>,
    /// For an effect's statements, the same by somebody who may, where that shows something as well.
    pub contrasts: BTreeMap<String, String>,
}

/// Runs them.
///
/// # Errors
/// When the connection is lost.
pub async fn shown(
    desk: &mut Desk,
    report: &Report,
    migration: Option<&str>,
    world: &World<'_>,
) -> Result<Shown, Error> {
    let (mut shown, mut contrasts) = (Vec::new(), BTreeMap::new());
    let effects =
        report.findings.iter().flat_map(|finding| finding.effects.iter().map(move |effect| (finding, effect)));
    for (finding, effect) in effects.collect::<Vec<_>>() {
        let prepared = format!("begin;\n{}\n;\n{}\nsavepoint seen", migration.unwrap_or_default(), report.world);
        let is_prepared = desk.outside(&prepared).await?.is_ok();
        let is_shown = is_prepared && runs(desk, effect, &effect.sql).await?;
        shown.push(is_shown);
        let by_control = world.controls.first().and_then(|control| contrast(effect, control));
        let on_own_row = on_own_row(effect, &finding.object, world);
        for contrast in by_control.into_iter().chain(on_own_row).filter(|_| is_shown) {
            if desk.outside("rollback to savepoint seen").await?.is_ok() && runs(desk, effect, &contrast).await? {
                contrasts.insert(effect.sql.clone(), contrast);
                break;
            }
        }
        let _ = desk.outside("rollback").await?;
    }
    Ok(Shown { shown, contrasts })
}

async fn runs(desk: &mut Desk, effect: &Effect, sql: &str) -> Result<bool, Error> {
    let done = desk.outside(sql).await?;
    Ok(done.is_ok_and(|(rows, value)| shows(effect, rows, value.as_deref())))
}

/// An effect's last statement, by somebody else.
fn contrast(effect: &Effect, control: &Actor) -> Option<String> {
    let statement = effect.sql.splitn(3, '\n').nth(2)?;
    let [role, claims] = control.become_sql();
    Some(format!("-- the same by {} of the other tenant, who may\n{role};\n{claims};\n{statement}", control.name))
}

/// An effect's statements on rows of the same member's own tenant, where they name rows of the other's.
fn on_own_row(effect: &Effect, object: &Object, world: &World<'_>) -> Option<String> {
    let actor = world.actors.iter().find(|actor| effect.actors.first() == Some(&actor.name))?;
    let relation = world.catalog.named(&object.name).filter(|_| !actor.kind.is_outside())?;
    let own = world.rows(relation, OWN).iter().cycle();
    let rows = world.rows(relation, OTHER).iter().zip(own);
    let sql = rows.fold(effect.sql.clone(), |sql, (theirs, own)| sql.replace(&theirs.key, &own.key));
    (sql != effect.sql).then(|| format!("-- the same by them, on rows of their own tenant\n{sql}"))
}

/// Whether something was read or changed: rows, and where rows are counted, more than none.
fn shows(effect: &Effect, rows: u64, value: Option<&str>) -> bool {
    let counts = effect.verb == Verb::Read && effect.sql.contains("select count(*)");
    if counts { value.is_some_and(|value| value != "0") } else { rows > 0 }
}
