//! `release-check verify`: the suites as one run, and what it says of the runbook's steps.

mod document;
mod report;
mod selection;

use std::path::{Path, PathBuf};

use harness::{
    Deployment, Outcome, Target,
    run::{Chosen, Judgement, Plan, Planned, Run, Runner, SuiteEnd, SuiteEnded, judge, runs_folder, seal},
};

use crate::{
    Error, Exit, Usage, evidence,
    history::{Entry, History},
    package, setup,
    signoff::Signed,
    suites::{Source, Suite},
};
pub use document::VerdictDocument;
use report::Report;
use selection::Selection;

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
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["target", "suites", "source"], num_args = 1..)]
    results: Vec<PathBuf>,
    /// Runs of staging that show what production leaves out [default: those in target/runs of the last --max-age]
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    proof: Vec<PathBuf>,
    /// How old a run may be that proves something: 24h, 7d
    #[arg(long, value_name = "TIME", default_value = "24h")]
    max_age: jiff::Span,
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
    let runs = if options.results.is_empty() { vec![verified(options, &selection)?] } else { read(&options.results)? };
    let target = runs[0].manifest.target;
    let proofs = evidence::proofs(target, &options.proof, options.max_age)?;
    let judgement = judge(&runs, &proofs, |step| selection.has(step));
    if judgement.steps.is_empty() {
        return Err(Usage::error("none of these runs has a check of the chosen steps"));
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

/// Runs the suites.
fn verified(options: &Options, selection: &Selection) -> Result<Run, Error> {
    let configured = || Deployment::configured_target().map_err(|error| Usage::error(error.to_string()));
    let target = options.target.map_or_else(configured, Ok)?;
    if let Some(problem) = harness::Runbook::problem() {
        return Err(Usage::error(problem));
    }
    setup::ensure_for(target)?;
    let source = Source::at(options.source.as_deref())?;
    let mut suites = Vec::new();
    for suite in source.suites(&options.suites)? {
        let checks: Vec<_> = suite.checks()?.into_iter().filter(|check| selection.has_id(&check.step)).collect();
        if !checks.is_empty() {
            suites.push((suite, checks));
        }
    }
    if suites.is_empty() {
        let step = options.step.as_deref().unwrap_or_default();
        return Err(Usage::error(format!("no check of the selected suites verifies {step}")));
    }
    let plan = Plan {
        runner: Runner::ReleaseCheck,
        chosen: Chosen { suites: options.suites.clone(), step: options.step.clone(), filter: Vec::new() },
        checks: suites.iter().flat_map(|(_, checks)| checks.clone()).collect(),
        harness: package::harness()?,
        target: options.target,
    };
    let begun = plan
        .begin(&runs_folder())
        .map_err(|error| format!("evidence cannot be kept in {}: {error}", runs_folder().display()))?;
    let mut ends = Vec::new();
    for (suite, _) in &suites {
        let made: Vec<&Planned> = begun
            .manifest()
            .checks
            .iter()
            .filter(|check| check.suite() == suite.krate() && check.left_out.is_none())
            .collect();
        if made.is_empty() {
            continue;
        }
        let how = follow(suite, &made, begun.variable(), options.target);
        ends.push(SuiteEnded { suite: suite.krate(), how });
    }
    begun.close(ends).map_err(|error| format!("the run cannot be closed: {error}"))?;
    Ok(Run::read(begun.folder())?)
}

fn follow(suite: &Suite, checks: &[&Planned], run: (&str, &Path), target: Option<Target>) -> SuiteEnd {
    let mut command = suite.command();
    command.env(run.0, run.1).env_remove("ALLURE_RESULTS_DIR");
    command.envs(target.map(|target| ("HARNESS_TARGET", target.to_string())));
    let tests: Vec<_> = checks.iter().map(|check| suite.test_of(check)).collect();
    match suite.follow(command, Some(&tests)) {
        Ok((end, _)) => end,
        Err(error) => SuiteEnd::Otherwise(format!("could not be started: {error}")),
    }
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
