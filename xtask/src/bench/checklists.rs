//! `cargo xtask bench checklists`: whole suites together, as a release manager runs them.

use std::process::Command;

use super::{Rows, measure, times};
use crate::{Verdict, cargo::cargo, setup, suites::Suite};

/// How to measure the checklists.
#[derive(clap::Args)]
pub struct Options {
    /// Which suites, together
    #[arg(value_name = "SUITE", default_values = ["authentication", "data"])]
    suites: Vec<String>,
    /// Measured runs; a warm-up precedes them
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

impl Options {
    fn arguments(&self) -> Vec<&str> {
        self.suites.iter().flat_map(|suite| ["-p", suite.as_str()]).collect()
    }

    fn command(&self) -> Command {
        cargo(&[&["test", "--quiet"][..], &self.arguments()].concat())
    }
}

pub fn run(options: &Options) -> Verdict {
    setup::ensure()?;
    for suite in &options.suites {
        Suite::build(suite)?;
    }
    let name = format!("cargo test {}", options.arguments().join(" "));
    let mut rows = Rows::new(&name);
    measure(&mut options.command())?;
    rows.add("compiled, warm template", times(options.runs, || measure(&mut options.command()))?)?;
    Ok(rows.print())
}
