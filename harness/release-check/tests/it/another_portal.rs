//! Another portal is another contract: the suites as they are against portals with a schema, a build and people of their
//! own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use harness::{Contract, Outcome, run::read_results};
use portal::Portal;
use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

use harness::workspace_root as root;
use release_check::suites::{SUITES, Suite};

/// Another portal, and what its contract says.
struct Another {
    /// Where its contract, its runbook and its accounts are.
    folder: &'static str,
    /// Where its migrations and its seed are, or the whole folder `supabase`.
    schema: &'static str,
    /// Where its build is.
    dist: &'static str,
    /// Who walks through it for a contract.
    walker: &'static str,
    title: &'static str,
    routes: usize,
}

/// Teams that plan projects, in Finnish: no messages, no ledger, no release.
const PLANBOARD: Another = Another {
    folder: "fixtures/planboard",
    schema: "fixtures/rls/orgs",
    dist: "fixtures/planboard/dist",
    walker: "OWNER_A",
    title: "Planboard",
    routes: 3,
};

/// One person's accounts, in German: no institutions, no messages, no functions, and rows that are users'.
const KASSENBUCH: Another = Another {
    folder: "fixtures/kassenbuch",
    schema: "fixtures/kassenbuch",
    dist: "fixtures/kassenbuch/dist",
    walker: "ANNA",
    title: "Kassenbuch",
    routes: 5,
};

/// Depots that lend tools, in French: what teams build with Vite, React and supabase-js, with functions in Deno. Its build is
/// made by `cargo xtask vite`, which runs the tests of it.
const BRICOTHEQUE: Another = Another {
    folder: "fixtures/bricotheque",
    schema: "fixtures/bricotheque/supabase",
    dist: "target/npm/web/dist",
    walker: "GERANT_A",
    title: "Bricothèque",
    routes: 5,
};

/// What needs no case of the contract that the suites were compiled with.
const CHECKS: [(&str, &[&str]); 2] = [
    ("smoke", &["build::", "the_document", "the_required_headers", "the_root_shows_the_login", "the_console"]),
    ("security", &["wall::", "the_services_refuse"]),
];

/// The same of who can be hired: organisations have numbers for ids, and nobody needs a group or a payment to sign in.
const HIRED: [(&str, &[&str]); 2] = [("security", &["accounts::"]), ("authentication", &["gets_no_further_token"])];

/// How many lines of a proposed contract somebody changes until it is theirs.
const BY_HAND: usize = 40;

impl Another {
    fn at(&self, file: &str) -> PathBuf {
        root().join(self.folder).join(file)
    }

    async fn start(&self) -> Running {
        let schema = root().join(self.schema);
        let portal = Portal::builder().dist(root().join(self.dist)).accounts(self.at("accounts.toml"));
        let portal = match schema.join("config.toml").is_file() {
            true => portal.supabase(schema),
            false => portal.migrations(schema.join("migrations")).seed(schema.join("seed.sql")),
        };
        Running { portal: portal.start().await.unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    /// `release-check`, as its team runs it.
    fn release_check(&self, portal: &Running, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_release-check"));
        command
            .args(arguments)
            .args(["--target", "staging"])
            .env("HARNESS_CONTRACT", format!("{}/contract.toml", self.folder))
            .env("HARNESS_RUNBOOK", format!("{}/runbook.toml", self.folder))
            .envs(portal.variables());
        command
    }
}

/// A portal that runs, and what is kept beside it.
struct Running {
    portal: Portal,
    folder: TempDir,
}

impl Running {
    /// What makes it a target.
    fn variables(&self) -> Vec<(String, String)> {
        let mut variables = self.portal.variables();
        if let Some(alias) = self.portal.alias() {
            let path = self.folder.path().join("portal.pem");
            fs::write(&path, &alias.certificate).unwrap();
            variables.push(("HARNESS_CERTIFICATE".to_owned(), path.display().to_string()));
        }
        variables
    }
}

#[rstest]
#[case::planboard(&PLANBOARD)]
#[case::kassenbuch(&KASSENBUCH)]
#[case::bricotheque(&BRICOTHEQUE)]
fn its_contract_can_be_read(#[case] another: &Another) {
    let contract = Contract::read(&another.at("contract.toml")).unwrap();
    assert_eq!((contract.portal.title.as_str(), contract.routes().count()), (another.title, another.routes));
}

#[test]
fn its_contradictions_are_reported_as_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |another: &Another, from: &str, to: &str| {
        let path = folder.path().join("contract.toml");
        let text = fs::read_to_string(another.at("contract.toml")).unwrap();
        fs::write(&path, text.replace(from, to)).unwrap();
        Contract::read(&path).unwrap_err().to_string()
    };
    let second = shown(&PLANBOARD, "name = \"tasks\"", "name = \"board\"");
    assert!(second.ends_with("a second route is named \"board\""));
    let unknown = shown(&PLANBOARD, "persona = \"OWNER_A\"", "persona = \"BOSS_A\"");
    assert!(unknown.ends_with("\"BOSS_A\" is not one of its personas"));
    let lost = shown(&PLANBOARD, "navigation = \"Tehtävät\"\n", "");
    assert!(lost.contains("is entered by navigation and names no button"));
    // Whoever has no institution reads rows where these are users'.
    let reader =
        shown(&KASSENBUCH, "tenant = \"user_id\"\nreaders = [\"ANNA\"", "tenant = \"user_id\"\nreaders = [\"CARLA\"");
    assert!(reader.ends_with("the reader \"CARLA\" is not one of its personas"), "{reader}");
    let reader = shown(&KASSENBUCH, "rows_of = \"users\"\n", "");
    assert!(reader.ends_with("the reader \"ANNA\" is not one of its personas with an institution"), "{reader}");
}

#[rstest]
#[case::planboard(&PLANBOARD)]
#[case::kassenbuch(&KASSENBUCH)]
#[tokio::test(flavor = "multi_thread")]
async fn the_suites_check_it_by_its_contract(#[case] another: &Another) {
    let portal = another.start().await;
    let folder = tempfile::tempdir().unwrap();
    let run = |suite: &str, checks: &[&str], contract: &Path, results: &Path| {
        let mut command = Suite::build(suite).unwrap().command_in(results);
        command
            .args(checks)
            .env("HARNESS_CONTRACT", contract)
            .env("HARNESS_TARGET", "staging")
            .envs(portal.variables());
        command.output().unwrap();
        read_results(results).unwrap()
    };
    let of_tenants = HIRED.into_iter().filter(|_| another.title == PLANBOARD.title);
    for (suite, checks) in CHECKS.into_iter().chain(of_tenants) {
        assert!(SUITES.iter().any(|known| known == suite));
        let own = run(suite, checks, &another.at("contract.toml"), &folder.path().join(suite));
        assert!(own.len() >= checks.len(), "{suite}: {} checks", own.len());
        for check in own {
            assert_eq!(check.outcome, Outcome::Passed, "{}\n{:?}", check.name, check.text());
        }
        let foreign = run(suite, checks, &root().join("fixtures/sacco-plus.toml"), &folder.path().join("foreign"));
        assert!(foreign.iter().any(|check| check.outcome != Outcome::Passed), "{suite} sees that it is not SACCO+");
    }
}

/// A team's checkout on the embedded servers is held against its own contract, and not against what was approved of ours.
#[test]
fn its_checkout_is_not_compared_with_ours() {
    let (another, folder) = (&KASSENBUCH, tempfile::tempdir().unwrap());
    let mut command = Suite::build("security").unwrap().command_in(folder.path());
    command
        .arg("wall::")
        .env("HARNESS_CONTRACT", another.at("contract.toml"))
        .env("PORTAL_DIST", root().join(another.dist))
        .env("PORTAL_MIGRATIONS", root().join(another.schema).join("migrations"))
        .env("PORTAL_SEED", root().join(another.schema).join("seed.sql"))
        .env("PORTAL_ACCOUNTS", another.at("accounts.toml"));
    command.output().unwrap();
    let [check] = <[_; 1]>::try_from(read_results(folder.path()).unwrap()).unwrap();
    assert_eq!(check.outcome, Outcome::Passed, "{:?}", check.text());
}

/// Suites are compiled with the cases of one contract at a time.
static COMPILED: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// How many checks of each suite pass at least, so that a suite that lost its checks does not pass for green.
type Least = &'static [(&'static str, usize)];

/// All suites, compiled with the cases of its contract: what is promised passes, and nothing else is left open.
#[rstest]
#[case::kassenbuch(&KASSENBUCH, &[("smoke", 20), ("authentication", 20), ("data", 6), ("security", 12), ("release", 6)])]
#[ignore = "needs the build that cargo xtask vite makes"]
#[case::bricotheque(&BRICOTHEQUE, &[("smoke", 20), ("authentication", 20), ("data", 6), ("security", 12), ("release", 6)])]
#[tokio::test(flavor = "multi_thread")]
async fn all_suites_are_green_by_its_contract_and_its_runbook(#[case] another: &Another, #[case] least: Least) {
    let _compiled = COMPILED.lock().await;
    let portal = another.start().await;
    let output = another.release_check(&portal, &["verify", "--json"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{said}"));
    let steps = verdict["steps"].as_array().unwrap();
    let all = |part: &str| steps.iter().flat_map(|step| step[part].as_array().unwrap().clone()).collect::<Vec<_>>();
    let red: Vec<_> = all("checks").into_iter().filter(|check| check["outcome"] != "passed").collect();
    assert!(red.is_empty(), "{}", serde_json::to_string_pretty(&red).unwrap());
    assert_eq!((output.status.code(), &verdict["verdict"]), (Some(0), &Value::from("passed")), "{said}");
    for left_out in all("left_out") {
        assert_eq!(left_out["because"], "not-promised", "{left_out}");
    }
    let passed = all("checks").iter().fold(std::collections::BTreeMap::<String, usize>::new(), |mut sums, check| {
        let suite = check["name"].as_str().unwrap().split("::").next().unwrap().to_owned();
        *sums.entry(suite).or_default() += 1;
        sums
    });
    for (suite, least) in least {
        assert!(passed.get(*suite).is_some_and(|passed| passed >= least), "{suite}: {passed:?}");
    }
}

/// Its contract is the one that a walk through it proposes, but for a few lines.
#[rstest]
#[case::kassenbuch(&KASSENBUCH)]
#[ignore = "needs the build that cargo xtask vite makes"]
#[case::bricotheque(&BRICOTHEQUE)]
#[tokio::test(flavor = "multi_thread")]
async fn its_contract_is_the_proposed_one_but_for_a_few_lines(#[case] another: &Another) {
    let portal = another.start().await;
    let output = another.release_check(&portal, &["contract", "new", "--persona", another.walker]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let proposed = String::from_utf8(output.stdout).unwrap();
    let own = fs::read_to_string(another.at("contract.toml")).unwrap();
    let changed = changed(&proposed, &own);
    assert!(changed > 0 && changed <= BY_HAND, "{changed} lines by hand; proposed:\n{proposed}");
}

/// How many lines somebody changed to make one text of another: wrote, or took out. Blank ones are none.
fn changed(from: &str, to: &str) -> usize {
    let [from, to] = [from, to].map(|text| text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>());
    let lines = from.len();
    // The longest sequence of lines that both have.
    let mut kept = vec![0; to.len() + 1];
    for line in from {
        let before = kept.clone();
        for (at, other) in to.iter().enumerate() {
            kept[at + 1] = if *other == line { before[at] + 1 } else { before[at + 1].max(kept[at]) };
        }
    }
    (to.len() - kept[to.len()]).max(lines - kept[to.len()])
}

#[test]
fn lines_by_hand_are_counted() {
    assert_eq!(changed("a\nb\nc\nd", "a\nc\nnew\nd"), 1);
    assert_eq!(changed("a\nb", "b\na"), 1);
    assert_eq!(changed("a\nb\nc\nd", "a\nd"), 2);
    assert_eq!(changed("a\nb", "a\nb"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_does_not_promise_is_left_out_and_stated_by_its_own_runbook() {
    let portal = PLANBOARD.start().await;
    let verify = |step: &str| {
        let arguments = ["verify", "--suite", "security", "--suite", "sms-pipeline", "--step", step];
        let output = PLANBOARD.release_check(&portal, &arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    let (code, said) = verify("rows");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 step: 1 passed; verdict: passed"), "{said}");
    assert!(said.contains("not promised: the contract has no [sms]; checks of rows.messages are left out"), "{said}");
    assert!(said.contains("not promised: the contract has no [allocation]\n"), "{said}");

    let (code, said) = verify("rows.messages");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("has a check of the chosen steps: not promised: the contract has no [sms]"), "{said}");
}
