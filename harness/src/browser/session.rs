//! One check's browser: a fresh profile with one window.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use fantoccini::{
    Client, Locator,
    error::CmdError,
    wd::{TimeoutConfiguration, WindowHandle},
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
use crate::{
    client::said,
    failure::{Failure, Verdict},
    limits,
    network::Led,
    redaction,
    runbook::Cause,
    stopwatch::Stopwatch,
};

/// What the driver calls an object of the console.
const OBJECTS: [&str; 2] = ["Object", "Array("];

/// `press(element)`, for scripts that go before.
pub(crate) const PRESS: &str = include_str!("press.js");

/// The key, as WebDriver has it.
const ENTER: &str = "\u{e007}";

/// How long a shell may take to draw its buttons anew.
const DRAWN_WITHIN: Duration = Duration::from_secs(2);

/// How long a message may lie on what somebody wants to click.
const COVERED_FOR: Duration = Duration::from_secs(8);

/// How long after its view is on screen a page may take to answer what it still asks for.
const SETTLE: Duration = Duration::from_secs(2);

/// What a page puts off for less belongs to what it does when it is opened; what it puts off for longer does not hold up a
/// look at it.
const SOON: Duration = Duration::from_secs(1);

/// Documents that a page may load, one for another, before it is on screen.
const MOST_DOCUMENTS: usize = 20;

/// Browsers in a row that a page ended, or kept from the portal.
static IN_A_ROW: AtomicUsize = AtomicUsize::new(0);

/// A browser with a fresh profile. The check that opened it closes it; what is not closed ends with the process.
#[derive(Debug)]
pub struct Browser {
    running: Running,
    origins: Vec<Url>,
    /// Of the last look at a page.
    log: Mutex<String>,
    /// The portal's own addresses of all looks, without queries.
    asked: Mutex<BTreeSet<String>>,
    /// Why nothing more is to be had of it.
    ended: Mutex<Option<Error>>,
}

impl Browser {
    /// Takes a browser with a fresh profile. `origins` are the portal's own: a request that fails there is a defect.
    ///
    /// # Errors
    /// Not run where there is no browser.
    pub async fn open(origins: Vec<Url>) -> Verdict<Self> {
        if IN_A_ROW.load(Ordering::Relaxed) >= limits::BROWSERS_ENDED {
            return Err(Failure::undecided("a page of the portal can be looked at in a browser")
                .seen(format!(
                    "{} browsers in a row came to nothing, and no further one was started",
                    limits::BROWSERS_ENDED
                ))
                .advice("see the failures before this one: they say what the pages did")
                .shared());
        }
        match Self::open_once(origins.clone()).await {
            // A node that was lost took its session along; another one may have a browser.
            Err(Error::Command { .. } | Error::Crashed { .. }) if Running::is_remote().await => {
                Ok(Self::open_once(origins).await?)
            }
            opened => Ok(opened?),
        }
    }

    /// Starts a browser that finds a host on this machine, whatever others find there.
    ///
    /// # Errors
    /// Not run where there is no browser, or browsers run elsewhere.
    pub(crate) async fn open_led(origins: Vec<Url>, led: &Led) -> Verdict<Self> {
        if Running::is_remote().await {
            return Err(Failure::not_run("no page was opened at the contract's volume")
                .expected("a browser on this machine, which finds the scratch database in the place of the API")
                .seen("browsers run elsewhere (WEBDRIVER_URL)")
                .advice("run it once without WEBDRIVER_URL"));
        }
        Ok(Self::of(Running::led(led).await?, origins).await?)
    }

    async fn open_once(origins: Vec<Url>) -> Result<Self, Error> {
        Self::of(Running::lent().await?, origins).await
    }

    async fn of(running: Running, origins: Vec<Url>) -> Result<Self, Error> {
        let (log, asked, ended) = (Mutex::default(), Mutex::default(), Mutex::default());
        let browser = Self { running, origins, log, asked, ended };
        // What an earlier profile wrote is not this one's.
        for kind in ["performance", "browser"] {
            browser.entries(kind).await?;
        }
        let source = include_str!("put_off.js").replace("SOON_MS", &SOON.as_millis().to_string());
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await?;
        Ok(browser)
    }

    /// Whether a remote driver knows nothing of the session any more.
    pub(crate) async fn is_lost(&self) -> bool {
        let asked = async { Running::is_remote().await && self.running.is_gone().await };
        tokio::time::timeout(limits::BROWSER_END, asked).await.unwrap_or(false)
    }

    /// Puts a text into the page's storage before the first script of the portal runs.
    pub(crate) async fn store(&self, site: &Url, key: &str, value: &str) -> Result<(), Error> {
        // Once per window: a portal that signs out must stay signed out.
        let source = format!(
            "if (location.origin === {origin} && !sessionStorage.getItem('signed-in-once ' + {key})) {{
               sessionStorage.setItem('signed-in-once ' + {key}, '1');
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
        self.visit_page(url, wanted).await.map_err(|error| error.at(url))
    }

    async fn visit_page(&self, url: &Url, wanted: &Wanted) -> Result<Visit, Error> {
        self.leave_for(url, wanted).await?;
        let watch = self.stopwatch();
        self.load_page("open a page", wanted, self.client().goto(url.as_str())).await?;
        self.look(wanted, Since::Opening, &watch).await
    }

    /// Leaves the page that is open, where another hash is all that would change: the browser opens nothing then.
    async fn leave_for(&self, url: &Url, wanted: &Wanted) -> Result<(), Error> {
        if url.fragment().is_none() {
            return Ok(());
        }
        self.load_page("leave a page", wanted, self.client().goto("about:blank")).await
    }

    async fn load_page(
        &self,
        what: &'static str,
        wanted: &Wanted,
        command: impl Future<Output = Result<(), CmdError>>,
    ) -> Result<(), Error> {
        let limit = limits::PAGE_LOAD.max(wanted.limit);
        if limit > limits::PAGE_LOAD {
            let timeouts = TimeoutConfiguration::new(None, Some(limit), None);
            self.bounded(what, limits::COMMAND, self.client().update_timeouts(timeouts)).await?;
        }
        match self.bounded(what, limit + limits::SCRIPT_MARGIN, command).await {
            Err(Error::Late) => Err(self.why_late(limit).await),
            loaded => loaded,
        }
    }

    /// What keeps a page from loading. While it loads the driver answers nothing else but its log, so the browser ends.
    async fn why_late(&self, limit: Duration) -> Error {
        let busy = self.running.why_busy(limit).await;
        let mut requests = Requests::new(self.origins.clone());
        let entries = tokio::time::timeout(limits::BROWSER_END, async {
            // Else the driver waits for the page once more.
            let at_once = TimeoutConfiguration::new(None, Some(Duration::ZERO), None);
            self.bounded("read the log", limits::COMMAND, self.client().update_timeouts(at_once)).await?;
            self.entries("performance").await
        })
        .await;
        let is_flooded = matches!(entries, Ok(Err(Error::Flooded)));
        if let Ok(Ok(entries)) = entries {
            requests.read(entries);
        }
        let is_left = requests.documents > MOST_DOCUMENTS;
        let log = Log::new(Value::Null, requests);
        let why = match (is_flooded, is_left, busy) {
            (true, ..) => Error::Flooded,
            (_, true, _) => Error::Left,
            (.., Some(busy)) => busy,
            _ => Error::NotLoaded { limit, requests: log.in_trouble() },
        };
        self.note_log(&log);
        self.end(&why).await;
        why
    }

    fn note_log(&self, log: &Log) {
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = log.to_string();
        let urls = log.requests.iter().map(|request| request.url().to_owned());
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).extend(urls);
    }

    /// An answer of the driver, in time: a page that takes it, or too much memory, ends the browser.
    async fn bounded<T>(
        &self,
        what: &'static str,
        limit: Duration,
        command: impl Future<Output = Result<T, CmdError>>,
    ) -> Result<T, Error> {
        self.watched(what, limit, async { command.await.map_err(Error::command(what)) }).await
    }

    async fn watched<T>(
        &self,
        what: &'static str,
        limit: Duration,
        command: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        if let Some(why) = self.why_ended() {
            return Err(why);
        }
        let done = tokio::select! {
            done = command => done,
            over = self.running.over(what, limit) => Err(over),
        };
        if let Err(error) = &done
            && error.ends_the_browser()
        {
            self.end(error).await;
        }
        done
    }

    fn why_ended(&self) -> Option<Error> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn end(&self, why: &Error) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
        IN_A_ROW.fetch_add(1, Ordering::Relaxed);
        self.running.end().await;
    }

    /// Waits as [`Browser::visit`] does, on the page that is open.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn wait_for(&self, wanted: &Wanted) -> Verdict<Visit> {
        self.look(wanted, Since::Now, &self.stopwatch()).await.map_err(Failure::from)
    }

    /// Loads the page that is open once more.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn reload(&self, wanted: &Wanted) -> Verdict<Visit> {
        let watch = self.stopwatch();
        self.load_page("reload a page", wanted, self.client().refresh()).await?;
        self.look(wanted, Since::Opening, &watch).await.map_err(Failure::from)
    }

    /// Goes back in the history.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn back(&self, wanted: &Wanted) -> Verdict<Visit> {
        let watch = self.stopwatch();
        self.load_page("go back", wanted, self.client().back()).await?;
        self.look(wanted, Since::Now, &watch).await.map_err(Failure::from)
    }

    /// Tells the page what a browser tells one that it keeps while people are elsewhere, and shows again when they come
    /// back. Browsers that are driven keep none themselves.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn keep_and_show_again(&self, wanted: &Wanted) -> Verdict<Visit> {
        let script = "for (const kind of ['pagehide', 'pageshow']) dispatchEvent(new PageTransitionEvent(kind, { persisted: true }));
            arguments[0](null);";
        self.ask(script, vec![]).await?;
        self.wait_for(wanted).await
    }

    fn stopwatch(&self) -> Stopwatch {
        Stopwatch::with(self.running.process)
    }

    async fn look(&self, wanted: &Wanted, since: Since, watch: &Stopwatch) -> Result<Visit, Error> {
        let until = tokio::time::Instant::now() + wanted.limit;
        let mut left = 0;
        let seen = loop {
            let looking = self.client().execute_async(include_str!("ready.js"), vec![wanted.argument(since)]);
            match self.bounded("watch a page", wanted.limit + limits::SCRIPT_MARGIN, looking).await {
                // The page that it is left for is the one to look at.
                Err(Error::Left) if left == 0 || tokio::time::Instant::now() < until => left += 1,
                seen => break seen?,
            }
        };
        let waited = watch.took().waited;
        let draws = since == Since::Opening || seen["put_off"] == true;
        let log = self.settled_log(draws).await?;
        self.tell_what_was_received(&log).await;
        self.note_log(&log);
        let visit = Visit::of(wanted, seen, waited, log)?;
        if let Some(why) = visit.not_opened(since) {
            return Err(Error::NotOpened { why });
        }
        match visit.obstacle() {
            Some(obstacle) => {
                IN_A_ROW.fetch_add(1, Ordering::Relaxed);
                Err(Error::Obstacle(Box::new(obstacle)))
            }
            None => Ok(visit),
        }
    }

    /// The log once the portal's own requests are answered, those included that the page puts off for a moment: a request
    /// that fails late is a defect too.
    ///
    /// `draws`: whether it may be drawing what was answered just now, and put off what it asks for next.
    async fn settled_log(&self, mut draws: bool) -> Result<Log, Error> {
        let until = tokio::time::Instant::now() + SETTLE;
        let mut requests = Requests::new(self.origins.clone());
        loop {
            requests.read(self.entries("performance").await?);
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            let are_answered = requests.are_answered();
            if left.is_zero() || (!draws && are_answered) {
                break;
            }
            // The driver answers when the browser has; the page's next event is what is waited for.
            let script = include_str!("settle.js");
            let settled = self.client().execute_async(script, vec![(left.as_millis() as u64).into()]);
            draws = match self.bounded("let a page settle", SETTLE + limits::SCRIPT_MARGIN, settled).await {
                Ok(more) => more == true || !are_answered,
                Err(Error::Left) => false,
                Err(error) => return Err(error),
            }
        }
        for request in requests.refused() {
            // The browser keeps no body of what it could not use.
            request.said = self.body(request).await.ok().and_then(|body| said(&body));
        }
        let mut log = Log::new(self.entries("browser").await?, requests);
        if log.errors().any(|message| OBJECTS.iter().any(|name| message.text.contains(name))) {
            let window = self.client().window().await.map_err(Error::command("name the window"))?;
            log.spell_out(&self.running.written(&window).await);
        }
        Ok(log)
    }

    /// Runs a script in the page; its last argument is the function that takes the answer.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn ask(&self, script: &str, arguments: Vec<Value>) -> Verdict<Value> {
        let answer = self.client().execute_async(script, arguments);
        Ok(self.bounded("run a script in the page", limits::COMMAND, answer).await?)
    }

    /// Remembers which of `texts`, and which of the things that `selectors` find, are ever on screen, however shortly,
    /// in pages that this window opens from now on.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn watch_for(&self, texts: &[&str], selectors: &[&str]) -> Verdict {
        let watched = json!({ "texts": texts, "selectors": selectors });
        self.on_new_documents(&include_str!("watch.js").replace("WATCHED", &watched.to_string())).await
    }

    /// Runs a script at the beginning of each document that this window opens from now on.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn on_new_documents(&self, source: &str) -> Verdict {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await?;
        Ok(())
    }

    /// From the documents that this window opens next on, what pages ask to be written can be held.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn watch_writes(&self) -> Verdict {
        self.on_new_documents(include_str!("writes.js")).await
    }

    /// Holds what the page asks to be written from now on, or lets it through again. What is held is counted, never sent
    /// and never answered.
    ///
    /// # Errors
    /// Undecided when the page was opened before writes were watched.
    pub async fn hold_writes(&self, holds: bool) -> Verdict {
        let script = "const [holds, answer] = arguments;
            const held = window[Symbol.for('writes')];
            if (held) held.holds = holds;
            answer(Boolean(held));";
        if self.ask(script, vec![holds.into()]).await? == true {
            return Ok(());
        }
        Err(Failure::undecided("what a page writes can be held").seen("a page that nobody watched"))
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

    /// Lets requests through again that were cut off.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn let_through(&self) -> Verdict {
        self.devtools("Network.setBlockedURLs", json!({ "urls": [] })).await?;
        Ok(())
    }

    /// Takes the connection from the page; its service worker, which has one of its own, keeps that.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn disconnect(&self) -> Verdict {
        self.set_offline(true).await
    }

    /// Gives the page its connection back.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn connect(&self) -> Verdict {
        self.set_offline(false).await
    }

    async fn set_offline(&self, offline: bool) -> Verdict {
        let conditions = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.devtools("Network.emulateNetworkConditions", conditions).await.map(drop).map_err(Failure::from)
    }

    /// Refuses the page's requests for data: what it fetches is answered with 403, and nothing else gets through.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn refuse_data(&self) -> Verdict {
        self.cut_off("*/rest/v1/*").await?;
        self.ask(include_str!("refuse.js"), vec!["/rest/v1/".into()]).await.map(drop)
    }

    /// Lets requests for data through again.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn accept_data(&self) -> Verdict {
        self.ask("window.accept?.(); arguments[0](null);", vec![]).await?;
        self.let_through().await
    }

    /// Keeps the answer to the page's next request whose address has this text from the page, until it is let go.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn hold_back(&self, text: &str) -> Verdict {
        self.ask(include_str!("hold_back.js"), vec![text.into()]).await.map(drop)
    }

    /// Whether there is such an answer, which is waited for a little.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn is_held_back(&self) -> Verdict<bool> {
        let script = "const [limit, answer] = arguments;
            const late = new Promise((done) => setTimeout(done, limit, false));
            Promise.race([window.heldBack, late]).then(answer);";
        Ok(self.ask(script, vec![json!(DRAWN_WITHIN.as_millis() as u64)]).await? == true)
    }

    /// Lets it go, and waits until it is read and the page drawn.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn let_go(&self) -> Verdict {
        let script = "const [answer] = arguments;
            const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            window.letGo().then(drawn).then(drawn).then(() => answer(null));";
        self.ask(script, vec![]).await.map(drop)
    }

    /// The window that commands go to.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn window(&self) -> Verdict<WindowHandle> {
        Ok(self.bounded("ask for the window", limits::COMMAND, self.client().window()).await?)
    }

    /// Opens a further window of the same profile and turns to it.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn open_window(&self) -> Verdict<WindowHandle> {
        let window = self.watched("open a window", limits::COMMAND, self.running.window()).await?;
        self.turn_to(window.clone()).await?;
        Ok(window)
    }

    /// Turns to a window.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn turn_to(&self, window: WindowHandle) -> Verdict {
        Ok(self.watched("turn to a window", limits::COMMAND, self.running.show(window)).await?)
    }

    /// Presses keys wherever the focus is.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn press(&self, keys: &str) -> Verdict {
        let focused = self.bounded("find the focus", limits::COMMAND, self.client().active_element()).await?;
        Ok(self.bounded("press keys", limits::COMMAND, focused.send_keys(keys)).await?)
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

    /// Whether what a CSS selector finds has the focus.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn has_focus(&self, selector: &str) -> Verdict<bool> {
        let script = "arguments[1](document.activeElement?.matches(arguments[0]) ?? false);";
        Ok(self.ask(script, vec![selector.into()]).await? == true)
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
        let view = "const view = location.hash.startsWith('#/') ? location.hash : '';
            arguments[0](location.pathname + view);";
        let answer = self.ask(view, vec![]).await?;
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
        self.type_on(text).await
    }

    /// Puts text wherever the focus is.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn type_on(&self, text: &str) -> Verdict {
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
        let field = self.bounded("find a choice", limits::COMMAND, self.client().find(Locator::Css(selector))).await?;
        Ok(self.bounded("choose an option", limits::COMMAND, field.select_by_value(value)).await?)
    }

    /// Chooses the option with this text; answers with the texts of all options where there is none, and with nothing where
    /// it is chosen.
    ///
    /// # Errors
    /// Failed where there is no such field.
    pub async fn choose_text(&self, field: &str, text: &str) -> Verdict<Option<Vec<String>>> {
        let script = "const [selector, text, answer] = arguments;
            const field = document.querySelector(selector);
            const texts = [...(field?.options ?? [])].map((it) => it.text.trim());
            const at = texts.indexOf(text);
            if (at >= 0) {
              field.selectedIndex = at;
              for (const name of ['input', 'change']) field.dispatchEvent(new Event(name, { bubbles: true }));
            }
            answer(field ? (at >= 0 ? [] : texts) : null);";
        let answer = self.ask(script, vec![field.into(), text.into()]).await?;
        let others: Option<Vec<String>> = serde_json::from_value(answer).unwrap_or_default();
        let others = others.ok_or_else(|| {
            Failure::failed("the view has the field in which rows are chosen").expected(field).seen("none")
        })?;
        Ok((!others.is_empty()).then_some(others))
    }

    /// Clicks a place of the window, as a pointer does.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn click_at(&self, x: f64, y: f64) -> Verdict {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.devtools("Input.dispatchMouseEvent", event).await?;
        }
        Ok(())
    }

    /// Clicks what a CSS selector finds first, once nothing lies on it: a message may, until it goes.
    ///
    /// # Errors
    /// Failed when something stays on it; undecided when there is nothing to click.
    pub async fn click(&self, selector: &str) -> Verdict {
        let limit = json!(COVERED_FOR.as_millis() as u64);
        if let Some(cover) = self.ask(include_str!("uncovered.js"), vec![json!(selector), limit]).await?.as_str() {
            return Err(Failure::failed("what is to be clicked can be clicked")
                .expected(format!("nothing on {selector}, or something that goes within {} s", COVERED_FOR.as_secs()))
                .seen(format!("{cover} on it"))
                .caused_by(Cause::FrontEnd));
        }
        let element =
            self.bounded("find a button", limits::COMMAND, self.client().find(Locator::Css(selector))).await?;
        Ok(self.bounded("click a button", limits::COMMAND, element.click()).await?)
    }

    /// Clicks the first element of a CSS selector that has exactly this text, as soon as there is one: a shell may be drawn
    /// anew between views. False where there is none.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn click_text(&self, selector: &str, text: &str) -> Verdict<bool> {
        let script = "const [selector, text, limit, answer] = arguments;
            const until = performance.now() + limit;
            const look = () => {
              const found = [...document.querySelectorAll(selector)].find((it) => it.innerText.trim() === text);
              if (!found && performance.now() < until) return setTimeout(look, 20);
              if (found) press(found);
              answer(Boolean(found));
            };
            look();";
        let script = &[PRESS, script].concat();
        let arguments = vec![json!(selector), json!(text), json!(DRAWN_WITHIN.as_millis() as u64)];
        let clicked = self.client().execute_async(script, arguments);
        Ok(self.bounded("click a button", limits::COMMAND, clicked).await?.as_bool().unwrap_or(false))
    }

    /// The same by keyboard alone: gives it the focus, and presses Enter.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn press_text(&self, selector: &str, text: &str) -> Verdict<bool> {
        let script = "const [selector, text, answer] = arguments;
            const found = [...document.querySelectorAll(selector)].find((it) => it.innerText.trim() === text);
            found?.focus();
            answer(Boolean(found) && document.activeElement === found);";
        let has_focus = self.ask(script, vec![selector.into(), text.into()]).await? == true;
        if has_focus {
            self.press(ENTER).await?;
        }
        Ok(has_focus)
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

    /// How many pixels wide a phone of this width lays the page out: more where the document says so.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn laid_out_on_a_phone(&self, width: u32) -> Verdict<u64> {
        let screen = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": true });
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await?;
        let script = "const [answer] = arguments;
            requestAnimationFrame(() => requestAnimationFrame(() => answer(document.documentElement.clientWidth)));";
        let seen = self.ask(script, vec![]).await?;
        self.show_as(width, "light").await?;
        Ok(seen.as_u64().unwrap_or_default())
    }

    /// Makes the texts of the page unreadable; false where that cannot be said for sure.
    pub(crate) async fn blur(&self) -> bool {
        self.ask(include_str!("blur.js"), vec![]).await.is_ok_and(|blurred| blurred == true)
    }

    /// Lets the redactor know what the browser keeps of sessions: storage, and cookies that scripts cannot read too.
    pub(crate) async fn tell_what_is_kept(&self) {
        let kept = self.kept().await.unwrap_or_default();
        let cookies = self.devtools("Network.getCookies", json!({})).await.unwrap_or_default();
        let cookies = cookies["cookies"].as_array().into_iter().flatten().map(|it| json!({ "cookie": it["value"] }));
        let all = json!([kept["local"], kept["session"], cookies.collect::<Vec<_>>()]);
        redaction::know(redaction::tokens_in(&all), []);
    }

    /// The same of what an auth server answered on this page.
    async fn tell_what_was_received(&self, log: &Log) {
        let signs_in = |request: &&Request| request.is_success() && request.url().contains("/auth/v1/");
        for request in log.requests.iter().filter(signs_in) {
            let body = self.body(request).await.unwrap_or_default();
            redaction::know(redaction::tokens_in(&serde_json::from_str(&body).unwrap_or_default()), []);
        }
    }

    /// A picture of the window, as PNG.
    pub(crate) async fn screenshot(&self) -> Result<Vec<u8>, Error> {
        let what = "take a screenshot";
        let png = self.asked(what, Method::GET, "screenshot", None).await?;
        let png = BASE64_STANDARD.decode(png.as_str().unwrap_or_default());
        png.map_err(|error| Error::Command { what, why: error.to_string() })
    }

    /// The page as it is now, as HTML.
    pub(crate) async fn page_source(&self) -> Result<String, Error> {
        let source = self.asked("read the page", Method::GET, "source", None).await?;
        Ok(source.as_str().unwrap_or_default().to_owned())
    }

    /// Console and requests of the last look at a page.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The portal's own addresses that the pages asked for, a line each: of every look, and of what came after the last.
    pub(crate) async fn asked_for(&self) -> String {
        let mut late = Requests::new(self.origins.clone());
        late.read(self.entries("performance").await.unwrap_or_default());
        let late = Log::new(Value::Null, late);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.extend(late.requests.iter().map(|request| request.url().to_owned()));
        asked.iter().map(|url| format!("{url}\n")).collect()
    }

    /// Ends the profile, and the browser too unless what used it went well.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn close(self, went_well: bool) -> Verdict {
        if self.why_ended().is_some() {
            return Ok(());
        }
        if went_well {
            IN_A_ROW.store(0, Ordering::Relaxed);
        }
        let given_back = tokio::time::timeout(limits::COMMAND, self.running.give_back(went_well)).await;
        Ok(given_back.unwrap_or(Err(Error::Silent { what: "close the browser", limit: limits::COMMAND }))?)
    }

    fn client(&self) -> &Client {
        self.running.client()
    }

    async fn entries(&self, kind: &str) -> Result<Value, Error> {
        match self.asked("read the log", Method::POST, "se/log", Some(json!({ "type": kind }))).await {
            Err(Error::TooLarge { .. }) => Err(Error::Flooded),
            entries => entries,
        }
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Result<Value, Error> {
        let command = json!({ "cmd": command, "params": parameters });
        self.asked("use the DevTools protocol", Method::POST, "goog/cdp/execute", Some(command)).await
    }

    /// A command below the session, whose answer may be large.
    async fn asked(&self, what: &'static str, method: Method, path: &str, body: Option<Value>) -> Result<Value, Error> {
        self.watched(what, limits::COMMAND, self.running.ask(what, method, path, body)).await
    }
}
