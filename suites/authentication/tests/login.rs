//! 4.2.1 "Login with valid credentials", and without them.

use harness::{
    Cause, Check, Claims, Failure, Heading, Page, Section, Session, Verdict, Visit, Wanted, check, check_if_promised,
    or_none, views::outline_difference,
};
use rstest_reuse::apply;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{
    auth_server::{api, data_requests, expect_refused, kept_session, now, path, places, token_requests},
    personas, refused,
};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// A form whose fields are further than this away is not for the keyboard.
const MOST_TABS: usize = 20;

/// The view that signing in at "/" leads to.
pub fn landing(check: &Check, persona: &str) -> Verdict<Wanted> {
    let contract = check.contract();
    let persona = contract
        .personas
        .get(persona)
        .ok_or_else(|| Failure::undecided(format!("the contract has a persona {persona:?}")).seen("none"))?;
    let Heading { selector, text } = contract.shell.title.clone();
    let title = Heading { selector, text: text.replace("{label}", &persona.label) };
    Ok(Wanted::shell(contract).heading(title))
}

#[test]
fn an_empty_form_asks_nobody() -> Verdict {
    check("4.2.1", async |check| {
        let (page, login) = (check.page().await?, Wanted::login(check.contract()));
        let opened = page.open_login("/").await?;
        opened.expect_ready("a visitor sees the login")?;
        let claim = "an empty form sends no request";
        // An app may have gone on to a path of its own since.
        if opened.requests(check.deployment().site().url("/").as_str()).next().is_none() {
            return Err(Failure::undecided(claim)
                .expected("the portal's files among the page's requests")
                .seen("none")
                .at(opened.url()));
        }
        page.browser().click(&check.contract().login.submit).await?;
        let visit = page.browser().wait_for(&login).await?;
        visit.expect_ready("the login stays on screen")?;
        let asked = token_requests(check, &visit)?;
        if !asked.is_empty() {
            return Err(Failure::failed(claim).expected("no request for a token").seen(lines(&asked)).at(visit.url()));
        }
        nothing_came_of_it(check, &page, &visit).await
    })
}

/// Who cannot see the form hears what it asks for.
#[test]
fn the_form_is_what_it_promises() -> Verdict {
    check_if_promised(&[Section::Outline], "4.2.1", async |check| {
        let (page, promised) = (check.page().await?, &check.contract().login.outline);
        let claim = "the login has the fields and buttons that it promises";
        let visit = page.open_login("/").await?;
        visit.expect_ready("a visitor sees the login")?;
        match outline_difference(promised, &page.outline_of("body", None).await?) {
            None => Ok(()),
            Some(other) => Err(Failure::failed(claim)
                .expected(other.expected)
                .seen(other.seen)
                .at(visit.url())
                .caused_by(Cause::FrontEnd)),
        }
    })
}

pub mod signed_in {
    use super::*;

    /// Through the form, with sound tokens, and the password goes nowhere but to the auth server.
    #[apply(personas)]
    fn a_persona_signs_in_and_the_password_goes_nowhere_else(#[case] persona: &str) -> Verdict {
        check("4.2.1", async |check| {
            let (email, password) = check.deployment().credentials(persona)?;
            let (page, landing) = (check.page().await?, landing(check, persona)?);
            let opened = page.open_login("/").await?;
            opened.expect_ready("a visitor sees the login")?;

            let (browser, login) = (page.browser(), &check.contract().login);
            browser.type_into(&login.email, &email).await?;
            browser.type_into(&login.password, password.expose_secret()).await?;
            browser.click(&login.submit).await?;
            let at_once = browser.kept().await?;
            let mut visit = browser.wait_for(&landing).await?;
            visit.expect_ready("signing in shows the portal to this role")?;
            let mut leaks = [opened.leaks(password.expose_secret()), visit.leaks(password.expose_secret())].concat();
            let promised = &check.contract().shell.landing;
            let first = check.contract().routes().find(|route| route.path == *promised);
            // The portal may be there before it has gone to its first view.
            if let Some(first) = first.filter(|_| path(&visit) != *promised) {
                visit = browser.wait_for(&Wanted::view(check.contract(), first)).await?;
                leaks.extend(visit.leaks(password.expose_secret()));
            }
            if path(&visit) != *promised {
                return Err(Failure::failed("signing in at / leads to the promised view")
                    .expected(promised)
                    .seen(path(&visit))
                    .at(visit.url()));
            }

            let later = browser.kept().await?;
            leaks.extend([&at_once, &later].into_iter().flat_map(|kept| places(kept, password.expose_secret())));
            leaks.dedup();
            let claim = "the password goes nowhere but to the auth server";
            if !leaks.is_empty() {
                return Err(Failure::failed(claim)
                    .expected("not in an address, in the browser's storage or in the console")
                    .seen(leaks.join("\n"))
                    .at(visit.url()));
            }
            let session = kept_session(&page).await?;
            if places(&later, session.access_token.expose_secret()).is_empty() {
                return Err(Failure::undecided(claim)
                    .expected("at least the session to be found in the browser's storage")
                    .seen("nothing is found there")
                    .at(visit.url()));
            }
            sound(check, &session)?;
            accepted_as_it_is_only(check, &session).await
        })
    }

    /// What is said must not tell who has an account.
    #[test]
    fn a_wrong_password_and_an_unknown_address_are_refused_alike() -> Verdict {
        check("4.2.1", async |check| {
            let (email, password) = check.deployment().credentials(check.contract().smoke.persona.get_ref())?;
            let (page, text) = (check.page().await?, &check.contract().login.wrong_password);
            let wrong: SecretString = format!("not-{}", password.expose_secret()).into();
            let unknown = format!("nobody.{email}");
            let unknown = is_refused(check, &page, (&unknown, &password), text, "an unknown address").await?;
            let known = is_refused(check, &page, (&email, &wrong), text, "a wrong password").await?;
            if known != unknown {
                return Err(Failure::failed(
                    "the auth server answers an unknown address as it answers a wrong password",
                )
                .expected(known)
                .seen(unknown)
                .at(format!("{}/auth/v1/token", api(check)?)));
            }
            // On the form as it is after the refusal.
            let login = &check.contract().login;
            page.search(&login.password, password.expose_secret()).await?;
            page.browser().click(&login.submit).await?;
            let visit = page.browser().wait_for(&landing(check, check.contract().smoke.persona.get_ref())?).await?;
            visit.expect_ready("whoever mistyped the password signs in with the right one, on the same form")
        })
    }

    #[apply(refused)]
    fn an_account_that_is_out_is_refused(#[case] persona: &str) -> Verdict {
        check_if_promised(&[Section::Refused], "4.2.1", async |check| {
            let account = check.contract().refused(persona)?;
            let (email, password) = check.deployment().credentials(persona)?;
            let page = check.page().await?;
            is_refused(check, &page, (&email, &password), &account.text, persona).await.map(drop)
        })
    }

    #[test]
    fn the_keyboard_alone_is_enough() -> Verdict {
        check("4.2.1", async |check| {
            let persona = check.contract().smoke.persona.get_ref();
            let (email, password) = check.deployment().credentials(persona)?;
            let (page, login) = (check.page().await?, &check.contract().login);
            page.open_login("/").await?.expect_ready("a visitor sees the login")?;
            tab_to(&page, &login.email).await?;
            page.browser().press(&email).await?;
            tab_to(&page, &login.password).await?;
            page.browser().press(password.expose_secret()).await?;
            page.browser().press(ENTER).await?;
            page.browser().wait_for(&landing(check, persona)?).await?.expect_ready("the keyboard alone can sign in")
        })
    }
}

/// Tries the form of a page opened anew: it says `text`, and nothing comes of it. Answers with the auth server's answer.
async fn is_refused(
    check: &Check,
    page: &Page<'_>,
    (email, password): (&str, &SecretString),
    text: &str,
    what: &str,
) -> Verdict<String> {
    page.open_login("/").await?.expect_ready("a visitor sees the login")?;
    let visit = page.submit(email, password, &Wanted::login(check.contract()).text(text)).await?;
    visit.expect_ready(format!("{what} is refused, in the portal's words"))?;
    let asked = token_requests(check, &visit)?;
    let Some(request) = asked.last() else {
        return Err(Failure::undecided(format!("{what} is refused by the auth server"))
            .expected("a request for a token")
            .seen("none")
            .at(visit.url()));
    };
    let answer = page.browser().body(request).await?;
    nothing_came_of_it(check, page, &visit).await?;
    Ok(format!("{}: {answer}", request.status().map_or_else(|| "no answer".to_owned(), |status| status.to_string())))
}

/// No session is kept, and no data was asked for since the form was sent; what a visitor's page asks for is 4.2.4.
async fn nothing_came_of_it(check: &Check, page: &Page<'_>, visit: &Visit) -> Verdict {
    if page.held_text().await?.is_some() {
        return Err(Failure::failed("a refused sign-in leaves no session")
            .expected("nothing under the session's key of localStorage")
            .seen("a text"));
    }
    let requests = data_requests(check, visit)?;
    if requests.is_empty() {
        return Ok(());
    }
    Err(Failure::failed("a refused sign-in asks for no data")
        .expected("no request to /rest/v1, /functions/v1 or /storage/v1")
        .seen(lines(&requests))
        .at(visit.url()))
}

/// The access token says what Supabase's tokens say: of this project's auth server, for this user, in this session.
fn sound(check: &Check, session: &Session) -> Verdict {
    let claim = "the access token says whose it is, for what and how long";
    let Some(claims) = Claims::of(session.access_token.expose_secret()) else {
        return Err(Failure::failed(claim).expected("a JWT").seen("something else"));
    };
    let (issuer, user) = (format!("{}/auth/v1", api(check)?), session.user["id"].as_str());
    let is_uuid = |id: &Option<String>| id.as_deref().is_some_and(|id| Uuid::parse_str(id).is_ok());
    let promises = [
        (
            claims.role.as_deref() == Some("authenticated"),
            "role authenticated",
            format!("role {}", or_none(claims.role.as_ref())),
        ),
        (
            user.is_some() && claims.sub.as_deref() == user,
            "sub, the user's id",
            format!("sub {}", or_none(claims.sub.as_ref())),
        ),
        (
            claims.exp.is_some_and(|exp| exp > now()),
            "exp in the future",
            format!("exp {}", or_none(claims.exp.map(|exp| exp.to_string()))),
        ),
        (
            is_uuid(&claims.session_id),
            "session_id, a UUID",
            format!("session_id {}", or_none(claims.session_id.as_ref())),
        ),
        (claims.iss.as_ref() == Some(&issuer), issuer.as_str(), format!("iss {}", or_none(claims.iss.as_ref()))),
    ];
    let broken: Vec<_> = promises.into_iter().filter(|(kept, ..)| !kept).collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(claim)
        .expected(broken.iter().map(|(_, expected, _)| *expected).collect::<Vec<_>>().join("\n"))
        .seen(broken.iter().map(|(.., seen)| seen.as_str()).collect::<Vec<_>>().join("\n"))
        .at("the session in the browser's storage"))
}

/// The auth server knows the session's user by its token, and by no other.
async fn accepted_as_it_is_only(check: &Check, session: &Session) -> Verdict {
    let auth = check.deployment().auth()?;
    let claim = "the auth server takes the session for its user";
    let user = auth.user(session).await.map_err(|error| error.failure(claim).expected("200 with the user"))?;
    if user["id"] != session.user["id"] {
        return Err(Failure::failed(claim)
            .expected(session.user["id"].to_string())
            .seen(user["id"].to_string())
            .at("/auth/v1/user"));
    }
    let token = session.access_token.expose_secret();
    let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let altered = format!("{signed}.{other}{}", signature.chars().skip(1).collect::<String>());
    let altered = session.with_access_token(altered);
    expect_refused(auth.user(&altered).await, "/auth/v1/user", "the auth server refuses a token with another signature")
}

/// Presses Tab until the focus is on what the selector finds.
async fn tab_to(page: &Page<'_>, selector: &str) -> Verdict {
    for _ in 0..MOST_TABS {
        if page.browser().is_focused(selector).await? {
            return Ok(());
        }
        page.browser().press(TAB).await?;
    }
    Err(Failure::failed("the keyboard reaches every field of the login")
        .expected(format!("the focus on {selector} after at most {MOST_TABS} times Tab"))
        .seen("never there"))
}

fn lines(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
