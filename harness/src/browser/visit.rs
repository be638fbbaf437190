//! What a page has to show, and what it showed.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Error, log::Log};
use crate::{
    contract::{Contract, Heading, Route},
    failure::{Failure, Verdict},
};

/// How long after its threshold a view is still waited for, so that "slow" and "never" are told apart.
const PATIENCE: Duration = Duration::from_millis(2000);

/// What a page has to show.
#[derive(Debug, Clone)]
pub struct Wanted {
    heading: Option<Heading>,
    texts: Vec<String>,
    selectors: Vec<String>,
    busy: Vec<String>,
    broken: Vec<String>,
    mock: Vec<String>,
    allowed: Vec<crate::contract::Pattern>,
    /// Counted from the start of the navigation.
    pub(super) limit: Duration,
}

impl Wanted {
    fn new(contract: &Contract, within_ms: u64) -> Self {
        let portal = &contract.portal;
        Self {
            heading: None,
            texts: Vec::new(),
            selectors: Vec::new(),
            busy: portal.busy.clone(),
            broken: portal.broken.clone(),
            mock: portal.mock.clone(),
            allowed: contract.console.allowed.clone(),
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
        let texts = vec![contract.shell.sign_out.clone()];
        Self {
            texts,
            busy: Vec::new(),
            selectors: vec![contract.shell.navigation.clone()],
            ..Self::new(contract, contract.login.within_ms)
        }
    }

    pub(super) fn argument(&self) -> Value {
        json!({
            "heading": self.heading.as_ref().map(|heading| json!({ "selector": heading.selector, "text": heading.text })),
            "texts": self.texts,
            "selectors": self.selectors,
            "busy": self.busy,
            "broken": self.broken,
            "mock": self.mock,
            "limit_ms": self.limit.as_millis() as u64,
        })
    }

    fn sentence(&self) -> String {
        let heading =
            self.heading.iter().map(|heading| format!("the heading {:?} ({})", heading.text, heading.selector));
        let texts = self.texts.iter().map(|text| format!("the text {text:?}"));
        heading.chain(texts).chain(self.selectors.iter().cloned()).collect::<Vec<_>>().join(", ")
    }
}

/// What the page was when it was ready or the time was over.
#[derive(Debug, Clone, Deserialize)]
struct Seen {
    lacking: Vec<String>,
    broken: Option<String>,
    mock: Option<String>,
    ms: f64,
    url: String,
    title: String,
    headings: Vec<String>,
    text: String,
}

/// A page that was opened and looked at.
#[derive(Debug, Clone)]
pub struct Visit {
    wanted: Wanted,
    seen: Seen,
    log: Log,
}

impl Visit {
    pub(super) fn of(wanted: &Wanted, seen: Value, log: Log) -> Result<Self, Error> {
        let seen = serde_json::from_value(seen)
            .map_err(|error| Error::Command { what: "watch a page", why: error.to_string() })?;
        Ok(Self { wanted: wanted.clone(), seen, log })
    }

    /// From the start of the navigation to the moment when all that was wanted was on screen.
    pub fn load_time(&self) -> Duration {
        Duration::from_secs_f64(self.seen.ms / 1000.0)
    }

    /// Whether all that was wanted was on screen.
    pub fn is_ready(&self) -> bool {
        self.seen.lacking.is_empty() && self.seen.broken.is_none()
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
            None => format!("{} missing after {waited}", self.seen.lacking.join(", ")),
        };
        Err(self.failure(claim).expected(self.wanted.sentence()).seen(format!("{missing}\n{}", self.page())))
            .map_err(|failure| self.context(failure))
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
        Err(self
            .failure("the page loads without an error")
            .expected("no console error, no uncaught exception, no failed request")
            .seen(seen.join("\n")))
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
            .seen(format!("{:.1} s", self.load_time().as_secs_f64())))
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

/// Browsers preload what they load: what failed twice is told once.
fn once_each(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for line in lines {
        if !told.contains(&line) {
            told.push(line);
        }
    }
    told
}
