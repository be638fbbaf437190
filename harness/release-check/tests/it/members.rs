//! Members' data in what a failed run leaves: on production none, whatever fails; elsewhere, or where somebody asked for
//! it, what was seen.

use std::{collections::BTreeSet, fs, path::Path};

use harness::{Detail, run::Run, workspace_root};
use sqlx::Row;

use crate::remote::Remote;

/// A contract of which the portal keeps nothing: each view fails, with its members on screen.
fn hopeless(folder: &Path) -> std::path::PathBuf {
    let contract = fs::read_to_string(workspace_root().join("fixtures/sacco-plus.toml")).unwrap();
    let heading = regex::Regex::new(r#"(?m)^heading = \{ selector = "h[12]", text = ".*" \}$"#).unwrap();
    let contract = heading.replace_all(&contract, r#"heading = { selector = "h1", text = "Nowhere" }"#);
    let within = regex::Regex::new(r"within_ms = \d+").unwrap();
    let path = folder.join("hopeless.toml");
    fs::write(&path, within.replace_all(&contract, "within_ms = 900").as_bytes()).unwrap();
    path
}

/// Names and telephone numbers of everybody, and each part of a name.
async fn of_members(remote: &Remote) -> BTreeSet<String> {
    let rows =
        sqlx::query("select full_name, phone from members").fetch_all(&mut remote.database().await).await.unwrap();
    let texts = rows.iter().flat_map(|row| [row.get::<String, _>(0), row.get::<String, _>(1)]);
    let parts = texts.flat_map(|text| text.split(' ').map(str::to_owned).chain([text.clone()]).collect::<Vec<_>>());
    parts.filter(|part| part.chars().count() > 4 && !part.starts_with('(')).collect()
}

/// Every file, with what it says.
fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let read = |path: std::path::PathBuf| {
        (path.display().to_string(), String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned())
    };
    entries.map(read).collect()
}

fn found<'f>(members: &BTreeSet<String>, files: &'f [(String, String)]) -> Vec<(&'f str, String)> {
    let in_file = |(path, text): &'f (String, String)| {
        let found = members.iter().filter(|part| text.contains(part.as_str())).cloned();
        found.map(|part| (path.as_str(), part)).collect::<Vec<_>>()
    };
    files.iter().flat_map(in_file).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_member_is_in_what_a_failed_run_of_production_leaves() {
    let remote = Remote::start().await;
    let contract = hopeless(remote.folder());
    let members = of_members(&remote).await;
    assert!(members.len() > 50, "{members:?}");
    let run = |name: &str, evidence: Option<Detail>, checks: &str| {
        let folder = remote.results().join(name);
        let mut command = remote.command("smoke", "production");
        command.env("HARNESS_CONTRACT", &contract).env("ALLURE_RESULTS_DIR", &folder).arg(checks);
        command.envs(evidence.map(Detail::variable)).arg("--test-threads=4");
        let output = command.output().unwrap();
        let mut left = files(&folder);
        left.push(("the output".to_owned(), format!("{output:?}")));
        (Run::read(&folder).unwrap(), left)
    };
    let (strict, left) = run("strict", None, "signed_in");
    assert_eq!(strict.manifest.evidence, Detail::Masked);
    let of = |name: &str| left.iter().filter(|(path, _)| path.ends_with(name)).count();
    assert!(of("-page.html") > 5 && of("-screenshot.png") > 5 && of("-log.txt") > 5, "the evidence is there");
    assert_eq!(found(&members, &left), []);
    assert!(left.iter().any(|(_, text)| text.contains("Sign Out")), "what the contract names stays");

    let (chosen, left) = run("chosen", Some(Detail::Full), "members");
    assert_eq!(chosen.manifest.evidence, Detail::Full);
    assert!(found(&members, &left).len() > 20, "whoever asks for it gets what was seen");
}
