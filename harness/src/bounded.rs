//! Requests with an end: whoever answers decides neither how long a check takes nor how much memory it needs.

use std::time::{Duration, Instant};

use reqwest::{Client, Request, StatusCode, header::HeaderMap};
use tokio::time::timeout;

use crate::limits;

/// What reqwest and hyper say before they say what it was.
const GENERAL: [&str; 7] = [
    "error sending request",
    "error decoding response body",
    "request or response body error",
    "client error (",
    "connection error",
    "error reading a body from connection",
    "http2 error",
];

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Bytes that are no UTF-8 are replaced.
    pub body: String,
}

/// Why there is no whole answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody took the connection.
    #[error("no connection within {}", seconds(*.after))]
    NoConnection { after: Duration },
    /// Nothing came.
    #[error("no answer within {}", seconds(*.after))]
    NoAnswer { after: Duration },
    /// It began, and did not end.
    #[error("no complete answer within {}", seconds(*.after))]
    NotComplete { status: StatusCode, after: Duration },
    /// The connection could not be made, or broke before the answer.
    #[error("{}", reason(.0))]
    Broken(reqwest::Error),
    /// The connection broke within the answer.
    #[error("the answer breaks off: {}", reason(.error))]
    BrokenOff { status: StatusCode, error: reqwest::Error },
    /// There was more than anybody needs.
    #[error("the body is larger than {} MB, and the rest of it was not read", .most / 1_000_000)]
    TooLarge { status: StatusCode, most: usize },
}

impl Error {
    /// The answer's status, where one began.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::NoConnection { .. } | Self::NoAnswer { .. } | Self::Broken(_) => None,
            Self::NotComplete { status, .. } | Self::BrokenOff { status, .. } | Self::TooLarge { status, .. } => {
                Some(*status)
            }
        }
    }
}

/// A client's answer to `request`, whose body may have `most` bytes.
pub(crate) async fn answer(http: &Client, request: Request, most: usize) -> Result<Answer, Error> {
    let begin = Instant::now();
    let first = timeout(limits::FIRST_BYTE, http.execute(request)).await;
    let mut response = first.map_err(|_| Error::NoAnswer { after: begin.elapsed() })?.map_err(|error| match error {
        error if error.is_timeout() && error.is_connect() => Error::NoConnection { after: begin.elapsed() },
        error if error.is_timeout() => Error::NoAnswer { after: begin.elapsed() },
        error => Error::Broken(error.without_url()),
    })?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| match error {
        error if error.is_timeout() => Error::NotComplete { status, after: begin.elapsed() },
        error => Error::BrokenOff { status, error: error.without_url() },
    })? {
        if body.len() + chunk.len() > most {
            return Err(Error::TooLarge { status, most });
        }
        body.extend_from_slice(&chunk);
    }
    let body = String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok(Answer { status, headers, body })
}

/// As texts say it: what a timer adds to a limit is not of interest.
fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

/// The causes of an error, without those that only say that a request failed.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = next {
        let text = plain(&cause.to_string());
        if !causes.iter().any(|known| known.contains(&text)) {
            causes.push(text);
        }
        next = cause.source();
    }
    let particular: Vec<_> =
        causes.iter().filter(|text| !GENERAL.iter().any(|general| text.starts_with(general))).cloned().collect();
    if particular.is_empty() { causes.pop().unwrap_or_default() } else { particular.join(": ") }
}

/// Without the figures that only the library's authors need, and with what it means.
fn plain(text: &str) -> String {
    let text = text.split(": verification time").next().unwrap_or(text);
    if text.starts_with("invalid HTTP") { format!("the answer is not HTTP ({text})") } else { text.to_owned() }
}

#[cfg(test)]
mod tests;
