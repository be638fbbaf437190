//! 4.2.4 "Protected routes redirect when logged out", and open to whom they are promised.

use harness::{
    Cause, Check, Contract, Entry, Failure, Route, Section, Verdict, Wanted, check, check_if_promised,
    views::outline_difference,
};
use rstest_reuse::apply;

use crate::{
    auth_server::{answered_with_rows, path},
    forbidden, routes,
};

#[apply(routes)]
fn the_url_shows_a_visitor_the_login_and_nothing_else(#[case] route: &str) -> Verdict {
    check("4.2.4", async |check| {
        let route = route_of(check, route)?;
        let (page, watched) = (check.page().await?, protected_texts(check.contract()));
        page.browser().watch_for(&watched, &[]).await?;
        let visit = page.open_login(&route.path).await?;
        visit.expect_ready(format!("{} shows a visitor the login", route.path))?;
        let login = visit.text().to_lowercase();
        let telling = |text: &str| !login.contains(&text.to_lowercase());
        if !watched.iter().any(|text| telling(text)) {
            return Err(Failure::undecided("no protected text is on screen before the login")
                .expected("a text that the login does not hold as well")
                .seen(watched.join(", ")));
        }
        let shown: Vec<_> = page.browser().shown().await?.into_iter().filter(|text| telling(text)).collect();
        if !shown.is_empty() {
            return Err(Failure::failed("no protected text is on screen before the login")
                .expected("the login and nothing else")
                .seen(shown.join("\n"))
                .at(visit.url()));
        }
        let rows = answered_with_rows(check, &page, &visit).await?;
        if rows.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("a visitor gets no data")
            .expected("no answer of /rest/v1 with rows in it")
            .seen(rows.join("\n"))
            .at(visit.url()))
    })
}

pub mod signed_in {
    use super::*;

    /// The last of the contract's routes stands for all: the auth server limits sign-ins. The control of the check above
    /// too: the same watch sees the view, and the same look at the answers finds its rows.
    #[test]
    fn after_login_the_promised_view_is_on_screen() -> Verdict {
        check("4.2.4", async |check| {
            let contract = check.contract();
            let route = contract.routes().last().map(|route| route.name.as_str()).unwrap_or_default();
            let (page, route) = (check.page().await?, route_of(check, route)?);
            let (email, password) = check.deployment().credentials(contract.visitor(route))?;
            let watched = protected_texts(contract);
            page.browser().watch_for(&watched, &[]).await?;
            page.open_login(&route.path).await?.expect_ready("a visitor sees the login")?;
            let visit = page.submit(&email, &password, &Wanted::view(contract, route)).await?;
            visit.expect_ready(format!("signing in at {} shows what was asked for", route.path))?;
            let shown = page.browser().shown().await?;
            if !shown.contains(&route.heading.text) || answered_with_rows(check, &page, &visit).await?.is_empty() {
                return Err(Failure::undecided("protected texts and data are seen when they are there")
                    .expected(format!("{:?} among the texts, and answers with rows", route.heading.text))
                    .seen(shown.join("\n")));
            }
            Ok(())
        })
    }

    #[apply(forbidden)]
    fn a_view_is_closed_to_a_role_that_may_not_see_it(#[case] view: &str) -> Verdict {
        check_if_promised(&[Section::Forbidden], "4.2.4", async |check| {
            let (view, contract) = (check.contract().forbidden(view)?, check.contract());
            let page = check.signed_in(&view.persona).await?;
            // A view that is kept in memory has no address that could say "denied".
            let denied = match view.entry {
                Entry::Url => Wanted::shell(contract).text(&contract.shell.denied),
                Entry::Navigation => Wanted::shell(contract),
            };
            let visit = page.visit(&view.path, &denied).await?;
            visit.expect_ready(format!("{} is closed to {}", view.path, view.persona))?;
            let headings = page.browser().texts(&view.heading.selector).await?;
            let buttons = page.browser().texts(&contract.shell.navigation).await?;
            let seen = [(&headings, &view.heading.text), (&buttons, &view.navigation)];
            let seen: Vec<_> = seen.into_iter().filter(|(texts, text)| texts.contains(text)).collect();
            if !seen.is_empty() {
                return Err(Failure::failed(format!("{} is closed to {}", view.path, view.persona))
                    .expected(format!("neither the heading {:?} nor a button {:?}", view.heading.text, view.navigation))
                    .seen(seen.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n"))
                    .at(visit.url()));
            }
            if let Some(other) = outline_difference(&view.outline, &page.outline_of("main", None).await?) {
                return Err(Failure::failed(format!("{} is told that {} is not theirs", view.persona, view.path))
                    .expected(other.expected)
                    .seen(other.seen)
                    .at(visit.url())
                    .caused_by(Cause::FrontEnd));
            }
            if buttons.iter().any(|text| contract.routes().any(|route| route.navigation.as_ref() == Some(text))) {
                return Ok(());
            }
            Err(Failure::undecided(format!("the navigation leaves {:?} out", view.navigation))
                .expected("buttons of other views")
                .seen(buttons.join(", "))
                .at(visit.url()))
        })
    }

    /// The control of the check above.
    #[apply(forbidden)]
    fn a_view_is_open_to_a_role_that_may_see_it(#[case] view: &str) -> Verdict {
        check_if_promised(&[Section::Forbidden], "4.2.4", async |check| {
            let (view, contract) = (check.contract().forbidden(view)?, check.contract());
            let page = check.signed_in(&view.allowed).await?;
            let (wanted, claim) = (
                Wanted::shell(contract).heading(view.heading.clone()),
                format!("{} is open to {}", view.path, view.allowed),
            );
            let visit = match view.entry {
                Entry::Url => page.visit(&view.path, &wanted).await?,
                Entry::Navigation => {
                    page.visit(&view.path, &Wanted::shell(contract)).await?.expect_ready("the app is on screen")?;
                    page.navigate(&view.navigation, &wanted).await?
                }
            };
            visit.expect_ready(&claim)?;
            let buttons = page.browser().texts(&contract.shell.navigation).await?;
            if buttons.contains(&view.navigation) && (view.entry == Entry::Navigation || path(&visit) == view.path) {
                return Ok(());
            }
            Err(Failure::failed(claim)
                .expected(format!("a button {:?}, and {} as the address", view.navigation, view.path))
                .seen(buttons.join(", "))
                .at(visit.url()))
        })
    }
}

/// What only a signed-in user may see: the views' headings and texts, and what surrounds them.
pub fn protected_texts(contract: &Contract) -> Vec<&str> {
    let views = contract.routes().flat_map(|route| {
        let texts = std::iter::once(&route.heading.text).chain(&route.texts);
        texts.chain(&route.navigation)
    });
    let mut texts: Vec<_> = views.chain([&contract.shell.sign_out]).map(String::as_str).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

fn route_of<'c>(check: &'c Check, name: &str) -> Verdict<&'c Route> {
    let route = check.contract().route(name);
    route.ok_or_else(|| Failure::undecided(format!("the contract has a route {name:?}")).seen("none"))
}
