//! What the auth server and the project's data services are asked, and what they say.

use std::collections::BTreeSet;

use harness::{Check, ClientError, Failure, Page, Request, Session, Verdict, Visit};
use jiff::Timestamp;
use serde_json::Value;

/// The address of the project, without a slash at its end.
pub fn api(check: &Check) -> Verdict<String> {
    Ok(check.deployment().api()?.url.as_str().trim_end_matches('/').to_owned())
}

/// Seconds since 1970, UTC; the deployment's clock and this one agree, or no check runs.
pub fn now() -> i64 {
    Timestamp::now().as_second()
}

/// The session that the portal keeps in this browser.
pub async fn kept_session(page: &Page<'_>) -> Verdict<Session> {
    let claim = "the portal keeps the session in the browser";
    let text = page.held_text().await?.ok_or_else(|| {
        Failure::failed(claim).expected("a session under supabase-js's own key of localStorage").seen("nothing")
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::failed(claim).expected("access_token, refresh_token, expires_at, user").seen(error.to_string())
    })
}

/// The request was refused; an answer that says neither yes nor no leaves it open.
pub fn expect_refused<T>(answer: Result<T, ClientError>, endpoint: &str, claim: &str) -> Verdict {
    match answer {
        Err(ClientError::Refused(refusal)) if [400, 401, 403].contains(&refusal.status.as_u16()) => Ok(()),
        Err(error) => Err(Failure::undecided(claim).expected("a refusal").seen(error.to_string())),
        Ok(_) => Err(Failure::failed(claim).expected("a refusal").seen("200").at(endpoint)),
    }
}

/// The requests of a visit for a token; how many were sent is the check's to judge.
pub fn token_requests(check: &Check, visit: &Visit) -> Verdict<Vec<Request>> {
    let url = format!("{}/auth/v1/token", api(check)?);
    Ok(visit.requests(&url).filter(|request| request.method() != "OPTIONS").cloned().collect())
}

/// The requests of a visit for data, answered or not.
pub fn data_requests(check: &Check, visit: &Visit) -> Verdict<Vec<String>> {
    let api = api(check)?;
    let services = ["rest", "functions", "storage"].map(|service| format!("{api}/{service}/v1"));
    let requests = services.iter().flat_map(|service| visit.requests(service));
    // By their text: a preflight is logged before its request or after it.
    Ok(requests.map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().collect())
}

/// The requests of a visit that the database answered with something other than no rows.
pub async fn answered_with_rows(check: &Check, page: &Page<'_>, visit: &Visit) -> Verdict<Vec<String>> {
    let url = format!("{}/rest/v1/", api(check)?);
    let mut answered = Vec::new();
    for request in visit.answers(&url) {
        let body = page.browser().body(request).await?;
        if !matches!(body.trim(), "" | "[]" | "null") {
            answered.push(request.to_string());
        }
    }
    Ok(answered)
}

/// The path of a page's address.
pub fn path(visit: &Visit) -> String {
    url::Url::parse(visit.url()).map(|url| harness::path_of(&url)).unwrap_or_default()
}

/// Where `text` is in what the page keeps, as a storage and a key.
pub fn places(kept: &Value, text: &str) -> Vec<String> {
    let storages = [("localStorage", &kept["local"]), ("sessionStorage", &kept["session"])];
    let entries = storages.into_iter().flat_map(|(storage, entries)| {
        entries.as_object().into_iter().flatten().map(move |(key, value)| (format!("{storage} {key:?}"), value))
    });
    let cookies = [("cookies".to_owned(), &kept["cookies"])];
    let holding = entries.chain(cookies).filter(|(_, value)| value.as_str().is_some_and(|value| value.contains(text)));
    holding.map(|(place, _)| format!("in {place}")).collect()
}
