//! `cargo xtask signoff`: the document that a release manager signs, made of the results of a run and of what people
//! signed for. The same results make the same document.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use harness::{CheckResult, Manual, Outcome, Runbook, Step, read_results};
use jiff::Timestamp;
use minijinja::{Environment, value::Serde};
use serde::{Deserialize, Serialize};

use crate::{Error, print, say, setup::root};

/// Of which run, and who signs.
#[derive(clap::Args)]
pub struct Options {
    /// Where the run's results are [default: target/verify, where cargo xtask verify leaves them]
    #[arg(long, value_name = "FOLDER")]
    results: Option<PathBuf>,
    /// What people looked at: `[[signed]]` tables with step, by, at and a note
    #[arg(long, value_name = "FILE")]
    manual: Option<PathBuf>,
    /// Where SIGNOFF.md and index.html go [default: target/signoff]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Who deployed
    #[arg(long, value_name = "NAME")]
    deployed_by: String,
    /// Who verified
    #[arg(long, value_name = "NAME")]
    verified_by: String,
}

/// A file of what people looked at.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signatures {
    #[serde(default)]
    signed: Vec<Signature>,
}

/// Somebody looked at what a step says, and it is so.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    step: String,
    by: String,
    at: Timestamp,
    #[serde(default)]
    note: String,
}

/// The document.
#[derive(Serialize)]
struct SignOff {
    /// `Success`, `Partial` or `Failed`, by [`SignOff::RULE`].
    status: &'static str,
    rule: &'static str,
    deployed_by: String,
    verified_by: String,
    /// When the last check ended, or the last person signed.
    time: String,
    sections: Vec<Section>,
    /// Steps that are neither passed nor signed.
    open: Vec<Line>,
    /// What the runbook says to do about the failed ones, the heaviest first.
    remedies: BTreeSet<String>,
    counts: Vec<(String, usize)>,
}

#[derive(Serialize)]
struct Section {
    title: String,
    lines: Vec<Line>,
}

/// A step and what became of it.
#[derive(Clone, Serialize)]
struct Line {
    id: String,
    title: String,
    outcome: String,
    evidence: String,
    by: String,
    time: String,
    severity: String,
    respond_within: String,
    /// What its failure says.
    text: String,
}

impl SignOff {
    const RULE: &str = "Failed: a step failed. Partial: none failed, but one is undecided, not run or not signed for. Success: every step passed or is signed for.";

    fn of(results: &[CheckResult], signatures: &Signatures, options: &Options) -> Result<Self, Error> {
        for signature in &signatures.signed {
            let step = Runbook::get().step(&signature.step);
            let step = step.ok_or_else(|| format!("{} is signed for, and no step of the runbook", signature.step))?;
            if step.manual.is_none() {
                return Err(format!("{} is verified by tests: nobody can sign for it", step.id).into());
            }
        }
        let mut by_step: BTreeMap<&str, Vec<&CheckResult>> = BTreeMap::new();
        for result in results {
            by_step.entry(&result.step).or_default().push(result);
        }
        let mut last = signatures.signed.iter().map(|signature| signature.at).max();
        let ends = results.iter().map(|result| result.finished);
        last = last.max(ends.max());
        let mut sections: Vec<Section> = Vec::new();
        for step in Runbook::get().steps() {
            let line = match &step.manual {
                Some(manual) => Line::of_people(step, manual, signatures),
                None => Line::of_tests(step, by_step.get(step.id.as_str()).map_or(&[], Vec::as_slice)),
            };
            match sections.iter_mut().find(|section| section.title == step.section) {
                Some(section) => section.lines.push(line),
                None => sections.push(Section { title: step.section.clone(), lines: vec![line] }),
            }
        }
        let lines: Vec<_> = sections.iter().flat_map(|section| &section.lines).cloned().collect();
        let open: Vec<_> = lines.iter().filter(|line| !line.is_done()).cloned().collect();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        lines.iter().for_each(|line| *counts.entry(line.outcome.clone()).or_default() += 1);
        let failed: Vec<_> = open.iter().filter(|line| line.outcome == Outcome::Failed.to_string()).collect();
        let remedies = failed.iter().filter_map(|line| {
            let remedy = Runbook::get().step(&line.id)?.remedy();
            Some(format!("{}: {}", remedy.title, remedy.action))
        });
        Ok(Self {
            status: match (failed.is_empty(), open.is_empty()) {
                (false, _) => "Failed",
                (true, false) => "Partial",
                (true, true) => "Success",
            },
            rule: Self::RULE,
            deployed_by: options.deployed_by.clone(),
            verified_by: options.verified_by.clone(),
            time: last.map(told).unwrap_or_default(),
            remedies: remedies.collect(),
            counts: counts.into_iter().collect(),
            sections,
            open,
        })
    }

    fn render(&self, name: &'static str, template: &'static str) -> Result<String, Error> {
        let mut environment = Environment::new();
        environment.add_filter("cell", |text: String| text.replace('|', "\\|").replace('\n', " "));
        environment.add_template(name, template)?;
        Ok(environment.get_template(name)?.render(Serde(self))? + "\n")
    }

    fn markdown(&self) -> Result<String, Error> {
        self.render("SIGNOFF.md", include_str!("SIGNOFF.md"))
    }

    fn html(&self) -> Result<String, Error> {
        self.render("index.html", include_str!("index.html"))
    }
}

impl Line {
    fn of(step: &Step, outcome: String) -> Self {
        let severity = step.severity();
        Self {
            id: step.id.clone(),
            title: step.title.clone(),
            outcome,
            evidence: String::new(),
            by: String::new(),
            time: String::new(),
            severity: format!("{} {}", step.severity, severity.definition),
            respond_within: severity.respond_within.clone(),
            text: String::new(),
        }
    }

    fn of_people(step: &Step, manual: &Manual, signatures: &Signatures) -> Self {
        match signatures.signed.iter().find(|signature| signature.step == step.id) {
            Some(signature) => Self {
                by: signature.by.clone(),
                time: told(signature.at),
                evidence: signature.note.clone(),
                ..Self::of(step, "signed".to_owned())
            },
            None => Self { text: format!("{}: {}", manual.by, manual.look), ..Self::of(step, "not signed".to_owned()) },
        }
    }

    fn of_tests(step: &Step, checks: &[&CheckResult]) -> Self {
        let worst = checks.iter().max_by_key(|check| check.outcome);
        let outcome = worst.map_or(Outcome::NotRun, |check| check.outcome);
        let measured: Vec<_> = checks.iter().filter_map(|check| check.measured.as_deref()).collect();
        let mut evidence = format!("{} check{}", checks.len(), if checks.len() == 1 { "" } else { "s" });
        if !measured.is_empty() {
            evidence += &format!(": {}", measured.join(", "));
        }
        Self {
            evidence,
            by: "cargo test".to_owned(),
            time: checks.iter().map(|check| check.finished).max().map(told).unwrap_or_default(),
            text: worst.and_then(|check| check.explanation.clone()).unwrap_or_default(),
            ..Self::of(step, outcome.to_string())
        }
    }

    fn is_done(&self) -> bool {
        self.outcome == Outcome::Passed.to_string() || self.outcome == "signed"
    }
}

/// To the second, in UTC.
fn told(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Writes the document. The exit code is 0 only for a success.
///
/// # Errors
/// When there are no results, or somebody signed for what cannot be signed for.
pub fn run(options: &Options) -> Result<ExitCode, Error> {
    let folder = options.results.clone().unwrap_or_else(|| root().join("target/verify"));
    let results = read_results(&folder)
        .map_err(|error| format!("{}: {error}\nrun cargo xtask verify first", folder.display()))?;
    if results.is_empty() {
        return Err(format!("{} has no results: run cargo xtask verify first", folder.display()).into());
    }
    let signatures = options.manual.as_deref().map(signatures).transpose()?.unwrap_or_default();
    let document = SignOff::of(&results, &signatures, options)?;
    let out = options.out.clone().unwrap_or_else(|| root().join("target/signoff"));
    let cannot = |error| format!("{} cannot be written: {error}", out.display());
    fs::create_dir_all(&out).map_err(cannot)?;
    fs::write(out.join("SIGNOFF.md"), document.markdown()?).map_err(cannot)?;
    fs::write(out.join("index.html"), document.html()?).map_err(cannot)?;
    let counts: Vec<_> = document.counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    print(&format!("deployment status: {} ({})", document.status, counts.join(", ")));
    say(&format!("to sign: {}", out.join("SIGNOFF.md").display()));
    Ok(if document.status == "Success" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn signatures(path: &Path) -> Result<Signatures, Error> {
    let text = fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()).into())
}
