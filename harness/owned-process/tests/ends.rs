//! However the owner ends, its child, the child's children and the scratch folder go.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "in a test, a panic is the failure and output the channel"
)]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use owned_process::{Launch, OwnedProcess, ScratchDir, Stop};

/// A shell with a child of its own, both in need of stopping.
fn start() -> OwnedProcess {
    let launch = Launch {
        program: "/bin/sh".into(),
        args: ["-c", "sleep 1000 & echo grandchild $!; wait"].map(Into::into).to_vec(),
        env: Vec::new(),
        user: None,
        stop: Stop::Kill,
    };
    OwnedProcess::spawn(launch, ScratchDir::new("owned-").unwrap()).unwrap()
}

fn grandchild(process: &OwnedProcess) -> u32 {
    process.wait_for_line(Duration::from_secs(5), |line| line.strip_prefix("grandchild ")?.parse().ok()).unwrap()
}

fn runs(pid: u32) -> bool {
    // A zombie has ended; `kill -0` cannot tell.
    let state = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap().stdout;
    !state.is_empty() && !state.starts_with(b"Z")
}

fn gone_within(seconds: u64, pids: &[u32], scratch: &Path) -> bool {
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        if !scratch.exists() && pids.iter().all(|pid| !runs(*pid)) {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

#[test]
fn a_dropped_owner_leaves_nothing_when_drop_returns() {
    let process = start();
    let (child, grandchild, scratch) = (process.id(), grandchild(&process), process.scratch().path().to_owned());
    assert!(runs(child) && runs(grandchild) && scratch.exists());
    drop(process);
    assert!(!runs(child) && !scratch.exists());
    assert!(gone_within(1, &[grandchild], &scratch), "a killed grandchild needs no longer than the kernel does");
}

#[test]
fn a_missing_program_is_named() {
    let launch = Launch { program: "/no/such/program".into(), args: vec![], env: vec![], user: None, stop: Stop::Kill };
    let process = OwnedProcess::spawn(launch, ScratchDir::new("owned-").unwrap()).unwrap();
    let error = process.wait_for_line(Duration::from_secs(5), |_| None::<()>).unwrap_err().to_string();
    assert!(error.contains("/no/such/program") && error.contains("not found"), "{error}");
}

/// Not a test by itself: the process that the tests below end. It does nothing unless they ask.
#[test]
fn owner_on_demand() {
    let Some(how) = env::var_os("OWNER_ENDS_BY") else { return };
    let process = Box::leak(Box::new(start()));
    println!("\nowns {} {} {}", process.id(), grandchild(process), process.scratch().path().display());
    match how.to_str() {
        Some("exit") => std::process::exit(0),
        Some("panic") => panic!("as asked"),
        _ => loop {
            std::thread::park();
        },
    }
}

fn ends_by(how: &str, signal: Option<&str>) {
    // Where this runs in the background of a shell, Ctrl-C is ignored and children inherit that.
    let mut owner = Command::new("env");
    if cfg!(target_os = "linux") {
        owner.arg("--default-signal=INT");
    }
    let mut owner = owner
        .arg(env::current_exe().unwrap())
        .args(["--exact", "owner_on_demand", "--nocapture"])
        .env("OWNER_ENDS_BY", how)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let line = BufReader::new(owner.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("owns ").map(str::to_owned))
        .unwrap();
    let mut words = line.split(' ');
    let mut pid = || words.next().unwrap().parse::<u32>().unwrap();
    let pids = [pid(), pid()];
    let scratch = PathBuf::from(words.next().unwrap());
    if let Some(signal) = signal {
        assert!(fs::metadata(&scratch).is_ok() && pids.iter().all(|pid| runs(*pid)), "they run before the signal");
        Command::new("kill").args(["-s", signal, &owner.id().to_string()]).status().unwrap();
    }
    owner.wait().unwrap();
    if how == "exit" {
        assert!(pids.iter().all(|pid| !runs(*pid)) && !scratch.exists(), "gone when the exit is seen");
    }
    assert!(gone_within(10, &pids, &scratch), "{pids:?} or {} outlived an owner ended by {how}", scratch.display());
}

#[test]
fn an_owner_that_exits_leaves_nothing() {
    ends_by("exit", None);
}

#[test]
fn an_owner_that_panics_leaves_nothing() {
    ends_by("panic", None);
}

#[test]
fn an_interrupted_owner_leaves_nothing() {
    ends_by("signal", Some("INT"));
}

#[test]
fn a_killed_owner_leaves_nothing() {
    ends_by("signal", Some("KILL"));
}
