//! One check's browser: a fresh profile with one window.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fantoccini::{Client, wd::WebDriverCompatibleCommand};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::{
    Error,
    log::{Log, Requests},
    running::Running,
    visit::{Visit, Wanted},
};
use crate::{
    client::Session as UserSession,
    failure::{Failure, Verdict},
};

/// How long after its view is on screen a page may take to answer what it still asks for.
const SETTLE: Duration = Duration::from_secs(2);

/// A browser with a fresh profile. The check that opened it closes it; what is not closed ends with the process.
#[derive(Debug)]
pub struct Browser {
    running: Running,
    origins: Vec<Url>,
    /// Of the last look at a page.
    log: Mutex<String>,
}

impl Browser {
    /// Takes a browser with a fresh profile. `origins` are the portal's own: a request that fails there is a defect.
    pub(crate) async fn open(origins: Vec<Url>) -> Result<Self, Error> {
        let browser = Self { running: Running::lent().await?, origins, log: Mutex::default() };
        // What an earlier profile wrote is not this one's.
        for kind in ["performance", "browser"] {
            browser.entries(kind).await?;
        }
        Ok(browser)
    }

    /// Puts a session where supabase-js looks for one, before the first script of the portal runs.
    pub(crate) async fn sign_in_with(&self, session: &UserSession, site: &Url, api: &Url) -> Result<(), Error> {
        let (key, value) = (UserSession::storage_key(api), session.stored().to_string());
        // Once per window: a portal that signs out must stay signed out.
        let source = format!(
            "if (location.origin === {origin} && !sessionStorage.getItem('signed-in-once')) {{
               sessionStorage.setItem('signed-in-once', '1');
               localStorage.setItem({key}, {value});
             }}",
            origin = json!(site.origin().ascii_serialization()),
            key = json!(key),
            value = json!(value),
        );
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await?;
        Ok(())
    }

    /// Opens a URL and waits until the page shows what is wanted, has given up, or the time is over. An answer means
    /// that the page was looked at, not that it showed it: ask the [`Visit`].
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn visit(&self, url: &Url, wanted: &Wanted) -> Verdict<Visit> {
        self.visit_page(url, wanted).await.map_err(Failure::from)
    }

    async fn visit_page(&self, url: &Url, wanted: &Wanted) -> Result<Visit, Error> {
        self.client().goto(url.as_str()).await.map_err(Error::command("open a page"))?;
        self.look(wanted).await
    }

    /// Waits as [`Browser::visit`] does, on the page that is open.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn wait_for(&self, wanted: &Wanted) -> Verdict<Visit> {
        self.look(wanted).await.map_err(Failure::from)
    }

    async fn look(&self, wanted: &Wanted) -> Result<Visit, Error> {
        let limit = wanted.limit + Duration::from_secs(10);
        let looking = self.client().execute_async(include_str!("ready.js"), vec![wanted.argument()]);
        let answer = tokio::time::timeout(limit, looking).await.map_err(|_| Error::Silent(limit))?;
        let seen = answer.map_err(Error::command("watch a page"))?;
        let log = self.settled_log().await?;
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = log.to_string();
        Visit::of(wanted, seen, log)
    }

    /// The log once the portal's own requests are answered: a request that fails late is a defect too.
    async fn settled_log(&self) -> Result<Log, Error> {
        let until = tokio::time::Instant::now() + SETTLE;
        let mut requests = Requests::new(self.origins.clone());
        loop {
            requests.read(self.entries("performance").await?);
            if requests.are_answered() || tokio::time::Instant::now() > until {
                break;
            }
            // The driver answers when the browser has; the page's next event is what is waited for.
            self.client()
                .execute_async("requestAnimationFrame(() => setTimeout(arguments[0], 5))", vec![])
                .await
                .map_err(Error::command("let a page settle"))?;
        }
        Ok(Log::new(self.entries("browser").await?, requests))
    }

    /// Runs a script in the page; its last argument is the function that takes the answer.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn ask(&self, script: &str, arguments: Vec<Value>) -> Verdict<Value> {
        let answer = self.client().execute_async(script, arguments).await;
        answer.map_err(Error::command("run a script in the page")).map_err(Failure::from)
    }

    /// Types into a field as a person does.
    pub(super) async fn type_into(&self, selector: &str, text: &str) -> Result<(), Error> {
        let field =
            self.client().find(fantoccini::Locator::Css(selector)).await.map_err(Error::command("find a field"))?;
        field.send_keys(text).await.map_err(Error::command("type into a field"))
    }

    /// Clicks what a CSS selector finds first.
    pub(super) async fn click(&self, selector: &str) -> Result<(), Error> {
        let element =
            self.client().find(fantoccini::Locator::Css(selector)).await.map_err(Error::command("find a button"))?;
        element.click().await.map_err(Error::command("click a button"))
    }

    /// Clicks the first element of a CSS selector that has exactly this text.
    pub(super) async fn click_text(&self, selector: &str, text: &str) -> Result<bool, Error> {
        let script = "const [selector, text] = arguments;
            const found = [...document.querySelectorAll(selector)].find((element) => element.innerText.trim() === text);
            found?.click();
            return Boolean(found);";
        let clicked = self.client().execute(script, vec![json!(selector), json!(text)]).await;
        Ok(clicked.map_err(Error::command("click a button"))?.as_bool().unwrap_or(false))
    }

    /// A picture of the window, as PNG.
    pub(crate) async fn screenshot(&self) -> Result<Vec<u8>, Error> {
        self.client().screenshot().await.map_err(Error::command("take a screenshot"))
    }

    /// The page as it is now, as HTML.
    pub(crate) async fn page_source(&self) -> Result<String, Error> {
        self.client().source().await.map_err(Error::command("read the page"))
    }

    /// Console and requests of the last look at a page.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the profile, and the browser too unless the check that used it went well.
    pub(crate) async fn close(self, went_well: bool) -> Result<(), Error> {
        self.running.give_back(went_well).await
    }

    fn client(&self) -> &Client {
        &self.running.client
    }

    async fn entries(&self, kind: &str) -> Result<Value, Error> {
        let command = SessionCommand { path: "se/log", body: json!({ "type": kind }) };
        self.client().issue_cmd(command).await.map_err(Error::command("read the log"))
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Result<Value, Error> {
        let command =
            SessionCommand { path: "goog/cdp/execute", body: json!({ "cmd": command, "params": parameters }) };
        self.client().issue_cmd(command).await.map_err(Error::command("use the DevTools protocol"))
    }
}

/// A command below `/session/{id}/` that the WebDriver standard does not have.
#[derive(Debug)]
struct SessionCommand {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for SessionCommand {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, url::ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
