//! Secrets stay out of what a run leaves, also where the deployment shows them: each has a canary for a value, and a
//! server answers every request with an error that repeats it in all the ways in which servers write things.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use harness::workspace_root as root;
use release_check::suites::{SUITES, Suite};

/// Personas with an account.
const PERSONAS: [&str; 5] = ["PLATFORM_ADMIN", "ADMIN_A", "AUDITOR_A", "STAFF_A", "STAFF_B"];

/// Bytes of a body.
const MOST_REPEATED: usize = 4096;

/// Answers with everything that it was sent; signs in whom it is asked to, with tokens that are canaries as well.
struct Parrot {
    token: String,
    /// Command lines of this machine with a canary in them, whenever it was asked something.
    shown: Arc<Mutex<Vec<String>>>,
}

/// What all canaries have in them.
const CANARY: &str = "c4nary";

/// Command lines of this machine's processes with a canary.
fn command_lines() -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).into_owned()).filter(|line| line.contains(CANARY)).collect()
}

impl Respond for Parrot {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        self.shown.lock().unwrap().extend(command_lines());
        if request.method == "GET" && request.url.path() == "/" && !request.headers.contains_key("apikey") {
            return ResponseTemplate::new(200).set_body_raw("<!doctype html><title>Parrot</title>", "text/html");
        }
        if request.url.path() == "/auth/v1/token" && request.body.windows(7).any(|window| window == b"ADMIN_A") {
            return ResponseTemplate::new(200).set_body_json(json!({
                "access_token": self.token, "refresh_token": self.token, "expires_in": 3600,
                "expires_at": 4_000_000_000_u64, "token_type": "bearer", "user": { "id": "a", "email": "a@example.com" },
            }));
        }
        let body = &request.body[..request.body.len().min(MOST_REPEATED)];
        let mut said = vec![String::from_utf8_lossy(body).into_owned(), request.url.to_string()];
        said.extend(request.headers.values().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let shown: Vec<_> = said.iter().flat_map(|text| spellings(text)).collect();
        ResponseTemplate::new(418)
            .insert_header("x-request-id", said.last().map_or("", String::as_str))
            .set_body_json(json!({ "message": shown.join(" "), "msg": shown.join("\n"), "heard": said }))
    }
}

/// A text as servers, proxies and logs write it.
fn spellings(text: &str) -> Vec<String> {
    let (json, url) = (in_json(text), url_encoded(text));
    let mut all = vec![
        text.to_owned(),
        in_json(&json),
        json,
        url.to_lowercase(),
        url.replace("%20", "+"),
        url,
        text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;"),
        format!("{text:?}").trim_matches('"').to_owned(),
    ];
    for before in ["", "a", "ab"] {
        let text = format!("{before}{text}");
        all.extend([BASE64_STANDARD.encode(&text), BASE64_URL_SAFE.encode(&text)]);
    }
    all
}

/// Without the quotes around it.
fn in_json(text: &str) -> String {
    let json = Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

fn url_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// What is looked for: every spelling of the secret, in base64 without the letters at its ends, which its neighbours
/// share.
fn traces(secret: &str) -> Vec<String> {
    let mut traces = spellings(secret);
    for trace in traces.iter_mut().rev().take(6) {
        *trace = trace.trim_end_matches('=').chars().skip(4).collect::<String>();
        trace.truncate(trace.len() - 1);
    }
    traces
}

fn every_byte_below(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => every_byte_below(&entry.path(), found),
            false => {
                let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
                found.push((entry.path().display().to_string(), text));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_what_a_run_leaves() {
    let password = |name: &str| format!("{}-c4nary/+\"\\<&' é{}", name.to_lowercase(), name.len());
    // A header has no place for letters like those.
    let key = |name: &str| format!("{}-c4nary+/{}", name.to_lowercase(), name.len());
    let token = key("session");
    let shown = Arc::default();
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(Parrot { token: token.clone(), shown: Arc::clone(&shown) }).mount(&server).await;

    let mut sent = vec![token];
    let mut environment = vec![
        ("HARNESS_TARGET".to_owned(), "staging".to_owned()),
        ("E2E_BASE_URL".to_owned(), server.uri()),
        ("VITE_SUPABASE_URL".to_owned(), server.uri()),
        ("VITE_SUPABASE_ANON_KEY".to_owned(), "a-public-key".to_owned()),
        ("E2E_INSTITUTION_A_ID".to_owned(), "a0000000-0000-4000-8000-00000000000a".to_owned()),
        ("E2E_INSTITUTION_B_ID".to_owned(), "a0000000-0000-4000-8000-00000000000b".to_owned()),
    ];
    for vendor in ["SUPABASE_MANAGEMENT_URL", "CLOUDFLARE_API_URL", "GITHUB_API_URL", "SENTRY_URL"] {
        environment.push((vendor.to_owned(), server.uri()));
    }
    environment.push(("CLOUDFLARE_ACCOUNT_ID".to_owned(), "account".to_owned()));
    environment.push(("GITHUB_REPOSITORY".to_owned(), "owner/name".to_owned()));
    let keys = ["INGEST_API_KEY", "INGEST_API_KEY_PREVIOUS", "SUPABASE_SERVICE_ROLE_KEY"];
    for name in
        keys.into_iter().chain(["SUPABASE_ACCESS_TOKEN", "CLOUDFLARE_API_TOKEN", "GITHUB_TOKEN", "SENTRY_AUTH_TOKEN"])
    {
        environment.push((name.to_owned(), key(name)));
        sent.push(key(name));
    }
    for persona in PERSONAS {
        environment.push((format!("E2E_{persona}_EMAIL"), format!("{persona}@example.com")));
        environment.push((format!("E2E_{persona}_PASSWORD"), password(persona)));
        sent.push(password(persona));
    }
    // The parrot speaks no PostgreSQL, so nobody gets as far as a password.
    let unsent = password("DATABASE");
    let host = server.uri().replace("http://", "");
    let database = format!("postgres://postgres:{}@{host}/postgres", url_encoded(&unsent));
    environment.push(("SUPABASE_DB_URL".to_owned(), database));

    let folder = tempfile::tempdir().unwrap();
    let results = |suite: &str| folder.path().join("results").join(suite);
    // The checks wait for what the parrot never shows: all suites at once, and each for less long.
    let contract = folder.path().join("contract.toml");
    let patient = fs::read_to_string(root().join("fixtures/sacco-plus.toml")).unwrap();
    fs::write(&contract, patient.replace("within_ms = 3000", "within_ms = 300")).unwrap();
    environment.push(("HARNESS_CONTRACT".to_owned(), contract.display().to_string()));
    let run = |suite: &str| {
        let mut command = Suite::build(suite).unwrap().command_in(&results(suite));
        let output = command.arg("--test-threads=6").envs(environment.clone()).output().unwrap();
        [("output", output.stdout), ("errors", output.stderr)]
            .map(|(what, text)| (format!("the {what} of {suite}"), String::from_utf8_lossy(&text).into_owned()))
    };
    let mut left: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = SUITES.iter().map(|suite| scope.spawn(|| run(suite))).collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    let release_check = || Command::new(env!("CARGO_BIN_EXE_release-check"));
    let verdict = release_check().arg("verify").arg("--results").arg(folder.path().join("results")).output().unwrap();
    left.push(("the output of the verdict".to_owned(), format!("{verdict:?}")));
    let mut signoff = release_check();
    signoff.args(["signoff", "--target", "staging", "--deployed-by", "Ada", "--verified-by", "Grace", "--run"]);
    signoff.args(SUITES.iter().map(|suite| results(suite))).arg("--out").arg(folder.path().join("signoff"));
    left.push(("the output of the sign-off".to_owned(), format!("{:?}", signoff.output().unwrap())));
    assert!(folder.path().join("signoff/index.html").exists(), "{}", left.last().unwrap().1);
    every_byte_below(folder.path(), &mut left);

    assert_eq!(*shown.lock().unwrap(), Vec::<String>::new(), "no command line has a secret");
    let heard = server.received_requests().await.unwrap();
    let said = |secret: &str| {
        heard.iter().any(|request| {
            let in_header =
                request.headers.values().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(secret));
            in_header || String::from_utf8_lossy(&request.body).contains(&in_json(secret))
        })
    };
    let unheard: Vec<_> = sent.iter().filter(|secret| !said(secret)).collect();
    assert_eq!(unheard, Vec::<&String>::new(), "nothing is proved of what was never sent");
    assert!(left.iter().any(|(_, text)| text.contains("[secret]")), "something was masked");
    for secret in sent.iter().chain([&unsent]) {
        for trace in traces(secret) {
            for (place, text) in &left {
                let at = text.find(&trace).map(|at| text[..at].chars().rev().take(80).collect::<Vec<_>>());
                let before = at.map(|letters| letters.into_iter().rev().collect::<String>());
                assert_eq!(before, None, "{trace:?}, of {secret:?}, is in {place}");
            }
        }
    }
}

/// Before anything is opened, too: a server that answers, one that is not there, and a URL that is none.
#[tokio::test(flavor = "multi_thread")]
async fn no_password_of_a_url_is_in_what_a_run_leaves() {
    const PASSWORD: &str = "url-c4nary-password";
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(Parrot { token: "a-token".to_owned(), shown: Arc::default() }).mount(&server).await;
    let answering = server.uri().replace("http://", "");
    let run = |variable: &str, case: &str, url: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Suite::build("smoke").unwrap().command_in(&folder.path().join("results"));
        command
            .env("HARNESS_TARGET", "staging")
            .env("E2E_BASE_URL", server.uri())
            .env("VITE_SUPABASE_URL", server.uri())
            .env("VITE_SUPABASE_ANON_KEY", "a-public-key")
            .env(variable, url)
            .args(["build::", "environment::", "the_root_shows_the_login"]);
        let output = command.output().unwrap();
        let mut left = vec![(format!("{variable}, {case}: the output"), format!("{output:?}"))];
        every_byte_below(folder.path(), &mut left);
        left
    };
    let urls = [
        ("answering", format!("http://checker:{PASSWORD}@{answering}")),
        ("absent", format!("http://checker:{PASSWORD}@127.0.0.1:1")),
        ("no http", format!("ftp://checker:{PASSWORD}@127.0.0.1")),
    ];
    // They wait more than they work.
    let left: Vec<_> = thread::scope(|scope| {
        let variables = ["E2E_BASE_URL", "VITE_SUPABASE_URL", "WEBDRIVER_URL"].into_iter();
        let cases = variables.flat_map(|variable| urls.iter().map(move |(case, url)| (variable, case, url)));
        let runs: Vec<_> = cases.map(|(variable, case, url)| scope.spawn(|| run(variable, case, url))).collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    assert!(
        left.iter().any(|(_, text)| text.contains("checker") || text.contains("[secret]")),
        "URLs are shown at all"
    );
    for (place, text) in &left {
        for trace in traces(PASSWORD).into_iter().chain([PASSWORD.to_owned()]) {
            assert!(!text.contains(&trace), "{trace:?} is in {place}: {text}");
        }
    }
}
