//! `release-check run`: checks by their names, as `cargo test -- NAME` selects them; a name that no check has is an error.

use std::path::PathBuf;

use harness::{Detail, Target, run::judge};

use super::{report::Report, selection::Selection, wanted::Wanted};
use crate::{Error, Exit, signoff::Signed};

/// What to run.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Parts of checks' names: dashboard, signed_in::login_works [default: all checks]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The deployment: embedded, local, staging or production [default: embedded, or what E2E_BASE_URL names]
    #[arg(long, value_name = "TARGET")]
    target: Option<Target>,
    /// Only this suite; may be repeated
    #[arg(long = "suite", value_name = "NAME")]
    suites: Vec<String>,
    /// How much the evidence shows: full, or masked: no members' data [default: masked on production, else full]
    #[arg(long, value_name = "DETAIL")]
    evidence: Option<Detail>,
    /// Take compiled suites from a folder of test binaries, or from what cargo nextest archive made
    #[arg(long = "suites", value_name = "PATH", id = "source")]
    source: Option<PathBuf>,
    /// Print what became of them as JSON
    #[arg(long)]
    json: bool,
}

/// Runs, and judges the steps that the checks verify.
///
/// # Errors
/// When nothing could be run, or no check has such a name.
pub fn run(options: &Options) -> Result<Exit, Error> {
    let wanted = Wanted {
        target: options.target,
        suites: &options.suites,
        step: None,
        names: &options.names,
        source: options.source.as_deref(),
        evidence: options.evidence,
    };
    let runs = [wanted.run(&Selection::of(None)?)?];
    let judgement = judge(&runs, &[], |_| true);
    let signed = Signed::default();
    let report = Report::of(&runs, &judgement, &signed);
    if options.json {
        report.print_json()?
    } else {
        report.print()?
    }
    Ok(report.exit())
}
