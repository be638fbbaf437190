//! The target `local`: the Supabase CLI's stack, played by an embedded portal and a command that answers as the CLI does.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use harness::workspace_root as root;
use portal::Portal;
use serde_json::{Value, json};
use tempfile::TempDir;

const SCHEMA: &str = "fixtures/bricotheque/supabase";

/// A working copy with the CLI as npm installs it.
fn checkout(answer: &str, code: i32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("node_modules/.bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(folder.path().join("answer.json"), answer).unwrap();
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = 'status -o json' ] || exit 9\necho 'Stopped services: [supabase_imgproxy_portal]' >&2\ncat answer.json\nexit {code}\n"
    );
    fs::write(bin.join("supabase"), script).unwrap();
    fs::set_permissions(bin.join("supabase"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path().join("harness.toml"), "").unwrap();
    folder
}

fn release_check(checkout: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_release-check"));
    command.args(arguments).env("HARNESS_SETTINGS", checkout.join("harness.toml")).env("RELEASE_SOURCE", checkout);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_a_file_get_into_the_stack_and_the_target_local_knows_them() {
    let schema = root().join(SCHEMA);
    let portal =
        Portal::builder().migrations(schema.join("migrations")).seed(schema.join("seed.sql")).start().await.unwrap();
    let api = portal.api_url().as_str().trim_end_matches('/').to_owned();
    let status = json!({
        "ANON_KEY": portal.anon_key(), "API_URL": api, "DB_URL": portal.database_url(),
        "SERVICE_ROLE_KEY": portal.service_role_key(), "STUDIO_URL": "http://127.0.0.1:54323",
    });
    let checkout = checkout(&format!("> supabase status -o json\n{status:#}\n"), 0);
    let accounts = root().join("fixtures/bricotheque/accounts.toml").display().to_string();
    let http = harness::http().build().unwrap();
    // The second time they are there.
    for _ in 0..2 {
        let (code, said) = release_check(checkout.path(), &["accounts", &accounts]);
        assert!(code == 0 && said.contains("3 accounts in "), "{code} {said}");
        let credentials = json!({ "email": "gael@bricotheque.test", "password": "Gael-prete-2026" });
        let request = http.post(format!("{api}/auth/v1/token?grant_type=password")).header("apikey", portal.anon_key());
        let session: Value = request.json(&credentials).send().await.unwrap().json().await.unwrap();
        let token = session["access_token"].as_str().unwrap_or_else(|| panic!("{session}"));
        let request = http.get(format!(
            "{api}/rest/v1/profils?select=nom,role,depot:depots(nom)&id=eq.{}",
            session["user"]["id"].as_str().unwrap()
        ));
        let rows: Value =
            request.header("apikey", portal.anon_key()).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        assert_eq!(rows, json!([{ "nom": "Gaël", "role": "gerant", "depot": { "nom": "Chantenay" } }]));
    }
    let named = fs::read_to_string(checkout.path().join("local.env")).unwrap();
    for line in
        ["E2E_GERANT_B_EMAIL='gael@bricotheque.test'", "E2E_INSTITUTION_A_ID='a1a1a1a1-0000-4000-8000-000000000001'"]
    {
        assert!(named.lines().any(|found| found == line), "{line} in {named}");
    }
    assert_eq!(fs::metadata(checkout.path().join("local.env")).unwrap().permissions().mode() & 0o777, 0o600);

    // The front end is the team's own; whatever else the target takes is there.
    let (code, said) = release_check(checkout.path(), &["doctor", "--target", "local", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {code} {said}"));
    let missing = said["variables_missing"].to_string();
    assert!(missing.contains("INGEST_API_KEY"), "{missing}");
    for known in ["VITE_SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_DB_URL", "E2E_INSTITUTION_A_ID"] {
        assert!(!missing.contains(known), "{known} in {missing}");
    }

    // What somebody has written themselves stays, in whatever encoding.
    for theirs in [&b"E2E_BASE_URL=http://localhost:4173\n"[..], b"# caf\xE9\n"] {
        fs::write(checkout.path().join("local.env"), theirs).unwrap();
        let (code, said) = release_check(checkout.path(), &["accounts", &accounts]);
        assert!(
            code == 2 && said.contains("local.env is there and not of this command; name another with --to"),
            "{code} {said}"
        );
        assert_eq!(fs::read(checkout.path().join("local.env")).unwrap(), theirs);
    }
}

#[test]
fn a_stack_that_does_not_run_is_started_first_and_no_other_project_gets_accounts() {
    let stopped = checkout(r#"{"stack":"default","running":false,"message":"Local Supabase stack is stopped."}"#, 0);
    let accounts = root().join("fixtures/bricotheque/accounts.toml").display().to_string();
    for arguments in [
        &["accounts", &accounts][..],
        &["doctor", "--target", "local"],
        &["verify", "--target", "local", "--suite", "smoke"],
    ] {
        let (code, said) = release_check(stopped.path(), arguments);
        assert!(code != 0 && said.contains("is not running: Local Supabase stack is stopped."), "{code} {said}");
        assert!(said.contains("run supabase start there"), "{said}");
    }
    let named = "[local]\nVITE_SUPABASE_URL = \"https://abcdefghijklmnopqrst.supabase.co\"\n";
    fs::write(stopped.path().join("harness.toml"), named).unwrap();
    let (code, said) = release_check(stopped.path(), &["accounts", &accounts]);
    assert!(code != 0 && said.contains("accounts are made in the Supabase CLI's own stack only"), "{code} {said}");
    assert!(!stopped.path().join("local.env").exists());
}
