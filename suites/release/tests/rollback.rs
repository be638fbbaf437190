//! Rollback Procedures: each level is possible, seen before anybody needs it.

use harness::{Deployment, Failure, PagesDeployment, Verdict, check};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The successful deployment before the live one.
async fn previous(check: &harness::Check, claim: &str) -> Verdict<PagesDeployment> {
    let pages = check.deployment().pages()?;
    let all = pages.deployments().await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
    let mut live = all.iter().filter(|deployment| deployment.is_live());
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
        let answer = site.get(previous.url.clone()).await?;
        let title = &check.contract().portal.title;
        if answer.status.is_success() && answer.document().title == *title {
            check.measured(previous.to_string());
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected(format!("200 with a document titled {title:?}"))
            .seen(answer.summary())
            .at(previous.url.as_str())
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
    check("rollback.3.A", async |check| {
        let (management, claim) =
            (check.deployment().management()?, "the database can be had as it was before the release");
        let answer = management.backups().await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
        let released = check.deployment().released().await?;
        let window = &answer.value.physical_backup_data;
        let from = window.earliest_physical_backup_date_unix.and_then(|from| Timestamp::from_second(from).ok());
        let (Some(from), Some(released)) = (from, released.at) else {
            return Err(Failure::undecided(claim)
                .expected("the beginning of the recovery window, and the time of the release")
                .seen(format!("window from {from:?}, release of {:?}", released.at))
                .at(management.url("database/backups")));
        };
        if answer.value.pitr_enabled && from < released {
            check.measured(format!("since {}", from.strftime("%Y-%m-%d %H:%M UTC")));
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected(format!("recovery from before {released}"))
            .seen(if answer.value.pitr_enabled { format!("recovery from {from}") } else { "recovery is off".to_owned() })
            .at(management.url("database/backups"))
            .advice("Option A is not there for this release: plan with the forward fix (Option B), and take a backup by hand"))
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
}
