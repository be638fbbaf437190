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
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use owned_process::{Launch, OwnedProcess, ScratchDir, Stop};

/// A shell with a child of its own, both in need of stopping.
fn start(how: &str) -> OwnedProcess {
    // A stubborn one does not hear what asks it to end.
    let (first, stop) = if how == "stubborn" { ("trap '' INT; ", Stop::Interrupt) } else { ("", Stop::Kill) };
    let launch = Launch {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), format!("{first}sleep 1000 & echo grandchild $!; wait").into()],
        env: Vec::new(),
        user: None,
        stop,
        patience: Duration::from_secs(3),
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
    let process = start("");
    let (child, grandchild, scratch) = (process.id(), grandchild(&process), process.scratch().path().to_owned());
    assert!(runs(child) && runs(grandchild) && scratch.exists());
    drop(process);
    assert!(!runs(child) && !scratch.exists());
    assert!(gone_within(1, &[grandchild], &scratch), "a killed grandchild needs no longer than the kernel does");
}

#[test]
fn a_missing_program_is_named() {
    let launch = Launch {
        program: "/no/such/program".into(),
        args: vec![],
        env: vec![],
        user: None,
        stop: Stop::Kill,
        patience: Duration::from_secs(3),
    };
    let process = OwnedProcess::spawn(launch, ScratchDir::new("owned-").unwrap()).unwrap();
    let error = process.wait_for_line(Duration::from_secs(5), |_| None::<()>).unwrap_err().to_string();
    assert!(error.contains("/no/such/program") && error.contains("not found"), "{error}");
}

/// Not a test by itself: the process that the tests below end. It does nothing unless they ask.
#[test]
fn owner_on_demand() {
    let Some(how) = env::var_os("OWNER_ENDS_BY") else { return };
    let process = Box::leak(Box::new(start(how.to_str().unwrap())));
    println!("\nowns {} {} {}", process.id(), grandchild(process), process.scratch().path().display());
    match how.to_str() {
        Some("exit") => std::process::exit(0),
        Some("panic") => panic!("as asked"),
        Some("line") => {
            let _ = std::io::stdin().read_line(&mut String::new());
            std::process::exit(0);
        }
        _ => loop {
            std::thread::park();
        },
    }
}

/// A process that owns what `start` starts: itself, the ids of child and grandchild, their scratch folder.
fn owner(how: &str) -> (Child, [u32; 2], PathBuf) {
    // Where this runs in the background of a shell, Ctrl-C is ignored and children inherit that.
    let mut owner = Command::new("env");
    if cfg!(target_os = "linux") {
        owner.arg("--default-signal=INT");
    }
    let mut owner = owner
        .arg(env::current_exe().unwrap())
        .args(["--exact", "owner_on_demand", "--nocapture"])
        .env("OWNER_ENDS_BY", how)
        .stdin(Stdio::piped())
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
    (owner, pids, PathBuf::from(words.next().unwrap()))
}

fn kill(signal: &str, pid: u32) {
    assert!(Command::new("kill").args(["-s", signal, &pid.to_string()]).status().unwrap().success());
}

fn ends_by(how: &str, signal: Option<&str>) {
    let (mut owner, pids, scratch) = owner(how);
    if let Some(signal) = signal {
        assert!(fs::metadata(&scratch).is_ok() && pids.iter().all(|pid| runs(*pid)), "they run before the signal");
        kill(signal, owner.id());
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

/// The guardians of a process' child, by their names.
fn guardian(owner: u32, name: &str) -> u32 {
    let all = Command::new("ps").args(["-A", "-o", "pid=,ppid=,args="]).output().unwrap().stdout;
    let all = String::from_utf8_lossy(&all).into_owned();
    let of_owner = |line: &&str| line.split_whitespace().nth(1) == Some(&owner.to_string());
    let found = all.lines().filter(of_owner).find(|line| line.contains(&format!(" {name} KILL /")));
    found.unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn whoever_kills_one_guardian_leaves_the_other() {
    for name in ["guardian", "second-guardian"] {
        let (mut owner, pids, scratch) = owner("signal");
        kill("KILL", guardian(owner.id(), name));
        kill("KILL", owner.id());
        owner.wait().unwrap();
        assert!(gone_within(10, &pids, &scratch), "{pids:?} or {} outlived its {name}", scratch.display());
    }
}

#[test]
fn without_guardians_an_owner_that_exits_leaves_nothing() {
    let (mut owner, pids, scratch) = owner("line");
    for name in ["guardian", "second-guardian"] {
        kill("KILL", guardian(owner.id(), name));
    }
    drop(owner.stdin.take());
    assert!(owner.wait().unwrap().success());
    assert!(gone_within(1, &pids, &scratch), "{pids:?} or {} are left", scratch.display());
}

/// Not a test by itself: a process with a child of its own that waits for its end. The child is started by a thread
/// that ends, which is no end of the process.
#[cfg(target_os = "linux")]
#[test]
fn parent_on_demand() {
    match env::var("PARENT_ON_DEMAND").as_deref() {
        Ok("parent") => {
            let start = || {
                Command::new(env::current_exe().unwrap())
                    .args(["--exact", "parent_on_demand", "--nocapture"])
                    .env("PARENT_ON_DEMAND", "child")
                    .stdin(Stdio::piped())
                    .spawn()
                    .unwrap()
            };
            let mut child = std::thread::spawn(start).join().unwrap();
            std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"are you there?\n").unwrap();
            child.wait().unwrap();
        }
        Ok("child") => {
            assert!(owned_process::when_parent_ends(|| {
                println!("\norphaned");
                std::process::exit(0);
            }));
            std::io::stdin().read_line(&mut String::new()).unwrap();
            println!("\nhere");
            loop {
                std::thread::park();
            }
        }
        _ => {}
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_learns_of_the_end_of_its_parent_and_of_nothing_else() {
    let mut parent = Command::new(env::current_exe().unwrap())
        .args(["--exact", "parent_on_demand", "--nocapture"])
        .env("PARENT_ON_DEMAND", "parent")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "here"));
    kill("KILL", parent.id());
    let killed = Instant::now();
    assert_eq!(lines.filter(|line| !line.is_empty()).collect::<Vec<_>>(), ["orphaned"]);
    assert!(killed.elapsed() < Duration::from_secs(1), "{:?}", killed.elapsed());
    parent.wait().unwrap();
}

/// Whoever looks for what killed processes left does not take it from a guardian that is still at work.
#[test]
fn a_folder_is_nobody_elses_until_its_guardians_end() {
    let (mut owner, pids, scratch) = owner("stubborn");
    kill("KILL", owner.id());
    owner.wait().unwrap();
    drop(ScratchDir::new("owned-").unwrap());
    assert!(scratch.exists() && runs(pids[0]), "it is asked to end, and takes its time");
    assert!(gone_within(10, &pids, &scratch));
}
