//! Pre-Release, 3. Database Readiness, Phase 1, and the appendix's order of migrations.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
};

use harness::{
    Backup, Backups, Cause, Checkout, Dated, Deployment, Facts, Failure, ManagementClient, Migration, Recovery,
    Rehearsal, Section, Verdict, check, check_if_promised, same_statements, workspace_root,
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// What the embedded portal's migrations declare, as it was approved.
const APPROVED: &str = "snapshots/release/schema.txt";

/// Differences that a report shows; the evidence has all.
const SHOWN: usize = 8;

/// A row of `supabase_migrations.schema_migrations`, in the order in which they were written. There is no `executed_at`,
/// which the runbook's own query asks for.
#[derive(Deserialize)]
struct Applied {
    version: String,
    name: Option<String>,
    /// What was run: the CLI keeps each statement by itself.
    content: Option<String>,
    /// How many transactions ago the row was written.
    age: i64,
}

const APPLIED: &str = "select version, name, array_to_string(statements, ';' || chr(10)) as content, age(xmin) as age
    from supabase_migrations.schema_migrations order by age(xmin) desc, ctid";

impl Applied {
    fn title(&self) -> String {
        format!("{}_{}", self.version, self.name.as_deref().unwrap_or_default())
    }
}

async fn applied(management: &ManagementClient) -> Verdict<Vec<Applied>> {
    let claim = "the database lists the migrations that were applied";
    let rows: Vec<Applied> =
        management.query(APPLIED).await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
    if rows.is_empty() {
        return Err(Failure::failed(claim)
            .expected("rows in supabase_migrations.schema_migrations")
            .seen("none")
            .at(management.url("database/query/read-only")));
    }
    Ok(rows)
}

fn titles(rows: &[Applied]) -> String {
    rows.iter().map(Applied::title).collect::<Vec<_>>().join("\n")
}

/// Of a failure about migrations: where and what to do.
fn about(failure: Failure, management: &ManagementClient) -> Failure {
    failure.at(management.url("database/query/read-only"))
}

/// "All migrations applied": those of the contract, and no other.
#[test]
fn every_migration_is_applied_and_none_is_unknown() -> Verdict {
    check("pre.3.1", async |check| {
        let (management, promised) = (check.deployment().management()?, &check.contract().release()?.migrations);
        let rows = applied(&management).await?;
        let is_applied = |migration: &Migration| rows.iter().any(|row| row.version == migration.version);
        let mut wrong: Vec<_> = promised
            .iter()
            .filter(|migration| !migration.optional && !is_applied(migration))
            .map(|migration| format!("{migration} is not applied"))
            .collect();
        for row in &rows {
            match promised.iter().find(|migration| migration.version == row.version) {
                None => wrong.push(format!("{} is applied and unknown", row.title())),
                Some(migration) if row.name.as_ref().is_some_and(|name| *name != migration.name) => {
                    wrong.push(format!("{} is applied in the place of {migration}", row.title()));
                }
                Some(_) => {}
            }
        }
        if wrong.is_empty() {
            check.measured(format!("{} of {} migrations", rows.len(), promised.len()));
            return Ok(());
        }
        let expected: Vec<_> = promised.iter().map(ToString::to_string).collect();
        Err(about(
            Failure::failed("every migration of the appendix is applied, and no other")
                .expected(expected.join("\n"))
                .seen(wrong.join("\n"))
                .advice("supabase migration list shows both sides; supabase db push applies what is missing; an unknown one is somebody's by hand: bring it into the repository or repair it"),
            &management,
        ))
    })
}

/// "Apply migrations": what was run is what the repository has, by content and not only by name.
#[test]
fn what_was_run_is_what_the_repository_has() -> Verdict {
    check("1.2", async |check| {
        let (management, checkout) = (check.deployment().management()?, check.deployment().checkout().await?);
        let (rows, files) = (
            applied(&management).await?,
            migrations(check.contract().release()?.migrations_folder.as_str(), &checkout)?,
        );
        let mut wrong = Vec::new();
        for (name, sql) in &files {
            let version = name.split('_').next().unwrap_or_default();
            match rows.iter().find(|row| row.version == version) {
                None => wrong.push(format!("{name} was not run")),
                Some(row) if row.content.as_deref().unwrap_or_default().trim().is_empty() => {
                    wrong.push(format!("{name} is recorded, and nothing was run"));
                }
                Some(row) if !same_statements(row.content.as_deref().unwrap_or_default(), sql) => {
                    wrong.push(format!("{name} is not what was run"));
                }
                Some(_) => {}
            }
        }
        if wrong.is_empty() {
            check.measured(format!("{} files", files.len()));
            return Ok(());
        }
        Err(about(
            Failure::failed("what was run in the database is what the repository has")
                .expected(format!("the statements of {} files", files.len()))
                .seen(wrong.join("\n"))
                .advice("a migration that was changed after it was applied needs a new one: compare its statements in supabase_migrations.schema_migrations with the file"),
            &management,
        ))
    })
}

/// `20260107000000_first.sql`: the CLI skips every other file.
fn is_migration(name: &str) -> bool {
    let parts = name.strip_suffix(".sql").and_then(|stem| stem.split_once('_'));
    parts.is_some_and(|(version, _)| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()))
}

fn migrations(folder: &str, checkout: &Checkout) -> Verdict<Vec<(String, String)>> {
    let files: Vec<_> = checkout.files(folder).into_iter().filter(|(name, _)| is_migration(name)).collect();
    if files.is_empty() {
        return Err(Failure::undecided("the repository has migrations")
            .expected(format!("files like 20260107000000_first.sql in {folder}"))
            .seen("none")
            .at(checkout.folder().display().to_string()));
    }
    Ok(files)
}

/// Files of the repository that are not applied yet.
pub async fn pending(check: &harness::Check) -> Verdict<Vec<(String, String)>> {
    let (management, checkout) = (check.deployment().management()?, check.deployment().checkout().await?);
    let rows = applied(&management).await?;
    let mut files = migrations(check.contract().release()?.migrations_folder.as_str(), &checkout)?;
    files.retain(|(name, _)| rows.iter().all(|row| Some(row.version.as_str()) != name.split('_').next()));
    Ok(files)
}

/// "Migrations tested for rollback capability".
#[test]
fn each_migration_can_be_undone_and_applied_again() -> Verdict {
    check("pre.3.2", async |check| {
        let (checkout, release) = (check.deployment().checkout().await?, check.contract().release()?);
        let rehearsal = Rehearsal {
            migrations: migrations(&release.migrations_folder, &checkout)?,
            undo: checkout.files(&release.rollbacks_folder).into_iter().collect(),
            seed: checkout.file(&release.seed_file),
        };
        let rehearsed = check
            .deployment()
            .rehearse(&rehearsal)
            .await
            .map_err(|failure| failure.at(release.rollbacks_folder.as_str()))?;
        check.measured(format!("{rehearsed} migrations undone and applied again"));
        Ok(())
    })
}

#[derive(Deserialize)]
struct Missing {
    name: String,
}

/// "Verify migration success": a row says that a migration was run, its tables and functions show it.
#[test]
fn what_the_migrations_make_is_there() -> Verdict {
    check("1.3", async |check| {
        let (management, claim) = (check.deployment().management()?, "what the migrations make is there");
        let rows = applied(&management).await?;
        let promised: Vec<_> = check
            .contract()
            .release()?
            .migrations
            .iter()
            .filter(|migration| rows.iter().any(|row| row.version == migration.version))
            .flat_map(|migration| migration.makes.iter().map(move |made| (made, migration)))
            .collect();
        if promised.is_empty() {
            return Err(Failure::undecided(claim)
                .expected("objects that the contract names with its migrations")
                .seen("none"));
        }
        let names: Vec<_> = promised.iter().map(|(made, _)| format!("'{}'", made.replace('\'', "''"))).collect();
        let sql = format!(
            "select name from unnest(array[{}]) as name
             where to_regclass(name) is null
             and not exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace where n.nspname || '.' || p.proname = name)",
            names.join(", ")
        );
        let missing: Vec<Missing> =
            management.query(&sql).await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
        if missing.is_empty() {
            check.measured(format!("{} tables and functions", promised.len()));
            let declared = Facts::declared(&management).await?;
            check.keep("schema.txt", "text/plain", declared.to_string());
            // What a deployment's own migrations declare is compared with production by pre.2.1.
            return if check.deployment().is_ours() { as_approved(&declared) } else { Ok(()) };
        }
        let shown = missing.iter().map(|Missing { name }| {
            let of = promised.iter().find(|(made, _)| *made == name);
            of.map_or_else(|| name.clone(), |(_, migration)| format!("{name} is missing, which {migration} makes"))
        });
        Err(about(
            Failure::failed(claim)
                .expected(format!("{} tables and functions", promised.len()))
                .seen(shown.collect::<Vec<_>>().join("\n")),
            &management,
        ))
    })
}

/// A constraint, an index, a trigger, a policy or a right that came or went is seen by whoever reviews the change.
fn as_approved(declared: &Facts) -> Verdict {
    let claim = "the schema declares what was approved";
    let approved = fs::read_to_string(workspace_root().join(APPROVED)).unwrap_or_default();
    if env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        let written = fs::write(workspace_root().join(APPROVED), declared.to_string());
        return written.map_err(|error| Failure::undecided(claim).seen(error.to_string()));
    }
    let now = declared.to_string();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (approved, now) = (lines(&approved), lines(&now));
    let (gone, come): (Vec<_>, Vec<_>) =
        (approved.difference(&now).cloned().collect(), now.difference(&approved).cloned().collect());
    if gone.is_empty() && come.is_empty() && !now.is_empty() {
        return Ok(());
    }
    let shown = |lines: Vec<String>, otherwise: &str| {
        let first = lines.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
        match lines.len() {
            0 => otherwise.to_owned(),
            1..=SHOWN => first,
            more => format!("{first}\nand {} more", more - SHOWN),
        }
    };
    Err(Failure::failed(claim)
        .expected(shown(gone, "nothing else"))
        .seen(shown(come, "none of it"))
        .at(APPROVED)
        .caused_by(Cause::Database)
        .advice("if every difference is meant, approve it: INSTA_UPDATE=always cargo test -p release what_the_migrations_make"))
}

#[derive(Deserialize)]
struct Made {
    name: String,
    /// Counts up with each object that the database makes.
    made: Option<i64>,
}

/// When the first object of each migration was made, by version, as far as the contract names some.
async fn made(management: &ManagementClient, promised: &[Migration]) -> Verdict<BTreeMap<String, i64>> {
    let quoted = |name: &String| format!("'{}'", name.replace('\'', "''"));
    let names: Vec<_> = promised.iter().flat_map(|migration| &migration.makes).map(quoted).collect();
    let sql = format!(
        "select name, least(to_regclass(name)::oid::int8, (
             select min(p.oid::int8) from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
             where n.nspname || '.' || p.proname = name)) as made
         from unnest(array[{}]::text[]) as name",
        names.join(", ")
    );
    let rows: Vec<Made> = management
        .query(&sql)
        .await
        .map_err(|error| Deployment::vendor_failed("when the migrations' objects were made can be read", &error))?;
    let first = |migration: &Migration| {
        let of_it = rows.iter().filter(|row| migration.makes.contains(&row.name));
        Some((migration.version.clone(), of_it.filter_map(|row| row.made).min()?))
    };
    Ok(promised.iter().filter_map(first).collect())
}

/// The appendix's order: a migration that was run before an earlier one ran on another schema than it was tested on. That its
/// row was written late says so only if its objects were made late as well: `supabase migration repair` writes rows again.
#[test]
fn the_migrations_were_run_in_order() -> Verdict {
    check("app.1", async |check| {
        let (management, claim) =
            (check.deployment().management()?, "the migrations were run in the order of their versions");
        let rows = applied(&management).await?;
        let made = made(&management, &check.contract().release()?.migrations).await?;
        let (mut late, mut unclear) = (Vec::new(), Vec::new());
        for row in &rows {
            let mut before = rows.iter().filter(|other| other.age > row.age && other.version > row.version).peekable();
            if before.peek().is_none() {
                continue;
            }
            let Some(of_row) = made.get(&row.version) else {
                unclear
                    .push(format!("the row of {} was written late, and nothing that it makes is known", row.title()));
                continue;
            };
            let later = before.rfind(|other| made.get(&other.version).is_some_and(|of_other| of_other < of_row));
            late.extend(later.map(|later| format!("{} was run after {}", row.title(), later.title())));
        }
        if !late.is_empty() {
            return Err(about(
                Failure::failed(claim)
                    .expected("each after all with a lower version")
                    .seen(late.join("\n"))
                    .advice("compare the schema with that of staging (cargo test -p release staging); if they differ, bring it there by a forward fix"),
                &management,
            ));
        }
        if rows.len() < 2 || !unclear.is_empty() {
            let seen = if unclear.is_empty() { titles(&rows) } else { unclear.join("\n") };
            return Err(about(
                Failure::undecided(claim)
                    .expected("two or more, and for each that was written late an object in [release] of the contract")
                    .seen(seen),
                &management,
            ));
        }
        check.measured(format!("{} migrations", rows.len()));
        Ok(())
    })
}

/// "Database backup scheduled before deployment", and "Confirm latest backup exists".
async fn newest_backup(check: &harness::Check) -> Verdict {
    let (management, claim) = (check.deployment().management()?, "there is a backup from before the deployment");
    let answer = management.backups().await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
    let at = management.url("database/backups");
    if answer.value.pitr_enabled {
        return match window(&answer) {
            Some([from, to]) if from <= answer.at => {
                check.measured(format!("any point from {} to {}", minute(from), minute(to)));
                Ok(())
            }
            _ => Err(Failure::failed(claim)
                .expected("a window of point-in-time recovery: with it there are no daily backups")
                .seen("recovery is on, and no point in time can be restored yet")
                .at(at)
                .advice("wait until Supabase Dashboard, Database, Backups shows a window; or keep a dump first: supabase db dump")),
        };
    }
    let allowed = check.contract().release()?.backup_within_hours;
    let all = &answer.value.backups;
    let is_new = |backup: &&Backup| age(backup, &answer).is_some_and(|age| age <= SignedDuration::from_hours(allowed));
    let newest = all.iter().filter(|backup| backup.is_complete() == Some(true)).filter_map(|it| age(it, &answer)).min();
    match newest {
        // A backup of the future is somebody's wrong clock.
        Some(age) if age < SignedDuration::from_mins(-10) => Err(Failure::undecided(claim)
            .expected("a backup of the past")
            .seen(backups_shown(&answer))
            .at(at)),
        Some(age) if age <= SignedDuration::from_hours(allowed) => {
            check.measured(format!("{} h old", hours(age)));
            Ok(())
        }
        _ if all.iter().filter(is_new).any(|backup| backup.is_complete().is_none()) => Err(Failure::undecided(claim)
            .expected("a backup whose status is known")
            .seen(backups_shown(&answer))
            .at(at)),
        _ => Err(Failure::failed(claim)
            .expected(format!("a completed backup of the last {allowed} hours"))
            .seen(backups_shown(&answer))
            .at(at)
            .advice("there is no backup by hand: keep a dump before anything is migrated (supabase db dump), and ask Supabase why the daily one is missing")),
    }
}

/// From when to when the database can be had as it was. The end is old where nothing was written since.
pub fn window(answer: &Dated<Backups>) -> Option<[Timestamp; 2]> {
    let window = &answer.value.physical_backup_data;
    let from = Timestamp::from_second(window.earliest_physical_backup_date_unix?).ok()?;
    let to = window.latest_physical_backup_date_unix.and_then(|to| Timestamp::from_second(to).ok());
    Some([from, to.unwrap_or(from)])
}

pub fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn age(backup: &Backup, answer: &Dated<Backups>) -> Option<SignedDuration> {
    backup.inserted_at.map(|made| answer.at.duration_since(made))
}

pub fn backups_shown(answer: &Dated<Backups>) -> String {
    let shown = |backup: &Backup| match age(backup, answer) {
        Some(age) => format!("{}, {} hours old", backup.status, hours(age)),
        None => format!("{}, of an unknown time", backup.status),
    };
    let all: Vec<_> = answer.value.backups.iter().take(5).map(shown).collect();
    if all.is_empty() { "no backup".to_owned() } else { all.join("\n") }
}

/// Rounded.
fn hours(age: SignedDuration) -> i64 {
    (age + SignedDuration::from_mins(30)).as_hours()
}

#[test]
fn a_backup_is_new_enough() -> Verdict {
    check("pre.3.3", newest_backup)
}

#[test]
fn the_latest_backup_exists_before_the_migration() -> Verdict {
    check("1.1", newest_backup)
}

/// "Point-in-time recovery enabled in Supabase".
#[test]
fn point_in_time_recovery_is_on() -> Verdict {
    check_if_promised(&[Section::Release], "pre.3.4", async |check| {
        let (management, claim) =
            (check.deployment().management()?, "the database can be had as it was at any point in time");
        if check.contract().release()?.recovery == Recovery::Daily {
            // Listed as weakened: a person signs for it.
            check.measured("daily backups, as the contract says");
            return newest_backup(check).await;
        }
        let answer = management.backups().await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
        if answer.value.pitr_enabled {
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected("pitr_enabled: true")
            .seen("pitr_enabled: false")
            .at(management.url("database/backups"))
            .advice("Supabase Dashboard, Settings, Add-ons: turn point-in-time recovery on, and wait for its first backup before the release"))
    })
}
