//! Where what is said goes: into a pipe that somebody closed, onto a full disk, past a limit of open files.

use std::{
    fs::OpenOptions,
    process::{Command, Stdio},
};

/// What can be asked for at once, and its exit code.
const COMMANDS: [(&[&str], i32); 6] = [
    (&["--help"], 0),
    (&["runbook"], 0),
    (&["history"], 0),
    (&["completions", "bash"], 0),
    (&["doctor"], 0),
    (&["doctor", "--json"], 0),
];

fn release_check(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_release-check"));
    command.args(arguments).env_remove("WEBDRIVER_URL").env_remove("DATABASE_URL").stderr(Stdio::piped());
    command
}

#[test]
fn whoever_stops_reading_ends_the_writing_and_not_the_command() {
    for (arguments, code) in COMMANDS {
        let mut child = release_check(arguments).stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
            (Some(code), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn nobody_who_listens_to_errors_ends_nothing() {
    let mut child = release_check(&["verify", "--suite", "nosuch"]).stdout(Stdio::null()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_an_error() {
    for (arguments, _) in &COMMANDS[1..] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = release_check(arguments).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {said}");
        assert_eq!(said, "error: the standard output cannot be written: No space left on device (os error 28)\n");
    }
}

#[test]
fn no_secret_is_shown_by_who_looks_at_the_machine() {
    let output = release_check(&["doctor"])
        .env("WEBDRIVER_URL", "https://checker:d0ctor-c4nary@grid.example/wd/hub")
        .env("DATABASE_URL", "postgres://checker:d0ctor-c4nary@127.0.0.1/postgres")
        .output()
        .unwrap();
    let said = format!("{output:?}");
    assert!(said.contains("grid.example") && !said.contains("d0ctor-c4nary"), "{said}");
}

/// A settings' error of a command that opens no deployment, too.
#[test]
fn no_secret_is_shown_by_an_error_before_anything_is_opened() {
    let output = release_check(&["verify", "--suite", "smoke"])
        .env("HARNESS_TARGET", "embedded")
        .env("E2E_BASE_URL", "https://checker:s3ttings-c4nary@portal.example")
        .output()
        .unwrap();
    let said = format!("{output:?}");
    assert!(said.contains("portal.example") && !said.contains("s3ttings-c4nary"), "{said}");
}

/// As many as some systems allow: a suite with its database and its browsers stays below.
#[test]
fn with_256_open_files_a_suite_passes_and_with_too_few_it_says_so() {
    let run = |files: u32, folder: &std::path::Path| {
        let suite = release_check::suites::Suite::build("smoke").unwrap().command_in(folder);
        let script = format!("ulimit -n {files}; exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "limited"]).arg(suite.get_program()).arg("signed_in").current_dir("/");
        command.env("ALLURE_RESULTS_DIR", folder).env_remove("RUST_BACKTRACE").stdin(Stdio::null());
        command.output().unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let enough = run(256, &folder.path().join("enough"));
    assert!(enough.status.success(), "{enough:?}");
    let few = run(16, &folder.path().join("few"));
    let said = format!("{}{}", String::from_utf8_lossy(&few.stdout), String::from_utf8_lossy(&few.stderr));
    assert!(!few.status.success() && said.contains("Too many open files"), "{said}");
    assert!(!said.contains("panicked at"), "{said}");
}

/// One error, and no panic: where evidence is kept, and where a portal's database stands.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_nobody_may_write_is_one_error() {
    /// Not even the superuser makes a file there.
    const SEALED: &str = "/proc";
    let folder = tempfile::tempdir().unwrap();
    let said = |variables: &[(&str, &str)]| {
        let suite = release_check::suites::Suite::build("smoke").unwrap().command_in(folder.path());
        let mut command = Command::new(suite.get_program());
        command.args(["signed_in::the_view", "--test-threads=1"]).current_dir("/").stdin(Stdio::null());
        command.env("ALLURE_RESULTS_DIR", folder.path()).env_remove("RUST_BACKTRACE").envs(variables.iter().copied());
        let output = command.output().unwrap();
        assert!(!output.status.success(), "{output:?}");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let evidence = said(&[("ALLURE_RESULTS_DIR", SEALED)]);
    assert_eq!(evidence.matches("evidence cannot be kept").count(), 1, "{evidence}");
    let scratch = ["TMPDIR", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "HOME"].map(|name| (name, SEALED));
    let scratch = said(&scratch);
    for said in [evidence, scratch] {
        assert!(!said.contains("panicked at"), "{said}");
        assert_eq!(said.matches("the first failure of this run says why").count(), 7, "{said}");
    }
}
