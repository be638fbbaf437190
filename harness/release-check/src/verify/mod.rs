//! `release-check verify`: the suites as one run, and what it says of the runbook's steps.

mod document;
mod report;
pub mod selected;
mod selection;
mod wanted;

use std::path::PathBuf;

use harness::{
    Detail, Outcome, Target,
    run::{Judgement, Run, judge, seal},
};

use crate::{
    Error, Exit, Usage, evidence,
    history::{Entry, History},
    signoff::Signed,
};
pub use document::VerdictDocument;
use report::Report;
use selection::Selection;
use wanted::Wanted;

/// What to verify.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The deployment: embedded, local, staging or production [default: embedded, or what E2E_BASE_URL names]
    #[arg(long, value_name = "TARGET")]
    target: Option<Target>,
    /// Only this suite; may be repeated
    #[arg(long = "suite", value_name = "NAME")]
    suites: Vec<String>,
    /// Only this step of the runbook, or those below it: 4.1.2, 4.1, pre.4
    #[arg(long, value_name = "ID")]
    step: Option<String>,
    /// Run nothing and judge these runs, or the runs in these folders: the shards of one verification
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["target", "suites", "source", "evidence"], num_args = 1..)]
    results: Vec<PathBuf>,
    /// Runs of staging that show what production leaves out [default: those in target/runs of the last --max-age]
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    proof: Vec<PathBuf>,
    /// How old a run may be that proves something: 24h, 7d
    #[arg(long, value_name = "TIME", default_value = "24h")]
    max_age: jiff::Span,
    /// How much the evidence shows: full, or masked: no members' data [default: masked on production, else full]
    #[arg(long, value_name = "DETAIL")]
    evidence: Option<Detail>,
    /// Take compiled suites from a folder of test binaries, or from what cargo nextest archive made
    #[arg(long = "suites", value_name = "PATH", id = "source")]
    source: Option<PathBuf>,
    /// What people signed for; weakened promises count as open unless it names them
    #[arg(long, value_name = "FILE")]
    manual: Option<PathBuf>,
    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
}

/// Verifies.
///
/// # Errors
/// When nothing could be verified at all.
pub fn run(options: &Options) -> Result<Exit, Error> {
    let selection = Selection::of(options.step.as_deref())?;
    let wanted = Wanted {
        target: options.target,
        suites: &options.suites,
        step: options.step.as_deref(),
        names: &[],
        source: options.source.as_deref(),
        evidence: options.evidence,
    };
    let runs = if options.results.is_empty() { vec![wanted.run(&selection)?] } else { read(&options.results)? };
    let target = runs[0].manifest.target;
    let proofs = evidence::proofs(target, &options.proof, options.max_age)?;
    let judgement = judge(&runs, &proofs, |step| selection.has(step));
    if judgement.steps.is_empty() {
        let because = judgement.left_out.keys().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let why = if because.is_empty() { because } else { format!(": {because}") };
        return Err(Usage::error(format!("none of these runs has a check of the chosen steps{why}")));
    }
    if options.results.is_empty() {
        obstacle(&judgement)?;
    }
    let signed = options.manual.as_deref().map(Signed::read).transpose()?.unwrap_or_default();
    let report = Report::of(&runs, &judgement, &signed);
    if runs.iter().all(|run| run.manifest.chosen.is_everything()) && selection.is_everything() {
        History::default().add(&Entry::of(&runs, &judgement, report.exit()))?;
    }
    if options.json {
        report.print_json()?
    } else {
        report.print()?
    }
    Ok(report.exit())
}

/// Reads runs that are there, all of one target, and closes those that nobody closed.
fn read(folders: &[PathBuf]) -> Result<Vec<Run>, Error> {
    let runs = evidence::runs_in(folders)?;
    evidence::of_one_target(&runs)?;
    for run in &runs {
        seal(run)?;
    }
    Ok(runs)
}

/// What keeps every check from running is one error, not a table of them.
fn obstacle(judgement: &Judgement<'_>) -> Result<(), Error> {
    let mut results = judgement.steps.iter().flat_map(|step| &step.checks);
    let first = results.clone().find_map(|check| check.result.as_ref().ok()?.failure.as_ref());
    let Some(first) = first else { return Ok(()) };
    let same = results.all(|check| {
        let failure = check.result.as_ref().ok().and_then(|result| result.failure.as_ref());
        check.outcome() == Outcome::NotRun && failure.is_some_and(|failure| failure.claim == first.claim)
    });
    if !same {
        return Ok(());
    }
    let facts = first.facts.iter().flat_map(|(label, text)| {
        text.lines().enumerate().map(move |(at, line)| format!("  {:<10}{line}", if at == 0 { label } else { "" }))
    });
    let text: Vec<_> = std::iter::once(first.claim.clone()).chain(facts).collect();
    Err(text.join("\n").into())
}
