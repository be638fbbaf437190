//! An embedded portal as the suites meet a remote deployment: by its URLs, keys and accounts alone. Holds what a run
//! leaves of it: nothing on production, nothing open on staging.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use harness::{
    Outcome,
    run::{CheckResult, Run, SuiteEnd, judge, read_results, read_what_stays, runs_folder},
    workspace_root as root,
};
use portal::Portal;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use release_check::suites::{SUITES, Suite};

/// Who signed in, and when, is bookkeeping of the auth server; everything else is the deployment.
const BOOKKEEPING: [&str; 3] = ["auth.users", "auth.sessions", "auth.refresh_tokens"];

pub(crate) struct Remote {
    portal: Portal,
    /// The working copy that its release is made of.
    source: PathBuf,
    folder: tempfile::TempDir,
}

impl Remote {
    pub(crate) async fn start() -> Self {
        // Six suites from one address in a minute are more than a limit for people allows, and guessing is stopped still.
        let portal = Portal::builder().for_suites().start().await.unwrap();
        let (folder, source) = (tempfile::tempdir().unwrap(), portal.checkout().await.unwrap().to_owned());
        for (path, content) in portal.published() {
            let path = folder.path().join("dist").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        Self { portal, source, folder }
    }

    pub(crate) fn results(&self) -> PathBuf {
        self.folder().join("results")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The suite against this portal as `target`, with the team's variables.
    pub(crate) fn command(&self, suite: &str, target: &str) -> Command {
        let mut command = Suite::build(suite).unwrap().command_in(&self.results());
        command.envs(self.variables(target));
        command
    }

    /// A table of settings with all that a team can configure.
    fn settings(&self, target: &str) -> String {
        let mut variables = self.variables(target);
        variables.retain(|(name, _)| name != "HARNESS_TARGET");
        variables.push(("SUPABASE_DB_URL".to_owned(), self.portal.database_url().to_owned()));
        let lines = variables.iter().map(|(name, value)| format!("{name} = {value:?}\n"));
        format!("[{target}]\n{}", lines.collect::<String>())
    }

    fn variables(&self, target: &str) -> Vec<(String, String)> {
        let dist = self.folder.path().join("dist");
        let mut variables = self.portal.variables();
        for (name, value) in [
            ("HARNESS_TARGET", target.to_owned()),
            ("RELEASE_SOURCE", self.source.display().to_string()),
            ("RELEASE_DIST", dist.display().to_string()),
        ] {
            variables.push((name.to_owned(), value));
        }
        // What follows from the database is the settings' to say.
        variables.retain(|(name, _)| name != "SUPABASE_DB_URL");
        variables
    }

    /// Institution A, and a contract that marks it as canary.
    fn marked(&self) -> (String, PathBuf) {
        let canary = self.portal.institutions()["A"].to_string();
        let contract = std::fs::read_to_string(root().join("fixtures/sacco-plus.toml")).unwrap();
        let path = self.folder.path().join("contract.toml");
        std::fs::write(&path, contract.replace("institutions = []", &format!("institutions = [\"{canary}\"]")))
            .unwrap();
        (canary, path)
    }

    pub(crate) async fn database(&self) -> PgConnection {
        PgConnection::connect(self.portal.database_url()).await.unwrap()
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.database().await).await.unwrap();
        row.get(0)
    }

    /// A hash of each table's rows.
    async fn tables(&self) -> BTreeMap<String, String> {
        let mut database = self.database().await;
        let names = sqlx::query(
            "select format('%I.%I', schemaname, tablename) from pg_tables
             where schemaname not in ('pg_catalog', 'information_schema')",
        );
        let mut hashes = BTreeMap::new();
        for row in names.fetch_all(&mut database).await.unwrap() {
            let name: String = row.get(0);
            let sql = format!("select md5(coalesce(string_agg(t::text, chr(10) order by t::text), '')) from {name} t");
            let hash: String = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut database).await.unwrap().get(0);
            hashes.insert(name, hash);
        }
        hashes.retain(|name, _| !BOOKKEEPING.contains(&name.as_str()));
        hashes
    }
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn outcomes(folder: &Path) -> Vec<CheckResult> {
    read_results(folder).unwrap()
}

/// Every request of a run that only reads: what signs people in and out, and what a function refuses.
fn is_harmless(request: &portal::Request) -> bool {
    ["GET", "HEAD", "OPTIONS"].contains(&request.method.as_str())
        || (request.method == "POST" && ["/auth/v1/token", "/auth/v1/logout"].contains(&request.path.as_str()))
        || (["/functions/v1/", "/auth/v1/signup"].iter().any(|path| request.path.starts_with(path))
            && request.status >= 400)
        || request.path.ends_with("/database/query/read-only")
}

/// All suites with all that a team can configure, on production, which is only read: every table of it is as it was, no
/// request could have changed one, and what production leaves out is a line each, with the reason and the run of staging
/// that shows it: without one it stays open, with one a read-only production is green, but for the soak that nobody made.
#[tokio::test(flavor = "multi_thread")]
async fn production_is_only_read_and_what_it_leaves_out_is_shown_on_staging() {
    let (staging, production) = (Remote::start().await, Remote::start().await);
    let settings = production.folder.path().join("settings.toml");
    std::fs::write(&settings, staging.settings("staging") + &production.settings("production")).unwrap();
    let settings = settings.display().to_string();
    let verify = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_release-check"));
        command.arg("verify").args(arguments).env("HARNESS_SETTINGS", &settings).output().unwrap()
    };

    let before = production.tables().await;
    assert!(before.len() > 10, "{before:?}");
    // A run of staging that is younger than nothing is none.
    let open = verify(&["--target", "production", "--max-age", "0s"]);
    let text = shown(&open);
    assert_eq!(open.status.code(), Some(3), "{text}");
    assert!(text.contains("not shown on staging: run verify --target staging, or sign for it"), "{text}");
    assert!(text.lines().count() < 200, "{} lines:\n{text}", text.lines().count());

    for (table, hash) in production.tables().await {
        assert_eq!(before.get(&table), Some(&hash), "{table} was changed");
    }
    let requests = production.portal.requests();
    let strange: Vec<_> = requests.iter().filter(|request| !is_harmless(request)).collect();
    assert!(requests.len() > 500 && strange.is_empty(), "{} requests, of which {strange:?}", requests.len());

    let id = text.lines().find_map(|line| Some(line.strip_prefix("run ")?.split_once(':')?.0)).unwrap();
    let run = runs_folder().join(id);
    let proof = production.folder.path().join("proof");
    for (suite, tests) in left_out(&Run::read(&run).unwrap()) {
        let folder = proof.join(&suite.name);
        let environment = [("HARNESS_TARGET", "staging"), ("HARNESS_SETTINGS", settings.as_str())];
        assert_eq!(suite.run(Some(&tests), &folder, &environment).unwrap().end, SuiteEnd::Green, "{}", suite.name);
    }
    let (run, proof) = (run.display().to_string(), proof.display().to_string());
    let judged = verify(&["--results", &run, "--proof", &proof, "--json"]);
    let verdict: serde_json::Value = serde_json::from_slice(&judged.stdout).unwrap();
    let open = verdict["steps"].as_array().unwrap().iter().filter(|step| step["outcome"] != "passed");
    let open: Vec<_> = open.map(|step| step["id"].as_str().unwrap()).collect();
    assert!(open.is_empty() || open == ["pre.2.4"] && text.contains("no soak is known"), "{open:?}\n{text}");
    let text = shown(&verify(&["--results", &run, "--proof", &proof]));
    assert!(
        text.contains("left out, because it writes to the deployment: ")
            && text.contains("; passed on staging ")
            && text.contains(" ago (run "),
        "{text}"
    );
    assert!(text.lines().count() < 200, "{} lines:\n{text}", text.lines().count());
}

/// The tests of each suite that a run did not make because of its target.
fn left_out(run: &Run) -> Vec<(Suite, Vec<String>)> {
    let judgement = judge(std::slice::from_ref(run), &[], |_| true);
    let names: Vec<_> =
        judgement.steps.iter().flat_map(|step| step.left_out_by_target()).map(|check| check.planned.clone()).collect();
    let suites = SUITES.iter().map(|name| Suite::build(name).unwrap());
    let of_suite = |suite: Suite| {
        let prefix = format!("{}::", suite.krate());
        let tests: BTreeSet<_> =
            names.iter().filter(|check| check.name.starts_with(&prefix)).map(|check| suite.test_of(check)).collect();
        (suite, tests.into_iter().collect::<Vec<_>>())
    };
    suites.map(of_suite).filter(|(_, tests)| !tests.is_empty()).collect()
}

/// A check that writes says on production that it did not run, why, and how to leave it out, under plain `cargo test` too.
#[tokio::test(flavor = "multi_thread")]
async fn what_writes_is_not_run_on_production() {
    let remote = Remote::start().await;
    let before = remote.tables().await;
    let output = remote.command("data", "production").arg("writes").output().unwrap();
    let results = outcomes(&remote.results());
    assert!(results.len() > 5, "{}", shown(&output));
    for check in &results {
        let text = check.text().unwrap_or_default();
        assert_eq!(check.outcome, Outcome::NotRun, "{}\n{text}", check.name);
        assert!(text.contains("HARNESS_ALLOW_WRITES is not set") && text.contains("--skip writes"), "{text}");
    }
    assert_eq!(remote.tables().await, before);
}

/// Writes on staging stay inside institutions of the run's own; accounts are deleted, what a ledger keeps is closed and
/// listed. So is what a run left that was killed two hours ago.
#[tokio::test(flavor = "multi_thread")]
async fn staging_is_left_tidy() {
    let remote = Remote::start().await;
    let inside = "select count(*) from transactions where institution_id = any (array(
        select id from institutions where name not like 'release-check%'))";
    let before = remote.number(inside).await;
    remote
        .number(
            "with tenant as (insert into institutions (name, created_at)
                 values ('release-check 00000000 ours', now() - interval '2 hours') returning id),
             person as (insert into auth.users (id, email, created_at)
                 values (gen_random_uuid(), 'release-check-00000000-x@example.com', now() - interval '2 hours') returning id)
             select count(*) from tenant, person",
        )
        .await;

    let output = remote.command("data", "staging").arg("writes").output().unwrap();

    assert!(output.status.success(), "{}", shown(&output));
    assert!(outcomes(&remote.results()).len() > 5);
    assert_eq!(remote.number("select count(*) from auth.users where email like 'release-check-%'").await, 0);
    assert_eq!(
        remote.number("select count(*) from institutions where name like 'release-check%' and status = 'ACTIVE'").await,
        0
    );
    assert_eq!(remote.number(inside).await, before);
    let stays = read_what_stays(&remote.results()).unwrap().concat();
    assert!(stays.contains("transactions ") && stays.contains("is closed and stays"), "{stays}");
    assert!(!stays.contains("User not found"), "what a check has removed itself does not stay: {stays}");
    assert!(shown(&output).contains("stay in the deployment"), "{}", shown(&output));
}

/// Ctrl-C in the middle removes what was made, too.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_is_tidied() {
    let remote = Remote::start().await;
    let people = "select count(*) from auth.users where email like 'release-check-%'";
    let mut command = remote.command("data", "staging");
    let mut run =
        command.arg("writes").stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while remote.number(people).await == 0 {
        assert!(Instant::now() < until && run.try_wait().unwrap().is_none(), "the run makes an account");
    }
    let interrupted = Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let until = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = run.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > until {
            run.kill().unwrap();
            panic!("it does not end");
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(status.code(), Some(130));
    assert_eq!(remote.number(people).await, 0);
    assert_eq!(
        remote.number("select count(*) from institutions where name like 'release-check%' and status = 'ACTIVE'").await,
        0
    );
}

/// Production may be written to inside a canary institution, when project and tenant are named; and nothing else changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_canary_may_be_written_to() {
    let remote = Remote::start().await;
    let (canary, marked) = remote.marked();
    let project = remote.portal.api_url().authority().to_owned();
    let run = |project: &str, canary: &str| {
        let mut command = remote.command("data", "production");
        command.env("HARNESS_CONTRACT", &marked).env("HARNESS_ALLOW_WRITES", project);
        command.env("HARNESS_CANARY_INSTITUTION", canary).arg("the_function_allocates").output().unwrap()
    };
    let outside = |tenant: &str| {
        format!(
            "select count(*) from transactions where institution_id <> '{tenant}' or allocation_note = 'by the function'"
        )
    };
    let before = remote.number(&outside(&canary)).await;

    let other_project = shown(&run("wadhydemushqqtcrrlwm", &canary));
    assert!(other_project.contains("which is another project"), "{other_project}");
    let other_tenant = shown(&run(&project, &remote.portal.institutions()["B"].to_string()));
    assert!(other_tenant.contains("does not mark as canary"), "{other_tenant}");
    assert_eq!(remote.number(&outside(&canary)).await, before);

    let output = run(&project, &canary);
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(remote.number(&outside(&canary)).await, before + 1);
    assert_eq!(remote.number("select count(*) from auth.users where email like 'release-check-%'").await, 0);
}

/// Messages to production are the canary's own device's: what needs another institution is not run, nothing outside the
/// canary changes, and no device stays in service.
#[tokio::test(flavor = "multi_thread")]
async fn messages_to_a_canary_stay_in_it() {
    let remote = Remote::start().await;
    let (canary, contract) = remote.marked();
    let outside = format!("select count(*) from momo_sms_raw where institution_id <> '{canary}'");
    let inside = format!("select count(*) from momo_sms_raw where institution_id = '{canary}'");
    let in_service = format!("select count(*) from sms_sources where institution_id = '{canary}' and is_active");
    let before = (remote.number(&outside).await, remote.number(&inside).await, remote.number(&in_service).await);

    let mut command = remote.command("sms-pipeline", "production");
    command.env("HARNESS_CONTRACT", contract).env("HARNESS_CANARY_INSTITUTION", canary);
    command.env("HARNESS_ALLOW_WRITES", remote.portal.api_url().authority());
    // Of the corpus some: each of its messages takes the same way.
    command.args(["end_to_end", "endpoint", "exactly_once", "parts", "tenancy", "::case_00"]).output().unwrap();

    let results = outcomes(&remote.results());
    let (passed, rest): (Vec<_>, Vec<_>) = results.iter().partition(|check| check.outcome == Outcome::Passed);
    assert!(passed.len() > 30, "{}", passed.len());
    for check in rest {
        let text = check.text().unwrap_or_default();
        assert!(check.outcome == Outcome::NotRun && text.contains("only the canary"), "{}\n{text}", check.name);
    }
    assert_eq!((remote.number(&outside).await, remote.number(&in_service).await), (before.0, before.2));
    assert!(remote.number(&inside).await > before.1 + 30);
}
