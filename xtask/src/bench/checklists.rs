//! `cargo xtask bench checklists`: the authentication and data suites together, as a release manager runs them.

use std::process::Command;

use super::{Rows, measure, steady, times};
use crate::{Verdict, cargo::cargo, setup, suites::Suite};

/// How to measure the checklists.
#[derive(clap::Args)]
pub struct Options {
    /// Measured runs; a warm-up precedes them
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Only so many runs in a row, counting failures
    #[arg(long, value_name = "RUNS")]
    steady: Option<usize>,
}

const COMMAND: &str = "cargo test -p authentication -p data";

pub fn run(options: &Options) -> Verdict {
    setup::ensure()?;
    Suite::build("authentication")?;
    Suite::build("data")?;
    if let Some(runs) = options.steady {
        return steady(COMMAND, both, runs);
    }
    let mut rows = Rows::new(COMMAND);
    measure(&mut both())?;
    rows.add("compiled, warm template", times(options.runs, || measure(&mut both()))?)?;
    Ok(rows.print())
}

fn both() -> Command {
    cargo(&["test", "--quiet", "--package", "authentication", "--package", "data"])
}
