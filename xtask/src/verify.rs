//! `cargo xtask verify`: one table of the runbook's steps.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use harness::{CheckResult, Manual, Outcome, Runbook, Step, read_results, read_what_stays};

use crate::{
    Error, Verdict,
    github::{self, Level},
    print, say,
    setup::{self, root},
    suites::{SUITES, Suite},
    table::{seconds, table},
};

/// Where the evidence of the last verification is, below the workspace.
const EVIDENCE: &str = "target/verify";

/// What to verify.
#[derive(clap::Args)]
pub struct Options {
    /// The deployment: embedded, local, staging or production [default: embedded, or what E2E_BASE_URL names]
    #[arg(long)]
    target: Option<String>,
    /// Only this suite
    #[arg(long)]
    suite: Option<String>,
    /// Only this step of the runbook, or those below it: 4.1.2, 4.1, pre.4
    #[arg(long)]
    step: Option<String>,
    /// Run nothing and tell of the results in this folder, as the shards of a run left them
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["target", "suite"])]
    results: Option<PathBuf>,
}

/// Verifies. True when every selected step passed.
///
/// # Errors
/// When nothing could be verified at all.
pub fn run(options: &Options) -> Verdict {
    let steps = selected(options.step.as_deref())?;
    if let Some(folder) = &options.results {
        let results = read_results(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        return report(&steps, &results, folder);
    }
    let names = match &options.suite {
        Some(name) => vec![name.clone()],
        None => SUITES.clone(),
    };
    setup::ensure()?;
    let folder = root().join(EVIDENCE);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{} cannot be replaced: {error}", folder.display()))?;
    }
    let environment: Vec<(&str, &str)> =
        options.target.as_deref().map(|target| ("HARNESS_TARGET", target)).into_iter().collect();
    let mut results = Vec::new();
    for name in names {
        let suite = Suite::build(&name)?;
        let tests = match options.step {
            None => None,
            Some(_) => {
                let tests = suite.steps()?.into_iter().filter(|(id, _)| steps.iter().any(|step| step.id == *id));
                Some(tests.map(|(_, test)| test).collect::<Vec<_>>())
            }
        };
        if tests.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        let run = suite.run(tests.as_deref(), &folder, &environment)?;
        if run.results.is_empty() {
            return Err(format!(
                "the suite {name} left no results in {}; it said:\n{}",
                run.folder.display(),
                run.output
            )
            .into());
        }
        results = run.results;
    }
    obstacle(&results)?;
    report(&steps, &results, &folder)
}

fn selected(filter: Option<&str>) -> Result<Vec<&'static Step>, Error> {
    let steps = Runbook::get().steps().iter();
    let selected: Vec<_> = steps.filter(|step| filter.is_none_or(|filter| step.is_selected_by(filter))).collect();
    let (selected, others): (Vec<_>, Vec<_>) = selected.into_iter().partition(|step| step.is_tested());
    if selected.is_empty() && !others.is_empty() {
        let told = others.iter().map(|step| match &step.manual {
            Some(Manual { by, look }) => format!("{} {} is for people ({by}): {look}", step.id, step.title),
            None => format!("{} {} follows from {}", step.id, step.title, step.follows.join(", ")),
        });
        return Err(told.collect::<Vec<_>>().join("\n").into());
    }
    if selected.is_empty() {
        let known: Vec<_> = Runbook::get().steps().iter().map(|step| step.id.as_str()).collect();
        return Err(format!(
            "no step of the runbook is {:?} or below it; there are {}",
            filter.unwrap_or_default(),
            known.join(", ")
        )
        .into());
    }
    Ok(selected)
}

/// What keeps every check from running is one error, not a table of them.
fn obstacle(results: &[CheckResult]) -> Result<(), Error> {
    let explanations = || results.iter().filter_map(|result| result.explanation.as_deref());
    if results.iter().all(|result| result.outcome == Outcome::NotRun)
        && let Some(longest) = explanations().max_by_key(|text| text.len())
    {
        // The first line names the step that happened to meet it first.
        let text: Vec<_> =
            longest.lines().skip(1).map(str::trim).filter(|line| !line.starts_with("runbook ")).collect();
        return Err(text.join("\n").into());
    }
    Ok(())
}

fn report(steps: &[&Step], results: &[CheckResult], folder: &Path) -> Verdict {
    let mut by_step: BTreeMap<&str, Vec<&CheckResult>> = BTreeMap::new();
    for result in results {
        by_step.entry(result.step.as_str()).or_default().push(result);
    }
    let header = ["step", "", "outcome", "time", "seen"];
    let mut rows = table(&header);
    let mut summary = github::row(header) + &github::row(["---"; 5]);
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    for step in steps {
        let checks = by_step.remove(step.id.as_str()).unwrap_or_default();
        let worst = checks.iter().max_by_key(|check| check.outcome);
        let outcome = worst.map_or(Outcome::NotRun, |check| check.outcome);
        *counts.entry(outcome).or_default() += 1;
        let time = checks.iter().map(|check| check.milliseconds).sum();
        let why = worst.and_then(|check| check.explanation.as_deref()?.lines().nth(1)).map(|why| why.trim().to_owned());
        let measured: Vec<_> = checks.iter().filter_map(|check| check.measured.as_deref()).collect();
        let seen = match checks.is_empty() {
            true => "no check of the chosen suites looked".to_owned(),
            false => why.unwrap_or_else(|| measured.join(", ")),
        };
        let row = [step.id.clone(), step.title.clone(), outcome.to_string(), seconds(time), seen];
        summary += &github::row(row.each_ref().map(String::as_str));
        rows.add_row(row);
    }
    for result in results.iter().filter(|result| result.outcome != Outcome::Passed) {
        if let Some(text) = &result.explanation {
            print(&format!("{text}\n  {:<10}{}\n", "check", result.name));
            match result.outcome {
                Outcome::Failed => github::annotate(Level::Error, &result.name, text),
                Outcome::Undecided => github::annotate(Level::Warning, &result.name, text),
                Outcome::Passed | Outcome::NotRun => {}
            }
        }
    }
    print(&rows.to_string());
    let told: Vec<_> = counts.iter().rev().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    // What was not looked at is not decided, however good the rest is.
    let verdict = match counts.keys().max() {
        Some(Outcome::NotRun) => Outcome::Undecided,
        worst => worst.copied().unwrap_or(Outcome::Undecided),
    };
    let plural = if steps.len() == 1 { "" } else { "s" };
    let sum = format!("{} step{plural}: {}; verdict: {verdict}", steps.len(), told.join(", "));
    print(&sum);
    github::summary(&format!("{sum}\n\n{summary}"))?;
    let manual = Runbook::get().steps().iter().filter(|step| step.manual.is_some()).count();
    say(&format!("{manual} steps are for people: cargo xtask runbook"));
    for stays in read_what_stays(folder).unwrap_or_default() {
        print(&format!("\n{stays}"));
    }
    say(&format!("evidence: {}", folder.display()));
    Ok(counts.get(&Outcome::Passed) == Some(&steps.len()))
}
