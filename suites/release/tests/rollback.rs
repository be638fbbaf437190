//! Rollback Procedures: each level is possible, seen before anybody needs it.

use harness::{Deployment, Failure, PagesDeployment, Progress, Recovery, Section, Verdict, check, check_if_promised};
use secrecy::ExposeSecret;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::database::{minute, window};

/// The successful deployment before the live one.
async fn previous(check: &harness::Check, claim: &str) -> Verdict<PagesDeployment> {
    let pages = check.deployment().pages()?;
    let all = pages.deployments().await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
    let mut live = all.iter().filter(|deployment| deployment.progress() == Progress::Published);
    let current = live.next();
    let commit = current.map(PagesDeployment::commit).unwrap_or_default();
    live.find(|deployment| deployment.commit() != commit).cloned().ok_or_else(|| {
        Failure::failed(claim)
            .expected("a successful production deployment of another commit, before the live one")
            .seen(all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
            .at(pages.url("/deployments"))
            .advice("there is nothing to roll back to: keep the build of the last release at hand (wrangler pages deploy), and deploy it first to a preview")
    })
}

/// Level 1: a previous deployment exists and still answers at its own address.
#[test]
fn the_previous_deployment_still_answers() -> Verdict {
    check("rollback.1", async |check| {
        let claim = "the previous deployment is still there to go back to";
        let (previous, site) = (previous(check, claim).await?, check.deployment().site());
        let Some(url) = &previous.url else {
            return Err(Failure::undecided(claim).expected("an address of its own").seen(previous.to_string()));
        };
        let answer = site.get(url.clone()).await?;
        let title = &check.contract().portal.title;
        if answer.status.is_success() && answer.document().title == *title {
            check.measured(previous.to_string());
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected(format!("200 with a document titled {title:?}"))
            .seen(answer.summary())
            .at(url.as_str())
            .advice("do not count on Rollback Level 1: deploy the build of the last release to a preview and see that it works"))
    })
}

/// Level 2: the functions have a version to go back to, and the commit of the last release is known.
#[test]
fn the_functions_have_a_version_to_go_back_to() -> Verdict {
    check("rollback.2", async |check| {
        let (management, claim) = (check.deployment().management()?, "each function can go back to the release before");
        let all = management.functions().await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
        let promised = &check.contract().release()?.functions;
        let first: Vec<_> = promised
            .iter()
            .filter_map(|promised| match all.iter().find(|function| function.slug == promised.name) {
                None => Some(format!("{} is not deployed", promised.name)),
                Some(function) if function.version < 2 => Some(format!("{} was deployed once", promised.name)),
                Some(_) => None,
            })
            .collect();
        if !first.is_empty() {
            return Err(Failure::failed(claim)
                .expected("a version before the live one of each function")
                .seen(first.join("\n"))
                .at(management.url("functions"))
                .advice("its Level 2 is to disable it (Supabase Dashboard, Edge Functions): say in the notes who would miss it"));
        }
        let checkout = check.deployment().checkout().await?;
        check.measured(format!("git checkout {} && supabase functions deploy", checkout.previous_tag()?));
        Ok(())
    })
}

/// Level 3, Option A: recovery reaches back to before this release.
#[test]
fn recovery_reaches_back_to_before_the_release() -> Verdict {
    check_if_promised(&[Section::Release], "rollback.3.A", async |check| {
        let (management, claim) =
            (check.deployment().management()?, "the database can be had as it was before the release");
        let answer = management.backups().await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
        let released = check.deployment().released().await?;
        let Some(released) = released.at else {
            return Err(Failure::not_run(
                "when the release was committed is not known, so nothing reaches to before it",
            )
            .expected("RELEASE_SOURCE, checked out at the released commit"));
        };
        let is_daily = check.contract().release()?.recovery == Recovery::Daily;
        let from = match window(&answer) {
            window if answer.value.pitr_enabled => window.map(|[from, _]| from),
            _ if is_daily => {
                let complete = answer.value.backups.iter().filter(|backup| backup.is_complete() == Some(true));
                complete.filter_map(|backup| backup.inserted_at).min()
            }
            _ => None,
        };
        if let Some(from) = from.filter(|from| *from < released) {
            check.measured(format!("since {}", minute(from)));
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected(format!("recovery from before {released}"))
            .seen(match (from, answer.value.pitr_enabled) {
                (Some(from), _) => format!("recovery from {from}"),
                (None, true) => "recovery is on, and no point in time can be restored yet".to_owned(),
                (None, false) => "recovery is off".to_owned(),
            })
            .at(management.url("database/backups"))
            .advice("Option A is not there for this release: plan with the forward fix (Option B), and keep a dump (supabase db dump)"))
    })
}

/// What is tried here is taken back, and locks a table while it is tried.
mod writes {
    use super::*;

    /// Level 3, Option B: the template of a forward fix runs against this schema. It is taken back.
    #[test]
    fn the_forward_fix_runs_against_this_schema() -> Verdict {
        check("rollback.3.B", async |check| {
            let url = check.deployment().database("the template of a forward fix was not tried")?;
            let fix = check.contract().release()?.forward_fix.as_str();
            let claim = "the template of a forward fix runs against this schema";
            let unreachable = |error: sqlx::Error| {
                Failure::undecided(claim).expected("a connection to the database").seen(error.to_string())
            };
            let mut connection = PgConnection::connect(url.expose_secret()).await.map_err(unreachable)?;
            let mut transaction = connection.begin().await.map_err(unreachable)?;
            let locks = "set local lock_timeout = '2s'; set local statement_timeout = '5s'";
            sqlx::raw_sql(locks).execute(&mut *transaction).await.map_err(unreachable)?;
            let run = sqlx::raw_sql(AssertSqlSafe(fix)).execute(&mut *transaction).await;
            transaction.rollback().await.map_err(unreachable)?;
            connection.close().await.map_err(unreachable)?;
            run.map(drop).map_err(|error| {
                Failure::failed(claim)
                    .expected(fix)
                    .seen(
                        error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned()),
                    )
                    .advice("correct forward_fix in [release] of the contract: at 2 a.m. it will be copied as it is")
            })
        })
    }

    /// Level 3, Option C: a dump of the database is restored on a scratch server, migrated, and is what was dumped.
    #[test]
    fn a_dump_can_be_restored() -> Verdict {
        check("rollback.3.C", async |check| {
            let deployment = check.deployment();
            let url = deployment.database("no dump was restored")?;
            let pending = crate::database::pending(check).await.unwrap_or_default();
            let restored = deployment.restore(&url, pending).await?;
            check.measured(format!("{} tables and {} parts of the schema", restored.tables, restored.parts));
            Ok(())
        })
    }
}
