//! Why there is no browser, or why it did not do what was asked.

use std::time::Duration;

use fantoccini::error::{CmdError, NewSessionError};

use url::Url;

use super::tools::Missing;
use crate::{bounded, failure::Failure, limits, obstacle::Obstacle, runbook::Cause};

/// Why there is no browser, or why it did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Missing(#[from] Missing),
    #[error(
        "{url:?} is not an http or https URL (the environment variable WEBDRIVER_URL)\nwrite it with its scheme, for example http://127.0.0.1:4444"
    )]
    BadUrl { url: String },
    #[error("the browser's driver could not be started: {why}")]
    Driver { why: String, output: String },
    #[error("the driver at {driver} does not answer: {why}\ncheck WEBDRIVER_URL, or unset it for a driver of our own")]
    NoDriver { driver: String, why: String },
    #[error(
        "chromedriver and the browser do not fit: {why}\ninstall the same version of both (`cargo xtask setup`), or set CHROME_BIN and CHROMEDRIVER_BIN to a pair"
    )]
    Versions { why: String },
    #[error("the browser did not start: {why}\ncheck that it runs: {browser} --headless --version")]
    NoSession { browser: String, why: String },
    #[error("no browser at {driver} was free within {} s", .waited.as_secs())]
    Queued { driver: String, waited: Duration, seen: String },
    #[error("the browser did not do what was asked ({what}): {why}")]
    Command { what: &'static str, why: String },
    /// The driver gave up on a page that was still loading.
    #[error("the page was still loading after {} s", limits::PAGE_LOAD.as_secs())]
    Late,
    #[error("still loading after {} s", .limit.as_secs())]
    NotLoaded { limit: Duration, requests: String },
    #[error("the browser did not answer within {} s ({what})", .limit.as_secs())]
    Silent { what: &'static str, limit: Duration },
    #[error("the page did not answer for {} s while its process was busy all the time: a script without end, or far too many", .0.as_secs())]
    Looping(Duration),
    #[error("the page's processes took more than {} MB of memory", limits::BROWSER_BYTES / 1_000_000)]
    Greedy,
    #[error("the page's process crashed: {why}")]
    Crashed { why: String },
    #[error("{text:?}")]
    Dialog { text: String },
    /// The page was left for another while it was looked at.
    #[error("the page was left for another again and again, and never stayed")]
    Left,
    #[error("{why}")]
    NotOpened { why: String },
    #[error("what the browser was asked for is too large ({what}): {why}")]
    TooLarge { what: &'static str, why: String },
    #[error("more than {} MB of console messages and requests", limits::BODY_BYTES / 1_000_000)]
    Flooded,
    #[error("{0}")]
    Obstacle(Box<Obstacle>),
}

/// Errors of the browser that say that there is no way to the portal from here.
const NO_WAY: [&str; 7] = [
    "ERR_ADDRESS_UNREACHABLE",
    "ERR_CERT_",
    "ERR_INTERNET_DISCONNECTED",
    "ERR_NAME_NOT_RESOLVED",
    "ERR_NETWORK_",
    "ERR_PROXY_",
    "ERR_TUNNEL_",
];

impl Error {
    pub(super) fn driver(error: &dyn std::error::Error) -> Self {
        let text = error.to_string();
        let (why, output) = text.split_once("; its last output:\n").unwrap_or((&text, ""));
        let output: Vec<&str> = output.lines().map(str::trim_start).collect();
        Self::Driver { why: why.to_owned(), output: output.join("\n") }
    }

    pub(super) fn session(browser: &str, driver: &str, error: &NewSessionError) -> Self {
        match error {
            NewSessionError::SessionNotCreated(error) if error.message.contains("only supports") => {
                Self::Versions { why: sentence(&error.message) }
            }
            NewSessionError::SessionNotCreated(error) => {
                Self::NoSession { browser: browser.to_owned(), why: sentence(&error.message) }
            }
            error => Self::NoDriver { driver: driver.to_owned(), why: crate::client::causes(error) },
        }
    }

    pub(super) fn command(what: &'static str) -> impl Fn(CmdError) -> Self {
        move |error| match &error {
            CmdError::Standard(error) => Self::answered(what, &error.error(), &error.message),
            error => Self::Command { what, why: crate::client::causes(error) },
        }
    }

    /// What the driver answered in place of a value: its code, and its message.
    pub(super) fn answered(what: &'static str, code: &str, message: &str) -> Self {
        let why = sentence(message);
        let is_gone = ["tab crashed", "not connected to DevTools"].iter().any(|sign| message.contains(sign));
        match code {
            "unexpected alert open" => {
                let text = message.split_once("{Alert text :").map_or(why.as_str(), |(_, text)| text);
                Self::Dialog { text: text.split('}').next().unwrap_or_default().trim().to_owned() }
            }
            _ if is_gone || code == "invalid session id" => Self::Crashed { why },
            "timeout" => Self::Late,
            _ if message.contains("document unloaded") => Self::Left,
            _ => match message.split_once("net::") {
                Some((_, why)) => {
                    let name = why.split(|letter: char| {
                        !letter.is_ascii_uppercase() && !letter.is_ascii_digit() && letter != '_'
                    });
                    Self::NotOpened { why: format!("net::{}", name.into_iter().next().unwrap_or_default()) }
                }
                None => Self::Command { what, why },
            },
        }
    }

    /// What the driver did not answer, or not to its end.
    pub(super) fn unread(what: &'static str) -> impl Fn(bounded::Error) -> Self {
        move |error| match error {
            error @ bounded::Error::TooLarge { .. } => Self::TooLarge { what, why: error.to_string() },
            error => Self::Command { what, why: error.to_string() },
        }
    }

    /// What a check says of it that opened the page at `url`.
    pub(super) fn at(self, url: &Url) -> Failure {
        match self {
            // It says itself where it stands.
            Self::Obstacle(_) => self.into(),
            error => Failure::from(error).at(url.as_str()),
        }
    }

    /// Whether nothing more is to be had of the browser.
    pub(super) fn ends_the_browser(&self) -> bool {
        matches!(self, Self::Silent { .. } | Self::Looping(_) | Self::Greedy | Self::Crashed { .. })
    }
}

/// The driver's message without its build information.
fn sentence(message: &str) -> String {
    let end = message.find("\n  (Session info").unwrap_or(message.len());
    message[..end].trim().replace('\n', "; ")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let (what, advice) = text.split_once('\n').unwrap_or((&text, ""));
        match error {
            Error::Driver { output, .. } => Failure::not_run(what)
                .fact("output", output)
                .advice("start it by hand with --port=0; `cargo xtask doctor` says which one it is")
                .shared(),
            Error::Queued { seen, .. } => Failure::not_run(what)
                .seen(seen)
                .advice("wait until other runs have ended, run fewer checks at a time (-- --test-threads=2), or start more nodes; those with --session-timeout 60 are free a minute after a run was killed")
                .shared(),
            Error::Obstacle(obstacle) => obstacle.failure(),
            Error::Looping(_) => Failure::failed("the page's scripts come to an end")
                .seen(what)
                .caused_by(Cause::FrontEnd),
            Error::NotLoaded { limit, requests } => Failure::failed("the page loads")
                .expected(format!("its document, with the scripts in it, within {} s", limit.as_secs()))
                .seen(what)
                .fact("requests", requests),
            Error::Greedy => Failure::failed("the page can be shown in the memory that a browser has")
                .expected(format!("at most {} MB for all of its processes", limits::BROWSER_BYTES / 1_000_000))
                .seen("more, and rising; the browser was ended")
                .caused_by(Cause::FrontEnd),
            Error::Flooded => Failure::failed("what the page logs and asks for can be read")
                .seen(what)
                .caused_by(Cause::FrontEnd),
            Error::Dialog { text } => Failure::failed("the page opens without a dialog")
                .expected("no alert, confirm or prompt")
                .seen(format!("a dialog that says {text:?}"))
                .caused_by(Cause::FrontEnd),
            Error::Left => Failure::failed("the page stays where it was opened").seen(what).caused_by(Cause::FrontEnd),
            Error::NotOpened { why } if NO_WAY.iter().any(|sign| why.contains(sign)) => {
                Failure::undecided("the browser finds the way to the portal")
                    .seen(why)
                    .advice("check the network, the proxy and the certificates that the browser of this machine uses")
                    .shared()
            }
            Error::NotOpened { why } => {
                Failure::failed("the portal's page opens in a browser").expected("a document").seen(why)
            }
            Error::Crashed { .. } => Failure::undecided("the browser can be asked")
                .seen(what)
                .advice("run the check again; if the page crashes again, open it in a browser and look at its memory"),
            Error::Silent { .. } => Failure::undecided("the browser can be asked")
                .seen(what)
                .advice("run the check again when this machine has less to do; if the browser is silent again, open the page in one"),
            Error::Command { .. } | Error::Late | Error::TooLarge { .. } => {
                Failure::undecided("the browser can be asked").seen(what).fact("do", advice)
            }
            _ => Failure::not_run(what).fact("do", advice).shared(),
        }
    }
}
