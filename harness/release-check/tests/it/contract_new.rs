//! A contract for a portal that nobody has described: our own, as if it were a stranger's.

use std::{fs, process::Command};

use harness::Contract;
use portal::Portal;

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_through_a_portal_proposes_its_contract() {
    let portal = Portal::builder().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (settings, to) = (folder.path().join("harness.toml"), folder.path().join("contract.toml"));
    fs::write(&settings, "").unwrap();
    let variables = portal.variables().into_iter().map(|(name, value)| format!("{name}='{value}'\n"));
    fs::write(folder.path().join("staging.env"), variables.collect::<String>()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_release-check"));
    command.args(["contract", "new", "--target", "staging", "--persona", "ADMIN_A", "--to"]).arg(&to);
    let output = command.env("HARNESS_SETTINGS", &settings).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");

    let text = fs::read_to_string(&to).unwrap();
    let (proposed, ours) = (Contract::read(&to).unwrap(), Contract::sacco_plus().unwrap());
    assert_eq!(proposed.portal.title, ours.portal.title);
    assert_eq!(proposed.portal.service_worker, ours.portal.service_worker);
    assert_eq!(proposed.login.wrong_password, ours.login.wrong_password);
    assert_eq!(proposed.shell.sign_out, ours.shell.sign_out);
    assert!(proposed.personas.len() > 5 && proposed.personas["ADMIN_B"].institution.as_deref() == Some("B"), "{text}");
    // Each view that the runbook has a line for is found where our contract has it.
    for route in ours.routes().filter(|route| route.navigation.is_some()) {
        let found = proposed.routes().find(|found| found.step == route.step);
        let found = found.unwrap_or_else(|| panic!("{} ({}) in\n{text}", route.name, route.step));
        assert_eq!((&found.path, &found.navigation), (&route.path, &route.navigation), "{text}");
        // Of several headings one is proposed, and the others stand beside it.
        assert!(text.contains(&route.heading.text), "{} in\n{text}", route.heading.text);
    }
    assert!(text.contains("# Asked for tables "), "{text}");
    // What people handle lists with: fields in which they choose rows, and what opens from a row.
    for line in [
        "details = { kind = \"members-details\", within = \"dialog[open]\" }",
        "field = 'main select[aria-label=\"Status\"]'",
        "Inactive = { status = \"eq.INACTIVE\" }",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    for account in portal.accounts() {
        assert!(!text.contains(&account.password), "no password is proposed");
    }
    // Nothing was written.
    let written: Vec<_> = portal
        .requests()
        .into_iter()
        .filter(|request| ["PATCH", "PUT", "DELETE"].contains(&request.method.as_str()))
        .collect();
    assert!(written.is_empty(), "{written:?}");
}
