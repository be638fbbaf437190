//! `POST /functions/v1/sms-ingest`: what a gateway's devices report, sent until an answer came that says what became of
//! it. Any Rust program may use it; [`Deployment::sms_ingest`](crate::Deployment::sms_ingest) is how checks get one.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use backon::{ExponentialBuilder, Retryable};
use jiff::Zoned;
use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, LOCATION, RETRY_AFTER},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use url::Url;

use super::{choose_tls, error::request_id};
use crate::{bounded, failure::Verdict, limits, obstacle::Obstacle, permission::Permission};

/// No further request is made for a message after this, unless [`SmsIngest::deadline`] says otherwise.
const DEADLINE: Duration = Duration::from_secs(30);

/// Longest a single request may take.
const REQUEST: Duration = Duration::from_secs(10);

/// A message as a device reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// `device_identifier`: the registered device, whose institution the message is for.
    pub device: String,
    /// `sender_phone`: a number or a name, such as `MoMo`.
    pub sender: String,
    /// `sms_text`.
    pub text: String,
    /// `received_at`, sent with the offset of its zone.
    pub received_at: Zoned,
    /// `sim_slot`.
    pub sim_slot: Option<u8>,
    /// `message_id`: the gateway's own id.
    pub message_id: Option<String>,
}

impl Message {
    /// The body of the request.
    pub fn body(&self) -> Value {
        let received_at = self.received_at.timestamp().display_with_offset(self.received_at.offset());
        let mut body = Map::new();
        body.insert("device_identifier".to_owned(), self.device.clone().into());
        body.insert("sender_phone".to_owned(), self.sender.clone().into());
        body.insert("sms_text".to_owned(), self.text.clone().into());
        body.insert("received_at".to_owned(), received_at.to_string().into());
        body.extend(self.sim_slot.map(|slot| ("sim_slot".to_owned(), slot.into())));
        body.extend(self.message_id.clone().map(|id| ("message_id".to_owned(), id.into())));
        body.into()
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ingest {
    /// Stored for the first time.
    Ingested {
        /// Id of the raw row.
        sms_id: String,
        /// Id of the transaction that it stands for; none while it is not understood.
        transaction_id: Option<String>,
    },
    /// Stored before.
    Duplicate {
        /// Id of the raw row.
        sms_id: String,
        /// Id of the transaction, where the answer names it.
        transaction_id: Option<String>,
    },
    /// Understood and not taken. Sending it again would be refused again.
    Refused(IngestRefusal),
    /// Nobody said what became of it. Sending it again is safe: a message counts once.
    Unavailable {
        /// Why nothing is known.
        why: String,
    },
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IngestRefusal {
    /// 401: no key, or a wrong one.
    Key,
    /// 400 or 413: the body, with the function's reason.
    Request(String),
    /// 400: the device is not registered or not active, with the function's reason.
    Device(String),
    /// 405.
    Method,
    /// Any other status below 500 that is a refusal, with what was said.
    Other(String),
}

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnsweredBy {
    /// The function's own code (`x-deno-execution-id`).
    Function,
    /// The platform in its place (`sb-error-code`).
    Platform,
    /// Something in between that says neither.
    Unknown,
}

/// An answer with everything that it takes to find it in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What became of the message.
    pub outcome: Ingest,
    /// The last answer's status; none where there was no answer.
    pub status: Option<StatusCode>,
    /// The last answer's body as it came.
    pub body: String,
    /// The last answer's headers.
    pub headers: HeaderMap,
    /// Requests that were made for it, one or more.
    pub tries: u32,
    /// From the first request to the last answer.
    pub took: Duration,
}

impl Receipt {
    /// The request's id, for the platform's logs.
    pub fn request_id(&self) -> Option<String> {
        request_id(&self.headers)
    }

    /// The region that the function ran in.
    pub fn region(&self) -> Option<&str> {
        self.headers.get("x-sb-edge-region")?.to_str().ok()
    }

    /// Who answered.
    pub fn by(&self) -> AnsweredBy {
        if self.headers.contains_key("x-deno-execution-id") {
            AnsweredBy::Function
        } else if self.headers.contains_key("sb-error-code") {
            AnsweredBy::Platform
        } else {
            AnsweredBy::Unknown
        }
    }

    /// The body as JSON; null where it is something else.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The same, unless something in front of the endpoint at `url` answered in its place.
    ///
    /// # Errors
    /// Undecided, with what it was: a limit, whoever set it; a gateway, bot protection, a password.
    pub fn by_the_endpoint(self, url: &Url) -> Verdict<Self> {
        let is_limit = self.status == Some(StatusCode::TOO_MANY_REQUESTS);
        let obstacle = self.status.and_then(|status| Obstacle::of(url, status, &self.headers));
        match obstacle.filter(|_| is_limit || self.by() == AnsweredBy::Unknown) {
            Some(obstacle) => Err(obstacle.failure()),
            None => Ok(self),
        }
    }

    /// Whether asking again may help: no answer, 429, or a status of 500 or more.
    fn is_transient(&self) -> bool {
        self.status.is_none_or(|status| status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error())
    }

    fn retry_after(&self) -> Option<Duration> {
        self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
    }

    fn no_answer(error: &bounded::Error) -> Self {
        let why = error.to_string();
        let (status, body, headers) = (None, String::new(), HeaderMap::new());
        Self { outcome: Ingest::Unavailable { why }, status, body, headers, tries: 1, took: Duration::ZERO }
    }
}

/// In one line: what was answered, by whom, and under which id.
impl std::fmt::Display for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = match &self.outcome {
            Ingest::Unavailable { why } => why.clone(),
            _ => excerpt(&self.body),
        };
        match self.status {
            Some(status) => write!(f, "{} {said}", status.as_u16())?,
            None => write!(f, "no answer: {said}")?,
        }
        match self.by() {
            AnsweredBy::Function => f.write_str(" from the function")?,
            AnsweredBy::Platform => f.write_str(" from the platform")?,
            AnsweredBy::Unknown => {}
        }
        if let Some(id) = self.request_id() {
            write!(f, " (request {id})")?;
        }
        if self.tries > 1 {
            write!(f, " after {} requests", self.tries)?;
        }
        Ok(())
    }
}

/// A body that no endpoint can store, so that sending it is harmless wherever it is sent.
#[derive(Debug, Clone)]
pub struct Unstorable(Vec<u8>);

impl Unstorable {
    /// A message that lacks a required field: `device_identifier`, `sender_phone`, `sms_text` or `received_at`.
    pub fn without(field: &str) -> Self {
        let mut body = json!({
            "device_identifier": "release-check-probe",
            "sender_phone": "MoMo",
            "sms_text": "release check",
            "received_at": "2026-01-07T12:00:00Z",
        });
        if let Some(body) = body.as_object_mut() {
            body.remove(field);
        }
        Self(body.to_string().into_bytes())
    }

    /// A text of so many bytes, with a required field missing.
    pub fn long(bytes: usize) -> Self {
        Self(
            json!({ "device_identifier": "release-check-probe", "sms_text": "x".repeat(bytes) })
                .to_string()
                .into_bytes(),
        )
    }

    /// The same with one field more, where it is an object.
    #[must_use]
    pub fn with(self, field: &str, value: &str) -> Self {
        let body = serde_json::from_slice::<Value>(&self.0).map(|mut body| {
            body[field] = value.into();
            body.to_string().into_bytes()
        });
        Self(body.unwrap_or(self.0))
    }

    /// Not JSON.
    pub fn not_json() -> Self {
        Self(b"{\"device_identifier\": ".to_vec())
    }

    /// JSON, but no object.
    pub fn no_object() -> Self {
        Self(b"[\"device_identifier\"]".to_vec())
    }

    /// Bytes that are no UTF-8.
    pub fn not_utf8() -> Self {
        Self(b"{\"device_identifier\": \"\xff\xfe\"}".to_vec())
    }

    /// JSON of so many levels.
    pub fn deep(levels: usize) -> Self {
        Self([b"[".repeat(levels), b"]".repeat(levels)].concat())
    }

    /// An object without any field.
    pub fn empty_object() -> Self {
        Self(b"{}".to_vec())
    }

    /// Nothing at all.
    pub fn empty() -> Self {
        Self(Vec::new())
    }
}

/// A client of one project's ingest endpoint. Asking is free; sending needs the deployment's permission:
///
/// ```compile_fail,E0061
/// # async fn example(ingest: harness::SmsIngest, message: harness::Message) {
/// ingest.send(&message).await;
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SmsIngest {
    http: reqwest::Client,
    url: Url,
    header: String,
    key: Option<SecretString>,
    deadline: Duration,
}

/// One for all endpoints: reading the system's certificates takes a hundred times as long as a message does.
fn http() -> Result<reqwest::Client, reqwest::Error> {
    static SHARED: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(shared) = SHARED.get() {
        return Ok(shared.clone());
    }
    choose_tls();
    let http = reqwest::Client::builder()
        .redirect(Policy::none())
        .timeout(REQUEST)
        .user_agent(concat!("release-harness/", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(SHARED.get_or_init(|| http).clone())
}

impl SmsIngest {
    /// A client of the endpoint at `url`, whose key goes into the header of this name.
    ///
    /// # Errors
    /// When the system has no certificates.
    pub fn new(url: Url, header: impl Into<String>, key: Option<SecretString>) -> Result<Self, reqwest::Error> {
        Ok(Self { http: http()?, url, header: header.into(), key, deadline: DEADLINE })
    }

    /// After how long no further request is made for a message.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The same endpoint by another way, such as a proxy before it.
    #[must_use]
    pub fn at(self, url: Url) -> Self {
        Self { url, ..self }
    }

    /// The endpoint.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Sends a message until an answer says what became of it, or the deadline has passed. What is asked again: no
    /// answer, 429 (after the time that it names) and 500 or more; a message counts once, however often it is sent.
    pub async fn send(&self, _: &Permission, message: &Message) -> Receipt {
        self.deliver(message.body()).await
    }

    /// Sends a body once, as it is.
    pub async fn send_once(&self, _: &Permission, body: &Value) -> Receipt {
        self.post(body).await
    }

    async fn deliver(&self, body: Value) -> Receipt {
        let start = Instant::now();
        let mut tries = 0;
        let once = || {
            tries += 1;
            async {
                let receipt = self.post(&body).await;
                if receipt.is_transient() { Err(receipt) } else { Ok(receipt) }
            }
        };
        let backoff = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(5))
            .without_max_times()
            .with_jitter();
        let answer = once
            .retry(backoff)
            .adjust(|receipt, delay| {
                let wait = receipt.retry_after().or(delay)?;
                (start.elapsed() + wait < self.deadline).then_some(wait)
            })
            .await;
        let receipt = answer.unwrap_or_else(|receipt| receipt);
        Receipt { tries, took: start.elapsed(), ..receipt }
    }

    async fn post(&self, body: &Value) -> Receipt {
        let key = self.key.as_ref().map(|key| (self.header.as_str(), key.expose_secret()));
        let json = [("content-type", "application/json")];
        self.request(Method::POST, json.into_iter().chain(key), body.to_string().into_bytes()).await
    }

    /// Asks with a body that cannot be stored, once, with these headers and no other key.
    pub async fn probe(&self, method: Method, headers: &[(&str, &str)], body: &Unstorable) -> Receipt {
        self.request(method, headers.iter().copied(), body.0.clone()).await
    }

    /// As [`SmsIngest::probe`], with the key.
    pub async fn probe_with_key(&self, method: Method, headers: &[(&str, &str)], body: &Unstorable) -> Receipt {
        let key = self.key.as_ref().map(|key| (self.header.as_str(), key.expose_secret()));
        self.request(method, headers.iter().copied().chain(key), body.0.clone()).await
    }

    /// As [`SmsIngest::probe`], by POST as somebody who is signed in, and without the key.
    pub async fn probe_as(&self, session: &super::Session, body: &Unstorable) -> Receipt {
        let bearer = format!("Bearer {}", session.access_token.expose_secret());
        let json = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        self.request(Method::POST, json.into_iter(), body.0.clone()).await
    }

    /// As [`SmsIngest::send_once`], as somebody who is signed in, and without the key.
    pub async fn ask_as(&self, _: &Permission, session: &super::Session, body: &Value) -> Receipt {
        let bearer = format!("Bearer {}", session.access_token.expose_secret());
        let json = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        self.request(Method::POST, json.into_iter(), body.to_string().into_bytes()).await
    }

    /// Headers that `spoil` makes of the key, for a probe that shows something like it.
    pub fn with_spoilt_key<T: Default>(&self, spoil: impl FnOnce(&str) -> T) -> T {
        self.key.as_ref().map(|key| spoil(key.expose_secret())).unwrap_or_default()
    }

    async fn request<'h>(
        &self,
        method: Method,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
        body: Vec<u8>,
    ) -> Receipt {
        let start = Instant::now();
        let mut request = self.http.request(method, self.url.clone()).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = async {
            let request = request.build().map_err(|error| bounded::Error::Broken(error.without_url()))?;
            bounded::answer(&self.http, request, limits::BODY_BYTES).await
        };
        let mut receipt = match answer.await {
            Ok(bounded::Answer { status, headers, body }) => {
                let outcome = outcome(status, &headers, &body);
                Receipt { outcome, status: Some(status), body, headers, tries: 1, took: Duration::ZERO }
            }
            Err(error) => Receipt::no_answer(&error),
        };
        receipt.took = start.elapsed();
        receipt
    }
}

/// Reads an answer as the function's table has it; what is not in it decides nothing.
fn outcome(status: StatusCode, headers: &HeaderMap, body: &str) -> Ingest {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| json[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let said = || text("error").or_else(|| text("message")).unwrap_or_else(|| excerpt(body));
    let unavailable = |why: String| Ingest::Unavailable { why };
    match status.as_u16() {
        200..=299 => match (json["success"].as_bool(), text("sms_id"), json["duplicate"].as_bool()) {
            (Some(true), Some(sms_id), Some(true)) => {
                Ingest::Duplicate { sms_id, transaction_id: text("transaction_id") }
            }
            (Some(true), Some(sms_id), Some(false)) => {
                Ingest::Ingested { sms_id, transaction_id: text("transaction_id") }
            }
            _ => unavailable(format!("a success that says nothing of the message: {}", excerpt(body))),
        },
        300..=399 => {
            let to = headers.get(LOCATION).and_then(|location| location.to_str().ok()).unwrap_or("nowhere");
            unavailable(format!("a redirect to {to}"))
        }
        401 => Ingest::Refused(IngestRefusal::Key),
        400 if json.get("device_identifier").is_some() => Ingest::Refused(IngestRefusal::Device(said())),
        400 | 413 => Ingest::Refused(IngestRefusal::Request(said())),
        405 => Ingest::Refused(IngestRefusal::Method),
        400..=499 if status != StatusCode::TOO_MANY_REQUESTS => Ingest::Refused(IngestRefusal::Other(said())),
        _ => unavailable(said()),
    }
}

/// The beginning of a body, for an error text.
fn excerpt(body: &str) -> String {
    match body.trim() {
        "" => "an empty body".to_owned(),
        body => super::error::excerpt(body),
    }
}

#[cfg(test)]
mod tests;
