//! Where the ingest key must not work: logs, caches and histories keep URLs, and browsers keep cookies.

use harness::{Failure, Section, SmsIngest, Unstorable, Verdict, check_if_promised};
use reqwest::{Method, StatusCode};

/// Names that somebody may look for the key under.
const NAMES: [&str; 5] = ["x-api-key", "apikey", "api_key", "key", "token"];

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn the_ingest_key_works_in_its_header_only() -> Verdict {
    check_if_promised(&[Section::Sms], "4.4.1", async |check| {
        let ingest = check.deployment().sms_ingest()?;
        let body = Unstorable::without("sms_text");
        let control = ingest.probe_with_key(Method::POST, &[JSON], &body).await;
        if control.status != Some(StatusCode::BAD_REQUEST) {
            return Err(Failure::undecided("the key works in its header")
                .expected("400, as a control")
                .seen(control.to_string()));
        }
        let mut let_in = Vec::new();
        for name in NAMES {
            let url = ingest.with_spoilt_key(|key| Some(in_url(&ingest, name, key)));
            let Some(url) = url else { continue };
            if ingest.clone().at(url).probe(Method::POST, &[JSON], &body).await.status != Some(StatusCode::UNAUTHORIZED)
            {
                let_in.push(format!("in the URL, as {name}"));
            }
            let cookie = ingest.with_spoilt_key(|key| format!("{name}={key}"));
            if ingest.probe(Method::POST, &[JSON, ("cookie", &cookie)], &body).await.status
                != Some(StatusCode::UNAUTHORIZED)
            {
                let_in.push(format!("in a cookie, as {name}"));
            }
            let with_key = ingest.with_spoilt_key(|key| Some(body.clone().with(name, key)));
            let Some(with_key) = with_key else { continue };
            if ingest.probe(Method::POST, &[JSON], &with_key).await.status != Some(StatusCode::UNAUTHORIZED) {
                let_in.push(format!("in the body, as {name}"));
            }
        }
        if let_in.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("the ingest key works in its header and nowhere else")
            .expected(format!("401 wherever it is not in {}", check.contract().sms()?.key_header))
            .seen(format!("it is taken {}", let_in.join(", ")))
            .at(ingest.url().as_str()))
    })
}

fn in_url(ingest: &SmsIngest, name: &str, key: &str) -> url::Url {
    let mut url = ingest.url().clone();
    url.query_pairs_mut().append_pair(name, key);
    url
}
