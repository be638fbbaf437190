//! One check's browser: a fresh profile with one window.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fantoccini::{
    Client, Locator,
    wd::{WebDriverCompatibleCommand, WindowHandle},
};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::{
    Error,
    log::{Log, Request, Requests},
    running::Running,
    visit::{Since, Visit, Wanted},
};
use crate::failure::{Failure, Verdict};

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
    ///
    /// # Errors
    /// Not run where there is no browser.
    pub async fn open(origins: Vec<Url>) -> Verdict<Self> {
        let browser = Self { running: Running::lent().await?, origins, log: Mutex::default() };
        // What an earlier profile wrote is not this one's.
        for kind in ["performance", "browser"] {
            browser.entries(kind).await?;
        }
        Ok(browser)
    }

    /// Puts a text into the page's storage before the first script of the portal runs.
    pub(crate) async fn store(&self, site: &Url, key: &str, value: &str) -> Result<(), Error> {
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
        self.look(wanted, Since::Opening).await
    }

    /// Waits as [`Browser::visit`] does, on the page that is open.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn wait_for(&self, wanted: &Wanted) -> Verdict<Visit> {
        self.look(wanted, Since::Now).await.map_err(Failure::from)
    }

    /// Loads the page that is open once more.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn reload(&self, wanted: &Wanted) -> Verdict<Visit> {
        self.client().refresh().await.map_err(Error::command("reload a page"))?;
        self.look(wanted, Since::Opening).await.map_err(Failure::from)
    }

    /// Goes back in the history.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn back(&self, wanted: &Wanted) -> Verdict<Visit> {
        self.client().back().await.map_err(Error::command("go back"))?;
        self.look(wanted, Since::Now).await.map_err(Failure::from)
    }

    async fn look(&self, wanted: &Wanted, since: Since) -> Result<Visit, Error> {
        let limit = wanted.limit + Duration::from_secs(10);
        let looking = self.client().execute_async(include_str!("ready.js"), vec![wanted.argument(since)]);
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

    /// Remembers which of `texts`, and which of the things that `selectors` find, are ever on screen, however shortly,
    /// in pages that this window opens from now on.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn watch_for(&self, texts: &[&str], selectors: &[&str]) -> Verdict {
        let watched = json!({ "texts": texts, "selectors": selectors });
        let source = include_str!("watch.js").replace("WATCHED", &watched.to_string());
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await?;
        Ok(())
    }

    /// What was watched for and was on screen since the page was opened or last asked this.
    ///
    /// # Errors
    /// Undecided when the page was not watched or the browser itself fails.
    pub async fn shown(&self) -> Verdict<Vec<String>> {
        let script = "const [answer] = arguments;
            const watched = window[Symbol.for('watched')];
            answer(watched ? [...watched] : null);
            watched?.clear();";
        let shown: Option<_> = serde_json::from_value(self.ask(script, vec![]).await?).unwrap_or_default();
        shown.ok_or_else(|| {
            Failure::undecided("the page was watched from its beginning").seen("a page that nobody watched")
        })
    }

    /// What the page keeps: local and session storage and cookies, as JSON.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn kept(&self) -> Verdict<Value> {
        let script = "const [answer] = arguments;
            answer({ local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie });";
        self.ask(script, vec![]).await
    }

    /// The body that the page got for a request.
    ///
    /// # Errors
    /// Undecided when the browser does not have it any more.
    pub async fn body(&self, request: &Request) -> Verdict<String> {
        let answer = self.devtools("Network.getResponseBody", json!({ "requestId": request.id })).await?;
        Ok(answer["body"].as_str().unwrap_or_default().to_owned())
    }

    /// Lets no request to URLs of this pattern (`*` is anything) through.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn cut_off(&self, pattern: &str) -> Verdict {
        self.devtools("Network.setBlockedURLs", json!({ "urls": [pattern] })).await?;
        Ok(())
    }

    /// The window that commands go to.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn window(&self) -> Verdict<WindowHandle> {
        Ok(self.client().window().await.map_err(Error::command("ask for the window"))?)
    }

    /// Opens a further window of the same profile and turns to it.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn open_window(&self) -> Verdict<WindowHandle> {
        let window = self.running.window().await?;
        self.running.show(window.clone()).await?;
        Ok(window)
    }

    /// Turns to a window.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn turn_to(&self, window: WindowHandle) -> Verdict {
        Ok(self.running.show(window).await?)
    }

    /// Presses keys wherever the focus is.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn press(&self, keys: &str) -> Verdict {
        let focused = self.client().active_element().await.map_err(Error::command("find the focus"))?;
        Ok(focused.send_keys(keys).await.map_err(Error::command("press keys"))?)
    }

    /// The text of what has the focus, and whether anything shows that it has.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn focus(&self) -> Verdict<(String, bool)> {
        let script = "const it = document.activeElement;
            const style = it ? getComputedStyle(it) : null;
            const seen = Boolean(style) && ((style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none');
            arguments[0]([it && it !== document.body ? it.innerText?.trim() ?? '' : '', seen]);";
        Ok(serde_json::from_value(self.ask(script, vec![]).await?).unwrap_or_default())
    }

    /// Bytes of memory that the page's scripts hold, without what they have let go.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn heap(&self) -> Verdict<u64> {
        self.devtools("HeapProfiler.collectGarbage", json!({})).await?;
        let usage = self.devtools("Runtime.getHeapUsage", json!({})).await?;
        Ok(usage["usedSize"].as_f64().unwrap_or_default() as u64)
    }

    /// The path of the page that is open.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn path(&self) -> Verdict<String> {
        let answer = self.ask("arguments[0](location.pathname)", vec![]).await?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// Whether the focus is on what a CSS selector finds first.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn is_focused(&self, selector: &str) -> Verdict<bool> {
        let script = "const [selector, answer] = arguments;
            answer(document.activeElement !== null && document.activeElement === document.querySelector(selector));";
        Ok(self.ask(script, vec![selector.into()]).await?.as_bool().unwrap_or(false))
    }

    /// The texts of all that a CSS selector finds and that is visible.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn texts(&self, selector: &str) -> Verdict<Vec<String>> {
        let script = "const [selector, answer] = arguments;
            const visible = (element) => element.checkVisibility?.() ?? true;
            answer([...document.querySelectorAll(selector)].filter(visible).map((element) => element.innerText.trim()));";
        Ok(serde_json::from_value(self.ask(script, vec![selector.into()]).await?).unwrap_or_default())
    }

    /// Puts text into a field in one go, as a paste or a password manager does: typing takes 3 ms a letter. What
    /// depends on keys is for [`Browser::press`].
    ///
    /// # Errors
    /// Undecided when there is no such field.
    pub async fn type_into(&self, selector: &str, text: &str) -> Verdict {
        let script = "const [selector, answer] = arguments;
            const field = document.querySelector(selector);
            field?.focus();
            answer(field !== null && document.activeElement === field);";
        if self.ask(script, vec![selector.into()]).await? != true {
            return Err(Failure::undecided("there is a field to type into")
                .expected(selector)
                .seen("none that takes the focus"));
        }
        self.devtools("Input.insertText", json!({ "text": text })).await?;
        Ok(())
    }

    /// Chooses the option with this value.
    ///
    /// # Errors
    /// Failed when what is asked for is not offered; undecided when there is no such field.
    pub async fn choose(&self, selector: &str, value: &str) -> Verdict {
        let script = "const [selector, value, answer] = arguments;
            const options = document.querySelector(selector)?.options;
            answer(options ? { offered: [...options].some((it) => it.value === value), of: options.length } : null);";
        let options = self.ask(script, vec![selector.into(), value.into()]).await?;
        if options["offered"] == false {
            return Err(Failure::failed("what is to be chosen is offered")
                .expected(format!("an option with the value {value} ({selector})"))
                .seen(format!("{} options without it", options["of"])));
        }
        let field = self.client().find(Locator::Css(selector)).await.map_err(Error::command("find a choice"))?;
        Ok(field.select_by_value(value).await.map_err(Error::command("choose an option"))?)
    }

    /// Clicks what a CSS selector finds first.
    ///
    /// # Errors
    /// Undecided when there is nothing to click.
    pub async fn click(&self, selector: &str) -> Verdict {
        let element = self.client().find(Locator::Css(selector)).await.map_err(Error::command("find a button"))?;
        Ok(element.click().await.map_err(Error::command("click a button"))?)
    }

    /// Clicks the first visible element of a CSS selector that has exactly this text; false where there is none.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn click_text(&self, selector: &str, text: &str) -> Verdict<bool> {
        let script = "const [selector, text] = arguments;
            const found = [...document.querySelectorAll(selector)].find((element) => element.innerText.trim() === text);
            found?.click();
            return Boolean(found);";
        let clicked = self.client().execute(script, vec![json!(selector), json!(text)]).await;
        Ok(clicked.map_err(Error::command("click a button"))?.as_bool().unwrap_or(false))
    }

    /// Shows pages as a screen of this width in pixels does, in the colour scheme `light` or `dark`.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn show_as(&self, width: u32, scheme: &str) -> Verdict {
        let screen = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await?;
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", scheme).await?;
        Ok(())
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

    /// Ends the profile, and the browser too unless what used it went well.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn close(self, went_well: bool) -> Verdict {
        Ok(self.running.give_back(went_well).await?)
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
