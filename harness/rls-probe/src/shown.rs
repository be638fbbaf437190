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
    /// For an effect's statements, what shows it where they end in an error, which is what it is about.
    pub caught: BTreeMap<String, String>,
    /// For an effect's statements, the same by somebody who may, where that shows something as well; or without what is
    /// given away.
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
    let (mut shown, mut caught, mut contrasts) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let removed = removed(world);
    let effects =
        report.findings.iter().flat_map(|finding| finding.effects.iter().map(move |effect| (finding, effect)));
    for (finding, effect) in effects.collect::<Vec<_>>() {
        let prepared = format!("begin;\n{}\n;\n{}\nsavepoint seen", migration.unwrap_or_default(), report.world);
        let is_prepared = desk.outside(&prepared).await?.is_ok();
        let is_shown = is_prepared && runs(desk, effect, &effect.sql).await?;
        if is_prepared
            && !is_shown
            && let Some(sql) = caught_in(&effect.sql)
        {
            let without = format!("{removed}\n{sql}");
            let (with, but) = (answer(desk, &sql).await?, answer(desk, &without).await?);
            let differs = with.is_some() && but.is_some() && with != but;
            shown.push(differs);
            if differs {
                contrasts.insert(sql.clone(), format!("-- the same where the other tenant has nothing\n{without}"));
                caught.insert(effect.sql.clone(), sql);
            }
            let _ = desk.outside("rollback").await?;
            continue;
        }
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
    Ok(Shown { shown, caught, contrasts })
}

/// What statements answer that begin after what was prepared; none where they fail.
async fn answer(desk: &mut Desk, sql: &str) -> Result<Option<String>, Error> {
    let is_back = desk.outside("rollback to savepoint seen").await?.is_ok();
    let done = desk.outside(sql).await?;
    Ok(done.ok().filter(|_| is_back).map(|(_, value)| value.unwrap_or_default()))
}

/// An effect's statements, with the last of them so that its answer is a row, whatever it ends in.
fn caught_in(sql: &str) -> Option<String> {
    let mut lines = sql.splitn(3, '\n');
    let (role, claims, statement) = (lines.next()?, lines.next()?, lines.next()?);
    let statement = statement.trim_end().trim_end_matches(';');
    if statement.contains(";\n") {
        return None;
    }
    let kept = match statement.starts_with("select") {
        true => format!(
            "select string_agg(rls_probe_row::text, e'\\n') into rls_probe_answer from (\n    {statement}\n    ) rls_probe_row;"
        ),
        false => format!(
            "{statement};\n    get diagnostics rls_probe_rows = row_count;\n    rls_probe_answer := rls_probe_rows || ' rows';"
        ),
    };
    Some(format!(
        "{role}\n{claims}\ndo $caught$ declare rls_probe_answer text; rls_probe_rows int; begin\n  begin\n    {kept}\n  exception when others then rls_probe_answer := sqlerrm;\n  end;\n  perform set_config('rls_probe.answer', coalesce(rls_probe_answer, ''), true);\nend $caught$;\nselect current_setting('rls_probe.answer') as answer;"
    ))
}

/// Statements by which the other tenant has no rows.
fn removed(world: &World<'_>) -> String {
    let tables = world.catalog.relations.iter().filter(|relation| relation.is_table() && !relation.partition);
    let tables = tables.filter(|relation| !world.is_shared(relation));
    let rows = tables.flat_map(|relation| world.rows(relation, OTHER).iter().map(move |row| (relation, row)));
    let deletes: Vec<_> =
        rows.map(|(relation, row)| format!("delete from {} where {};", relation.sql(), row.key)).collect();
    format!(
        "set local session_replication_role = replica;\n{}\nset local session_replication_role = origin;",
        deletes.join("\n")
    )
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
    match effect.verb {
        Verb::Truncate => value == Some("0"),
        Verb::Read if effect.sql.contains("select count(*)") => value.is_some_and(|value| value != "0"),
        _ => rows > 0,
    }
}
