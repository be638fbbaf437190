//! What `doctor` says of a target that was given nothing, against what its checks say then.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use portal::Portal;
use regex::Regex;
use serde_json::Value;

fn release_check(arguments: &[&str], settings: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_release-check"));
    command.args(arguments).env("HARNESS_SETTINGS", settings);
    command
}

/// Each variable that `doctor` misses, with its steps.
fn missing(settings: &std::path::Path) -> (i32, BTreeMap<String, BTreeSet<String>>) {
    missed(&mut release_check(&["doctor", "--target", "staging", "--json"], settings))
}

fn missed(doctor: &mut Command) -> (i32, BTreeMap<String, BTreeSet<String>>) {
    let output = doctor.output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let texts = |value: &Value| {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = said["variables_missing"].as_array().unwrap().iter().flat_map(|one| {
        let steps: BTreeSet<_> = texts(&one["steps"]).into_iter().collect();
        texts(&one["variables"]).into_iter().map(move |name| (name, steps.clone()))
    });
    (output.status.code().unwrap(), all.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_lists_what_the_steps_lack() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("harness.toml");
    fs::write(&settings, "").unwrap();
    let (code, nothing) = missing(&settings);
    assert!(
        code == 1 && nothing["E2E_BASE_URL"].is_empty() && nothing.contains_key("E2E_STAFF_B_PASSWORD"),
        "{nothing:?}"
    );

    // With the site alone every check that lacks something says what: `doctor` has said so before.
    let portal = Portal::builder().start().await.unwrap();
    fs::write(folder.path().join("staging.env"), format!("E2E_BASE_URL={}\n", portal.site_url())).unwrap();
    let (_, listed) = missing(&settings);
    assert!(!listed.contains_key("E2E_BASE_URL"));
    let output = release_check(&["verify", "--target", "staging", "--json"], &settings).output().unwrap();
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (expected, variable) =
        (Regex::new(r"(?m)^  expected  (.*)$").unwrap(), Regex::new(r"\b[A-Z][A-Z0-9_]{6,}\b").unwrap());
    let (mut asked, mut unlisted) = (0, BTreeSet::new());
    for step in verdict["steps"].as_array().unwrap() {
        for check in step["checks"].as_array().unwrap() {
            let text = check["text"].as_str().unwrap_or_default();
            let wanted = expected.captures(text).map(|found| found[1].to_owned()).unwrap_or_default();
            if !wanted.contains("in the environment or in") {
                continue;
            }
            for name in variable.find_iter(&wanted).map(|found| found.as_str()) {
                asked += 1;
                let id = step["id"].as_str().unwrap();
                if !listed.get(name).is_some_and(|steps| steps.contains(id)) {
                    unlisted.insert(format!("{name} for {id}"));
                }
            }
        }
    }
    assert!(asked > 100, "{asked} variables were asked for");
    assert_eq!(unlisted, BTreeSet::new());

    // With all that the portal says nothing but the release's own working copy and build is missing.
    let all = portal.variables().into_iter().map(|(name, value)| format!("{name}='{value}'\n")).collect::<String>();
    fs::write(folder.path().join("staging.env"), all).unwrap();
    let (code, rest) = missing(&settings);
    assert_eq!(
        (code, rest.into_keys().collect::<Vec<_>>()),
        (1, vec!["RELEASE_DIST".to_owned(), "RELEASE_SOURCE".to_owned()])
    );
}

#[test]
fn another_portal_is_asked_for_what_its_contract_needs_by_the_lines_of_its_runbook() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("harness.toml");
    fs::write(&settings, "").unwrap();
    let mut doctor = release_check(&["doctor", "--target", "staging", "--json"], &settings);
    doctor.env("HARNESS_CONTRACT", "fixtures/kassenbuch/contract.toml");
    doctor.env("HARNESS_RUNBOOK", "fixtures/kassenbuch/runbook.toml");
    let (code, all) = missed(&mut doctor);
    let named = |name: &str| all[name].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(code, 1);
    assert_eq!(
        all.keys().collect::<Vec<_>>(),
        [
            "E2E_ANNA_EMAIL",
            "E2E_ANNA_PASSWORD",
            "E2E_BASE_URL",
            "E2E_BEN_EMAIL",
            "E2E_BEN_PASSWORD",
            "RELEASE_DIST",
            "SUPABASE_DB_URL",
            "SUPABASE_SERVICE_ROLE_KEY",
            "VITE_SUPABASE_ANON_KEY",
            "VITE_SUPABASE_URL",
        ]
    );
    assert_eq!((named("RELEASE_DIST"), named("SUPABASE_DB_URL")), (vec!["build"], vec!["own"]));
}
