//! What the embedded server answers to a request of a spec, held against what the spec expects.

use portal::Portal;
use regex::Regex;
use reqwest::{Client, header::HeaderMap};
use serde_json::Value;

use super::{
    expression::Matcher,
    pairs::{Body, Expected, Request},
};
use crate::Error;

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// The body, or nothing where it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// What was looked for and not found: a table, a function or one end of a relationship, without its schema.
    pub fn unfound(&self) -> Option<String> {
        let body = self.json();
        let message = body["message"].as_str()?;
        let name = match body["code"].as_str()? {
            "PGRST200" | "PGRST205" => message.split('\'').nth_back(1)?,
            "PGRST202" => message.split_once("function ")?.1.split([' ', '(']).next()?,
            _ => return None,
        };
        Some(name.rsplit('.').next().unwrap_or(name).to_owned())
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When it is none that HTTP knows, or nobody answers.
    pub async fn to(request: &Request, portal: &Portal, client: &Client) -> Result<Self, Error> {
        let url = format!("{}rest/v1/{}", portal.local_api_url(), encoded(request.path.trim_start_matches('/')));
        let method = request.method.parse::<reqwest::Method>()?;
        let mut asked = client.request(method, url).header("apikey", portal.anon_key());
        for (name, value) in &request.headers {
            asked = asked.header(name, value);
        }
        if let Some(claims) = &request.signed {
            asked = asked.bearer_auth(portal.sign(&serde_json::from_str(claims)?));
        }
        let response = asked.body(request.body.clone()).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, body: String::from_utf8_lossy(&response.bytes().await?).into_owned() })
    }

    /// Whether what was asked for is not offered, and says so.
    pub fn refuses_by_name(&self) -> bool {
        self.status == 501 && self.body.contains("not offered by the embedded portal")
    }

    /// What is not as expected, a line each.
    pub fn differences(&self, expected: &Expected) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(status) = expected.status.filter(|status| i64::from(self.status) != *status) {
            lines.push(format!("status {} instead of {status}", self.status));
        }
        lines.extend(expected.headers.iter().filter_map(|matcher| self.unlike(matcher)));
        if expected.any_json && !self.values("content-type").iter().any(|value| value.starts_with("application/json")) {
            lines.push(format!("content-type {:?} instead of JSON's", self.values("content-type")));
        }
        let (is_same, text) = match &expected.body {
            Body::Any => (true, ""),
            Body::Text(text) => (*text == self.body, text.as_str()),
            Body::Json(text) => (json(text) == json(&self.body), text.as_str()),
        };
        if !is_same {
            lines.push(format!("{}\n    instead of {}", self.body, text.trim()));
        } else if !lines.is_empty() {
            lines.push(self.body.clone());
        }
        lines
    }

    fn values(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }

    fn unlike(&self, matcher: &Matcher) -> Option<String> {
        let (name, is_as_expected, wanted) = match matcher {
            Matcher::Is(name, value) => (name.as_str(), self.values(name).contains(value), value.clone()),
            Matcher::Has(name, part) => {
                (name.as_str(), self.values(name).iter().any(|value| value.contains(part)), format!("…{part}…"))
            }
            Matcher::Like(name, pattern) => {
                let like = Regex::new(pattern).ok();
                let is = |value: &String| like.as_ref().is_some_and(|like| like.is_match(value));
                (name.as_str(), self.values(name).first().is_some_and(is), format!("/{pattern}/"))
            }
            Matcher::Absent(name) => (name.as_str(), self.values(name).is_empty(), "none".to_owned()),
            Matcher::Times(metric) => {
                let name = "server-timing";
                (name, self.values(name).iter().any(|value| value.contains(&format!("{metric};dur="))), metric.clone())
            }
        };
        (!is_as_expected).then(|| format!("{name}: {:?} instead of {wanted}", self.values(name)))
    }
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// A path and query as HTTP takes them: what the specs write as it is, as wai takes it.
fn encoded(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !br#""<>\^`{|}#"#.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}
