//! What is posted when something has been in breach for long: an object of each field for a program, or a message for Slack.

use std::time::Duration;

use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::course::Breach;
use crate::{Error, Usage};

/// Nobody waits longer for a webhook.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// `{"schema": 1, "event": "breach" or "outage", "target", "step", "title", "since", "seen"}`.
    Json,
    /// `{"text"}`.
    Slack,
}

/// Where alerts go. The address is a secret: who has it can post.
pub struct Webhook {
    http: Client,
    url: Url,
    form: Form,
}

impl Webhook {
    pub fn new(url: &str, form: Form) -> Result<Self, Error> {
        let usage = || Usage::error("--webhook (HARNESS_WEBHOOK) must be an http or https URL");
        let url: Url = url.parse().map_err(|_| usage())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(usage());
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self { http: Client::builder().timeout(PATIENCE).build()?, url, form })
    }

    /// Posts a breach. An error does not name the address.
    pub async fn post(&self, breach: &Breach, target: Option<&str>) -> Result<(), String> {
        let answer = self.http.post(self.url.clone()).json(&body(self.form, breach, target)).send().await;
        let status = answer.map_err(|error| error.without_url().to_string())?.status();
        if status.is_success() { Ok(()) } else { Err(format!("{status}")) }
    }
}

fn body(form: Form, breach: &Breach, target: Option<&str>) -> Value {
    match form {
        Form::Json => json!({
            "schema": 1, "event": if breach.is_outage() { "outage" } else { "breach" }, "target": target,
            "step": breach.sample.step, "title": breach.title(), "since": breach.since, "seen": breach.sample.seen,
        }),
        // Slack takes these three for markup.
        Form::Slack => {
            let text = breach.to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            json!({ "text": target.map_or_else(|| text.clone(), |target| format!("{target}: {text}")) })
        }
    }
}

#[cfg(test)]
mod tests {
    use harness::Outcome;
    use jiff::Timestamp;
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

    use super::*;
    use crate::watch::course::{Course, Sample};

    fn breach(outcome: Outcome) -> Breach {
        let sample = |outcome| Sample {
            at: Timestamp::UNIX_EPOCH,
            step: "post.3.1".to_owned(),
            outcome,
            figure: None,
            seen: "p95 3200 ms & more".to_owned(),
            text: String::new(),
        };
        let mut course = Course::new(1);
        course.add(vec![sample(Outcome::Passed)]);
        course.add(vec![sample(outcome)]).begun.remove(0)
    }

    #[tokio::test]
    async fn each_form_says_what_where_and_since_when() {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        for form in [Form::Json, Form::Slack] {
            let webhook = Webhook::new(&format!("{}/hook/s3cr3t", server.uri()), form).unwrap();
            webhook.post(&breach(Outcome::Failed), Some("production")).await.unwrap();
        }
        let posted: Vec<Value> =
            server.received_requests().await.unwrap().iter().map(|it| it.body_json().unwrap()).collect();
        insta::assert_snapshot!(format!("{}\n{}", posted[0], posted[1]), @r#"
        {"schema":1,"event":"breach","target":"production","step":"post.3.1","title":"Dashboard load time < 3 s","since":"1970-01-01T00:00:00Z","seen":"p95 3200 ms & more"}
        {"text":"production: BREACH since 00:00:00Z  post.3.1  Dashboard load time &lt; 3 s: p95 3200 ms &amp; more"}
        "#);
        assert_eq!(body(Form::Json, &breach(Outcome::NotRun), None)["event"], "outage");
    }

    #[tokio::test]
    async fn an_alert_that_is_not_taken_is_reported_without_its_address() {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(404)).mount(&server).await;
        let webhook = Webhook::new(&format!("{}/hook/s3cr3t", server.uri()), Form::Slack).unwrap();
        assert_eq!(webhook.post(&breach(Outcome::Failed), None).await.unwrap_err(), "404 Not Found");
        let gone = Webhook::new("http://127.0.0.1:9/hook/s3cr3t", Form::Json).unwrap();
        let why = gone.post(&breach(Outcome::Failed), None).await.unwrap_err();
        assert!(!why.contains("s3cr3t"), "{why}");
        assert!(Webhook::new("ftp://example.org", Form::Json).is_err());
    }
}
