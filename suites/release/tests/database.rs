//! Pre-Release, 3. Database Readiness, Phase 1, and the appendix's order of migrations.

use harness::{Backups, Checkout, Dated, Deployment, Failure, ManagementClient, Migration, Rehearsal, Verdict, check};
use jiff::SignedDuration;
use serde::Deserialize;

/// A row of `supabase_migrations.schema_migrations`, in the order in which they were written. There is no `executed_at`,
/// which the runbook's own query asks for.
#[derive(Deserialize)]
struct Applied {
    version: String,
    name: Option<String>,
    /// What was run.
    content: Option<String>,
}

const APPLIED: &str = "select version, name, array_to_string(statements, ';') as content
    from supabase_migrations.schema_migrations order by age(xmin) desc, ctid";

impl Applied {
    fn title(&self) -> String {
        format!("{}_{}", self.version, self.name.as_deref().unwrap_or_default())
    }
}

async fn applied(management: &ManagementClient) -> Verdict<Vec<Applied>> {
    let claim = "the database tells which migrations were applied";
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
                Some(row) if compact(row.content.as_deref().unwrap_or_default()) != compact(sql) => {
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

fn migrations(folder: &str, checkout: &Checkout) -> Verdict<Vec<(String, String)>> {
    let files: Vec<_> = checkout.files(folder).into_iter().filter(|(name, _)| name.ends_with(".sql")).collect();
    if files.is_empty() {
        return Err(Failure::undecided("the repository has migrations")
            .expected(format!("files like 20260107000000_first.sql in {folder}"))
            .seen("none")
            .at(checkout.folder().display().to_string()));
    }
    Ok(files)
}

/// Statements without comments, white space and what separates them: the CLI keeps each by itself.
fn compact(sql: &str) -> String {
    let lines = sql.lines().map(|line| if line.trim_start().starts_with("--") { "" } else { line });
    lines.flat_map(str::chars).filter(|character| !character.is_whitespace() && *character != ';').collect()
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
             and not exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname || '.' || p.proname = name)",
            names.join(", ")
        );
        let missing: Vec<Missing> =
            management.query(&sql).await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
        if missing.is_empty() {
            check.measured(format!("{} tables and functions", promised.len()));
            return Ok(());
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

/// The appendix's order: a migration that was run before an earlier one ran on another schema than it was tested on.
#[test]
fn the_migrations_were_run_in_order() -> Verdict {
    check("app.1", async |check| {
        let management = check.deployment().management()?;
        let rows = applied(&management).await?;
        let late: Vec<_> = rows
            .windows(2)
            .filter(|pair| pair[0].version > pair[1].version)
            .map(|pair| format!("{} was run after {}", pair[1].title(), pair[0].title()))
            .collect();
        if late.is_empty() && rows.len() > 1 {
            return Ok(());
        }
        if rows.len() < 2 {
            return Err(about(
                Failure::undecided("the migrations were run in order").expected("two or more").seen(titles(&rows)),
                &management,
            ));
        }
        Err(about(
            Failure::failed("the migrations were run in the order of their versions")
                .expected("each after all with a lower version")
                .seen(late.join("\n"))
                .advice("compare the schema with that of staging (cargo test -p release staging); if they differ, bring it there by a forward fix"),
            &management,
        ))
    })
}

/// "Database backup scheduled before deployment", and "Confirm latest backup exists".
async fn newest_backup(check: &harness::Check) -> Verdict {
    let (management, claim) = (check.deployment().management()?, "there is a backup from before the deployment");
    let answer = management.backups().await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
    let allowed = check.contract().release()?.backup_within_hours;
    let complete = answer.value.backups.iter().filter(|backup| backup.status.eq_ignore_ascii_case("completed"));
    let newest = complete.map(|backup| backup.inserted_at).max();
    let age = newest.map(|newest| answer.at.duration_since(newest));
    let failure = Failure::failed(claim)
        .expected(format!("a completed backup of the last {allowed} hours"))
        .at(management.url("database/backups"))
        .advice(
            "Supabase Dashboard, Database, Backups: trigger one by hand and wait for it before anything is migrated",
        );
    match age {
        // A backup of the future is somebody's wrong clock.
        Some(age) if age < SignedDuration::from_mins(-10) => Err(Failure::undecided(claim)
            .expected("a backup of the past")
            .seen(backups_shown(&answer))
            .at(management.url("database/backups"))),
        Some(age) if age <= SignedDuration::from_hours(allowed) => {
            check.measured(format!("{} h old", hours(age)));
            Ok(())
        }
        _ => Err(failure.seen(backups_shown(&answer))),
    }
}

fn backups_shown(answer: &Dated<Backups>) -> String {
    let all =
        answer.value.backups.iter().take(5).map(|backup| {
            format!("{}, {} hours old", backup.status, hours(answer.at.duration_since(backup.inserted_at)))
        });
    let all: Vec<_> = all.collect();
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
    check("pre.3.4", async |check| {
        let (management, claim) =
            (check.deployment().management()?, "the database can be had as it was at any point in time");
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
