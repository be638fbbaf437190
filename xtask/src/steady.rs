//! `cargo xtask steady`: the same suites over and over, also beside busy loops. An outcome that is not always the same
//! is chance, and a check that fails by chance blames somebody for nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    hint,
    num::NonZeroU32,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Instant,
};

use harness::{Outcome, run::SuiteEnd};
use release_check::suites::{Source, Suite};

use crate::{Error, Verdict, print, say, setup, table::table};

/// How often, and beside what.
#[derive(clap::Args)]
pub struct Options {
    /// How often each suite runs
    #[arg(long, default_value = "10")]
    runs: NonZeroU32,
    /// Threads that keep the processors busy meanwhile
    #[arg(long, value_name = "THREADS", default_value_t = 0)]
    load: u32,
    /// Only this suite; may be repeated
    #[arg(long = "suite", value_name = "NAME")]
    suites: Vec<String>,
}

/// What checks said in all runs: of each check how often which outcome, with the first text of it.
#[derive(Default)]
struct Said(BTreeMap<String, BTreeMap<Outcome, (u32, String)>>);

/// Whether every check passed every time. Beside busy loops a check may be undecided as well, but blame nobody.
///
/// # Errors
/// When a suite does not compile, cannot be run, or does not end by itself.
pub fn run(options: &Options) -> Verdict {
    setup::ensure()?;
    let suites = Source::default().suites(&options.suites)?;
    let over = AtomicBool::new(false);
    let said = thread::scope(|scope| {
        for _ in 0..options.load {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    hint::spin_loop()
                }
            });
        }
        let said = repeat(&suites, options);
        over.store(true, Ordering::Relaxed);
        said
    })?;
    Ok(said.judge(options))
}

fn repeat(suites: &[Suite], options: &Options) -> Result<Said, Error> {
    let mut said = Said::default();
    let planned: Vec<_> = suites.iter().map(Suite::checks).collect::<Result<_, _>>()?;
    for run in 1..=options.runs.get() {
        let start = Instant::now();
        for (suite, planned) in suites.iter().zip(&planned) {
            let folder = tempfile::tempdir()?;
            let ran = suite.run(None, folder.path(), &[])?;
            if !matches!(ran.end, SuiteEnd::Green | SuiteEnd::Red) {
                return Err(format!("{} {:?}\n{}", suite.name, ran.end, ran.output).into());
            }
            let mut missing: BTreeSet<_> = planned.iter().map(|check| check.name.clone()).collect();
            for result in ran.results {
                missing.remove(&result.name);
                let text = result.text().unwrap_or_default().to_owned();
                said.add(result.name, result.outcome, text);
            }
            missing.into_iter().for_each(|name| said.add(name, Outcome::NotRun, "no result".to_owned()));
        }
        say(&format!("run {run}: {:.1} s{}", start.elapsed().as_secs_f64(), said.summary()));
    }
    Ok(said)
}

impl Said {
    fn add(&mut self, check: String, outcome: Outcome, text: String) {
        self.0.entry(check).or_default().entry(outcome).or_insert((0, text)).0 += 1;
    }

    /// Checks that did not pass every time.
    fn unsteady(&self) -> impl Iterator<Item = (&String, &BTreeMap<Outcome, (u32, String)>)> {
        self.0.iter().filter(|(_, outcomes)| outcomes.keys().any(|outcome| *outcome != Outcome::Passed))
    }

    fn summary(&self) -> String {
        match self.unsteady().count() {
            0 => String::new(),
            count => format!("; {count} checks did not pass every time so far"),
        }
    }

    fn judge(&self, options: &Options) -> bool {
        let words = |outcomes: &BTreeMap<Outcome, (u32, String)>| {
            let words = outcomes.iter().map(|(outcome, (times, _))| format!("{times} {outcome}"));
            words.collect::<Vec<_>>().join(", ")
        };
        let mut rows = table(&["check", "outcomes"]);
        for (check, outcomes) in self.unsteady() {
            rows.add_row([check.as_str(), &words(outcomes)]);
            for (_, text) in outcomes.values().filter(|(_, text)| !text.is_empty()) {
                say(&format!("{check}\n{text}\n"));
            }
        }
        let unsteady = self.unsteady().count();
        if unsteady > 0 {
            print(&rows.to_string());
        }
        let beside = if options.load == 0 { String::new() } else { format!(" beside {} busy threads", options.load) };
        print(&format!("{} runs{beside}: {} checks, {unsteady} did not pass every time", options.runs, self.0.len()));
        let is_allowed =
            |outcome: &Outcome| *outcome == Outcome::Passed || (options.load > 0 && *outcome == Outcome::Undecided);
        !self.0.is_empty() && self.unsteady().all(|(_, outcomes)| outcomes.keys().all(is_allowed))
    }
}
