//! 4.2.3 "Logout works correctly". An access token stays good for the database until it runs out, so what ended is asked
//! of the auth server alone.

pub mod signed_in {
    use harness::{Check, Contract, Failure, Page, Route, Section, Verdict, Wanted, check, check_if_promised, or_none};

    use crate::{
        auth_server::{answered_with_rows, api, expect_refused},
        login::landing,
        protected_routes::protected_texts,
    };

    /// As WebDriver calls these keys.
    const TAB: &str = "\u{E004}";
    const ENTER: &str = "\u{E007}";
    const ARROW_DOWN: &str = "\u{E015}";

    /// Where the API's answers, or rows with a mark, are kept.
    const LEFT: &str = "const [api, mark, answer] = arguments;
        (async () => {
          const found = [];
          for (const [name, store] of [['localStorage', localStorage], ['sessionStorage', sessionStorage]]) {
            for (const key of Object.keys(store)) if (store.getItem(key).includes(mark)) found.push(`${name}, ${key}`);
          }
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const request of await cache.keys()) {
              const kept = await (await cache.match(request))?.text();
              if (request.url.startsWith(api) || kept?.includes(mark)) found.push(`cache ${name}: ${new URL(request.url).pathname}`);
            }
          }
          return [...new Set(found)].slice(0, 6);
        })().then(answer);";

    /// Stops before the way out on any page.
    const MOST_TABS: usize = 60;

    #[test]
    fn signing_out_ends_the_session_here_and_at_the_auth_server() -> Verdict {
        check("4.2.3", async |check| {
            let persona = check.contract().smoke.persona.get_ref();
            let (page, session) = check.signed_in_alone(persona).await?;
            let auth = check.deployment().auth()?;
            shows_the_portal(check, &page).await?;
            auth.user(&session).await.map_err(|error| {
                Failure::undecided("the auth server knows the session before it ends")
                    .expected("200 from /auth/v1/user")
                    .seen(error.to_string())
            })?;
            page.sign_out().await?.expect_ready("signing out shows the login")?;
            is_forgotten(&page).await?;
            expect_refused(
                auth.user(&session).await,
                "/auth/v1/user",
                "the auth server refuses the access token after signing out",
            )?;
            expect_refused(
                auth.refresh(&session.refresh_token).await,
                "/auth/v1/token",
                "a refresh token is worth nothing after signing out",
            )
        })
    }

    #[test]
    fn another_window_loses_the_session_on_its_next_action() -> Verdict {
        check("4.2.3", async |check| {
            let contract = check.contract();
            let (page, _) = check.signed_in_alone(contract.smoke.persona.get_ref()).await?;
            shows_the_portal(check, &page).await?;
            let here = page.browser().window().await?;
            let there = page.browser().open_window().await?;
            shows_the_portal(check, &page).await?;
            page.browser().turn_to(here).await?;
            page.sign_out().await?.expect_ready("signing out shows the login")?;

            page.browser().turn_to(there).await?;
            // Where the window shows the login already, there is nothing to click.
            let _ = page.browser().click(&contract.shell.navigation).await;
            let visit = page.browser().wait_for(&Wanted::login(contract)).await?;
            visit.expect_ready("another window shows the login, on its next action at the latest")
        })
    }

    #[test]
    fn back_shows_no_data_after_signing_out() -> Verdict {
        check("4.2.3", async |check| {
            let contract = check.contract();
            let (page, _) = check.signed_in_alone(contract.smoke.persona.get_ref()).await?;
            let (browser, login) = (page.browser(), Wanted::login(contract));
            let claim = "Back shows no data after signing out";
            browser.watch_for(&protected_texts(contract), &[]).await?;
            shows_the_portal(check, &page).await?;
            // So that there is somewhere to go back to.
            let route = contract
                .routes()
                .filter(|route| route.path != contract.shell.landing && is_own(contract, route))
                .last();
            if let Some((route, button)) = route.and_then(|route| Some((route, route.navigation.as_ref()?))) {
                page.navigate(button, &Wanted::view(contract, route))
                    .await?
                    .expect_ready("another view is on screen")?;
            }
            if browser.shown().await?.is_empty() {
                return Err(Failure::undecided(claim).expected("the watch to see the portal").seen("it saw nothing"));
            }
            let signed_out = page.sign_out().await?;
            signed_out.expect_ready("signing out shows the login")?;
            browser.shown().await?;

            let back = browser.back(&login).await?;
            back.expect_ready("Back shows the login after signing out")?;
            // What comes late comes with an answer, and those are in by now.
            let stays = browser.wait_for(&login).await?;
            stays.expect_ready("the login stays after Back")?;
            let mut seen = browser.shown().await?;
            seen.retain(|text| !stays.text().to_lowercase().contains(&text.to_lowercase()));
            seen.extend(answered_with_rows(check, &page, &back).await?);
            if seen.is_empty() {
                return Ok(());
            }
            Err(Failure::failed(claim).expected("the login and nothing else").seen(seen.join("\n")).at(stays.url()))
        })
    }

    /// Rows that somebody has looked at are not kept for whoever uses the browser next: by no cache of the service worker,
    /// and in no storage.
    #[test]
    fn nothing_of_the_institution_stays_in_the_browser() -> Verdict {
        check_if_promised(&[Section::Data], "4.2.3", async |check| {
            let (contract, persona) = (check.contract(), check.contract().smoke.persona.get_ref());
            let canary = contract.owner_of(persona).and_then(|owner| contract.data().ok()?.canaries.get(owner));
            let unknown = || Failure::undecided("the contract says what rows of an institution hold").seen("nothing");
            let canary = canary.ok_or_else(unknown)?;
            let (page, _) = check.signed_in_alone(persona).await?;
            for route in with_rows(contract) {
                page.open(route).await?.expect_ready("a view with rows is on screen")?;
            }
            // What the service worker keeps, it keeps from the next visit on.
            page.service_worker().await?;
            for route in with_rows(contract) {
                page.open(route).await?.expect_ready("a view with rows is on screen again")?;
            }
            page.sign_out().await?.expect_ready("signing out shows the login")?;
            let left = page.browser().ask(LEFT, vec![api(check)?.into(), canary.as_str().into()]).await?;
            let mut left: Vec<String> = serde_json::from_value(left)
                .map_err(|error| Failure::undecided("the browser says what it keeps").seen(error.to_string()))?;
            if left.is_empty() {
                return Ok(());
            }
            left.sort();
            Err(Failure::failed("what somebody has seen is not kept in the browser once they have signed out")
                .expected("no answer of the API and no row of the institution in caches and storages")
                .seen(left.join("\n"))
                .at(check.deployment().site().url("/").as_str())
                .advice(
                    "let the service worker answer for the build's own files only, and empty what it keeps at sign-out",
                ))
        })
    }

    /// The ledger, or every view where there is none.
    fn with_rows(contract: &Contract) -> impl Iterator<Item = &Route> {
        let ledger = contract.ledger().ok().map(|ledger| ledger.route.as_str());
        let is_meant = move |route: &&Route| ledger.is_none_or(|ledger| route.name == ledger);
        contract.routes().filter(is_meant).filter(|route| is_own(contract, route))
    }

    /// Whether the persona of these checks visits a route.
    fn is_own(contract: &Contract, route: &Route) -> bool {
        contract.visitor(route) == contract.smoke.persona.get_ref()
    }

    /// The session is one that others use too: nobody can end it, since the auth server cannot be reached.
    #[test]
    fn signing_out_needs_no_auth_server() -> Verdict {
        check("4.2.3", async |check| {
            let persona = check.contract().smoke.persona.get_ref();
            let page = check.signed_in(persona).await?;
            shows_the_portal(check, &page).await?;
            page.browser().cut_off("*/auth/v1/*").await?;
            page.sign_out()
                .await?
                .expect_ready("signing out shows the login though the auth server is out of reach")?;
            is_forgotten(&page).await?;
            let session = check.deployment().session(persona).await?;
            check.deployment().auth()?.user(&session).await.map(drop).map_err(|error| {
                Failure::undecided("signing out works without the auth server")
                    .expected("the auth server out of reach, so that it knows the session still")
                    .seen(error.to_string())
            })
        })
    }

    /// On a phone the way out is behind the menu, and by keyboard it is reached with the focus to be seen.
    #[test]
    fn the_way_out_is_reached_on_a_phone_and_by_keyboard() -> Verdict {
        check_if_promised(&[Section::Controls], "4.2.3", async |check| {
            let (contract, persona) = (check.contract(), check.contract().smoke.persona.get_ref());
            let (page, _) = check.signed_in_alone(persona).await?;
            shows_the_portal(check, &page).await?;
            page.browser().show_as(contract.controls()?.phone, "light").await?;
            let (button, menu) = (&contract.shell.sign_out, contract.shell.account_menu.as_deref());
            let (selector, text) = menu.map_or(("button, a, [role=button]", button.as_str()), |menu| (menu, ""));
            if let Some(obstacle) = page.unreachable(selector, text).await? {
                return Err(Failure::failed(format!("{button:?} is reached on a phone"))
                    .expected(format!("a finger reaches it, {} px wide", contract.controls()?.phone))
                    .seen(obstacle));
            }
            page.browser().show_as(1280, "light").await?;
            shows_the_portal(check, &page).await?;
            let claim = format!("{button:?} is reached by keyboard");
            let mut passed = Vec::new();
            for _ in 0..MOST_TABS {
                page.browser().press(TAB).await?;
                let (text, is_seen) = page.browser().focus().await?;
                let is_there = match menu {
                    Some(menu) => page.browser().has_focus(menu).await?,
                    None => text == *button,
                };
                if is_there {
                    if !is_seen {
                        return Err(Failure::failed(claim).expected("the focus to be seen").seen("nothing shows it"));
                    }
                    page.browser().press(ENTER).await?;
                    if menu.is_some() {
                        in_the_menu(check, &page, button).await?;
                        page.browser().press(ENTER).await?;
                    }
                    return page.browser().wait_for(&Wanted::login(contract)).await?.expect_ready("Enter signs out");
                }
                passed.push(text);
            }
            passed.retain(|text| !text.is_empty());
            Err(Failure::failed(claim)
                .expected(format!("the focus on it after at most {MOST_TABS} tabs"))
                .seen(format!("{} other stops, among them {}", passed.len(), or_none(passed.first()))))
        })
    }

    /// Leads the focus to an entry of the menu that Enter has opened.
    async fn in_the_menu(check: &Check, page: &Page<'_>, entry: &str) -> Verdict {
        let wanted_entry = Wanted::anything(check.contract()).text(entry);
        page.browser().wait_for(&wanted_entry).await?.expect_ready("Enter opens the menu")?;
        for _ in 0..MOST_TABS {
            if page.browser().focus().await?.0 == entry {
                return Ok(());
            }
            page.browser().press(ARROW_DOWN).await?;
        }
        Err(Failure::failed(format!("{entry:?} is reached by keyboard"))
            .expected("the focus on it by the arrow keys, once its menu is open")
            .seen("it never has it"))
    }

    /// The view that the persona of all these checks lands on.
    async fn shows_the_portal(check: &Check, page: &Page<'_>) -> Verdict {
        let landing = landing(check, check.contract().smoke.persona.get_ref())?;
        page.visit(&check.contract().shell.landing, &landing).await?.expect_ready("the portal is on screen")
    }

    /// The browser keeps no session any more.
    async fn is_forgotten(page: &Page<'_>) -> Verdict {
        match page.held_text().await? {
            None => Ok(()),
            Some(_) => Err(Failure::failed("the browser forgets the session when its user signs out")
                .expected("nothing under the session's key of localStorage")
                .seen("it is still there")),
        }
    }
}
