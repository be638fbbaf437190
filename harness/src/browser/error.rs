//! Why there is no browser, or why it did not do what was asked.

use std::time::Duration;

use fantoccini::error::{CmdError, NewSessionError};

use super::tools::Missing;
use crate::failure::Failure;

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
    #[error("the browser did not answer within {0:?}")]
    Silent(Duration),
}

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
        move |error| {
            let why = match &error {
                CmdError::Standard(error) => sentence(&error.message),
                error => crate::client::causes(error),
            };
            Self::Command { what, why }
        }
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
            Error::Command { .. } | Error::Silent(_) => {
                Failure::undecided("the browser can be asked").seen(what).fact("do", advice)
            }
            _ => Failure::not_run(what).fact("do", advice).shared(),
        }
    }
}
