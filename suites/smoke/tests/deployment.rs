//! §3.3 Verify Deployment.

use harness::{Cause, Document, Failure, Page, Verdict, check};

/// 3.3.1 "Visit production URL": a new release reaches everybody, because nobody keeps the document.
#[test]
fn the_document_is_never_kept() -> Verdict {
    check("3.3.1", async |check| {
        let document = check.deployment().site().document("/").await?;
        let kept = document.fetched.header("cache-control");
        if ["no-cache", "no-store", "max-age=0"].iter().any(|word| kept.contains(word)) {
            return Ok(());
        }
        Err(Failure::failed("browsers ask for the document each time")
            .expected("cache-control: no-cache, no-store or max-age=0")
            .seen(if kept.is_empty() { "no cache-control".to_owned() } else { format!("cache-control: {kept}") })
            .at(document.fetched.url.as_str()))
    })
}

/// 3.3.1 "Visit production URL": with the headers that keep other sites out.
#[test]
fn the_required_headers_are_sent() -> Verdict {
    check("3.3.1", async |check| {
        let document = check.deployment().site().document("/").await?;
        let required = &check.contract().headers;
        let lacking: Vec<_> =
            required.iter().filter(|(name, pattern)| !pattern.is_in(document.fetched.header(name))).collect();
        if lacking.is_empty() && !required.is_empty() {
            return Ok(());
        }
        let expected = lacking.iter().map(|(name, pattern)| format!("{name}: {}", pattern.as_str()));
        let seen = lacking.iter().map(|(name, _)| match document.fetched.header(name) {
            "" => format!("no {name}"),
            value => format!("{name}: {value}"),
        });
        Err(Failure::failed("the document carries the required headers")
            .expected(expected.collect::<Vec<_>>().join("\n"))
            .seen(seen.collect::<Vec<_>>().join("\n"))
            .at(document.fetched.url.as_str()))
    })
}

/// 3.3.1 "Visit production URL": what a returning visitor gets from the service worker is what the server has.
#[test]
fn the_service_worker_serves_what_the_server_serves() -> Verdict {
    check("3.3.1", async |check| {
        let site = check.deployment().site();
        let server = site.document("/").await?;
        let page = check.page().await?;
        page.open_login("/").await?.expect_ready("a visitor sees the login")?;
        let worker = page.service_worker().await?;
        match (&check.contract().portal.service_worker, worker) {
            (None, None) => return Ok(()),
            (Some(promised), Some(active)) if *promised == active => {}
            (promised, active) => {
                return Err(Failure::failed("the promised service worker is active")
                    .expected(promised.as_deref().unwrap_or("none"))
                    .seen(active.as_deref().unwrap_or("none")));
            }
        }
        // The second visit is the returning visitor's: the worker stands between the page and the server.
        page.open_login("/").await?.expect_ready("a returning visitor sees the login")?;
        let served = page.served_document().await?;
        let named = |document: &Document| {
            document.assets.iter().map(|asset| asset.url.path().to_owned()).collect::<Vec<_>>().join("\n")
        };
        if !served.starts_the_same_app_as(&server) {
            return Err(Failure::failed("a returning visitor gets the document that the server has")
                .expected(named(&server))
                .seen(named(&served))
                .at(server.fetched.url.as_str()));
        }
        for asset in server.assets.iter().filter(|asset| asset.is_script()) {
            let (theirs, ours) = (page.served_text(&asset.url).await?, site.get(asset.url.clone()).await?.body);
            if theirs != ours {
                return Err(Failure::failed("a returning visitor gets the scripts that the server has")
                    .expected(format!("{} bytes as the server sends them", ours.len()))
                    .seen(format!("{} other bytes from the service worker", theirs.len()))
                    .at(asset.url.as_str()));
            }
        }
        if check.contract().portal.offline {
            expect_without_a_connection(&page, server.fetched.url.as_str()).await?;
        }
        expect_no_older_release(&page, &server).await?;
        // A browser that is short of space throws away what a worker keeps, and the worker stays.
        if page.empty_caches().await? == 0 {
            return Ok(());
        }
        // The window that is open has the scripts in its memory still.
        page.browser().open_window().await?;
        let visit = page.open_login("/").await?;
        visit
            .expect_ready("a visitor whose browser threw away what the service worker kept sees the login")
            .map_err(|failure: Failure| failure.caused_by(Cause::FrontEnd))
    })
}

/// What a browser without a connection says of a portal is not the network's doing.
async fn expect_without_a_connection(page: &Page<'_>, url: &str) -> Verdict {
    let claim = "a returning visitor without a connection sees the login";
    page.browser().disconnect().await?;
    let shown = page.open_login("/").await.and_then(|visit| visit.expect_ready(claim));
    shown.map_err(|_| {
        Failure::failed(claim)
            .expected("the login, of what the service worker keeps")
            .seen("a browser that finds no portal, or a portal that does not start")
            .at(url)
            .caused_by(Cause::FrontEnd)
    })?;
    page.browser().connect().await
}

/// Whatever the worker keeps, the day after a release that is older than what the server has.
async fn expect_no_older_release(page: &Page<'_>, server: &Document) -> Verdict {
    if page.age_caches().await? == 0 {
        return Ok(());
    }
    page.open_login("/").await?.expect_ready("a visitor after a release sees the login")?;
    if !page.is_of_an_older_release().await? {
        return Ok(());
    }
    Err(Failure::failed("the service worker serves no older document while the server answers")
        .expected("the document that the server has")
        .seen("the one that the service worker kept from the release before")
        .at(server.fetched.url.as_str())
        .caused_by(Cause::FrontEnd))
}

/// 3.3.4 "Check console for JavaScript errors", as a visitor; the routes of §4.1 check it signed in.
#[test]
fn the_console_has_no_errors() -> Verdict {
    check("3.3.4", async |check| {
        let visit = check.page().await?.open_login("/").await?;
        visit.expect_quiet()?;
        visit.expect_ready("a visitor sees the login")
    })
}

pub mod signed_in {
    use super::*;

    /// 3.3.3 "Verify login works", through the form.
    #[test]
    fn login_works() -> Verdict {
        check("3.3.3", async |check| {
            let (email, password) = check.deployment().credentials(check.contract().smoke.persona.get_ref())?;
            let page = check.page().await?;
            page.open_login("/").await?.expect_ready("a visitor sees the login")?;
            let visit = page.sign_in(&email, &password).await?;
            let refused = visit
                .requests("http")
                .any(|it| it.url().contains("/auth/v1/token") && it.status().is_some_and(|status| status >= 400));
            visit.expect_ready("signing in shows the portal").map_err(|failure| match refused {
                true => failure.caused_by(Cause::Access),
                false => failure,
            })?;
            visit.expect_quiet()
        })
    }
}
