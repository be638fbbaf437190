//! Another portal is another contract: the suites as they are against Planboard, with a schema, a build and people of
//! its own.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use harness::{Contract, Outcome, run::read_results};
use portal::Portal;

use harness::workspace_root as root;
use release_check::suites::{SUITES, Suite};

/// What needs no case of the contract that the suites were compiled with.
const CHECKS: [(&str, &[&str]); 2] = [
    ("smoke", &["build::", "the_document", "the_required_headers", "the_root_shows_the_login", "the_console"]),
    ("security", &["wall::"]),
];

fn planboard() -> PathBuf {
    root().join("fixtures/planboard")
}

async fn start() -> Portal {
    let schema = root().join("fixtures/rls/orgs");
    let portal = Portal::builder()
        .dist(planboard().join("dist"))
        .migrations(schema.join("migrations"))
        .seed(schema.join("seed.sql"))
        .accounts(planboard().join("accounts.toml"));
    portal.start().await.unwrap()
}

fn variables(portal: &Portal) -> [(&'static str, &str); 4] {
    [
        ("E2E_BASE_URL", portal.site_url().as_str()),
        ("VITE_SUPABASE_URL", portal.api_url().as_str()),
        ("VITE_SUPABASE_ANON_KEY", portal.anon_key()),
        ("SUPABASE_DB_URL", portal.database_url()),
    ]
}

#[test]
fn its_contract_can_be_read() {
    let contract = Contract::read(&planboard().join("contract.toml")).unwrap();
    assert_eq!(contract.portal.title, "Planboard");
    assert_eq!(contract.routes().count(), 3);
}

#[test]
fn its_contradictions_are_reported_as_its_own() {
    let text = std::fs::read_to_string(planboard().join("contract.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let shown = |from: &str, to: &str| {
        let path = folder.path().join("contract.toml");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        Contract::read(&path).unwrap_err().to_string()
    };
    assert!(shown("name = \"tasks\"", "name = \"board\"").ends_with("a second route is named \"board\""));
    assert!(shown("persona = \"OWNER_A\"", "persona = \"BOSS_A\"").ends_with("\"BOSS_A\" is not one of its personas"));
    assert!(shown("navigation = \"Tehtävät\"\n", "").contains("is entered by navigation and names no button"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suites_check_it_by_its_contract() {
    let portal = start().await;
    let folder = tempfile::tempdir().unwrap();
    let run = |suite: &str, checks: &[&str], contract: &Path, results: &Path| {
        let mut command = Suite::build(suite).unwrap().command_in(results);
        command
            .args(checks)
            .env("HARNESS_CONTRACT", contract)
            .env("HARNESS_TARGET", "staging")
            .envs(variables(&portal));
        command.output().unwrap();
        read_results(results).unwrap()
    };
    for (suite, checks) in CHECKS {
        assert!(SUITES.iter().any(|known| known == suite));
        let own = run(suite, checks, &planboard().join("contract.toml"), &folder.path().join(suite));
        assert!(own.len() >= checks.len(), "{suite}: {} checks", own.len());
        for check in own {
            assert_eq!(check.outcome, Outcome::Passed, "{}\n{:?}", check.name, check.text());
        }
        let foreign = run(suite, checks, &root().join("fixtures/sacco-plus.toml"), &folder.path().join("foreign"));
        assert!(foreign.iter().any(|check| check.outcome != Outcome::Passed), "{suite} sees that it is not SACCO+");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_does_not_promise_is_left_out_and_stated_by_its_own_runbook() {
    let portal = start().await;
    let verify = |step: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_release-check"))
            .args(["verify", "--target", "staging", "--suite", "security", "--suite", "sms-pipeline", "--step", step])
            .env("HARNESS_CONTRACT", "fixtures/planboard/contract.toml")
            .env("HARNESS_RUNBOOK", "fixtures/planboard/runbook.toml")
            .envs(variables(&portal))
            .output()
            .unwrap();
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
