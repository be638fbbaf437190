//! What a Supabase service answered instead of what was asked for.

use std::fmt;

use jiff::Timestamp;
use reqwest::{
    Method, StatusCode,
    header::{DATE, HeaderMap, LOCATION, RETRY_AFTER},
};
use serde_json::Value;
use url::Url;

use super::causes;
use crate::{bounded, failure::Failure, limits, obstacle::Obstacle};

/// Longest piece of an answer that an error text shows.
const EXCERPT: usize = 200;

/// Why a request brought no answer of the expected kind.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer at all.
    #[error("{method} {url} got no answer: {why}")]
    NoAnswer {
        /// The request's method.
        method: Method,
        /// The request's URL, without its query.
        url: Url,
        /// The connection's error, with its causes.
        why: String,
    },
    /// An answer whose body has no end, or none in time.
    #[error("{method} {url} answered {status}, and its body could not be read: {why}")]
    Unreadable {
        /// The request's method.
        method: Method,
        /// The request's URL, without its query.
        url: Url,
        /// The answer's status.
        status: StatusCode,
        /// What is wrong with the body.
        why: String,
    },
    /// The service understood the request and refused it.
    #[error(transparent)]
    Refused(Refusal),
    /// A success whose body is not what the service is known to send.
    #[error("{method} {url} answered {status} with something else: {what}; it begins {excerpt:?}")]
    Unexpected {
        /// The request's method.
        method: Method,
        /// The request's URL, without its query.
        url: Url,
        /// The answer's status.
        status: StatusCode,
        /// What is wrong with it.
        what: String,
        /// The beginning.
        excerpt: String,
    },
}

impl ClientError {
    /// Why it cannot be said that `claim` is true: the service is at fault, unless something in front of it answered.
    pub fn failure(&self, claim: impl Into<String>) -> Failure {
        match self.obstacle() {
            Some(obstacle) => obstacle.failure(),
            None => Failure::failed(claim).seen(self.to_string()),
        }
    }

    pub(super) fn no_answer(why: &str) -> Self {
        Self::NoAnswer { method: Method::GET, url: INVALID.clone(), why: why.to_owned() }
    }

    /// Whether the service was asked too often.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_limit)
    }

    pub(crate) fn obstacle(&self) -> Option<&Obstacle> {
        match self {
            Self::Refused(refusal) => refusal.obstacle.as_deref(),
            _ => None,
        }
    }
}

/// An answer with a status of 400 or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The request's method.
    pub method: Method,
    /// The request's URL, without its query.
    pub url: Url,
    /// The answer's status.
    pub status: StatusCode,
    /// The service's own code: `invalid_credentials`, `PGRST301`, `42501`.
    pub code: Option<String>,
    /// The service's message, or the beginning of a body that has none.
    pub message: String,
    /// The request's id, for the platform's logs.
    pub request_id: Option<String>,
    /// Seconds after which the service wants to be asked again: `retry-after`, else `x-ratelimit-reset` or Sentry's
    /// `x-sentry-rate-limit-reset`.
    pub retry_after: Option<u64>,
    /// Whether it was asked too often: 429, and GitHub's 403 with nothing remaining.
    pub is_limit: bool,
    /// What answered in the service's place.
    obstacle: Option<Box<Obstacle>>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} answered {}", self.method, self.url, self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// Decodes the bodies of GoTrue (both API versions and OAuth style), PostgREST, the functions' gateway and the API
    /// gateway; anything else is quoted.
    fn decode(method: Method, url: Url, status: StatusCode, headers: &HeaderMap, body: &str) -> Self {
        let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let text = |names: &[&str]| names.iter().find_map(|name| json.get(name)?.as_str().map(str::to_owned));
        // GoTrue of old has the HTTP status in `code`; only a string there is a code.
        let code = text(&["error_code", "code"])
            .or_else(|| text(&["error"]).filter(|_| json.get("error_description").is_some()));
        let message = text(&["msg", "message", "error_description", "error"]).unwrap_or_else(|| match excerpt(body) {
            quoted if quoted.is_empty() => "an empty body".to_owned(),
            quoted => format!("{quoted:?}"),
        });
        // A service that has a code for it answered itself; a limit is one whoever sends it.
        let obstacle = Obstacle::of(&url, status, headers)
            .filter(|_| code.is_none() || status == StatusCode::TOO_MANY_REQUESTS)
            .map(Box::new);
        let (request_id, is_limit) = (request_id(headers), is_limit(status, headers));
        let retry_after = retry_after(headers).or_else(|| ratelimit_reset(headers).filter(|_| is_limit));
        Self { method, url, status, code, message, request_id, retry_after, is_limit, obstacle }
    }
}

/// What a service says in the body of a refusal, with its code; nothing of an empty one.
pub(crate) fn said(body: &str) -> Option<String> {
    let refusal = Refusal::decode(Method::GET, INVALID.clone(), StatusCode::BAD_REQUEST, &HeaderMap::new(), body);
    (!body.trim().is_empty()).then(|| match refusal.code {
        Some(code) => format!("{code}: {}", refusal.message),
        None => refusal.message,
    })
}

pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    let name = ["sb-request-id", "x-request-id", "cf-ray"].into_iter().find(|name| headers.contains_key(*name))?;
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn is_limit(status: StatusCode, headers: &HeaderMap) -> bool {
    let used_up = || text(headers, "x-ratelimit-remaining") == Some("0") || headers.contains_key(RETRY_AFTER);
    status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::FORBIDDEN && used_up()
}

/// Seconds, or a date by the server's clock.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let said = text(headers, RETRY_AFTER.as_str())?;
    let date = || jiff::fmt::rfc2822::parse(said).ok().map(|date| seconds_until(headers, date.timestamp().as_second()));
    said.parse().ok().or_else(date)
}

/// Supabase says how many seconds are left, GitHub and Sentry at which second of Unix time they are over.
fn ratelimit_reset(headers: &HeaderMap) -> Option<u64> {
    const A_YEAR: u64 = 365 * 24 * 3600;
    let said: f64 = text(headers, "x-ratelimit-reset")
        .or_else(|| text(headers, "x-sentry-rate-limit-reset"))?
        .parse()
        .ok()
        .filter(|said: &f64| *said >= 0.0)?;
    let said = said.ceil() as u64;
    Some(if said < A_YEAR { said } else { seconds_until(headers, i64::try_from(said).ok()?) })
}

fn seconds_until(headers: &HeaderMap, moment: i64) -> u64 {
    let date = text(headers, DATE.as_str()).and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let now = date.map_or_else(|| Timestamp::now().as_second(), |date| date.timestamp().as_second());
    u64::try_from(moment.saturating_sub(now)).unwrap_or(0)
}

/// The beginning of a body, without the word that the cut would go through: half of a secret looks like text.
pub(super) fn excerpt(body: &str) -> String {
    let body = body.trim();
    let Some((end, _)) = body.char_indices().nth(EXCERPT) else { return body.to_owned() };
    let in_word = |letter: char| letter.is_alphanumeric() || "-._~+/%=\\".contains(letter);
    match body[..end].trim_end_matches(in_word) {
        "" => format!("a word of more than {EXCERPT} letters"),
        words => words.to_owned(),
    }
}

fn without_query(mut url: Url) -> Url {
    url.set_query(None);
    url
}

/// A request's answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub method: Method,
    pub url: Url,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// Sends `request`; a status of 400 or more is a [`Refusal`].
    pub async fn to(http: &reqwest::Client, request: reqwest::RequestBuilder) -> Result<Self, ClientError> {
        let request = request.build().map_err(|error| ClientError::NoAnswer {
            method: Method::GET,
            url: error.url().cloned().unwrap_or_else(|| INVALID.clone()),
            why: causes(&error),
        })?;
        let (method, url) = (request.method().clone(), without_query(request.url().clone()));
        let bounded::Answer { status, headers, body } =
            bounded::answer(http, request, limits::BODY_BYTES).await.map_err(|error| {
                let (method, url, why) = (method.clone(), url.clone(), error.to_string());
                match error.status() {
                    Some(status) => ClientError::Unreadable { method, url, status, why },
                    None => ClientError::NoAnswer { method, url, why },
                }
            })?;
        if status.is_client_error() || status.is_server_error() {
            return Err(ClientError::Refused(Refusal::decode(method, url, status, &headers, &body)));
        }
        Ok(Self { method, url, status, headers, body })
    }

    /// The body as `T`.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_str(&self.body).map_err(|error| self.unexpected(error.to_string()))
    }

    /// Where a GET is to be asked instead, if that is on the same host: the token goes there.
    pub fn moved_to(&self) -> Option<Url> {
        let to = self.url.join(self.headers.get(LOCATION)?.to_str().ok()?).ok()?;
        (self.method == Method::GET && to.origin() == self.url.origin()).then_some(to)
    }

    pub fn unexpected(&self, what: impl Into<String>) -> ClientError {
        ClientError::Unexpected {
            method: self.method.clone(),
            url: self.url.clone(),
            status: self.status,
            what: what.into(),
            excerpt: excerpt(&self.body),
        }
    }
}

static INVALID: std::sync::LazyLock<Url> =
    std::sync::LazyLock::new(|| Url::parse("about:invalid").expect("a constant that is a URL"));
