//! Servers that do all that a server can do to its visitors, and checks that visit them in a process of their own: each
//! check ends in time, takes a bounded amount of memory, and blames whom it should. The texts are in
//! `snapshots/hostile`.

#![expect(clippy::unwrap_used, reason = "a test panics where it cannot go on")]
#![expect(clippy::print_stdout, reason = "figures of each server, with --nocapture")]

mod behaviour;
mod certificates;
mod server;
mod victim;

use std::{
    collections::BTreeMap,
    env,
    path::Path,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use behaviour::{BEHAVIOURS, Behaviour, CLICKED, Meets};
use harness::{Target, run::read_results};
use server::Server;
use tokio::{process::Command, sync::Semaphore};

/// A client, a browser at the page in question, and another one.
const EACH: [&str; 5] =
    ["victim::", "--skip=victim::click", "--skip=victim::late", "--skip=victim::blocked", "--skip=victim::in_a_row"];

/// The longest that the checks of one server may take.
const AT_MOST: Duration = Duration::from_secs(90);

/// Resident memory that their process may take; the browser's is its own.
const MEMORY_KB: u64 = 300_000;

/// Browsers at a time: each has a page that does its worst.
const BROWSERS: usize = 4;

/// What became of the checks that visited one server.
struct Visited {
    name: &'static str,
    took: Duration,
    memory_kb: u64,
    /// Each check's name and text.
    texts: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_check_ends_in_time_and_blames_whom_it_should() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (browsers, clients) = (Arc::new(Semaphore::new(BROWSERS)), Arc::new(Semaphore::new(24)));
    let chosen = env::var("HOSTILE").unwrap_or_default();
    let visits = BEHAVIOURS
        .iter()
        .filter(|behaviour| chosen.is_empty() || chosen.split(',').any(|name| name == behaviour.name))
        .map(|behaviour| {
            let turn = if behaviour.meets == Meets::Browser { &browsers } else { &clients };
            let turn = Arc::clone(turn);
            tokio::spawn(async move {
                let _turn = turn.acquire().await.unwrap();
                visit(behaviour, &EACH, &[]).await
            })
        });
    let visits: Vec<_> = visits.collect();
    let mut wrong = Vec::new();
    let mut all = Vec::new();
    for visit in visits {
        all.push(visit.await.unwrap());
    }
    for visited in all {
        // Servers at once keep each other's browsers waiting, which may look like a page that hangs: alone it decides.
        let is_excused = visited.texts.contains("for a processor of this machine");
        let is_known = !is_excused && held_texts::hold("hostile", visited.name, &visited.texts, None);
        let again = if is_known { None } else { Some(visit(behaviour(visited.name), &EACH, &[]).await) };
        let Visited { name, took, memory_kb, texts } = again.unwrap_or(visited);
        println!("{name:<32} {:>5.1} s {:>4} MB", took.as_secs_f64(), memory_kb / 1000);
        if took > AT_MOST {
            wrong.push(format!("{name} took {took:?}"));
        }
        if !(1..MEMORY_KB).contains(&memory_kb) {
            wrong.push(format!("{name} took {memory_kb} KB"));
        }
        if !held_texts::hold("hostile", name, &texts, None) {
            wrong.push(format!("{name} has another text"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Each kind that there is: the table is what the goal of "at least 25" is about.
#[test]
fn there_are_enough_of_them_and_each_has_one_name() {
    let names: std::collections::BTreeSet<_> = BEHAVIOURS.iter().map(|behaviour| behaviour.name).collect();
    assert!(names.len() >= 25 && names.len() == BEHAVIOURS.len(), "{}", names.len());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots/hostile");
    let snapshots = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let snapshots: std::collections::BTreeSet<_> =
        snapshots.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let names: std::collections::BTreeSet<_> = names.into_iter().map(str::to_owned).collect();
    assert_eq!(names, snapshots);
}

fn behaviour(name: &str) -> &'static Behaviour {
    BEHAVIOURS.iter().find(|behaviour| behaviour.name == name).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_holds_nobody_up() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut wrong = Vec::new();
    for behaviour in CLICKED {
        let Visited { name, took, memory_kb, texts } = visit(behaviour, &["click::"], &[]).await;
        println!("{name:<32} {:>5.1} s {:>4} MB", took.as_secs_f64(), memory_kb / 1000);
        if took > AT_MOST || !(1..MEMORY_KB).contains(&memory_kb) {
            wrong.push(format!("{name} took {took:?} and {memory_kb} KB"));
        }
        if !held_texts::hold("hostile/clicked", name, &texts, None) {
            wrong.push(format!("{name} has another text"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_does_not_end_is_given_up_and_its_suite_ends() {
    let options = ["late::", "--test-threads=1"];
    let visited = visit(behaviour("beforeunload"), &options, &[(harness::SUITE_SECONDS, "3")]).await;
    assert!(visited.took < Duration::from_secs(30), "{:?}", visited.took);
    assert!(held_texts::hold("hostile/together", "late", &visited.texts, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_a_check_holds_up_ends_itself() {
    let visited = visit(behaviour("beforeunload"), &["blocked::"], &[(harness::SUITE_SECONDS, "3")]).await;
    assert!(visited.texts.contains("ended with exit status: 124"), "{}", visited.texts);
    assert!(visited.took < Duration::from_secs(60), "{:?}", visited.took);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_three_browsers_in_a_row_no_further_one_is_started() {
    let visited = visit(behaviour("memory_hog"), &["in_a_row::", "--test-threads=1"], &[]).await;
    // Whether memory or patience ends first is the machine's matter, and `memory_hog` has a text of its own.
    let (ended, refused) = visited.texts.split_once("— in_a_row::page::case_4").unwrap();
    assert_eq!(ended.matches("\nFAILED  4.1.1").count(), 3, "{ended}");
    assert!(held_texts::hold("hostile/together", "in_a_row", refused.trim_start(), None));
}

/// Runs the checks of [`victim`] that `options` choose against a server that behaves so.
async fn visit(behaviour: &'static Behaviour, options: &[&str], environment: &[(&str, &str)]) -> Visited {
    let server = Server::start(behaviour).await;
    let folder = tempfile::tempdir().unwrap();
    let memory = folder.path().join("memory");
    let mut command = Command::new(env::current_exe().unwrap());
    for (name, _) in env::vars() {
        if ["E2E_", "VITE_", "HARNESS_", "SUPABASE_", "NEXTEST"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
        .arg("--ignored")
        .args(options)
        .envs(environment.iter().copied())
        .env_remove("RUST_BACKTRACE")
        .env("ALLURE_RESULTS_DIR", folder.path().join("results"))
        .env("HARNESS_TARGET", Target::Staging.to_string())
        .env("E2E_BASE_URL", server.url.as_str())
        .env("SSL_CERT_FILE", server.authority.path())
        .env(victim::MEMORY, &memory)
        .kill_on_drop(true)
        .stdin(Stdio::null());
    let begin = Instant::now();
    // Twice as long as it may take: what is late is reported with its texts.
    let output = tokio::time::timeout(AT_MOST * 2, command.output()).await;
    let took = begin.elapsed();
    let ended = output.map_or_else(|_| "it did not end".to_owned(), |output| output.unwrap().status.to_string());
    let results = read_results(&folder.path().join("results")).unwrap_or_default();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for result in results {
        let name = result.name.split_once("victim::").map_or(result.name.as_str(), |(_, name)| name).to_owned();
        texts.insert(name, result.text().unwrap_or("passed").to_owned());
    }
    let memory = std::fs::read_to_string(memory).unwrap_or_default();
    let memory_kb = memory.lines().filter_map(|line| line.parse().ok()).max().unwrap_or_default();
    let mut shown = format!("{}\nended with {ended}\n", behaviour.about);
    for (name, text) in texts {
        let address = server.url.as_str().trim_end_matches('/');
        let elsewhere = server.elsewhere.as_str().trim_end_matches('/');
        let text = text.replace(elsewhere, "https://elsewhere.example").replace(address, "https://your-domain.com");
        shown += &format!("\n— {name}\n{}\n", text.trim_end());
    }
    Visited { name: behaviour.name, took, memory_kb, texts: shown }
}
