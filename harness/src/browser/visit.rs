//! What a page has to show, and what it showed.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    Error,
    log::{Log, Request, is_in_url},
};
use crate::{
    contract::{Contract, Heading, Route, Shell},
    failure::{Failure, Verdict},
    obstacle::{self, Obstacle},
    runbook::Cause,
    stopwatch::Took,
};

/// How long after its threshold a view is still waited for, so that "slow" is not reported as "never".
const PATIENCE: Duration = Duration::from_millis(2000);

/// What a page has to show.
#[derive(Debug, Clone)]
pub struct Wanted {
    heading: Option<Heading>,
    texts: Vec<String>,
    selectors: Vec<String>,
    busy: Vec<String>,
    gone: Vec<String>,
    broken: Vec<String>,
    mock: Vec<String>,
    allowed: Vec<crate::contract::Pattern>,
    /// Of the portal's document: what else is on screen may not be the portal.
    title: String,
    /// Counted from the start of the navigation, or from what was done on the open page.
    pub(super) limit: Duration,
}

/// Since when a page is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// The start of its navigation.
    Opening,
    /// Now: something was done on an open page.
    Now,
}

impl Wanted {
    fn new(contract: &Contract, within_ms: u64) -> Self {
        let portal = &contract.portal;
        Self {
            heading: None,
            texts: Vec::new(),
            selectors: Vec::new(),
            busy: portal.busy.clone(),
            gone: Vec::new(),
            broken: portal.broken.clone(),
            mock: portal.mock.clone().unwrap_or_default(),
            allowed: contract.console.allowed.clone(),
            title: portal.title.clone(),
            limit: Duration::from_millis(within_ms) + PATIENCE,
        }
    }

    /// The view of a route.
    pub fn view(contract: &Contract, route: &Route) -> Self {
        Self {
            heading: Some(route.heading.clone()),
            texts: route.texts.clone(),
            ..Self::new(contract, route.within_ms)
        }
    }

    /// What `contract` calls the login view.
    pub fn login(contract: &Contract) -> Self {
        let login = &contract.login;
        Self {
            texts: vec![login.heading.clone()],
            selectors: vec![login.email.clone(), login.password.clone(), login.submit.clone()],
            ..Self::new(contract, contract.login.within_ms)
        }
    }

    /// What surrounds every view of a signed-in user; the view in it may still be busy.
    pub fn shell(contract: &Contract) -> Self {
        let Shell { sign_out, account_menu, navigation, .. } = &contract.shell;
        let texts = if account_menu.is_none() { vec![sign_out.clone()] } else { Vec::new() };
        Self {
            texts,
            busy: Vec::new(),
            selectors: [Some(navigation), account_menu.as_ref()].into_iter().flatten().cloned().collect(),
            ..Self::new(contract, contract.login.within_ms)
        }
    }

    /// Anything that is not busy: what is on the page is asked for afterwards.
    pub fn anything(contract: &Contract) -> Self {
        Self::new(contract, contract.login.within_ms)
    }

    /// The heading, in place of any other.
    #[must_use]
    pub fn heading(self, heading: Heading) -> Self {
        Self { heading: Some(heading), ..self }
    }

    /// This text as well.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.texts.push(text.into());
        self
    }

    /// Something visible that this CSS selector finds, as well.
    #[must_use]
    pub fn selector(mut self, selector: impl Into<String>) -> Self {
        self.selectors.push(selector.into());
        self
    }

    /// Waited for as long as this at most.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Not this text.
    #[must_use]
    pub fn gone(mut self, text: impl Into<String>) -> Self {
        self.gone.push(text.into());
        self
    }

    pub(super) fn argument(&self, since: Since) -> Value {
        json!({
            "opening": since == Since::Opening,
            "heading": self.heading.as_ref().map(|heading| json!({ "selector": heading.selector, "text": heading.text })),
            "texts": self.texts,
            "selectors": self.selectors,
            "unwanted": self.busy.iter().chain(&self.gone).collect::<Vec<_>>(),
            "broken": self.broken,
            "mock": self.mock,
            "captchas": obstacle::CAPTCHAS,
            "limit_ms": self.limit.as_millis() as u64,
        })
    }

    fn sentence(&self) -> String {
        let heading =
            self.heading.iter().map(|heading| format!("the heading {:?} ({})", heading.text, heading.selector));
        let texts = self.texts.iter().map(|text| format!("the text {text:?}"));
        let gone = self.gone.iter().map(|text| format!("no {text:?}"));
        heading.chain(texts).chain(self.selectors.iter().cloned()).chain(gone).collect::<Vec<_>>().join(", ")
    }
}

/// What the page was when it was ready or the time was over.
#[derive(Debug, Clone, Deserialize)]
struct Seen {
    lacking: Vec<String>,
    /// Texts that are still on screen and have to go.
    still: Vec<String>,
    broken: Option<String>,
    mock: Option<String>,
    ms: f64,
    url: String,
    title: String,
    headings: Vec<String>,
    text: String,
    /// The first sign of a captcha in a page that is not ready.
    captcha: Option<String>,
}

/// A page that was opened and looked at.
#[derive(Debug, Clone)]
pub struct Visit {
    wanted: Wanted,
    seen: Seen,
    /// For a processor of this machine.
    waited: Duration,
    log: Log,
}

impl Visit {
    pub(super) fn of(wanted: &Wanted, seen: Value, waited: Duration, log: Log) -> Result<Self, Error> {
        let seen = serde_json::from_value(seen)
            .map_err(|error| Error::Command { what: "watch a page", why: error.to_string() })?;
        Ok(Self { wanted: wanted.clone(), seen, waited, log })
    }

    /// From the start of the navigation to the moment when all that was wanted was on screen.
    pub fn load_time(&self) -> Duration {
        Duration::from_secs_f64(self.seen.ms / 1000.0)
    }

    /// The same, with what this machine contributed.
    pub fn took(&self) -> Took {
        Took { wall: self.load_time(), waited: self.waited }
    }

    /// Whether all that was wanted was on screen.
    pub fn is_ready(&self) -> bool {
        self.seen.lacking.is_empty() && self.seen.still.is_empty() && self.seen.broken.is_none()
    }

    /// Why the browser has no page of anybody to show, if that is so.
    pub(super) fn not_opened(&self, since: Since) -> Option<String> {
        if self.is_ready() {
            return None;
        }
        let failed = self.log.failed_requests().last().map(ToString::to_string);
        if self.seen.url.starts_with("chrome-error:") {
            return Some(failed.unwrap_or_else(|| "a page of the browser's own in place of the portal's".to_owned()));
        }
        let asked = self.log.requests.last().map(|request| format!("{request}: a download, or no content"));
        asked.filter(|_| since == Since::Opening && self.seen.url == "about:blank")
    }

    /// What stands between the browser and a page that is not ready.
    pub(super) fn obstacle(&self) -> Option<Obstacle> {
        let at = Url::parse(&self.seen.url).ok().filter(|_| !self.is_ready())?;
        let is_other = self.seen.title != self.wanted.title;
        let captcha = self.seen.captcha.as_deref().filter(|_| is_other);
        let in_page = || captcha.map(|captcha| Obstacle::captcha(&at, captcha, &self.wanted.title));
        self.log.obstacle.clone().or_else(|| Obstacle::at(&at)).or_else(in_page)
    }

    /// All that was wanted is on screen.
    ///
    /// # Errors
    /// Failed, with what was missing, what was there instead, and what the console and the requests say about it.
    pub fn expect_ready(&self, claim: impl Into<String>) -> Verdict {
        if self.is_ready() {
            return Ok(());
        }
        let waited = format!("{:.1} s", self.load_time().as_secs_f64());
        let missing = match &self.seen.broken {
            Some(heading) => format!("the portal gave up after {waited}: {heading:?}"),
            None => {
                let lacking =
                    (!self.seen.lacking.is_empty()).then(|| format!("{} missing", self.seen.lacking.join(", ")));
                let still = self.seen.still.iter().map(|text| format!("{text:?} still on screen"));
                format!("{} after {waited}", lacking.into_iter().chain(still).collect::<Vec<_>>().join(", "))
            }
        };
        let failure = self.failure(claim).expected(self.wanted.sentence()).seen(format!("{missing}\n{}", self.page()));
        let failure = self.context(failure);
        // A page that gave up did so by itself.
        let threshold = self.wanted.limit.saturating_sub(PATIENCE);
        Err(if self.seen.broken.is_some() { failure } else { failure.unless_kept_waiting(self.took(), threshold) })
    }

    /// The same of a view that the check only passes through: where it is not on screen and the database refused it
    /// nothing, the front end is at fault, whatever the check is about.
    ///
    /// # Errors
    /// As [`Visit::expect_ready`].
    pub fn expect_on_the_way(&self, claim: impl Into<String>) -> Verdict {
        let refused = self.log.failed_requests().any(|request| request.to_string().contains("/rest/v1/"));
        let cause = if refused { Cause::Database } else { Cause::FrontEnd };
        self.expect_ready(claim).map_err(|failure| failure.caused_by(cause))
    }

    /// The page's address.
    pub fn url(&self) -> &str {
        &self.seen.url
    }

    /// The beginning of what the page said.
    pub fn text(&self) -> &str {
        &self.seen.text
    }

    /// Requests to the portal's own origins whose URL begins with `prefix`, since the page was opened or last looked at.
    pub fn requests<'v>(&'v self, prefix: &'v str) -> impl Iterator<Item = &'v Request> {
        self.log.requests.iter().filter(move |request| request.url().starts_with(prefix))
    }

    /// How many such requests there were, without preflights.
    pub fn asked(&self, prefix: &str) -> usize {
        self.requests(prefix).filter(|request| request.method() != "OPTIONS").count()
    }

    /// Such requests that were answered with success and may have a body: neither preflights nor `HEAD`.
    pub fn answers<'v>(&'v self, prefix: &'v str) -> impl Iterator<Item = &'v Request> {
        self.requests(prefix).filter(|request| request.is_success() && !["OPTIONS", "HEAD"].contains(&request.method()))
    }

    /// The console's warnings, since the page was opened or last looked at.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = self.log.console.iter().filter(|message| message.level == "WARNING");
        warnings.map(ToString::to_string).collect()
    }

    /// Where `text` was let out: the page's address, the URLs of requests, the console.
    pub fn leaks(&self, text: &str) -> Vec<String> {
        let address = is_in_url(text, &self.seen.url).then(|| "in the page's address".to_owned());
        let requests = self.log.requests.iter().filter(|request| request.mentions(text));
        let requests = requests.map(|request| format!("in the URL of {request}"));
        let console = self.log.console.iter().filter(|message| message.text.contains(text));
        let console = console.map(|message| format!("in the console ({})", message.level));
        let mut leaks: Vec<_> = address.into_iter().chain(requests).chain(console).collect();
        // Answers to a preflight and to what follows it may be logged in either order.
        leaks.sort();
        leaks
    }

    /// No uncaught exception, no console error, no failed request to the portal's own origins.
    ///
    /// # Errors
    /// Failed, with each of them.
    pub fn expect_quiet(&self) -> Verdict {
        let allowed = |text: &str| self.wanted.allowed.iter().any(|pattern| pattern.is_in(text));
        let errors = self.log.errors().map(ToString::to_string).filter(|text| !allowed(text));
        let seen = once_each(errors.chain(self.log.failed_requests().map(ToString::to_string)));
        if seen.is_empty() {
            return Ok(());
        }
        let (claim, mut failed) = ("the page loads without an error", self.log.failed_requests().peekable());
        let failure = match failed.peek().is_some() && failed.all(Request::is_not_offered) {
            true => Failure::undecided(claim)
                .at(self.seen.url.as_str())
                .advice("verify this view on staging or on the target local: the embedded portal has no such service"),
            false => self.failure(claim),
        };
        Err(failure.expected("no console error, no uncaught exception, no failed request").seen(seen.join("\n")))
    }

    /// No uncaught exception; console messages and failed requests are what a portal may meet a bad session with.
    ///
    /// # Errors
    /// Failed, with each of them.
    pub fn expect_no_exception(&self) -> Verdict {
        let seen = once_each(self.log.uncaught().map(ToString::to_string));
        if seen.is_empty() {
            return Ok(());
        }
        Err(self.failure("the page loads without an exception").expected("no uncaught exception").seen(seen.join("\n")))
    }

    /// On screen within `threshold`.
    ///
    /// # Errors
    /// Failed, with the time it took.
    pub fn expect_within(&self, threshold: Duration) -> Verdict {
        if self.load_time() <= threshold {
            return Ok(());
        }
        Err(self
            .failure("the view is on screen in time")
            .expected(format!("at most {:.1} s", threshold.as_secs_f64()))
            .seen(format!("{:.1} s", self.load_time().as_secs_f64()))
            .caused_by(Cause::Slow)
            .unless_kept_waiting(self.took(), threshold))
    }

    /// Nothing says that the data is made up.
    ///
    /// # Errors
    /// Failed, with the text that says so.
    pub fn expect_no_mock(&self) -> Verdict {
        match &self.seen.mock {
            None => Ok(()),
            Some(text) => Err(self
                .failure("the portal shows real data")
                .expected("no mock-data banner")
                .seen(format!("{text:?}"))),
        }
    }

    fn failure(&self, claim: impl Into<String>) -> Failure {
        Failure::failed(claim).at(self.seen.url.as_str())
    }

    fn page(&self) -> String {
        if self.seen.text.is_empty() {
            return format!("a blank page titled {:?}", self.seen.title);
        }
        format!(
            "a page titled {:?} with the headings {:?} that begins {:?}",
            self.seen.title,
            self.seen.headings,
            self.seen.text.chars().take(120).collect::<String>()
        )
    }

    fn context(&self, failure: Failure) -> Failure {
        let console = once_each(self.log.errors().map(ToString::to_string));
        let requests = once_each(self.log.failed_requests().map(ToString::to_string));
        failure.fact("console", console.join("\n")).fact("requests", requests.join("\n"))
    }
}

/// Browsers preload what they load: what fails twice is shown once.
fn once_each(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut shown: Vec<String> = Vec::new();
    for line in lines {
        if !shown.contains(&line) {
            shown.push(line);
        }
    }
    shown
}
