//! 4.4.2 "The endpoint answers as promised": the table of its answers.

use std::sync::LazyLock;

use harness::{AnsweredBy, Cause, Check, Failure, Receipt, SmsIngest, Unstorable, Verdict, check};
use regex::Regex;
use reqwest::{Method, StatusCode};
use rstest::rstest;

const JSON: (&str, &str) = ("content-type", "application/json");

#[rstest]
#[case::device_identifier("device_identifier")]
#[case::sender_phone("sender_phone")]
#[case::sms_text("sms_text")]
#[case::received_at("received_at")]
fn a_missing_field_is_named(#[case] field: &str) -> Verdict {
    check("4.4.2", async |check| {
        let ingest = check.deployment().sms_ingest()?;
        let receipt = ingest.probe_with_key(Method::POST, &[JSON], &Unstorable::without(field)).await;
        let words = check.contract().sms()?.refusals.field.replace("{field}", field);
        expect(&ingest, &receipt, &[StatusCode::BAD_REQUEST], Some(&words))
    })
}

/// Whatever the body is, the answer is a refusal in the function's own words, and the endpoint lives.
#[rstest]
#[case::not_json(Unstorable::not_json())]
#[case::nothing(Unstorable::empty())]
#[case::no_object(Unstorable::no_object())]
#[case::not_utf8(Unstorable::not_utf8())]
#[case::deep_json(Unstorable::deep(100_000))]
fn a_body_that_is_none_is_refused(#[case] body: Unstorable) -> Verdict {
    check("4.4.2", async |check| {
        let ingest = check.deployment().sms_ingest()?;
        let receipt = ingest.probe_with_key(Method::POST, &[JSON], &body).await;
        expect(&ingest, &receipt, &[StatusCode::BAD_REQUEST], Some(&check.contract().sms()?.refusals.json))?;
        lives(check, &ingest).await
    })
}

#[test]
fn a_body_that_is_too_long_is_refused() -> Verdict {
    check("4.4.2", async |check| {
        let ingest = check.deployment().sms_ingest()?;
        let body = Unstorable::long(check.contract().sms()?.body_at_most + 100_000);
        let receipt = ingest.probe_with_key(Method::POST, &[JSON], &body).await;
        expect(&ingest, &receipt, &[StatusCode::PAYLOAD_TOO_LARGE, StatusCode::BAD_REQUEST], None)?;
        lives(check, &ingest).await
    })
}

/// Gateways forget it.
#[test]
fn a_body_without_a_content_type_is_read() -> Verdict {
    check("4.4.2", async |check| {
        let ingest = check.deployment().sms_ingest()?;
        let receipt = ingest.probe_with_key(Method::POST, &[], &Unstorable::without("sms_text")).await;
        let words = check.contract().sms()?.refusals.field.replace("{field}", "sms_text");
        expect(&ingest, &receipt, &[StatusCode::BAD_REQUEST], Some(&words))
    })
}

#[rstest]
#[case::get(Method::GET)]
#[case::put(Method::PUT)]
#[case::delete(Method::DELETE)]
fn another_method_is_refused(#[case] method: Method) -> Verdict {
    check("4.4.2", async |check| {
        let ingest = check.deployment().sms_ingest()?;
        let receipt = ingest.probe_with_key(method.clone(), &[], &Unstorable::empty()).await;
        let words = &check.contract().sms()?.refusals.method;
        expect(&ingest, &receipt, &[StatusCode::METHOD_NOT_ALLOWED], Some(words))
    })
}

#[test]
fn a_browser_may_ask_first() -> Verdict {
    check("4.4.2", async |check| {
        let (ingest, key) = (check.deployment().sms_ingest_without_key()?, &check.contract().sms()?.key_header);
        let wanted = format!("content-type,{key}");
        let site = check.deployment().site().url("/").origin().ascii_serialization();
        let headers = [
            ("origin", site.as_str()),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", &wanted),
        ];
        let receipt = ingest.probe(Method::OPTIONS, &headers, &Unstorable::empty()).await;
        let shown = |name: &str| {
            receipt.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("(none)").to_lowercase()
        };
        let (origin, methods, allowed) = (
            shown("access-control-allow-origin"),
            shown("access-control-allow-methods"),
            shown("access-control-allow-headers"),
        );
        let good = receipt.status.is_some_and(|status| status.is_success())
            && (origin == "*" || origin == site)
            && (methods == "*" || methods.contains("post"))
            && (allowed == "*" || ["content-type", key].iter().all(|name| allowed.contains(*name)));
        if good {
            return Ok(());
        }
        let failure = match receipt.status {
            Some(_) => Failure::failed("a page of the portal may call the endpoint (CORS preflight)"),
            None => Failure::undecided("a page of the portal may call the endpoint (CORS preflight)"),
        };
        Err(failure
            .expected(format!("200, allow-origin * or {site}, allow-methods with POST, allow-headers with {wanted}"))
            .seen(format!("{receipt}\nallow-origin: {origin}\nallow-methods: {methods}\nallow-headers: {allowed}"))
            .at(format!("OPTIONS {}", ingest.url())))
    })
}

pub mod writes {
    use std::time::Duration;

    use harness::{Cause, Failure, Section, Stopwatch, Took, Verdict, check_if_promised};
    use reqwest::StatusCode;
    use serde_json::{Value, json};

    use super::expect;
    use support::{Gateway, unique};

    #[test]
    fn a_new_message_is_answered_with_what_became_of_it() -> Verdict {
        check_if_promised(&[Section::Data, Section::Ledger], "4.4.2", async |check| {
            let gateway = Gateway::open(check, "ours").await?;
            let (text, _) = gateway.payment(2000);
            let watch = Stopwatch::start();
            let read = gateway.send(&gateway.message(text)).await?;
            let took = Took { wall: read.took, ..watch.took() };
            let limit = Duration::from_millis(check.contract().sms()?.answers_within_ms);
            if read.took > limit {
                return Err(Failure::failed("a message is answered before a gateway gives up")
                    .caused_by(Cause::Slow)
                    .expected(format!("an answer within {} ms", limit.as_millis()))
                    .seen(format!("{} ms", read.took.as_millis()))
                    .at(gateway.ingest.url().as_str())
                    .unless_kept_waiting(took, limit));
            }
            shape(
                &gateway,
                &read.json(),
                &[("success", json!(true)), ("duplicate", json!(false)), ("parse_status", json!("success"))],
                &["sms_id", "transaction_id"],
            )?;
            let unread = gateway.send(&gateway.message(format!("Hello from {}", unique(&gateway.writes)))).await?;
            shape(
                &gateway,
                &unread.json(),
                &[("success", json!(true)), ("duplicate", json!(false)), ("parse_status", json!("pending"))],
                &["sms_id"],
            )
        })
    }

    #[test]
    fn the_same_message_is_answered_as_a_duplicate() -> Verdict {
        check_if_promised(&[Section::Data, Section::Ledger], "4.4.2", async |check| {
            let gateway = Gateway::open(check, "ours").await?;
            let message = gateway.message(gateway.payment(2000).0);
            gateway.send(&message).await?;
            let again = gateway.send(&message).await?;
            shape(
                &gateway,
                &again.json(),
                &[("success", json!(true)), ("duplicate", json!(true))],
                &["sms_id", "message"],
            )
        })
    }

    #[test]
    fn a_date_that_is_none_is_refused() -> Verdict {
        check_if_promised(&[Section::Data, Section::Ledger], "4.4.2", async |check| {
            let gateway = Gateway::open(check, "ours").await?;
            for date in ["yesterday", "07/01/2026 12:00", "2026-02-30T12:00:00Z"] {
                let mut body = gateway.message(format!("dated {date}")).body();
                body["received_at"] = date.into();
                let receipt = gateway.ingest.send_once(&gateway.writes, &body).await;
                expect(
                    &gateway.ingest,
                    &receipt,
                    &[StatusCode::BAD_REQUEST],
                    Some(&check.contract().sms()?.refusals.date),
                )?;
            }
            match gateway.raw().await?.len() {
                0 => Ok(()),
                stored => Err(Failure::failed("what is refused is not stored")
                    .expected("no row of this device")
                    .seen(format!("{stored} rows"))
                    .at(&check.contract().sms()?.raw.table)),
            }
        })
    }

    fn shape(gateway: &Gateway<'_>, body: &Value, values: &[(&str, Value)], texts: &[&str]) -> Verdict {
        let good = values.iter().all(|(name, value)| body[*name] == *value)
            && texts.iter().all(|name| body[*name].as_str().is_some_and(|text| !text.is_empty()));
        if good {
            return Ok(());
        }
        let expected = values.iter().map(|(name, value)| format!("{name}: {value}"));
        let texts = texts.iter().map(|name| format!("{name}: a text"));
        Err(Failure::failed("the answer says what became of the message")
            .expected(expected.chain(texts).collect::<Vec<_>>().join(", "))
            .seen(body.to_string())
            .at(gateway.ingest.url().as_str()))
    }
}

/// One of these statuses, from the function, with its error in words, and nothing of its insides.
fn expect(ingest: &SmsIngest, receipt: &Receipt, statuses: &[StatusCode], words: Option<&str>) -> Verdict {
    static INSIDES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\bat [^\n]*:\d+:\d+|traceback|panicked|node_modules|file:///|deno\.land|select .* from |PG::")
            .ok()
    });
    let status_fits = receipt.status.is_some_and(|status| statuses.contains(&status));
    let json = receipt.json();
    let error = json["error"].as_str().unwrap_or_default();
    let words_fit = json["success"] == false && words.map_or(!error.is_empty(), |words| error == words);
    let statuses: Vec<_> = statuses.iter().map(|status| status.as_u16().to_string()).collect();
    let expected = match words {
        Some(words) => format!("{} with success: false and error: {words:?}", statuses.join(" or ")),
        None => format!("{} with success: false and an error in words", statuses.join(" or ")),
    };
    let failure = |failure: Failure| failure.expected(&expected).seen(receipt.to_string()).at(ingest.url().as_str());
    if receipt.status.is_none() {
        return Err(failure(Failure::undecided("the endpoint answers")));
    }
    if INSIDES.as_ref().is_some_and(|insides| insides.is_match(&receipt.body)) {
        return Err(failure(Failure::failed("an error reveals nothing of the code behind it")));
    }
    if status_fits && words_fit && receipt.by() == AnsweredBy::Function {
        return Ok(());
    }
    let refused = failure(Failure::failed("a message that cannot be taken is refused in words that help its sender"));
    let in_other_words = status_fits && json["success"] == false && !error.is_empty();
    Err(if in_other_words { refused.caused_by(Cause::Wording) } else { refused.caused_by(Cause::Functions) })
}

/// An endpoint that a body has killed would refuse everything.
async fn lives(check: &Check, ingest: &SmsIngest) -> Verdict {
    let receipt = ingest.probe_with_key(Method::POST, &[JSON], &Unstorable::without("sms_text")).await;
    let words = check.contract().sms()?.refusals.field.replace("{field}", "sms_text");
    expect(ingest, &receipt, &[StatusCode::BAD_REQUEST], Some(&words))
}
