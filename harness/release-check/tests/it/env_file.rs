//! Two commands: a portal in one shell, and in another one a verification of it as staging.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use harness::workspace_root as root;

struct Shell(Child);

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-s", "TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

/// The program, built by the cargo that runs this test, of the same crates as everything else here.
fn program() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--workspace", "--bin", "portal"])
        .current_dir(root())
        .status();
    assert!(built.unwrap().success());
    PathBuf::from(env!("CARGO_BIN_EXE_release-check")).with_file_name("portal")
}

#[test]
fn a_portal_with_an_env_file_is_staging_to_another_shell() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("staging.env");
    let mut portal = Command::new(program());
    portal.arg("--env-file").arg(&file).stdout(Stdio::piped());
    let mut portal = Shell(portal.spawn().unwrap());
    let lines = BufReader::new(portal.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<_> = lines.take_while(|line| line != "Ctrl-C stops it.").collect();
    let said = said.join("\n");
    for name in
        ["service key ", "ingest key ", "vendors ", "token ", "tenant A ", "HARNESS_TARGET=staging cargo xtask verify"]
    {
        assert!(said.contains(name), "{name} in\n{said}");
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    // The settings are looked for in this folder, and there is nothing but what the portal has written.
    let settings = folder.path().join("harness.toml");
    fs::write(&settings, "").unwrap();
    let mut verify = Command::new(env!("CARGO_BIN_EXE_release-check"));
    verify
        .args(["verify", "--suite", "authentication"])
        .env("HARNESS_TARGET", "staging")
        .env("HARNESS_SETTINGS", settings);
    let output = verify.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");

    drop(portal);
    assert!(!file.exists(), "it goes with the portal");
}
