//! 4.4.1 "The endpoint takes messages only with its key". The probes lack a required field: an endpoint that lets them in
//! answers 400 and stores nothing.

use harness::{AnsweredBy, Failure, Receipt, Unstorable, Verdict, check};
use reqwest::{Method, StatusCode};
use rstest::rstest;

/// The header of the key, by a value that is none or not this endpoint's.
#[rstest]
#[case::no_key(&[])]
#[case::empty_key(&[(KEY, "")])]
#[case::wrong_key(&[(KEY, "0123456789abcdef0123456789abcdef")])]
#[case::anything_at_all(&[(KEY, "your-ingest-api-key")])]
#[case::anon_key_of_the_project(&[(KEY, ANON)])]
#[case::anon_key_as_supabase_takes_it(&[("apikey", ANON), ("authorization", BEARER)])]
fn a_message_is_refused_with(#[case] headers: &[(&str, &str)]) -> Verdict {
    check("4.4.1", async |check| {
        let (ingest, name) = (check.deployment().sms_ingest_without_key()?, &check.contract().sms()?.key_header);
        let anon = &check.deployment().api()?.anon_key;
        let bearer = format!("Bearer {anon}");
        let headers: Vec<_> = headers
            .iter()
            .map(|(header, value)| {
                let value = [(ANON, anon.as_str()), (BEARER, &bearer)]
                    .into_iter()
                    .find(|(word, _)| word == value)
                    .map_or(*value, |(_, value)| value);
                (if *header == KEY { name.as_str() } else { *header }, value)
            })
            .collect();
        let receipt = ingest.probe(Method::POST, &headers, &Unstorable::without("sms_text")).await;
        expect_refused(&receipt, &check.contract().sms()?.refusals.key, ingest.url().as_str())
    })
}

/// What stands for the header of the key, and for the project's public key.
const KEY: &str = "{key}";
const ANON: &str = "{anon}";
const BEARER: &str = "{bearer}";

/// The key is good in its own header only, and as a whole.
#[rstest]
#[case::in_another_header(|key: &str| vec![("x-ingest-key", key.to_owned()), ("apikey", key.to_owned()), ("authorization", format!("Bearer {key}"))])]
#[case::cut_short(|key: &str| vec![(KEY, key[..key.len() / 2].to_owned())])]
#[case::with_more_behind_it(|key: &str| vec![(KEY, format!("{key}0"))])]
fn the_key_is_refused(#[case] spoil: fn(&str) -> Vec<(&'static str, String)>) -> Verdict {
    check("4.4.1", async |check| {
        let (ingest, name) = (check.deployment().sms_ingest()?, &check.contract().sms()?.key_header);
        let headers = ingest.with_spoilt_key(spoil);
        let headers: Vec<_> = headers
            .iter()
            .map(|(header, value)| (if *header == KEY { name.as_str() } else { *header }, value.as_str()))
            .collect();
        let receipt = ingest.probe(Method::POST, &headers, &Unstorable::without("sms_text")).await;
        expect_refused(&receipt, &check.contract().sms()?.refusals.key, ingest.url().as_str())
    })
}

/// The control: with its key the same body gets as far as its missing field.
#[test]
fn the_key_opens() -> Verdict {
    check("4.4.1", async |check| {
        let ingest = check.deployment().sms_ingest()?;
        let receipt = ingest.probe_with_key(Method::POST, &[], &Unstorable::without("sms_text")).await;
        if receipt.status == Some(StatusCode::BAD_REQUEST) && receipt.by() == AnsweredBy::Function {
            return Ok(());
        }
        Err(Failure::failed("the gateway's key opens the endpoint")
            .expected("400 from the function, because a required field is missing")
            .seen(receipt.to_string())
            .at(ingest.url().as_str()))
    })
}

fn expect_refused(receipt: &Receipt, words: &str, url: &str) -> Verdict {
    let from_function = receipt.by() == AnsweredBy::Function;
    let seen = receipt.to_string();
    let failure =
        |failure: Failure| failure.expected(format!("401 {words:?} from the function itself")).seen(&seen).at(url);
    match receipt.status {
        Some(StatusCode::UNAUTHORIZED) if from_function && receipt.json()["error"] == words => Ok(()),
        Some(StatusCode::UNAUTHORIZED) if !from_function => Err(failure(
            Failure::undecided("the function asks for its key").advice(
                "something before the function refused, so its own guard was not seen: deploy it with --no-verify-jwt, as the gateway calls it",
            ),
        )),
        Some(StatusCode::UNAUTHORIZED) => Err(failure(Failure::failed("a request without a key learns that, and nothing else"))),
        Some(StatusCode::BAD_REQUEST | StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED) => {
            Err(failure(Failure::failed("anyone can post transactions: the endpoint reads what comes without its key")))
        }
        Some(_) if !from_function => Err(failure(Failure::failed("the endpoint is there")).advice(
            "supabase functions deploy sms-ingest, or correct `function` in [sms] of the contract; until then the gateway keeps its messages",
        )),
        Some(_) => Err(failure(Failure::failed("a message without the key is refused with 401"))),
        None => Err(failure(Failure::undecided("a message without the key is refused"))),
    }
}
