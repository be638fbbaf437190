//! However a suite is ended, nothing of it is left: no process, no shared memory, nothing in the deployment.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use release_check::suites::Suite;
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method, path},
};

use crate::remote::Remote;

/// The variable that all processes of one run have in their environment.
const MARK: &str = "RELEASE_CHECK_TEST_MARK";

/// A suite whose parent is a shell, so that either can be killed.
struct Family {
    shell: Child,
    suite: u32,
    output: ChildStdout,
    mark: String,
}

impl Family {
    fn start(mut suite: Command, arguments: &[&str]) -> Self {
        let mark = uuid::Uuid::new_v4().to_string();
        suite.args(arguments).env(MARK, &mark);
        let mut command = Command::new("sh");
        command
            .args(["-c", "\"$@\" 2>/dev/null & echo $! >&2; wait", "parent"])
            .arg(suite.get_program())
            .args(suite.get_args());
        command.envs(suite.get_envs().filter_map(|(name, value)| Some((name, value?))));
        for (name, _) in suite.get_envs().filter(|(_, value)| value.is_none()) {
            command.env_remove(name);
        }
        command.current_dir(suite.get_current_dir().unwrap_or(Path::new("/")));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut shell = command.spawn().unwrap();
        let mut pid = String::new();
        BufReader::new(shell.stderr.take().unwrap()).read_line(&mut pid).unwrap();
        let output = shell.stdout.take().unwrap();
        Self { shell, suite: pid.trim().parse().unwrap(), output, mark }
    }

    /// Its processes: id, and command line.
    fn processes(&self) -> Vec<(u32, String)> {
        let mark = format!("{MARK}={}", self.mark);
        let all = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let read = |pid: u32, what: &str| {
            Some(String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/{what}")).ok()?).into_owned())
        };
        let is_its = |pid: &u32| read(*pid, "environ").is_some_and(|it| it.split('\0').any(|it| it == mark));
        all.filter(is_its).filter_map(|pid| Some((pid, read(pid, "cmdline")?.replace('\0', " ")))).collect()
    }

    fn first(&self, is_it: impl Fn(&str) -> bool) -> Option<u32> {
        self.processes().into_iter().find(|(_, line)| is_it(line)).map(|(pid, _)| pid)
    }

    /// Waits until something is true of it.
    fn until<T>(&self, what: &str, mut is_true: impl FnMut(&Self) -> Option<T>) -> T {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(value) = is_true(self) {
                return value;
            }
            assert!(Instant::now() < until, "{what}: {:?}", self.processes());
            std::thread::yield_now();
        }
    }

    /// How long the suite itself goes on after it was ended.
    fn ends_within(mut self, limit: Duration) {
        let began = Instant::now();
        // Its output ends when it does, and so does that of whatever has it from it.
        self.output.read_to_end(&mut Vec::new()).unwrap();
        assert!(began.elapsed() < limit, "{:?}", began.elapsed());
        self.until("nothing is left", |family| family.processes().is_empty().then_some(()));
        assert!(began.elapsed() < limit + Duration::from_secs(5), "{:?}", began.elapsed());
        self.shell.wait().unwrap();
    }
}

fn kill(signal: &str, pid: u32) {
    assert!(Command::new("kill").args(["-s", signal, &pid.to_string()]).status().unwrap().success());
}

fn smoke(folder: &Path) -> Command {
    Suite::build("smoke").unwrap().command_in(folder)
}

/// With a database and a browser of its own.
fn at_work(family: &Family) -> Option<()> {
    let runs = |name: &str| family.first(|line| line.contains(name)).is_some();
    (runs("bin/postgres -D") && runs("--remote-debugging-port")).then_some(())
}

#[test]
fn a_suite_ends_with_the_process_that_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let family = Family::start(smoke(&folder.path().join("results")), &["signed_in"]);
    family.until("it is at work", at_work);
    kill("KILL", family.shell.id());
    family.ends_within(Duration::from_secs(2));
}

#[test]
fn a_killed_suite_without_one_of_its_guardians_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for guardian in [" guardian ", " second-guardian "] {
        let family = Family::start(smoke(&folder.path().join("results")), &["signed_in"]);
        family.until("it is at work", at_work);
        let guardians = family.processes().into_iter().filter(|(_, line)| line.contains(guardian));
        let guardians: Vec<_> = guardians.map(|(pid, _)| pid).collect();
        assert!(guardians.len() >= 2, "of the database and of the driver");
        guardians.into_iter().for_each(|guardian| kill("KILL", guardian));
        kill("KILL", family.suite);
        family.ends_within(Duration::from_secs(5));
    }
}

/// What PostgreSQL shares by names of its own, of everybody on this machine.
fn shared() -> BTreeSet<PathBuf> {
    let names = fs::read_dir("/dev/shm").unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.display().to_string().starts_with("/dev/shm/PostgreSQL.")).collect()
}

/// Whether a process has it mapped, and so will remove it.
fn is_in_use(segment: &Path) -> bool {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path().join("maps")));
    let maps = processes.filter_map(|maps| fs::read_to_string(maps).ok());
    maps.into_iter().any(|maps| maps.contains(&segment.display().to_string()))
}

#[test]
fn a_suite_that_is_killed_while_its_template_is_made_leaves_no_shared_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut suite = smoke(&folder.path().join("results"));
    // No template there: it is made first.
    suite.env("CARGO_TARGET_DIR", folder.path().join("target"));
    let before = shared();
    let family = Family::start(suite, &["the_root_shows_the_login"]);
    family.until("its template is made", |family| family.first(|line| line.contains("initdb")));
    kill("KILL", family.suite);
    // What makes the template is let finish what it began.
    family.ends_within(Duration::from_secs(20));
    let left: Vec<_> = shared().difference(&before).filter(|segment| !is_in_use(segment)).cloned().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Signals that can be caught, and the end of the parent, tidy up the deployment.
#[tokio::test(flavor = "multi_thread")]
async fn however_a_run_is_ended_it_is_tidied() {
    let remote = Remote::start().await;
    let run = |name: &str| {
        let mut suite = remote.command("data", "staging");
        suite.env("ALLURE_RESULTS_DIR", remote.results().join(name));
        Family::start(suite, &["writes"])
    };
    let families = ["HUP", "QUIT", "TERM", "parent"].map(|how| (how, run(how)));
    // A run names its accounts after itself.
    let runs = "select count(distinct split_part(email, '-', 3)) from auth.users where email like 'release-check-%'";
    let until = Instant::now() + Duration::from_secs(60);
    while remote.number(runs).await < families.len() as i64 {
        assert!(Instant::now() < until, "each run makes an account");
    }
    for (how, family) in &families {
        match *how {
            "parent" => kill("KILL", family.shell.id()),
            signal => kill(signal, family.suite),
        }
    }
    for (_, family) in families {
        tokio::task::block_in_place(|| family.ends_within(Duration::from_secs(20)));
    }
    assert_eq!(remote.number("select count(*) from auth.users where email like 'release-check-%'").await, 0);
    let open = "select count(*) from institutions where name like 'release-check%' and status = 'ACTIVE'";
    assert_eq!(remote.number(open).await, 0);
}

/// A node of a Grid that ends takes its sessions along: a check that lost one is run once more with another, not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_lost_within_a_check_is_asked_for_again_once() {
    let grid = MockServer::start().await;
    for id in ["s-1", "s-2"] {
        let session = json!({ "value": { "sessionId": id, "capabilities": { "browserName": "chrome" } } });
        let given = ResponseTemplate::new(200).set_body_json(session);
        Mock::given(method("POST")).and(path("/session")).respond_with(given).up_to_n_times(1).mount(&grid).await;
        let log = ResponseTemplate::new(200).set_body_json(json!({ "value": [] }));
        Mock::given(path(format!("/session/{id}/se/log"))).respond_with(log).mount(&grid).await;
        let done = ResponseTemplate::new(200).set_body_json(json!({ "value": {} }));
        Mock::given(path(format!("/session/{id}/goog/cdp/execute"))).respond_with(done).mount(&grid).await;
    }
    let error = json!({ "value": { "error": "invalid session id", "message": "no node has it", "stacktrace": "" } });
    Mock::given(any()).respond_with(ResponseTemplate::new(404).set_body_json(error)).mount(&grid).await;

    let folder = tempfile::tempdir().unwrap();
    let mut suite = smoke(&folder.path().join("results"));
    let output = suite.args(["the_root_shows_the_login"]).env("WEBDRIVER_URL", grid.uri()).output().unwrap();

    let requests = grid.received_requests().await.unwrap();
    let asked = requests.iter().filter(|request| request.method == "POST" && request.url.path() == "/session");
    assert_eq!(asked.count(), 2);
    let (said, shown) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert_eq!(said.matches("the remote driver lost the browser's session").count(), 1, "{said}");
    assert!(shown.contains("Error: undecided  4.1.1"), "{shown}");
}

/// A Grid keeps what nobody ends: the session of a check that a signal cut off is ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_run_ends_its_sessions_on_a_grid() {
    let grid = MockServer::start().await;
    let session = json!({ "value": { "sessionId": "s-1", "capabilities": { "browserName": "chrome" } } });
    let given = ResponseTemplate::new(200).set_body_json(session);
    Mock::given(method("POST")).and(path("/session")).respond_with(given).mount(&grid).await;
    let ended = ResponseTemplate::new(200).set_body_json(json!({ "value": null }));
    Mock::given(method("DELETE")).and(path("/session/s-1")).respond_with(ended).mount(&grid).await;
    // Its browser is at work for as long as anybody waits.
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(any()).respond_with(late).mount(&grid).await;

    let folder = tempfile::tempdir().unwrap();
    let mut suite = smoke(&folder.path().join("results"));
    suite.env("WEBDRIVER_URL", grid.uri());
    let family = Family::start(suite, &["the_root_shows_the_login"]);
    let heard = async |wanted: &str| {
        let requests = grid.received_requests().await.unwrap();
        requests.iter().any(|request| format!("{} {}", request.method, request.url.path()) == wanted)
    };
    let until = Instant::now() + Duration::from_secs(60);
    while !heard("POST /session/s-1/se/log").await {
        assert!(Instant::now() < until, "its session is used: {:?}", family.processes());
        tokio::task::yield_now().await;
    }
    kill("TERM", family.suite);
    tokio::task::block_in_place(|| family.ends_within(Duration::from_secs(10)));
    assert!(heard("DELETE /session/s-1").await);
}
