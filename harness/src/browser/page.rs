//! The portal's pages as objects: what a person does there.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::OnceCell;
use url::Url;

use super::{Browser, PRESS, Visit, visit::Wanted};
use crate::{
    client::{Credentials, Session},
    contract::{Contract, Entry, Route},
    deployment::Deployment,
    failure::{Failure, Verdict},
    seen,
    site::{Document, Fetched},
};

/// What can be chosen in a menu.
const ENTRIES: &str = "[role=menuitem]:not([aria-disabled=true])";

/// Said where people sign in as they do themselves, since nothing else works.
const BY_THE_FORM: &str =
    "the app takes no session from localStorage and keeps its own elsewhere: people sign in by the form";

/// Where an app keeps its session.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Where supabase-js does, or where the bundle says.
    Known,
    /// In `localStorage`, under this key.
    Under(String),
    /// In the browser, and not in `localStorage`.
    Elsewhere,
}

static PLACE: OnceCell<Place> = OnceCell::const_new();

/// What marks a document of an older release.
const OLDER: &str = "older-release";

/// How long a service worker may take to become active: portals start it when nothing else is to do.
const LIMIT: Duration = Duration::from_secs(6);

/// The portal in one browser session.
#[derive(Debug)]
pub struct Page<'a> {
    browser: &'a Browser,
    deployment: &'a Deployment,
    /// What was kept in the place of a session: of several places only the app's own one changes.
    held: Mutex<Option<String>>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(browser: &'a Browser, deployment: &'a Deployment) -> Self {
        Self { browser, deployment, held: Mutex::default() }
    }

    pub(crate) fn contract(&self) -> &'a Contract {
        self.deployment.contract()
    }

    /// The browser that shows it.
    pub fn browser(&self) -> &'a Browser {
        self.browser
    }

    /// Keeps `session` where supabase-js looks for one, before the first script of the portal runs. Where the app keeps its
    /// own elsewhere, its user signs in by the form instead, which is stated once.
    ///
    /// # Errors
    /// Undecided when the browser itself fails; failed where the form lets nobody in.
    pub async fn hold(&self, session: &Session) -> Verdict {
        if let Some(by) = &session.credentials {
            let place = PLACE.get_or_try_init(async || self.place_of(session, by).await).await?;
            if *place == Place::Elsewhere {
                return self.sign_in_as(by).await;
            }
        }
        self.hold_text(&session.stored().to_string()).await
    }

    /// Whether the app takes a session that is kept for it, which somebody who signs in to the deployment shows.
    pub(crate) async fn takes_sessions(&self, persona: &str) -> Verdict<bool> {
        if !self.deployment.site().bundle().await.is_ok_and(|it| it.may_keep_sessions_elsewhere()) {
            return Ok(true);
        }
        let session = self.deployment.session(persona).await?;
        let Some(by) = &session.credentials else { return Ok(true) };
        let place = PLACE.get_or_try_init(async || self.place_of(&session, by).await).await?;
        Ok(*place != Place::Elsewhere)
    }

    async fn sign_in_as(&self, by: &Credentials) -> Verdict {
        self.open_login("/").await?.expect_ready("the login view is on screen")?;
        let visit = self.sign_in(&by.email, &by.password).await?;
        visit.expect_ready("signing in by the form shows the portal")
    }

    /// Where the app keeps a session. Looked for in a browser of its own: what is looked at afterwards meets the app as new
    /// as ever.
    async fn place_of(&self, session: &Session, by: &Credentials) -> Verdict<Place> {
        let bundle = self.deployment.site().bundle().await;
        if !bundle.is_ok_and(|it| it.may_keep_sessions_elsewhere()) {
            return Ok(Place::Known);
        }
        let browser = Browser::open(vec![self.deployment.site().url("/")]).await?;
        let place = Page::new(&browser, self.deployment).looked_for(session, by).await;
        browser.close(true).await?;
        let place = place?;
        if place == Place::Elsewhere {
            seen::note(|seen| seen.sessions = Some(BY_THE_FORM.to_owned()));
            // Past the test runner, which shows nothing of a check before it ends.
            let _ = writeln!(io::stderr(), "{BY_THE_FORM}");
        }
        Ok(place)
    }

    /// Where the app finds no session that is stored, somebody signs in, and what it then keeps says where.
    async fn looked_for(&self, session: &Session, by: &Credentials) -> Verdict<Place> {
        let (shell, login) = (Wanted::shell(self.contract()), &self.contract().login);
        self.hold_text(&session.stored().to_string()).await?;
        let stored = self.visit("/", &shell).await?;
        if stored.is_ready() || self.browser.texts(&login.password).await?.is_empty() {
            return Ok(Place::Known);
        }
        if !self.sign_in(&by.email, &by.password).await?.is_ready() {
            return Ok(Place::Known);
        }
        let kept = self.browser.kept().await?;
        let known = self.storage_keys().await?;
        let mut keys = kept["local"].as_object().into_iter().flatten();
        if let Some((key, _)) = keys.find(|(key, text)| !known.contains(key) && is_session(text)) {
            return Ok(Place::Under(key.clone()));
        }
        let is_kept = self.browser.reload(&shell).await?.is_ready();
        Ok(if is_kept { Place::Elsewhere } else { Place::Known })
    }

    /// Keeps any text there.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn hold_text(&self, text: &str) -> Verdict {
        for key in self.storage_keys().await? {
            self.browser.store(&self.deployment.site().url("/"), &key, text).await?;
        }
        self.remember(text);
        Ok(())
    }

    fn remember(&self, text: &str) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.to_owned());
    }

    /// Keeps `session` in the page that is open, in the place of another: whatever is opened next is theirs.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn hold_now(&self, session: &Session) -> Verdict {
        self.hold_text_now(&session.stored().to_string()).await
    }

    /// Keeps any text in the page that is open.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn hold_text_now(&self, text: &str) -> Verdict {
        let script = "const [keys, value, answer] = arguments;
            for (const key of keys) localStorage.setItem(key, value);
            answer(null);";
        let keys = self.storage_keys().await?;
        self.browser.ask(script, vec![keys.into(), text.into()]).await?;
        self.remember(text);
        Ok(())
    }

    /// Where supabase-js looks for a session, and where the app says that it does: it may have a key of its own.
    async fn storage_keys(&self) -> Verdict<Vec<String>> {
        let mut keys = vec![Session::storage_key(&self.deployment.api()?.url)];
        // A bundle that cannot be read is another check's to report.
        if let Ok(bundle) = self.deployment.site().bundle().await {
            let usual = keys[0].clone();
            keys.extend(bundle.storage_keys().into_iter().filter(|key| *key != usual));
        }
        if let Some(Place::Under(key)) = PLACE.get() {
            keys.push(key.clone());
        }
        Ok(keys)
    }

    /// The text that is kept there now, by the app: of the places that it may have, the one that it has changed; else a session
    /// that it keeps anywhere else in its storage.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn held_text(&self) -> Verdict<Option<String>> {
        let kept = self.browser.kept().await?;
        let now = |key: &String| kept["local"][key].as_str().map(str::to_owned);
        let known = self.storage_keys().await?;
        let now: Vec<_> = known.iter().map(now).collect();
        let elsewhere = || {
            let of = |place: &str| kept[place].as_object().into_iter().flatten();
            let mut others = of("local").filter(|(key, _)| !known.contains(key)).chain(of("session"));
            others.find(|(_, text)| is_session(text)).and_then(|(_, text)| text.as_str().map(str::to_owned))
        };
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(of_app(held.as_deref(), now).or_else(elsewhere))
    }

    /// Opens a path and waits for what is wanted.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn visit(&self, path: &str, wanted: &Wanted) -> Verdict<Visit> {
        self.browser.visit(&self.deployment.site().url(path), wanted).await
    }

    /// Opens a path and waits for the login view.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn open_login(&self, path: &str) -> Verdict<Visit> {
        self.visit(path, &Wanted::login(self.contract())).await
    }

    /// Opens a route by the entry that the contract promises and waits for its view.
    ///
    /// # Errors
    /// Failed when there is no such navigation button; undecided when the browser itself fails.
    pub async fn open(&self, route: &Route) -> Verdict<Visit> {
        let (url, view) = (self.deployment.site().url(&route.path), Wanted::view(self.contract(), route));
        match (route.entry, &route.navigation) {
            (Entry::Navigation, Some(button)) => {
                self.browser
                    .visit(&url, &Wanted::shell(self.contract()))
                    .await?
                    .expect_ready("the app is on screen")?;
                self.navigate(button, &view).await
            }
            _ => self.browser.visit(&url, &view).await,
        }
    }

    /// Clicks a button of the navigation and waits for its view.
    ///
    /// # Errors
    /// Failed when there is no such button; undecided when the browser itself fails.
    pub async fn navigate(&self, button: &str, view: &Wanted) -> Verdict<Visit> {
        let selector = &self.contract().shell.navigation;
        if self.browser.click_text(selector, button).await? {
            return self.browser.wait_for(view).await;
        }
        Err(Failure::failed("the navigation has the view")
            .expected(format!("a button {button:?} ({selector})"))
            .seen("none"))
    }

    /// Signs in through the form that is on screen and waits for what surrounds every view.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn sign_in(&self, email: &str, password: &SecretString) -> Verdict<Visit> {
        self.submit(email, password, &Wanted::shell(self.contract())).await
    }

    /// Fills in and sends the form that is on screen and waits for what is wanted.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn submit(&self, email: &str, password: &SecretString, wanted: &Wanted) -> Verdict<Visit> {
        let login = &self.contract().login;
        self.browser.type_into(&login.email, email).await?;
        self.browser.type_into(&login.password, password.expose_secret()).await?;
        self.browser.click(&login.submit).await?;
        self.browser.wait_for(wanted).await
    }

    /// Clicks "Sign Out", by whatever name the contract calls it, and waits for the login view.
    ///
    /// # Errors
    /// Failed when there is no such button; undecided when the browser itself fails.
    pub async fn sign_out(&self) -> Verdict<Visit> {
        let shell = &self.contract().shell;
        let button = &shell.sign_out;
        if let Some(menu) = &shell.account_menu {
            self.browser.click(menu).await?;
        }
        if self.browser.click_text("button, a, [role=button], [role=menuitem]", button).await? {
            return self.browser.wait_for(&Wanted::login(self.contract())).await;
        }
        Err(Failure::failed("a signed-in user can sign out").expected(format!("a button {button:?}")).seen("none"))
    }

    /// Clicks the button with this text in the first row that holds `content`, or in the menu that another button of the
    /// row opens; false where there is none, or it is disabled.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn click_in_row(&self, rows: &str, content: &str, menu: Option<&str>, button: &str) -> Verdict<bool> {
        let script = "const [rows, content, menu, button, answer] = arguments;
            const row = [...document.querySelectorAll(rows)].find((row) => row.innerText.includes(content));
            const buttons = [...(row?.querySelectorAll(menu ?? 'button, a, [role=button]') ?? [])];
            const found = buttons.find((it) => !it.disabled && (menu || it.innerText.trim() === button));
            if (found) press(found);
            answer(Boolean(found));";
        let script = &[PRESS, script].concat();
        let arguments = vec![rows.into(), content.into(), menu.into(), button.into()];
        let clicked = self.browser.ask(script, arguments).await? == true;
        match menu {
            Some(_) if clicked => self.browser.click_text(ENTRIES, button).await,
            _ => Ok(clicked),
        }
    }

    /// Path of the script of the service worker that is active for the page; nothing where none is registered.
    ///
    /// # Errors
    /// Failed when one is registered and does not become active; undecided when the browser itself fails.
    pub async fn service_worker(&self) -> Verdict<Option<String>> {
        let promised = self.contract().portal.service_worker.is_some();
        let limit = LIMIT.as_millis() as u64;
        let answer = self.browser.ask(include_str!("service_worker.js"), vec![promised.into(), limit.into()]).await?;
        match answer.get("inactive").and_then(Value::as_str) {
            Some(state) => Err(Failure::failed("the service worker becomes active").expected("activated").seen(state)),
            None => Ok(answer.get("script").and_then(Value::as_str).map(str::to_owned)),
        }
    }

    /// Makes the documents that the service worker keeps those of an older release; answers with how many it keeps.
    ///
    /// # Errors
    /// Undecided when the browser itself fails, or its caches cannot be read.
    pub async fn age_caches(&self) -> Verdict<u64> {
        let answer = self.browser.ask(include_str!("age_caches.js"), vec![OLDER.into()]).await?;
        answer.as_u64().ok_or_else(|| Failure::undecided("the caches of the page can be read").seen("an error"))
    }

    /// Throws away all that the caches of the page's service workers keep; answers with how much that was.
    ///
    /// # Errors
    /// Undecided when the browser itself fails, or its caches cannot be read.
    pub async fn empty_caches(&self) -> Verdict<u64> {
        let answer = self.browser.ask(include_str!("empty_caches.js"), vec![]).await?;
        answer.as_u64().ok_or_else(|| Failure::undecided("the caches of the page can be emptied").seen("an error"))
    }

    /// Whether the page that is open was made of a document that [`Page::age_caches`] has left.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn is_of_an_older_release(&self) -> Verdict<bool> {
        let script = "const [mark, answer] = arguments; answer(document.querySelector(`meta[name=${mark}]`) !== null);";
        Ok(self.browser.ask(script, vec![OLDER.into()]).await? == true)
    }

    /// The document that the page was made of, as the page holds it now.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn served_document(&self) -> Verdict<Document> {
        let html = self.browser.page_source().await?;
        Ok(Fetched::in_page(self.deployment.site().url("/"), html).document())
    }

    /// A URL's text as the page's own requests get it, through its service worker.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn served_text(&self, url: &Url) -> Verdict<String> {
        let script = "const [url, answer] = arguments; fetch(url).then((it) => it.text()).then(answer, (error) => answer(String(error)));";
        let answer = self.browser.ask(script, vec![url.as_str().into()]).await?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }
}

/// Whether a text that is kept is a session of Supabase's.
fn is_session(text: &Value) -> bool {
    let session: Value = text.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    session["access_token"].is_string() && session["refresh_token"].is_string()
}

/// What the app keeps, of what is in each of the places that it may have: it changes one of them, or removes it.
fn of_app(held: Option<&str>, now: Vec<Option<String>>) -> Option<String> {
    let changed = now.iter().find(|text| text.as_deref() != held);
    changed.cloned().unwrap_or_else(|| held.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::of_app;

    #[rstest]
    #[case::signed_in_by_the_form(None, &[None, Some("new")], Some("new"))]
    #[case::nothing_yet(None, &[None, None], None)]
    #[case::held_and_unchanged(Some("held"), &[Some("held"), Some("held")], Some("held"))]
    #[case::renewed(Some("held"), &[Some("held"), Some("new")], Some("new"))]
    #[case::forgotten(Some("held"), &[Some("held"), None], None)]
    #[case::in_the_usual_place(Some("held"), &[None], None)]
    fn of_several_places_the_one_that_the_app_changes_is_its_own(
        #[case] held: Option<&str>,
        #[case] now: &[Option<&str>],
        #[case] expected: Option<&str>,
    ) {
        let now = now.iter().map(|text| text.map(str::to_owned)).collect();
        assert_eq!(of_app(held, now).as_deref(), expected);
    }
}
