//! §4.1 Critical Route Tests.

use std::time::Duration;

use harness::{Cause, Check, Failure, Route, Verdict, check};
use rstest_reuse::apply;

use crate::routes;

/// The runbook: "`/`: Login page or redirect to dashboard". Signed in it is the dashboard, below.
#[test]
fn the_root_shows_the_login_to_a_visitor() -> Verdict {
    check("4.1.1", async |check| {
        let page = check.page().await?;
        let visit = page.open_login("/").await?;
        visit.expect_ready("a visitor sees the login")?;
        visit.expect_quiet()?;
        let odd = page.oddities().await?;
        if odd.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("nothing on the login is a script's own value, or empty")
            .expected("words, and pictures that are drawn")
            .seen(odd.join("\n"))
            .at(visit.url())
            .caused_by(Cause::FrontEnd))
    })
}

/// The runbook, 3.3: "routes load (no 404 on direct URL access)".
#[apply(routes)]
fn the_url_answers_with_the_app(#[case] route: &str, #[case] _step: &str) -> Verdict {
    check("3.3.2", async |check| {
        let path = &route_of(check, route)?.path;
        let site = check.deployment().site();
        let (app, document) = (site.document("/").await?, site.document(path).await?);
        if document.starts_the_same_app_as(&app) {
            return Ok(());
        }
        Err(Failure::failed(format!("{path} answers with the app's own document"))
            .expected(format!("title {:?} and the scripts of /", app.title))
            .seen(document.fetched.summary())
            .at(document.fetched.url.as_str()))
    })
}

pub mod signed_in {
    use super::*;

    /// The view of the runbook's table, by the entry that the contract promises, without an error and in time.
    #[apply(routes)]
    fn the_view_is_on_screen(#[case] route: &str, #[case] step: &str) -> Verdict {
        check(step, async |check| {
            let route = route_of(check, route)?;
            let page = check.signed_in(check.contract().visitor(route)).await?;
            let visit = page.open(route).await?;
            visit.expect_ready(format!("{} shows its view", route.path))?;
            check.measured(format!("{} ms", visit.load_time().as_millis()));
            visit.expect_quiet()?;
            visit.expect_no_mock()?;
            visit.expect_within(Duration::from_millis(route.within_ms))
        })
    }
}

fn route_of(check: &Check, name: &str) -> Verdict<&'static Route> {
    check
        .contract()
        .route(name)
        .ok_or_else(|| Failure::undecided(format!("the contract has a route {name:?}")).seen("none"))
}
