//! What the driver's logs say: console messages, uncaught exceptions, and the fate of each request to the portal.

use std::fmt;

use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;
use url::{Origin, Url};

use crate::obstacle::Obstacle;

/// Requests that a text shows of a page that asks for many.
const SHOWN: usize = 5;

/// The logs of a visit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub console: Vec<ConsoleMessage>,
    pub requests: Vec<Request>,
    /// What answered in the place of the page's document.
    pub obstacle: Option<Obstacle>,
}

/// A message of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsoleMessage {
    /// `SEVERE`, `WARNING`, `INFO`, `DEBUG`.
    pub level: String,
    /// `console-api` (the portal's own words), `javascript` (an uncaught exception), `network`, `security`, …
    pub source: String,
    pub text: String,
}

/// What a page wrote to the console: as the driver has it, and with what stands in its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub short: String,
    pub whole: String,
}

/// A request of the page to one of the portal's own origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The browser's own, by which its answer is found.
    pub(super) id: String,
    method: String,
    /// Without its query, which may hold keys.
    url: String,
    /// Only to look for what must not be in it; never shown.
    query: String,
    fate: Fate,
    /// What stood in the body of a refusal.
    pub(super) said: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// Sent and not answered yet.
    Open,
    /// Answered with this status.
    Answered(u64),
    /// Answered, and its body read to the end.
    Complete(u64),
    /// No answer, and the browser's reason.
    Failed(String),
    /// Given up by the page itself.
    Cancelled,
    /// Kept back by whoever looks at the page: nothing that went wrong.
    CutOff,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.method, self.url)?;
        match &self.fate {
            Fate::Open => f.write_str("is not answered"),
            Fate::Answered(status) | Fate::Complete(status) => match &self.said {
                Some(said) => write!(f, "answered {status} {said}"),
                None => write!(f, "answered {status}"),
            },
            Fate::Failed(why) => f.write_str(why),
            Fate::Cancelled => f.write_str("was cancelled by the page"),
            Fate::CutOff => f.write_str("was cut off by the check"),
        }
    }
}

impl Request {
    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL, without the query.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its query, which may hold keys: nothing shows it.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The status of its answer, if there was one.
    pub fn status(&self) -> Option<u64> {
        match self.fate {
            Fate::Answered(status) | Fate::Complete(status) => Some(status),
            Fate::Open | Fate::Failed(_) | Fate::Cancelled | Fate::CutOff => None,
        }
    }

    /// Whether `text` is in its URL or query.
    pub(super) fn mentions(&self, text: &str) -> bool {
        [&self.url, &self.query].iter().any(|part| is_in_url(text, part))
    }

    /// Answered with success.
    pub(super) fn is_success(&self) -> bool {
        matches!(self.fate, Fate::Answered(200..=299) | Fate::Complete(200..=299))
    }

    /// Answered by the embedded portal that it has no such service, which says nothing of a deployment.
    pub fn is_not_offered(&self) -> bool {
        self.status() == Some(501) && self.said.as_deref().is_some_and(|said| said.starts_with("EMBEDDED"))
    }

    /// Answered with 500 or more, or not at all.
    pub fn is_server_error(&self) -> bool {
        match self.fate {
            _ if self.is_not_offered() => false,
            Fate::Answered(status) | Fate::Complete(status) => status >= 500,
            Fate::Failed(_) => true,
            Fate::Open | Fate::Cancelled | Fate::CutOff => false,
        }
    }

    pub(super) fn is_failure(&self) -> bool {
        match self.fate {
            Fate::Answered(status) | Fate::Complete(status) => status >= 400,
            Fate::Failed(_) => true,
            Fate::Open | Fate::Cancelled | Fate::CutOff => false,
        }
    }
}

/// Whether a URL holds `text`, as it is or as URLs write it.
pub(super) fn is_in_url(text: &str, url: &str) -> bool {
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    url.contains(text) || url.contains(&encoded)
}

impl Log {
    pub fn new(console: Value, requests: Requests) -> Self {
        let console = console.as_array().into_iter().flatten().map(ConsoleMessage::of).collect();
        Self { console, requests: requests.known, obstacle: requests.obstacle }
    }

    /// Messages that a portal without defects does not write. Failed requests are in [`Log::failed_requests`].
    pub fn errors(&self) -> impl Iterator<Item = &ConsoleMessage> {
        self.console.iter().filter(|message| message.level == "SEVERE" && message.source != "network")
    }

    /// What the portal's code did not catch.
    pub fn uncaught(&self) -> impl Iterator<Item = &ConsoleMessage> {
        self.errors().filter(|message| message.source == "javascript")
    }

    /// Puts what stands in objects in the place of their names, in messages of the console that are these.
    pub fn spell_out(&mut self, written: &[Written]) {
        for message in self.console.iter_mut().filter(|message| message.source == "console-api") {
            let is_it = |written: &&Written| written.short != written.whole && message.text.ends_with(&written.short);
            if let Some(written) = written.iter().find(is_it) {
                message.text.truncate(message.text.len() - written.short.len());
                message.text += &written.whole;
            }
        }
    }

    /// What was asked for and failed, or has not come to its end; the first of many.
    pub fn in_trouble(&self) -> String {
        let is_open =
            |request: &&Request| matches!(request.fate, Fate::Open | Fate::Answered(_)) || request.is_failure();
        let lines: Vec<_> = self.requests.iter().filter(is_open).take(SHOWN).map(ToString::to_string).collect();
        lines.join("\n")
    }

    pub fn failed_requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.is_failure())
    }
}

impl fmt::Display for Log {
    /// All of it, for the evidence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for message in &self.console {
            writeln!(f, "{} {}: {}", message.level, message.source, message.text)?;
        }
        self.requests.iter().try_for_each(|request| writeln!(f, "{request}"))
    }
}

impl ConsoleMessage {
    fn of(entry: &Value) -> Self {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { level: text("level"), source: text("source"), text: text("message") }
    }
}

impl fmt::Display for ConsoleMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.source == "javascript" { "uncaught: " } else { "" };
        // Stack traces are in the evidence.
        write!(f, "{kind}{}", self.text.lines().next().unwrap_or_default())
    }
}

/// Requests to the portal's own origins, from the driver's performance log.
#[derive(Debug)]
pub(crate) struct Requests {
    origins: Vec<Origin>,
    /// In the order in which they were sent.
    known: Vec<Request>,
    /// How many documents were asked for.
    pub documents: usize,
    obstacle: Option<Obstacle>,
}

impl Requests {
    pub fn new(own: Vec<Url>) -> Self {
        Self { origins: own.iter().map(Url::origin).collect(), known: Vec::new(), documents: 0, obstacle: None }
    }

    /// Takes further entries of the log.
    pub fn read(&mut self, entries: Value) {
        for entry in entries.as_array().into_iter().flatten() {
            let message = entry.get("message").and_then(Value::as_str).unwrap_or_default();
            if let Ok(event) = serde_json::from_str::<Value>(message) {
                self.take(&event["message"]);
            }
        }
    }

    fn take(&mut self, event: &Value) {
        let parameters = &event["params"];
        let Some(id) = parameters["requestId"].as_str() else { return };
        match event["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => {
                let Some(mut url) = parameters["request"]["url"].as_str().and_then(|url| Url::parse(url).ok()) else {
                    return;
                };
                self.documents += usize::from(is_document(parameters));
                self.note_document(parameters, &parameters["redirectResponse"]);
                if let Some(status) = parameters["redirectResponse"]["status"].as_u64() {
                    self.fate(id, |_| Fate::Complete(status));
                }
                if self.origins.contains(&url.origin()) {
                    let query = url.query().unwrap_or_default().to_owned();
                    url.set_query(None);
                    let method = parameters["request"]["method"].as_str().unwrap_or("GET").to_owned();
                    self.known.push(Request {
                        id: id.to_owned(),
                        method,
                        url: url.into(),
                        query,
                        fate: Fate::Open,
                        said: None,
                    });
                }
            }
            "Network.responseReceived" => {
                self.note_document(parameters, &parameters["response"]);
                let status = parameters["response"]["status"].as_u64().unwrap_or_default();
                self.fate(id, |_| Fate::Answered(status));
            }
            "Network.loadingFinished" => self.fate(id, |fate| match fate {
                Fate::Answered(status) => Fate::Complete(*status),
                fate => fate.clone(),
            }),
            "Network.loadingFailed" => {
                let why = parameters["errorText"].as_str().unwrap_or("failed").to_owned();
                let cancelled = parameters["canceled"].as_bool().unwrap_or(false);
                let is_cut_off = parameters["blockedReason"] == "inspector";
                self.fate(id, |fate| match fate {
                    // The browser drops what it has no use for, such as the body of a missing script.
                    Fate::Answered(status @ 400..) => Fate::Complete(*status),
                    _ if is_cut_off => Fate::CutOff,
                    _ if cancelled => Fate::Cancelled,
                    _ => Fate::Failed(why),
                });
            }
            _ => {}
        }
    }

    /// Notes what the answer for a document of the page shows of an obstacle.
    fn note_document(&mut self, parameters: &Value, response: &Value) {
        let url = response["url"].as_str().and_then(|url| Url::parse(url).ok());
        let status = response["status"].as_u64().and_then(|status| StatusCode::from_u16(status.try_into().ok()?).ok());
        if let (true, None, Some(url), Some(status)) = (is_document(parameters), &self.obstacle, url, status) {
            self.obstacle = Obstacle::of(&url, status, &headers(response));
        }
    }

    fn fate(&mut self, id: &str, change: impl FnOnce(&Fate) -> Fate) {
        // A redirect keeps its id; what follows is about the request that came last.
        if let Some(request) = self.known.iter_mut().rev().find(|known| known.id == id) {
            request.fate = change(&request.fate);
        }
    }

    /// Requests that were answered with an error, the first of many.
    pub fn refused(&mut self) -> impl Iterator<Item = &mut Request> {
        let is_refused = |request: &&mut Request| request.is_failure() && request.status().is_some();
        self.known.iter_mut().filter(is_refused).take(SHOWN)
    }

    /// Whether nothing is under way.
    pub fn are_answered(&self) -> bool {
        !self.known.iter().any(|request| matches!(request.fate, Fate::Open | Fate::Answered(..=399)))
    }
}

/// The request of a document, and nothing else, has the id of what it loads.
fn is_document(parameters: &Value) -> bool {
    parameters["requestId"] == parameters["loaderId"]
}

fn headers(response: &Value) -> HeaderMap {
    let header = |(name, value): (&String, &Value)| {
        let value = HeaderValue::from_str(value.as_str()?).ok()?;
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    };
    response["headers"].as_object().into_iter().flatten().filter_map(header).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn requests(events: &[(&str, Value)]) -> Requests {
        let mut requests = Requests::new(vec!["https://portal.example".parse().unwrap()]);
        let entries: Vec<_> = events
            .iter()
            .map(|(method, params)| json!({"message": json!({"message": {"method": method, "params": params}}).to_string()}))
            .collect();
        requests.read(entries.into());
        requests
    }

    fn sent(id: &str, url: &str) -> (&'static str, Value) {
        ("Network.requestWillBeSent", json!({"requestId": id, "request": {"url": url, "method": "GET"}}))
    }

    #[test]
    fn the_fate_of_the_portals_own_requests_is_told_without_their_queries() {
        let requests = requests(&[
            sent("1", "https://portal.example/a?apikey=secret"),
            ("Network.responseReceived", json!({"requestId": "1", "response": {"status": 500}})),
            ("Network.loadingFailed", json!({"requestId": "1", "errorText": "net::ERR_ABORTED", "canceled": true})),
            sent("2", "https://portal.example/b"),
            ("Network.loadingFailed", json!({"requestId": "2", "errorText": "net::ERR_CONNECTION_REFUSED"})),
            sent("3", "https://portal.example/c"),
            ("Network.loadingFailed", json!({"requestId": "3", "errorText": "net::ERR_ABORTED", "canceled": true})),
            sent("4", "https://elsewhere.example/d"),
            ("Network.responseReceived", json!({"requestId": "4", "response": {"status": 500}})),
        ]);
        assert!(requests.are_answered());
        let shown: Vec<_> = Log::new(Value::Null, requests).failed_requests().map(Request::to_string).collect();
        assert_eq!(
            shown,
            ["GET https://portal.example/a answered 500", "GET https://portal.example/b net::ERR_CONNECTION_REFUSED"]
        );
    }

    #[test]
    fn a_request_is_under_way_until_its_body_is_read() {
        let answered = ("Network.responseReceived", json!({"requestId": "1", "response": {"status": 200}}));
        let finished = ("Network.loadingFinished", json!({"requestId": "1"}));
        let url = "https://portal.example/a";
        assert!(!requests(&[sent("1", url)]).are_answered());
        assert!(!requests(&[sent("1", url), answered.clone()]).are_answered());
        assert!(requests(&[sent("1", url), answered, finished]).are_answered());
    }

    #[test]
    fn what_the_check_cuts_off_is_no_failure() {
        let blocked = |reason: &str| {
            let failed = json!({"requestId": "1", "errorText": "", "canceled": false, "blockedReason": reason});
            let requests =
                requests(&[sent("1", "https://portal.example/rest/v1/a"), ("Network.loadingFailed", failed)]);
            Log::new(Value::Null, requests).failed_requests().count()
        };
        assert_eq!((blocked("inspector"), blocked("csp")), (0, 1));
    }

    #[test]
    fn the_body_of_a_refusal_stands_beside_its_status() {
        let mut requests = requests(&[
            sent("1", "https://portal.example/rest/v1/a"),
            ("Network.responseReceived", json!({"requestId": "1", "response": {"status": 403}})),
        ]);
        for request in requests.refused() {
            request.said =
                crate::client::said(r#"{"code":"42501","message":"permission denied for table a","hint":null}"#);
        }
        let shown: Vec<_> = Log::new(Value::Null, requests).failed_requests().map(Request::to_string).collect();
        assert_eq!(shown, ["GET https://portal.example/rest/v1/a answered 403 42501: permission denied for table a"]);
    }

    #[test]
    fn objects_of_the_console_are_spelled_out() {
        let entry = json!({"level": "SEVERE", "source": "console-api", "message": "https://portal.example/a.js 1:2 \"failed\" Object"});
        let mut log = Log::new(json!([entry]), requests(&[]));
        let written = Written { short: "\"failed\" Object".into(), whole: "\"failed\" {\"code\":\"42501\"}".into() };
        log.spell_out(&[written]);
        let shown: Vec<_> = log.errors().map(ConsoleMessage::to_string).collect();
        assert_eq!(shown, ["https://portal.example/a.js 1:2 \"failed\" {\"code\":\"42501\"}"]);
    }

    #[test]
    fn exceptions_and_errors_count_and_network_messages_are_left_to_the_requests() {
        let entry = |level: &str, source: &str| json!({"level": level, "source": source, "message": "text"});
        let console = json!([
            entry("SEVERE", "javascript"),
            entry("SEVERE", "console-api"),
            entry("SEVERE", "network"),
            entry("WARNING", "console-api")
        ]);
        let log = Log::new(console, requests(&[]));
        let shown: Vec<_> = log.errors().map(ConsoleMessage::to_string).collect();
        assert_eq!(shown, ["uncaught: text", "text"]);
    }
}
