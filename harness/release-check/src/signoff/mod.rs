//! `release-check signoff`: the document that a release manager signs, made of the results of a run and of what people
//! signed for. The same results make the same document.

mod document;
mod exhibit;
pub mod sample;
mod signed;

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness::run::{Run, judge, runs_folder};

use crate::{
    Error, Exit, github,
    setup::root,
    terminal::{print, say},
};
use document::{SignOff, Status};
pub use signed::Signed;

/// Of which run, and who signs.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the run's results are [default: target/runs/latest]
    #[arg(long, value_name = "FOLDER")]
    results: Option<PathBuf>,
    /// What people looked at: `[[signed]]` tables with step, by, at and a note; and `[escalation]`, who has which role
    #[arg(long, value_name = "FILE")]
    manual: Option<PathBuf>,
    /// Where SIGNOFF.md and index.html go [default: target/signoff]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    signers: Signers,
}

/// Who signs.
#[derive(Debug, clap::Args)]
pub struct Signers {
    /// Who deployed
    #[arg(long, value_name = "NAME")]
    deployed_by: String,
    /// Who verified
    #[arg(long, value_name = "NAME")]
    verified_by: String,
}

/// Writes the document. The exit code is 0 only for a success.
///
/// # Errors
/// When there are no results, or somebody signed for what cannot be signed for.
pub fn run(options: &Options) -> Result<Exit, Error> {
    let results = options.results.clone().unwrap_or_else(|| runs_folder().join("latest"));
    let out = options.out.clone().unwrap_or_else(|| root().join("target/signoff"));
    let signed = options.manual.as_deref().map(Signed::read).transpose()?.unwrap_or_default();
    let document = make(&Run::read(&results)?, &signed, &options.signers, &out)?;
    github::summary(&document.summary())?;
    print(&format!("deployment status: {} ({})", document.status, document.counts()));
    say(&format!("to sign: {}", out.join("SIGNOFF.md").display()));
    Ok(match document.status {
        Status::Success => Exit::Passed,
        Status::Failed => Exit::Failed,
        Status::Partial => Exit::Open,
    })
}

/// Judges the run and writes both forms of the document.
///
/// # Errors
/// When somebody signed for what cannot be signed for, or the document cannot be written.
pub fn make(run: &Run, signed: &Signed, signers: &Signers, out: &Path) -> Result<SignOff, Error> {
    let runs = std::slice::from_ref(run);
    let judgement = judge(runs, &[], |_| true);
    let document = SignOff::of(&judgement, signed, signers)?;
    let cannot = |error| format!("{} cannot be written: {error}", out.display());
    fs::create_dir_all(out).map_err(cannot)?;
    fs::write(out.join("SIGNOFF.md"), document.markdown()?).map_err(cannot)?;
    fs::write(out.join("index.html"), document.html()?).map_err(cannot)?;
    Ok(document)
}
