//! Runs that misled: two at once, killed, relabelled, of another target, altered. None of them is green.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use harness::{
    Outcome, Target,
    run::{Manifest, Run, judge, runs_folder},
};
use release_check::suites::Suite;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};

fn release_check(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_release-check"))
        .args(arguments)
        .env("INSTA_UPDATE", "no")
        .env_remove("HARNESS_TARGET")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn outcomes(run: &Run) -> Vec<Outcome> {
    judge(std::slice::from_ref(run), &[], |_| true).steps.iter().map(|step| step.word()).collect()
}

/// The release suite without a browser: quick, and of several steps.
const QUICK: [&str; 2] = ["code_freeze", "variables"];

fn quick(folder: &Path) -> Command {
    let mut command = Suite::build("release").unwrap().command_in(folder);
    command.args(QUICK).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A whole run in a folder of its own.
fn whole(folder: &Path) -> Run {
    assert!(quick(folder).status().unwrap().success());
    Run::read(folder).unwrap()
}

fn change(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut json: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut json);
    fs::write(path, serde_json::to_vec(&json).unwrap()).unwrap();
}

fn results(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut results: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with("-check.json")).collect();
    results.sort();
    results
}

#[test]
fn two_verifications_at_once_each_tell_of_their_own_portal() {
    let verify = |fault: &'static str| {
        Command::new(env!("CARGO_BIN_EXE_release-check"))
            .args(["verify", "--suite", "release", "--step", "pre.1"])
            .env("PORTAL_FAULTS", fault)
            .output()
            .unwrap()
    };
    let (sound, broken) = thread::scope(|scope| {
        let (sound, broken) = (scope.spawn(|| verify("")), scope.spawn(|| verify("same-version")));
        (sound.join().unwrap(), broken.join().unwrap())
    });
    assert_eq!(sound.status.code(), Some(0), "{}", text(&sound));
    assert_eq!(broken.status.code(), Some(1), "{}", text(&broken));
    let runs = |output: &Output| {
        text(output).lines().find_map(|line| Some(line.strip_prefix("run ")?.split_once(':')?.0.to_owned())).unwrap()
    };
    assert_ne!(runs(&sound), runs(&broken));
}

#[test]
fn a_killed_suite_is_not_green() {
    let folder = tempfile::tempdir().unwrap();
    let results_folder = folder.path().join("run");
    let mut suite = Suite::build("smoke").unwrap().command_in(&results_folder);
    let mut suite = suite.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while !results_folder.is_dir() || results(&results_folder).is_empty() {
        assert!(Instant::now() < until && suite.try_wait().unwrap().is_none(), "the suite leaves a result");
        thread::yield_now();
    }
    suite.kill().unwrap();
    suite.wait().unwrap();

    let run = Run::read(&results_folder).unwrap();
    assert!(!run.is_whole());
    assert!(outcomes(&run).contains(&Outcome::NotRun));
    let verdict = release_check(&["verify", "--results", &results_folder.display().to_string()]);
    assert_eq!(verdict.status.code(), Some(3), "{}", text(&verdict));
    let said = text(&verdict);
    assert!(said.contains("the run did not end: it was killed, or it is still going on"), "{said}");
    assert!(said.contains("verdict: undecided"), "{said}");
}

#[test]
fn a_suite_that_release_check_sees_killed_is_not_green() {
    let folder = tempfile::tempdir().unwrap();
    let real = Suite::build("release").unwrap().command().get_program().to_owned();
    // The suite as a program that kills itself once it has left some results.
    let script = format!(
        "#!/bin/sh\n[ -n \"$HARNESS_LIST_STEPS\" ] && exec {0:?} {1} \"$@\"\n{0:?} {1} \"$@\" >/dev/null\nkill -9 $$\n",
        real.to_string_lossy(),
        "--skip database --skip deployment"
    );
    let program = folder.path().join("release");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let verdict = release_check(&["verify", "--suites", &folder.path().display().to_string(), "--step", "pre.1"]);
    assert_eq!(verdict.status.code(), Some(3), "{}", text(&verdict));
    assert!(text(&verdict).contains("the suite release was killed by signal 9"), "{}", text(&verdict));
}

#[test]
fn suites_run_out_of_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let suite = Suite::build("release").unwrap().command().get_program().to_owned();
    let metadata = json!({ "rust-binaries": { "release": {
        "binary-name": "release", "kind": "test", "binary-path": "/elsewhere/target/debug/deps/release-0",
    } } });
    fs::write(folder.path().join("metadata"), metadata.to_string()).unwrap();
    let mut packed = tar::Builder::new(Vec::new());
    let metadata = folder.path().join("metadata");
    packed.append_path_with_name(metadata, "target/nextest/binaries-metadata.json").unwrap();
    packed.append_path_with_name(suite, "target/debug/deps/release-0").unwrap();
    let bytes = packed.into_inner().unwrap();
    let archive = folder.path().join("tests.tar.zst");
    fs::write(&archive, compress_to_vec(bytes.as_slice(), CompressionLevel::Uncompressed)).unwrap();
    let verdict = release_check(&["verify", "--suites", &archive.display().to_string(), "--step", "pre.1"]);
    assert_eq!(verdict.status.code(), Some(0), "{}", text(&verdict));
}

#[test]
fn what_was_chosen_is_what_is_judged() {
    let verdict = release_check(&["verify", "--suite", "release", "--step", "pre.1", "--json"]);
    assert_eq!(verdict.status.code(), Some(0), "{}", text(&verdict));
    let verdict: Value = serde_json::from_slice(&verdict.stdout).unwrap();
    let steps: Vec<_> = verdict["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
    assert_eq!(steps, ["pre.1.1", "pre.1.2", "pre.1.3", "pre.1.4"]);
    assert_eq!((&verdict["verdict"], &verdict["schema"]), (&json!("passed"), &json!(1)));
}

#[test]
fn a_filter_that_matches_nothing_is_an_error_with_the_nearest_name() {
    let said = |arguments: &[&str]| {
        let output = release_check(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        text(&output)
    };
    assert!(said(&["verify", "--suite", "smok"]).contains("there is no suite \"smok\"; did you mean smoke?"));
    assert!(
        said(&["verify", "--step", "4.1.22"])
            .contains("no step of the runbook is \"4.1.22\" or below it; did you mean 4.1.2?")
    );
    assert!(
        said(&["verify", "--suite", "smoke", "--step", "sec.1.4"])
            .contains("no check of the selected suites verifies sec.1.4")
    );
    assert!(said(&["verify", "--target", "stagin"]).contains("known targets: embedded, local, staging, production"));
}

/// What somebody does to the folder of a run.
type Tamper<'t> = &'t dyn Fn(&Path);

#[test]
fn results_that_are_not_this_runs_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound");
    let run = whole(&sound);
    assert!(run.is_whole(), "{:?}", run.problems);
    assert!(outcomes(&run).iter().all(|outcome| *outcome == Outcome::Passed));

    let tampered = |name: &str, tamper: Tamper<'_>| -> (Run, Vec<Outcome>) {
        let copy = folder.path().join(name);
        fs::create_dir(&copy).unwrap();
        for entry in fs::read_dir(&sound).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
        }
        tamper(&copy);
        let run = Run::read(&copy).unwrap();
        let outcomes = outcomes(&run);
        (run, outcomes)
    };
    let first = |folder: &Path| results(folder).remove(0);
    let not_green: [(&str, Tamper<'_>, &str); 9] = [
        ("removed", &|folder| fs::remove_file(first(folder)).unwrap(), "was removed after the run had ended"),
        ("altered", &|folder| change(&first(folder), |result| result["measured"] = json!("0 ms")), "was altered after"),
        (
            "unknown outcome",
            &|folder| change(&first(folder), |result| result["outcome"] = json!("fine")),
            "cannot be read",
        ),
        (
            "of 2018",
            &|folder| {
                change(&first(folder), |result| {
                    result["started"] = json!("2018-01-01T00:00:00Z");
                    result["finished"] = json!("2018-01-01T00:00:01Z");
                })
            },
            "was altered after",
        ),
        (
            "of 2099",
            &|folder| change(&first(folder), |result| result["finished"] = json!("2099-01-01T00:00:00Z")),
            "was altered after",
        ),
        (
            "another target",
            &|folder| change(&first(folder), |result| result["target"] = json!("production")),
            "was altered after",
        ),
        (
            "another run",
            &|folder| change(&first(folder), |result| result["run"] = json!("another")),
            "was altered after",
        ),
        ("torn", &|folder| fs::write(first(folder), b"{\"run\":").unwrap(), "cannot be read"),
        ("open", &|folder| fs::remove_file(folder.join("ended.json")).unwrap(), "did not end"),
    ];
    for (name, tamper, problem) in not_green {
        let (run, outcomes) = tampered(name, tamper);
        assert!(!run.is_whole(), "{name}");
        assert!(run.problems.iter().any(|found| found.contains(problem)), "{name}: {:?}", run.problems);
        // A file that is missing, or says something else, is no passed check either.
        if !["altered", "open"].contains(&name) {
            assert!(outcomes.contains(&Outcome::NotRun), "{name}: {outcomes:?}");
        }
    }
    // Whoever forges the end as well still needs a result for each check.
    let (run, outcomes) = tampered("forged", &|folder| {
        let removed = first(folder);
        fs::remove_file(&removed).unwrap();
        let name = removed.file_name().unwrap().to_string_lossy().into_owned();
        change(&folder.join("ended.json"), |ended| drop(ended["sha256"].as_object_mut().unwrap().remove(&name)));
    });
    assert!(run.problems.is_empty() && !run.is_whole());
    assert!(outcomes.contains(&Outcome::NotRun));
}

#[test]
fn runs_of_different_things_are_not_judged_together() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    whole(&one);
    whole(&two);
    fs::remove_file(two.join("ended.json")).unwrap();
    change(&two.join("manifest.json"), |manifest| manifest["contract"]["sha256"] = json!("0"));
    let verdict = release_check(&["verify", "--results", &one.display().to_string(), &two.display().to_string()]);
    assert_eq!(verdict.status.code(), Some(2));
    assert!(text(&verdict).contains("they differ in the contract"), "{}", text(&verdict));
}

/// Plain cargo test and a process per test leave the same: a manifest, and a result for each check of it.
#[test]
fn nextest_and_cargo_test_leave_the_same_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let plain = whole(&folder.path().join("plain"));
    let checks: Vec<_> = plain.planned().cloned().collect();
    let runs = folder.path().join("nextest");
    let suite = Suite::build("release").unwrap();
    for check in &checks {
        let mut command = suite.command();
        command
            .args(["--exact", &suite.test_of(check), "--nocapture"])
            .env("NEXTEST_RUN_ID", "some-run")
            .env("ALLURE_RESULTS_DIR", &runs);
        assert!(command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    }
    let run = Run::read(&runs.join("nextest-some-run-release")).unwrap();
    assert!(run.problems.is_empty(), "{:?}", run.problems);
    for check in &checks {
        assert_eq!(run.result(check).unwrap().outcome, Outcome::Passed, "{}", check.name);
    }
    // nextest says to no test what it selected: what it left out has no result.
    assert!(run.planned().count() > checks.len() && !run.is_whole());
}

#[test]
fn a_run_says_beforehand_what_it_is_going_to_check() {
    let folder = tempfile::tempdir().unwrap();
    let run = whole(&folder.path().join("run"));
    let Manifest { target, harness, contract, chosen, checks, .. } = &run.manifest;
    assert_eq!(*target, Some(Target::Embedded));
    assert_eq!(chosen.filter, QUICK);
    assert!(harness.commit.as_ref().is_some_and(|commit| commit.len() == 40));
    assert_eq!(contract.sha256.len(), 64);
    assert!(checks.iter().all(|check| QUICK.iter().any(|part| check.name.contains(part))));
    assert!(run.seen.version.is_some() && run.seen.database.is_some(), "{:?}", run.seen);
    assert!(!runs_folder().join(&run.manifest.id).exists(), "a named folder is the only one");
}
