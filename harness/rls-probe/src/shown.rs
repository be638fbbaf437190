//! Scripts that show an effect are run before they are handed out: each in a transaction of its own that is rolled back,
//! beside the same by somebody who may.

use std::collections::BTreeMap;

use crate::{actor::Actor, desk::Desk, error::Error, finding::Effect, record::Verb, report::Report};

/// What came of the scripts.
pub struct Shown {
    /// For each effect, in the order of the report, whether its script ran to its end and showed something.
    pub shown: Vec<bool>,
    /// For an effect's statements, the same by somebody who may, where that shows something as well.
    pub contrasts: BTreeMap<String, String>,
}

/// Runs them. `controls` are those who may have what is the other tenant's.
///
/// # Errors
/// When the connection is lost.
pub async fn shown(
    desk: &mut Desk,
    report: &Report,
    migration: Option<&str>,
    controls: &[Actor],
) -> Result<Shown, Error> {
    let (mut shown, mut contrasts) = (Vec::new(), BTreeMap::new());
    for effect in report.findings.iter().flat_map(|finding| &finding.effects) {
        let prepared = format!("begin;\n{}\n{}\nsavepoint seen", migration.unwrap_or_default(), report.world);
        let is_prepared = desk.outside(&prepared).await?.is_ok();
        let is_shown = is_prepared && runs(desk, effect, &effect.sql).await?;
        shown.push(is_shown);
        if let Some(contrast) = controls.first().and_then(|control| contrast(effect, control)).filter(|_| is_shown)
            && desk.outside("rollback to savepoint seen").await?.is_ok()
            && runs(desk, effect, &contrast).await?
        {
            contrasts.insert(effect.sql.clone(), contrast);
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

/// Whether something was read or changed: rows, and where rows are counted, more than none.
fn shows(effect: &Effect, rows: u64, value: Option<&str>) -> bool {
    let counts = effect.verb == Verb::Read && effect.sql.contains("select count(*)");
    if counts { value.is_some_and(|value| value != "0") } else { rows > 0 }
}
