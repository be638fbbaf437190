//! A remote driver, such as a Selenium Grid: its sessions wait for a free browser, and none is left there.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fantoccini::Client;
use serde_json::Value;
use tokio::{task::JoinSet, time::timeout};
use url::Url;

use super::Error;
use crate::{bounded, limits};

/// Sessions of this process at remote drivers, by their ids.
static OPEN: Mutex<BTreeMap<String, Url>> = Mutex::new(BTreeMap::new());

/// Whether a session has waited in vain: the next ones wait no longer than it takes to say so.
static FULL: AtomicBool = AtomicBool::new(false);

/// How long a driver may take to end a session, or to say how busy it is.
const ANSWER: Duration = Duration::from_secs(5);

/// How long a session may wait for a free browser.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until it is said what is waited for.
    pub silent: Duration,
    /// Altogether.
    pub most: Duration,
}

impl Patience {
    /// Of the checks of this process.
    pub fn now() -> Self {
        let silent = Duration::from_secs(5);
        let most = if FULL.load(Ordering::Relaxed) { silent } else { Duration::from_secs(60) };
        Self { silent, most }
    }
}

/// A session that was asked for, within a limit. One that comes later is ended: nobody would use it.
pub(super) async fn session(
    driver: &Url,
    patience: Patience,
    asked: impl Future<Output = Result<Client, Error>> + Send + 'static,
) -> Result<Client, Error> {
    let mut asked = tokio::spawn(asked);
    let joined = |answer: Result<Result<Client, Error>, tokio::task::JoinError>| {
        answer.unwrap_or_else(|error| Err(Error::driver(&error)))
    };
    if let Ok(answer) = timeout(patience.silent, &mut asked).await {
        return joined(answer);
    }
    let seen = occupied(driver).await;
    if patience.most > patience.silent {
        // Past the test runner, which shows nothing of a check before it ends.
        let _ = writeln!(io::stderr(), "waiting for a free browser at {}: {seen}", shown(driver));
        if let Ok(answer) = timeout(patience.most - patience.silent, &mut asked).await {
            return joined(answer);
        }
    }
    FULL.store(true, Ordering::Relaxed);
    tokio::spawn(async move {
        if let Ok(Ok(client)) = asked.await {
            let _ = client.close().await;
        }
    });
    Err(Error::Queued { driver: shown(driver), waited: patience.most, seen: occupied(driver).await })
}

/// Remembers a session until it is ended.
pub(super) async fn remember(driver: &Url, client: &Client) {
    if let Ok(Some(id)) = client.session_id().await {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).insert(id, driver.clone());
    }
}

/// Forgets a session that its check ends. By its id: its client may still wait for an answer that does not come.
pub(super) fn forget(session: &str) {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).remove(session);
}

/// Ends the sessions that are still open, since the process ends: a driver elsewhere would keep them, and with each a
/// browser that others wait for.
pub(crate) async fn end_sessions() {
    let open = std::mem::take(&mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner));
    if open.is_empty() {
        return;
    }
    let Ok(http) = reqwest::Client::builder().timeout(ANSWER).build() else { return };
    let urls = open.into_iter().filter_map(|(id, driver)| driver.join(&format!("session/{id}")).ok());
    let mut ending: JoinSet<_> = urls.map(|url| http.delete(url).send()).collect();
    // One that cannot be ended ends by the driver's own time limit.
    while ending.join_next().await.is_some() {}
}

/// How busy a driver is, as it says itself, and how long it keeps what a killed run leaves.
async fn occupied(driver: &Url) -> String {
    let status = async {
        let http = reqwest::Client::builder().timeout(ANSWER).build().ok()?;
        let request = http.get(driver.join("status").ok()?).build().ok()?;
        let answer = bounded::answer(&http, request, limits::BODY_BYTES).await.ok()?;
        let status: Value = serde_json::from_str(&answer.body).ok()?;
        of_status(&status["value"])
    };
    status.await.unwrap_or_else(|| "it does not say how many of its browsers are in use".to_owned())
}

fn of_status(status: &Value) -> Option<String> {
    let nodes = status["nodes"].as_array()?;
    let slots = || nodes.iter().flat_map(|node| node["slots"].as_array().into_iter().flatten());
    let used = slots().filter(|slot| slot["session"].is_object()).count();
    let kept = nodes.iter().filter_map(|node| node["sessionTimeout"].as_u64()).max();
    let kept = kept.map(|kept| format!("; its nodes end an abandoned session after {} s", kept / 1000));
    Some(format!("{used} of {} browsers are in use{}", slots().count(), kept.unwrap_or_default()))
}

/// A driver's address without who asks.
fn shown(driver: &Url) -> String {
    let mut url = driver.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{method, path},
    };

    use super::*;
    use crate::Failure;

    /// A Grid with two browsers, both in use, that gives a session after a while.
    async fn grid(after: Duration) -> (MockServer, Url) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = MockServer::start().await;
        let session = json!({ "value": { "sessionId": "s-1", "capabilities": { "browserName": "chrome" } } });
        let slot = json!({ "session": { "sessionId": "of-somebody" } });
        let status =
            json!({ "value": { "ready": true, "nodes": [{ "sessionTimeout": 300_000, "slots": [slot, slot] }] } });
        let given = ResponseTemplate::new(200).set_body_json(session).set_delay(after);
        Mock::given(method("POST")).and(path("/session")).respond_with(given).mount(&server).await;
        Mock::given(path("/status"))
            .respond_with(ResponseTemplate::new(200).set_body_json(status))
            .mount(&server)
            .await;
        let ended = ResponseTemplate::new(200).set_body_json(json!({ "value": null }));
        Mock::given(method("DELETE")).respond_with(ended).mount(&server).await;
        let url = format!("{}/", server.uri()).parse().unwrap();
        (server, url)
    }

    async fn asked(url: &Url, patience: Patience) -> Result<Client, Error> {
        let driver = url.clone();
        let connect = async move {
            let builder = super::super::running::builder(&driver)?;
            builder
                .connect(driver.as_str())
                .await
                .map_err(|error| Error::session("the browser", driver.as_str(), &error))
        };
        session(url, patience, connect).await
    }

    async fn deleted(server: &MockServer) -> Vec<String> {
        let requests = server.received_requests().await.unwrap();
        let deleted = requests.iter().filter(|request| request.method == "DELETE");
        deleted.map(|request| request.url.path().to_owned()).collect()
    }

    fn milliseconds(silent: u64, most: u64) -> Patience {
        Patience { silent: Duration::from_millis(silent), most: Duration::from_millis(most) }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_session_that_waits_for_too_long_is_given_up_and_ended_when_it_comes() {
        let (server, url) = grid(Duration::from_secs(1)).await;
        let failure = Failure::from(asked(&url, milliseconds(10, 100)).await.unwrap_err()).to_string();
        insta::assert_snapshot!(failure.replace(url.as_str(), "http://grid/"), @"
        not run  no browser at http://grid/ was free within 0 s
          seen      2 of 2 browsers are in use; its nodes end an abandoned session after 300 s
          do        wait until other runs have ended, run fewer checks at a time (-- --test-threads=2), or start more nodes; those with --session-timeout 60 are free a minute after a run was killed
        ");
        while deleted(&server).await.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(deleted(&server).await, ["/session/s-1"]);
        assert_eq!(Patience::now().most, Patience::now().silent, "the next one need not find it out again");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn sessions_are_ended_with_the_process() {
        let (server, url) = grid(Duration::ZERO).await;
        let client = asked(&url, milliseconds(5_000, 5_000)).await.unwrap();
        remember(&url, &client).await;
        end_sessions().await;
        assert_eq!(deleted(&server).await, ["/session/s-1"]);
        end_sessions().await;
        assert_eq!(deleted(&server).await.len(), 1, "once is enough");
    }

    #[test]
    fn a_driver_that_says_nothing_of_nodes_is_left_alone() {
        assert_eq!(of_status(&json!({ "ready": true })), None);
        assert_eq!(
            of_status(&json!({ "nodes": [{ "slots": [{ "session": null }] }] })).unwrap(),
            "0 of 1 browsers are in use"
        );
    }
}
