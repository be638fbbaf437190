//! What a user meets who configured something wrong, or whose machine lacks something: one clear error, no panic,
//! nothing left running. Each case runs a compiled suite as `cargo test -p smoke` does.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portal::Portal;
use regex::Regex;
use rstest::{Context, rstest};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use harness::workspace_root as root;
use held_texts::hold;
use release_check::suites::Suite;

static SMOKE: LazyLock<Suite> = LazyLock::new(|| Suite::build("smoke").unwrap());
static DATA: LazyLock<Suite> = LazyLock::new(|| Suite::build("data").unwrap());
static SMS: LazyLock<Suite> = LazyLock::new(|| Suite::build("sms-pipeline").unwrap());

/// A run of the suite in an environment of its own.
struct Run {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
    filter: &'static str,
    suite: &'static LazyLock<Suite>,
}

impl Run {
    fn with(environment: &[(&str, &str)]) -> Self {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { folder: tempfile::tempdir().unwrap(), environment, filter: "", suite: &SMOKE }
    }

    /// Against a portal by its public addresses and key alone, and what else is set.
    fn against(portal: &Portal, more: &[(&str, &str)]) -> Self {
        let public = [
            ("E2E_BASE_URL", portal.site_url().as_str()),
            ("VITE_SUPABASE_URL", portal.api_url().as_str()),
            ("VITE_SUPABASE_ANON_KEY", portal.anon_key()),
        ];
        Self::with(&[&public, more].concat())
    }

    /// A contract that differs from the default one.
    fn with_contract(change: impl Fn(String) -> String) -> Self {
        let mut run = Self::with(&[]);
        let contract = change(fs::read_to_string(root().join("fixtures/sacco-plus.toml")).unwrap());
        let path = run.folder.path().join("contract.toml");
        fs::write(&path, contract).unwrap();
        run.environment.push(("HARNESS_CONTRACT".to_owned(), path.display().to_string()));
        run
    }

    /// A runbook that differs from Planboard's.
    fn with_runbook(change: impl Fn(String) -> String) -> Self {
        let mut run = Self::with(&[]);
        let runbook = change(fs::read_to_string(root().join("fixtures/planboard/runbook.toml")).unwrap());
        let path = run.folder.path().join("runbook.toml");
        fs::write(&path, runbook).unwrap();
        run.environment.push(("HARNESS_RUNBOOK".to_owned(), path.display().to_string()));
        run
    }

    fn only(mut self, filter: &'static str) -> Self {
        self.filter = filter;
        self
    }

    fn of(mut self, suite: &'static LazyLock<Suite>) -> Self {
        self.suite = suite;
        self
    }

    /// Runs it and compares its one failure with the snapshot `name`.
    fn fails_as(self, name: &str) {
        let temporary = self.folder.path().join("tmp");
        fs::create_dir(&temporary).unwrap();
        let results = self.folder.path().join("results");
        let mut command: Command = self.suite.command_in(&results);
        command
            .env("TMPDIR", &temporary)
            .arg(self.filter)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();

        assert!(!output.status.success(), "a run that checked nothing is not green:\n{text}");
        assert!(!text.contains("panicked at") && !errors.contains("panicked at"), "{text}{errors}");
        nothing_is_left(&temporary);

        let shown: Vec<_> = failures(&text)
            .into_iter()
            .filter(|failure| !failure.contains("the first failure of this run says why"))
            .collect();
        assert_eq!(shown.len(), 1, "one clear error:\n{}", shown.join("\n\n"));
        // Which check meets the obstacle first is chance.
        let chance = Regex::new(r"(?m)^Error: (not run|undecided|FAILED)  \S+  .*$|\n  runbook .*").unwrap();
        let shown = chance.replace_all(&shown[0], "$1");
        assert!(
            hold("bad_input", name, &shown, Some(self.folder.path())),
            "the text is not the one in snapshots/bad_input"
        );
    }
}

/// The failures that the test runner printed, each as one text.
fn failures(output: &str) -> Vec<String> {
    let sections = output.split("\n---- ").skip(1);
    sections
        .filter_map(|section| Some(section.split_once(" stdout ----\n")?.1.split("\n\n").next()?.trim_end().to_owned()))
        .collect()
}

/// The run's own temporary folder is in the environment of whatever it started.
fn nothing_is_left(temporary: &Path) {
    let marker = format!("TMPDIR={}", temporary.display());
    let running = || -> Vec<PathBuf> {
        let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        processes
            .filter(|process| {
                fs::read(process.join("environ")).is_ok_and(|text| String::from_utf8_lossy(&text).contains(&marker))
            })
            .collect()
    };
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        if running().is_empty() && fs::read_dir(temporary).unwrap().next().is_none() {
            return;
        }
        std::thread::yield_now();
    }
    let left: Vec<_> = fs::read_dir(temporary).unwrap().filter_map(Result::ok).map(|entry| entry.path()).collect();
    panic!("left: {:?} {left:?}", running());
}

/// Killed in the middle: the guardians of driver, browsers and PostgreSQL do what the process no longer can.
#[test]
fn a_killed_run_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut command = SMOKE.command_in(&folder.path().join("results"));
    let mut run = command.env("TMPDIR", &temporary).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = |prefix: &str| {
        let parents = fs::read_dir(&temporary).unwrap().filter_map(Result::ok);
        let entries =
            parents.flat_map(|parent| fs::read_dir(parent.path()).into_iter().flatten().filter_map(Result::ok));
        let mut folders = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        // A folder in use: one that was only just made has no guardian yet, and waits for the next run's sweep.
        folders.any(|folder| fs::read_dir(folder.path()).is_ok_and(|mut files| files.next().is_some()))
    };
    let until = Instant::now() + Duration::from_secs(60);
    while !(started("portal-") && started("browser-")) {
        assert!(Instant::now() < until && run.try_wait().unwrap().is_none(), "it starts a portal and a browser");
        std::thread::yield_now();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    nothing_is_left(&temporary);
}

/// A setting that is wrong, and the tools that the machine lacks.
#[rstest]
#[case::no_browser("CHROME_BIN", "/no/such/browser", "visitor")]
#[case::no_driver("CHROMEDRIVER_BIN", "/no/such/driver", "visitor")]
#[case::no_postgresql("PG_BIN_DIR", "/no/such/folder", "")]
#[case::unknown_target("HARNESS_TARGET", "stagin", "")]
#[case::target_without_a_url("HARNESS_TARGET", "staging", "")]
#[case::base_url_that_is_none("E2E_BASE_URL", "your-domain.com", "")]
#[case::unreachable_host("E2E_BASE_URL", "http://127.0.0.1:9", "")]
#[case::unwritable_evidence("ALLURE_RESULTS_DIR", "/dev/null/results", "")]
#[case::unknown_fault("PORTAL_FAULTS", "no-spa-falback", "")]
#[case::remote_database("DATABASE_URL", "postgres://postgres@db.your-domain.com/postgres", "")]
#[case::contract_that_is_missing("HARNESS_CONTRACT", "/no/such/contract.toml", "")]
#[case::runbook_that_is_missing("HARNESS_RUNBOOK", "/no/such/runbook.toml", "")]
#[case::settings_that_are_missing("HARNESS_SETTINGS", "/no/such/harness.toml", "")]
fn setting(#[context] case: Context, #[case] name: &str, #[case] value: &str, #[case] filter: &'static str) {
    Run::with(&[(name, value)]).only(filter).fails_as(case.description.unwrap());
}

#[test]
fn runbook_that_contradicts_itself() {
    Run::with_runbook(|text| text.replace("[\"4.4.1\"]", "[\"sec.1.4\"]")).fails_as("runbook_that_contradicts_itself");
}

#[test]
fn runbook_that_needs_what_no_contract_has() {
    Run::with_runbook(|text| text.replace("needs = [\"sms\"]", "needs = [\"smms\"]"))
        .fails_as("runbook_that_needs_what_no_contract_has");
}

/// Planboard's own, whose build is not looked at.
#[test]
fn runbook_without_the_step() {
    Run::with_runbook(|text| text.replace("\"3.1.1\", ", "")).only("index_html").fails_as("runbook_without_the_step");
}

#[test]
fn contract_with_a_duplicate_route() {
    Run::with_contract(|text| text.replace("name = \"groups\"", "name = \"dashboard\""))
        .fails_as("contract_with_a_duplicate_route");
}

#[test]
fn contract_with_an_unknown_key() {
    Run::with_contract(|text| text.replace("within_ms = 2000", "within = 2")).fails_as("contract_with_an_unknown_key");
}

#[test]
fn contract_that_is_no_toml() {
    Run::with_contract(|text| text.replace("[portal]", "[portal")).fails_as("contract_that_is_no_toml");
}

#[tokio::test]
async fn host_that_speaks_no_tls() {
    let server = MockServer::start().await;
    let url = server.uri().replace("http://", "https://");
    Run::with(&[("E2E_BASE_URL", &url)]).fails_as("host_that_speaks_no_tls");
}

#[tokio::test(flavor = "multi_thread")]
async fn host_behind_a_gateway_that_cannot_reach_it() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(502)).mount(&server).await;
    Run::with(&[("E2E_BASE_URL", &server.uri())]).fails_as("host_behind_a_gateway_that_cannot_reach_it");
}

#[tokio::test(flavor = "multi_thread")]
async fn driver_and_browser_of_different_versions() {
    let driver = MockServer::start().await;
    let refusal = serde_json::json!({"value": {
        "error": "session not created",
        "message": "session not created: This version of ChromeDriver only supports Chrome version 114\nCurrent browser version is 156.0.8078.79 with binary path /usr/bin/chromium\n  (Session info: chrome=156.0.8078.79)",
        "stacktrace": "",
    }});
    Mock::given(any()).respond_with(ResponseTemplate::new(500).set_body_json(refusal)).mount(&driver).await;
    Run::with(&[("WEBDRIVER_URL", &driver.uri())]).only("visitor").fails_as("driver_and_browser_of_different_versions");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_test_account() {
    let portal = Portal::builder().start().await.unwrap();
    let account = &portal.accounts().iter().find(|account| account.persona == "ADMIN_A").unwrap();
    Run::against(&portal, &[("E2E_ADMIN_A_EMAIL", &account.email), ("E2E_ADMIN_A_PASSWORD", "not-the-password")])
        .only("signed_in::the_view")
        .fails_as("wrong_test_account");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_test_account() {
    let portal = Portal::builder().start().await.unwrap();
    Run::against(&portal, &[]).only("signed_in::the_view").fails_as("no_test_account");
}

#[test]
fn contract_whose_canary_nobody_has() {
    Run::with_contract(|text| text.replace("B = \"CANARY-B\"", "B = \"NOBODY-HAS-THIS\""))
        .of(&DATA)
        .only("the_browser_gets_rows_of_the_own_institution_only::case_1")
        .fails_as("contract_whose_canary_nobody_has");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_institution_twice() {
    let portal = Portal::builder().start().await.unwrap();
    let id = portal.institutions()["A"].to_string();
    let environment =
        [("E2E_BASE_URL", portal.site_url().as_str()), ("E2E_INSTITUTION_A_ID", &id), ("E2E_INSTITUTION_B_ID", &id)];
    Run::with(&environment).fails_as("one_institution_twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn service_key_of_another_project() {
    let portal = Portal::builder().start().await.unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"iss":"supabase","ref":"otherprojectref","role":"service_role"}"#);
    Run::against(&portal, &[("SUPABASE_SERVICE_ROLE_KEY", &format!("e30.{claims}.c2lnbmF0dXJl"))])
        .fails_as("service_key_of_another_project");
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_apart() {
    let server = MockServer::start().await;
    let long_ago = ResponseTemplate::new(200).insert_header("date", "Wed, 07 Jan 2026 12:00:00 GMT");
    Mock::given(any()).respond_with(long_ago).mount(&server).await;
    Run::with(&[("E2E_BASE_URL", &server.uri())]).fails_as("clocks_apart");
}

#[tokio::test(flavor = "multi_thread")]
async fn production_that_nobody_allowed_to_write_to() {
    let portal = Portal::builder().start().await.unwrap();
    Run::against(&portal, &[("HARNESS_TARGET", "production")])
        .of(&DATA)
        .only("writes")
        .fails_as("production_that_nobody_allowed_to_write_to");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_service_key() {
    let portal = Portal::builder().start().await.unwrap();
    Run::against(&portal, &[("HARNESS_TARGET", "staging")]).of(&DATA).only("writes").fails_as("no_service_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_ingest_key() {
    let portal = Portal::builder().start().await.unwrap();
    Run::against(&portal, &[("HARNESS_TARGET", "staging")]).of(&SMS).only("the_key_opens").fails_as("no_ingest_key");
}

#[test]
fn contract_with_an_endpoint_that_is_not_deployed() {
    Run::with_contract(|text| text.replace("function = \"sms-ingest\"", "function = \"sms-digest\""))
        .of(&SMS)
        .only("case_1_no_key")
        .fails_as("contract_with_an_endpoint_that_is_not_deployed");
}

#[test]
fn too_few_messages_for_a_share() {
    Run::with_contract(|text| text.replace("at_least = 50,", "at_least = 1_000_000,"))
        .of(&SMS)
        .only("few_messages_are_given_up")
        .fails_as("too_few_messages_for_a_share");
}
