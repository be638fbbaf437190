//! `cargo xtask bench signoff`: a sign-off of many results with their evidence.

use release_check::signoff::sample;

use crate::{Verdict, bench::median, print};

/// How many results.
#[derive(clap::Args)]
pub struct Options {
    /// Results of which the document is made
    #[arg(long, default_value_t = 500)]
    results: usize,
    /// How often
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

/// The longest that somebody waits for the document, in seconds.
const LONGEST: f64 = 1.0;

/// Makes it and prints the time. True when it took no longer than promised.
pub fn run(options: &Options) -> Verdict {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("signoff");
    let results = sample::results(options.results, folder.path())?;
    let times: Result<Vec<_>, _> = (0..options.runs).map(|_| sample::document(&results, &out)).collect();
    let time = median(&times?)?;
    let size = std::fs::metadata(out.join("index.html"))?.len() as f64 / 1e6;
    print(&format!(
        "{} results, index.html of {size:.1} MB: {time:.2} s (median of {}, at most {LONGEST:.0} s)",
        options.results, options.runs
    ));
    Ok(time <= LONGEST)
}
