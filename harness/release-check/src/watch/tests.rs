use harness::{Outcome, run::Figure};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use portal::Portal;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::*;
use crate::cargo::cargo;

fn sample(minute: i64, outcome: Outcome, value: f64) -> Sample {
    let figure = Figure { value, limit: 3000.0, unit: "ms".to_owned() };
    Sample {
        at: Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute),
        step: "post.3.1".to_owned(),
        outcome,
        figure: (outcome != Outcome::NotRun).then_some(figure),
        seen: format!("p95 {value} ms"),
        text: "FAILED  post.3.1  Dashboard load time < 3 s".to_owned(),
    }
}

fn course(samples: &[(Outcome, f64)]) -> (Course, Vec<String>) {
    let mut course = Course::new(3);
    let mut begun = Vec::new();
    for (minute, (outcome, value)) in samples.iter().enumerate() {
        let added = course.add(vec![sample(i64::try_from(minute).unwrap(), *outcome, *value)]);
        begun.extend(added.begun.iter().map(ToString::to_string));
    }
    (course, begun)
}

const GOOD: (Outcome, f64) = (Outcome::Passed, 165.0);
const SLOW: (Outcome, f64) = (Outcome::Failed, 3200.0);
const DEAD: (Outcome, f64) = (Outcome::NotRun, 0.0);
const FEW: (Outcome, f64) = (Outcome::Undecided, 0.0);

#[test]
fn a_breach_is_one_that_lasts() {
    assert!(!course(&[GOOD, SLOW, SLOW, GOOD, SLOW]).0.was_in_breach());
    assert!(!course(&[SLOW, SLOW, FEW, SLOW, SLOW]).0.was_in_breach(), "what is undecided ends it");
    let (lasting, begun) = course(&[GOOD, SLOW, DEAD, SLOW, SLOW, GOOD]);
    assert!(lasting.was_in_breach(), "also when it is over");
    assert_eq!(begun.len(), 1, "reported once");
    let never = course(&[DEAD, DEAD, DEAD]).0;
    assert!(!never.was_in_breach() && never.last_word().contains("never decided: post.3.1"), "{}", never.last_word());
    assert_snapshot!(lasting.last_word(), @"
    BREACH since 00:01:00Z  post.3.1  Dashboard load time < 3 s: p95 3200 ms
    FAILED  post.3.1  Dashboard load time < 3 s
    ");
    assert_snapshot!(course(&[GOOD, GOOD]).0.last_word(), @"2 rounds, no breach of 3 in a row");
    assert_snapshot!(lasting.to_string(), @"
    ┌───────────────────────────────────────────────────────────────────────┐
    │ step                                   history   now          outcome │
    ╞═══════════════════════════════════════════════════════════════════════╡
    │ post.3.1   Dashboard load time < 3 s   ▁█×██▁    p95 165 ms   passed  │
    └───────────────────────────────────────────────────────────────────────┘
    ");
}

/// A deployment that hangs leaves its checks undecided when their time is over: to who watches, that is an outage.
#[test]
fn a_round_that_does_not_end_in_time_is_one_in_which_nobody_answered() {
    let late = |(outcome, value)| {
        let mut sample = sample(0, outcome, value);
        sample.came_late();
        sample.outcome
    };
    assert_eq!([FEW, SLOW, GOOD].map(late), [Outcome::NotRun, Outcome::Failed, Outcome::Passed]);
    assert!(course(&[GOOD, DEAD, DEAD, DEAD]).0.was_in_breach());
}

#[test]
fn what_is_much_worse_than_before_the_release_is_a_breach_within_its_limit() {
    let line = |value: &str| format!("{{\"at\":\"x\",\"step\":\"post.3.1\",\"value\":{value}}}\n");
    let before = line("100") + &line("110") + &line("null") + &line("120");
    let watched = |values: &[f64]| {
        let mut course = Course::new(2).against(Baseline::read(&before, 50.0).unwrap());
        for value in values {
            course.add(vec![sample(0, Outcome::Passed, *value)]);
        }
        course
    };
    assert!(!watched(&[160.0, 165.0, 100.0]).was_in_breach());
    let worse = watched(&[100.0, 170.0, 171.0]);
    assert_eq!(worse.exit(), Exit::Failed);
    assert_snapshot!(worse.last_word().lines().next().unwrap_or_default(), @"BREACH since 00:00:00Z  post.3.1  Dashboard load time < 3 s: p95 171 ms (before the release 110 ms, 165 ms at most)");
    assert!(Baseline::read("nonsense", 50.0).is_err());
    assert!(!Course::new(1).was_in_breach());
}

#[test]
fn a_round_that_nobody_answered_is_an_outage() {
    let mut course = Course::new(2);
    assert!(!course.add(vec![sample(0, Outcome::Passed, 100.0)]).is_outage);
    assert!(course.add(vec![sample(1, Outcome::NotRun, 0.0)]).is_outage);
    let added = course.add(vec![sample(2, Outcome::NotRun, 0.0)]);
    assert!(added.is_outage && added.begun[0].is_outage());
    assert!(course.last_word().starts_with("OUTAGE since 00:01:00Z"), "{}", course.last_word());
}

#[test]
fn the_plot_shows_clock_times() {
    let page = page::html(&course(&[GOOD, SLOW, GOOD]).0).unwrap();
    assert!(page.contains("00:00") && page.contains("00:02") && page.contains("UTC"), "{page}");
}

#[test]
fn rounds_in_which_something_became_bad_are_kept() {
    let mut course = Course::new(3);
    let mut kept = |(outcome, value)| course.add(vec![sample(0, outcome, value)]).is_evidence;
    let all = [GOOD, SLOW, SLOW, SLOW, SLOW, GOOD, DEAD];
    assert_eq!(all.map(&mut kept), [false, true, true, true, false, false, true]);
}

#[test]
fn the_report_has_a_plot_of_each_metric() {
    let page = page::html(&course(&[GOOD, SLOW, GOOD]).0).unwrap();
    assert_eq!((page.matches("<svg").count(), page.matches("<h2>").count()), (1, 1));
    assert!(page.contains("3 samples, 1 over the limit, 0 without an answer"), "{page}");
}

#[test]
fn the_plot_has_a_gap_where_nobody_answered() {
    let lines = |samples: &[_]| page::html(&course(samples).0).unwrap().matches("<polyline").count();
    assert_eq!(lines(&[GOOD, DEAD, GOOD]), lines(&[GOOD, GOOD, GOOD]) + 1);
}

/// Watches the embedded portal with these faults: the exit code, what was printed, and of how many rounds evidence was kept.
fn watched(faults: &str, arguments: &[&str]) -> (Option<i32>, String, usize) {
    let out = tempfile::tempdir().unwrap();
    let mut watch = cargo(&["run", "--quiet", "--package", "xtask", "--", "watch", "--lasts", "1"]);
    let ended = watch.args(arguments).arg("--out").arg(out.path()).env("PORTAL_FAULTS", faults).output().unwrap();
    let mut left: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left[left.len() - 2..], ["index.html", "watch.jsonl"], "{ended:?}");
    (ended.status.code(), String::from_utf8(ended.stdout).unwrap(), left.len() - 2)
}

/// One watch after the other, since two would slow each other down. Of the second an hour was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_green_or_red_at_the_first_breach_posts_it_and_keeps_what_shows_it() {
    let (code, shown, rounds) = spawn_blocking(|| watched("", &["--for", "1s"])).await.unwrap();
    assert_eq!((code, rounds), (Some(0), 0), "{shown}");
    assert!(shown.contains("no breach"), "{shown}");

    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let hook = server.uri();
    let arguments = move || watched("messages-given-up", &["--for", "1h", "--until-breach", "--webhook", &hook]);
    let (code, shown, rounds) = spawn_blocking(arguments).await.unwrap();
    assert_eq!((code, rounds), (Some(1), 1), "{shown}");
    assert!(shown.contains("BREACH since") && shown.contains("post.3.5"), "{shown}");
    let posted: Vec<serde_json::Value> =
        server.received_requests().await.unwrap().iter().map(|request| request.body_json().unwrap()).collect();
    let said: Vec<_> = posted.iter().map(|body| (&body["event"], &body["step"])).collect();
    assert_eq!(said, [(&json!("breach"), &json!("post.3.5"))]);
}

/// Behind a gateway that does not reach it, the portal is undecided to a release and out of reach to its users.
#[test]
fn a_portal_that_could_not_be_opened_did_not_answer() {
    let opened = |target: Option<&str>| {
        let now = Timestamp::UNIX_EPOCH;
        let result = serde_json::json!({
            "run": "r", "name": "release::monitoring", "step": "post.3.1", "target": target, "outcome": "undecided",
            "started": now, "finished": now, "attempt": 1, "attachments": [],
        });
        Sample::of(serde_json::from_value(result).unwrap(), now).outcome
    };
    assert_eq!([opened(Some("staging")), opened(None)], [Outcome::Undecided, Outcome::NotRun]);
}

fn outcomes(samples: &[Sample]) -> Vec<(&str, Outcome)> {
    samples.iter().map(|sample| (sample.step.as_str(), sample.outcome)).collect()
}

/// A deployment that goes away and comes back is a gap, and not the end.
#[tokio::test(flavor = "multi_thread")]
async fn it_reconnects() {
    let start = |ports: Option<(u16, u16)>| async move {
        let (site, api) = ports.unwrap_or_default();
        let secret = "a secret of at least thirty-two bytes";
        Portal::builder().site_port(site).api_port(api).jwt_secret(secret).start().await.unwrap()
    };
    let portal = start(None).await;
    let ports = (portal.site_url().port().unwrap(), portal.api_url().port().unwrap());
    let mut environment = vec![
        ("HARNESS_TARGET".to_owned(), "staging".to_owned()),
        ("E2E_BASE_URL".to_owned(), portal.site_url().to_string()),
        ("VITE_SUPABASE_URL".to_owned(), portal.api_url().to_string()),
        ("VITE_SUPABASE_ANON_KEY".to_owned(), portal.anon_key().to_owned()),
        ("SUPABASE_SERVICE_ROLE_KEY".to_owned(), portal.service_role_key().to_owned()),
    ];
    for account in portal.accounts() {
        environment.push((format!("E2E_{}_EMAIL", account.persona), account.email.clone()));
        environment.push((format!("E2E_{}_PASSWORD", account.persona), account.password.clone()));
    }
    let watcher = Watcher::new(environment).unwrap();
    let out = tempfile::tempdir().unwrap();
    let (good, evidence) = watcher.round(out.path()).unwrap();
    assert!(evidence.path().starts_with(&out), "{evidence:?}");
    assert_eq!(
        outcomes(&good),
        [
            ("post.3.1", Outcome::Passed),
            ("post.3.2", Outcome::Passed),
            ("post.3.3", Outcome::Passed),
            // The vendor's log is not asked without a token.
            ("post.3.4", Outcome::NotRun),
            ("post.3.5", Outcome::Passed),
            ("post.3.5", Outcome::Passed),
        ],
        "{good:?}"
    );
    assert!(good.iter().all(|sample| sample.figure.is_some() == (sample.outcome == Outcome::Passed)));
    drop(portal);
    let (gone, _) = watcher.round(out.path()).unwrap();
    assert!(gone.iter().all(|sample| sample.outcome == Outcome::NotRun), "{gone:?}");
    assert!(Sample::obstacle(&gone).is_some_and(|why| why.contains("cannot be reached")));
    let portal = start(Some(ports)).await;
    assert_eq!(outcomes(&watcher.round(out.path()).unwrap().0), outcomes(&good));
    drop(portal);
}
