//! Checks that break off, and evidence that cannot be kept: a suite of one check, which this very program is when it is
//! asked for one.

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

use harness::{
    Failure, Outcome, Verdict, check,
    run::{Run, judge},
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

const PASSWORD: &str = "0n-d3mand-c4nary-password";

/// Bytes of a text that is larger than what may be written.
const LARGE: usize = 1 << 20;

/// Not a test by itself: the check that the tests below ask for.
#[test]
fn check_on_demand() -> Verdict {
    let Ok(what) = env::var("CHECK_ON_DEMAND") else { return Ok(()) };
    check("3.3.1", async move |check| match what.as_str() {
        "panics" => panic!("no row for {PASSWORD}"),
        "keeps much" => {
            check.keep("much.txt", "text/plain", "much ".repeat(LARGE / 5));
            Ok(())
        }
        "fails and keeps much" => {
            check.keep("much.txt", "text/plain", "much ".repeat(LARGE / 5));
            Err(Failure::failed("it works").seen("it does not"))
        }
        "loses its folder" => {
            fs::remove_dir_all(env::var("ALLURE_RESULTS_DIR").unwrap()).unwrap();
            Ok(())
        }
        _ => Ok(()),
    })
}

struct Demanded {
    folder: tempfile::TempDir,
    server: MockServer,
}

impl Demanded {
    async fn start() -> Self {
        let server = MockServer::start().await;
        let page = ResponseTemplate::new(200).set_body_raw("<!doctype html><title>Page</title>", "text/html");
        Mock::given(any()).respond_with(page).mount(&server).await;
        Self { folder: tempfile::tempdir().unwrap(), server }
    }

    fn results(&self) -> std::path::PathBuf {
        self.folder.path().join("results")
    }

    /// The check; no file of it is larger than so many blocks of 512 bytes.
    fn run(&self, what: &str, blocks: Option<u32>) -> Output {
        let limit = blocks.map_or_else(|| "unlimited".to_owned(), |blocks| blocks.to_string());
        // Whoever ignores the signal gets an error, as on a full disk.
        let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$@\"");
        Command::new("sh")
            .args(["-c", &script, "limited"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "on_demand::check_on_demand"])
            .env("CHECK_ON_DEMAND", what)
            .env("ALLURE_RESULTS_DIR", self.results())
            .env("HARNESS_TARGET", "staging")
            .env("E2E_BASE_URL", self.server.uri())
            .env("E2E_ADMIN_A_PASSWORD", PASSWORD)
            .env_remove("NEXTEST_RUN_ID")
            .env_remove("RUST_BACKTRACE")
            .output()
            .unwrap()
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn outcome(folder: &Path) -> Outcome {
    let run = Run::read(folder).unwrap();
    let judgement = judge(std::slice::from_ref(&run), &[], |_| true);
    assert_eq!(judgement.steps.len(), 1);
    judgement.steps[0].word()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_panics_is_not_run_by_its_name_and_shows_no_secret() {
    let demanded = Demanded::start().await;
    let output = demanded.run("panics", None);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(101), "{said}");
    assert!(said.contains("not run  3.3.1  ") && said.contains("a panic: no row for [secret]"), "{said}");
    assert!(said.contains("on_demand.rs:"), "{said}");
    assert_eq!(outcome(&demanded.results()), Outcome::NotRun);
    let verdict = Command::new(env!("CARGO_BIN_EXE_release-check"))
        .args(["verify", "--results"])
        .arg(demanded.results())
        .output()
        .unwrap();
    assert_eq!(verdict.status.code(), Some(3), "{}", text(&verdict));
    assert!(text(&verdict).contains("check     it::on_demand::check_on_demand"), "{}", text(&verdict));
    for file in fs::read_dir(demanded.results()).unwrap() {
        let path = file.unwrap().path();
        assert!(!String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(PASSWORD), "{}", path.display());
    }
    assert!(!said.contains(PASSWORD), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_is_one_clear_error() {
    let demanded = Demanded::start().await;
    let full = demanded.run("passes", Some(0));
    let said = text(&full);
    assert_eq!(full.status.code(), Some(101), "{said}");
    assert!(said.contains("evidence cannot be kept") && said.contains("File too large"), "{said}");
    assert!(!said.contains("panicked at"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_during_a_run_keeps_no_check_from_saying_what_it_saw() {
    let passed = Demanded::start().await;
    let said = text(&passed.run("keeps much", Some(200)));
    assert!(said.contains("not run  3.3.1") && said.contains("evidence cannot be kept"), "{said}");
    assert_eq!(outcome(&passed.results()), Outcome::NotRun);

    let failed = Demanded::start().await;
    let said = text(&failed.run("fails and keeps much", Some(200)));
    assert!(said.contains("FAILED  3.3.1") && said.contains("evidence  cannot be kept: File too large"), "{said}");
    assert_eq!(outcome(&failed.results()), Outcome::Failed);
    assert!(!said.contains("panicked at"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_goes_away_during_a_run_is_said() {
    let demanded = Demanded::start().await;
    let output = demanded.run("loses its folder", None);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(101), "{said}");
    assert!(said.contains("evidence cannot be kept") && said.contains("No such file or directory"), "{said}");
    assert!(!said.contains("panicked at") && !demanded.results().exists(), "{said}");
}
