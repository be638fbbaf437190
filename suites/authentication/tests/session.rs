//! 4.2.2 "Session persists after page refresh", and ends without harm when it has to.

use harness::{Cause, Check, Failure, Page, Section, Session, Verdict, Wanted, check, check_if_promised};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    auth_server::{kept_session, now},
    login::landing,
};

/// Signed by somebody else, for a user of theirs, until 2100.
const FOREIGN_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2Fub3RoZXIuc3VwYWJhc2UuY28vYXV0aC92MSIsInN1YiI6IjVkM2E0YTYyLThmMGUtNGE1My05ZDNmLTBhNGQ2YTBmNmIxMSIsImF1ZCI6ImF1dGhlbnRpY2F0ZWQiLCJleHAiOjQxMDI0NDQ4MDAsImlhdCI6MTc2NzIyNTYwMCwiZW1haWwiOiJzb21lYm9keUBhbm90aGVyLnRlc3QiLCJyb2xlIjoiYXV0aGVudGljYXRlZCIsInNlc3Npb25faWQiOiI3YjFjNmY4MC01MmU3LTRmMGItOGY0ZS0yZjlmNmU2ZjFjMjIifQ.uGZDlmA4UF4QTByZfY6-Hm4kQVcO4pbXek0kvtQ6iD0";

#[test]
fn a_corrupt_session_leads_to_the_login() -> Verdict {
    check("4.2.2", async |check| leads_to_the_login(check, &check.page().await?, "{\"access_token\":", None).await)
}

#[test]
fn a_session_of_another_project_leads_to_the_login() -> Verdict {
    check("4.2.2", async |check| {
        let foreign = json!({
            "access_token": FOREIGN_TOKEN,
            "refresh_token": "a-token-of-another-project",
            "expires_in": 3600,
            "expires_at": now() + 3600,
            "token_type": "bearer",
            "user": { "id": "5d3a4a62-8f0e-4a53-9d3f-0a4d6a0f6b11", "email": "somebody@another.test" },
        });
        leads_to_the_login(check, &check.page().await?, &foreign.to_string(), None).await
    })
}

pub mod signed_in {
    use super::*;

    /// Ended at the auth server, in another place, and run out: the portal learns of it when it renews.
    #[test]
    fn a_revoked_session_leads_to_the_login() -> Verdict {
        check("4.2.2", async |check| {
            let deployment = check.deployment();
            let session = deployment.new_session(check.contract().smoke.persona.get_ref()).await?;
            deployment.auth()?.sign_out(&session).await.map_err(|error| {
                Failure::undecided("a session can be ended at the auth server").expected("204").seen(error.to_string())
            })?;
            let ended = check.contract().login.ended.as_deref();
            leads_to_the_login(check, &check.page().await?, &run_out(&session), ended).await
        })
    }

    /// A portal whose data cannot be had when it is opened says so, keeps the session, and starts when it is tried again.
    #[test]
    fn a_portal_that_cannot_start_can_be_tried_again() -> Verdict {
        check_if_promised(&[Section::Retry], "4.2.2", async |check| {
            let (contract, persona) = (check.contract(), check.contract().smoke.persona.get_ref());
            let retry = contract.retry()?;
            let (page, landing) = (check.signed_in(persona).await?, landing(check, persona)?);
            page.browser().cut_off("*/rest/v1/*").await?;
            page.visit(&contract.shell.landing, &Wanted::anything(contract)).await?;
            let shown = page.browser().texts("h1, h2").await?;
            if !shown.iter().any(|text| contract.portal.broken.contains(text)) {
                return Err(Failure::failed("a portal that cannot start says so")
                    .expected(contract.portal.broken.join(" or "))
                    .seen(if shown.is_empty() { "no heading".to_owned() } else { shown.join(", ") })
                    .caused_by(Cause::FrontEnd));
            }
            page.browser().let_through().await?;
            if !page.browser().click_text("button", retry).await? {
                return Err(Failure::failed("a portal that cannot start can be tried again")
                    .expected(format!("a button {retry:?}"))
                    .seen("none")
                    .caused_by(Cause::FrontEnd));
            }
            page.browser().wait_for(&landing).await?.expect_ready(format!("{retry:?} starts the portal"))
        })
    }

    /// After a sign-in through the form: what the portal itself stored is what has to last.
    #[test]
    fn a_reload_and_a_second_window_keep_the_session() -> Verdict {
        check("4.2.2", async |check| {
            let (contract, persona) = (check.contract(), check.contract().smoke.persona.get_ref());
            let (email, password) = check.deployment().credentials(persona)?;
            let page = check.page().await?;
            let landing = landing(check, persona)?;
            page.open_login("/").await?.expect_ready("a visitor sees the login")?;
            page.submit(&email, &password, &landing).await?.expect_ready("signing in shows the portal")?;
            let before = kept_session(&page).await;

            page.browser().reload(&landing).await?.expect_ready("a reload shows the same view again")?;
            let [before, after] = [before?, kept_session(&page).await?].map(|session| session.user["id"].clone());
            if before != after || before.is_null() {
                return Err(Failure::failed("a reload keeps the session's user")
                    .expected(before.to_string())
                    .seen(after.to_string()));
            }
            page.browser().open_window().await?;
            let visit = page.visit(&contract.shell.landing, &landing).await?;
            visit.expect_ready("a second window shows the portal to the same user")
        })
    }

    #[test]
    fn a_session_that_ran_out_is_renewed_unnoticed() -> Verdict {
        check("4.2.2", async |check| {
            let (contract, persona) = (check.contract(), check.contract().smoke.persona.get_ref());
            let session = check.deployment().new_session(persona).await?;
            let (page, claim) = (check.page().await?, "a session that ran out is renewed");
            page.hold_text(&run_out(&session)).await?;
            page.browser().watch_for(&[], &[&contract.login.password]).await?;
            let visit = page.visit(&contract.shell.landing, &landing(check, persona)?).await?;
            visit.expect_ready(claim)?;
            if !page.browser().shown().await?.is_empty() {
                return Err(Failure::failed("a session is renewed unnoticed")
                    .expected("the portal, and the login at no moment")
                    .seen("the login, and then the portal")
                    .at(visit.url()));
            }
            let renewed = kept_session(&page).await?;
            let shown = |session: &Session, changed: bool| {
                let token = if changed { "another refresh token" } else { "the refresh token of before" };
                format!("{token}, {} s left", session.expires_at - now())
            };
            let changed = renewed.refresh_token.expose_secret() != session.refresh_token.expose_secret();
            if changed && renewed.expires_at > now() {
                return Ok(());
            }
            Err(Failure::failed(claim)
                .expected("another refresh token in the stored session, which runs out in the future")
                .seen(shown(&renewed, changed))
                .at(visit.url()))
        })
    }
}

/// What supabase-js keeps of a session, a minute after its access token ran out.
fn run_out(session: &Session) -> String {
    let mut stored = session.stored();
    stored["expires_at"] = (now() - 60).into();
    stored.to_string()
}

/// A page that finds `text` where the session should be shows the login: it neither crashes nor waits for ever.
async fn leads_to_the_login(check: &Check, page: &Page<'_>, text: &str, says: Option<&str>) -> Verdict {
    let login = Wanted::login(check.contract());
    page.open_login("/").await?.expect_ready("a visitor sees the login")?;
    page.hold_text_now(text).await?;
    // The same watch that sees no login while a session is renewed.
    page.browser().watch_for(&[], &[&check.contract().login.password]).await?;
    if page.held_text().await?.as_deref() != Some(text) {
        return Err(Failure::undecided("the portal finds this session").expected("it is stored").seen("it is not"));
    }
    let visit = page.browser().reload(&says.iter().fold(login, |login, text| login.text(*text))).await?;
    visit.expect_no_exception()?;
    visit.expect_ready("such a session leads to the login")?;
    if page.browser().shown().await?.is_empty() {
        return Err(Failure::undecided("the login is seen when it is on screen").expected("it is").seen("it is not"));
    }
    Ok(())
}
