//! Scripts that show an effect are run before they are handed out: each in a transaction of its own that is rolled back,
//! beside the same by somebody who may.

use crate::{desk::Desk, error::Error, finding::Effect, record::Verb, report::Report};

/// For each effect, in the order of the report, whether its script ran to its end and showed something.
///
/// # Errors
/// When the connection is lost.
pub async fn shown(desk: &mut Desk, report: &Report, migration: Option<&str>) -> Result<Vec<bool>, Error> {
    let mut shown = Vec::new();
    for effect in report.findings.iter().flat_map(|finding| &finding.effects) {
        let prepared = format!("begin;\n{}\n{}", migration.unwrap_or_default(), report.world);
        let is_prepared = desk.outside(&prepared).await?.is_ok();
        let done = if is_prepared { desk.outside(&effect.sql).await? } else { Err(()) };
        shown.push(done.is_ok_and(|(rows, value)| shows(effect, rows, value.as_deref())));
        let _ = desk.outside("rollback").await?;
    }
    Ok(shown)
}

/// Whether something was read or changed: rows, and where rows are counted, more than none.
fn shows(effect: &Effect, rows: u64, value: Option<&str>) -> bool {
    let counts = effect.verb == Verb::Read && effect.sql.contains("select count(*)");
    if counts { value.is_some_and(|value| value != "0") } else { rows > 0 }
}
