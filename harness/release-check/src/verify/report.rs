//! The verdict as people read it: each cause once, one table, one line that says it all.

use std::collections::{BTreeMap, BTreeSet};

use harness::{
    Outcome, Runbook, Target,
    run::{CheckResult, JudgedStep, Judgement, LeftOutBecause, Run},
};
use jiff::Timestamp;

use super::document::VerdictDocument;
use crate::{
    Error, Exit,
    ago::ago,
    github::{self, Level},
    history::History,
    signoff::Signed,
    table::{seconds, table},
    terminal::{Tone, print, say, toned},
};

/// What is reported.
pub struct Report<'r> {
    runs: &'r [Run],
    judgement: &'r Judgement<'r>,
    signed: &'r Signed,
}

impl<'r> Report<'r> {
    pub fn of(runs: &'r [Run], judgement: &'r Judgement<'r>, signed: &'r Signed) -> Self {
        Self { runs, judgement, signed }
    }

    /// The verdict: the worst of the chosen steps; what was not looked at is not decided, however good the rest is.
    pub fn verdict(&self) -> Outcome {
        let worst = Outcome::worst(self.judgement.steps.iter().map(|step| self.word(step)));
        match worst {
            Some(Outcome::Failed) => Outcome::Failed,
            Some(Outcome::Passed) if self.judgement.problems.is_empty() && self.weakened().is_empty() => {
                Outcome::Passed
            }
            _ => Outcome::Undecided,
        }
    }

    /// The verdict as an exit code.
    pub fn exit(&self) -> Exit {
        match self.verdict() {
            Outcome::Passed => Exit::Passed,
            Outcome::Failed => Exit::Failed,
            Outcome::NotRun | Outcome::Undecided => Exit::Open,
        }
    }

    /// What became of a step. What its checks could not look at, or leave out, a person may have signed for.
    fn word(&self, step: &JudgedStep<'_>) -> Outcome {
        match step.word() {
            Outcome::NotRun if self.signed.covers(step) => Outcome::Passed,
            word => word,
        }
    }

    /// Weakened promises that nobody signed for.
    fn weakened(&self) -> Vec<&harness::Weakened> {
        self.judgement.weakened.iter().filter(|weakened| !self.signed.accepts(&weakened.id)).collect()
    }

    fn counts(&self) -> BTreeMap<Outcome, usize> {
        let mut counts = BTreeMap::new();
        self.judgement.steps.iter().for_each(|step| *counts.entry(self.word(step)).or_default() += 1);
        counts
    }

    fn sum(&self) -> String {
        let counts = self.counts();
        let each: Vec<_> = counts.iter().rev().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let steps = self.judgement.steps.len();
        let plural = if steps == 1 { "" } else { "s" };
        format!("{steps} step{plural}: {}; verdict: {}", each.join(", "), self.verdict())
    }

    /// As JSON, on the standard output.
    ///
    /// # Errors
    /// Never, unless memory runs out.
    pub fn print_json(&self) -> Result<(), Error> {
        let word = |step: &JudgedStep<'_>| self.word(step);
        let document = VerdictDocument::of(self.runs, self.judgement, self.verdict(), word);
        print(&serde_json::to_string_pretty(&document)?);
        Ok(())
    }

    /// As text.
    ///
    /// # Errors
    /// When GitHub's summary cannot be written.
    pub fn print(&self) -> Result<(), Error> {
        self.failures();
        let header = ["step", "", "outcome", "time", "seen"];
        let mut rows = table(&header);
        let mut summary = github::row(header) + &github::row(["---"; 5]);
        for step in &self.judgement.steps {
            let row = [
                step.step.id.clone(),
                step.step.title.clone(),
                self.word(step).to_string(),
                seconds(step.milliseconds()),
                self.seen(step),
            ];
            summary += &github::row(row.each_ref().map(String::as_str));
            rows.add_row(row);
        }
        print(&rows.to_string());
        self.remarks();
        let tone = match self.verdict() {
            Outcome::Passed => Tone::Good,
            Outcome::Failed => Tone::Bad,
            Outcome::NotRun | Outcome::Undecided => Tone::Open,
        };
        let sum = self.sum();
        print(&toned(tone, &sum));
        github::summary(&format!("{sum}\n\n{summary}"))?;
        self.afterwards();
        Ok(())
    }

    /// Every failure in full, a cause that several checks met once.
    fn failures(&self) {
        let mut causes: Vec<(&CheckResult, Vec<&CheckResult>)> = Vec::new();
        for result in
            self.judgement.steps.iter().flat_map(|step| &step.checks).filter_map(|check| check.result.as_ref().ok())
        {
            let Some(failure) = &result.failure else { continue };
            let same = |other: &CheckResult| {
                other.outcome == result.outcome && other.failure.as_ref().is_some_and(|other| other.is_like(failure))
            };
            match causes.iter_mut().find(|(first, _)| same(first)) {
                Some((_, others)) => others.push(result),
                None => causes.push((result, Vec::new())),
            }
        }
        for (first, others) in causes {
            let text = first.text().unwrap_or_default();
            let tone = if first.outcome == Outcome::Failed { Tone::Bad } else { Tone::Open };
            let (head, rest) = text.split_once('\n').unwrap_or((text, ""));
            let mut text = format!("{}\n{rest}\n  {:<10}{}\n", toned(tone, head), "check", first.name);
            if !others.is_empty() {
                let mut steps: Vec<_> = others.iter().map(|other| other.step.as_str()).collect();
                steps.dedup();
                let checks =
                    if others.len() == 1 { "1 more check".to_owned() } else { format!("{} more checks", others.len()) };
                text += &format!("  {:<10}{checks}, of {}\n", "also", steps.join(", "));
            }
            print(&text);
            match first.outcome {
                Outcome::Failed => github::annotate(Level::Error, &first.name, first.text().unwrap_or_default()),
                Outcome::Undecided => github::annotate(Level::Warning, &first.name, first.text().unwrap_or_default()),
                Outcome::Passed | Outcome::NotRun => {}
            }
        }
    }

    /// The last cell of a step's row.
    fn seen(&self, step: &JudgedStep<'_>) -> String {
        let mut seen = Vec::new();
        match step.worst() {
            Some(worst) if worst.outcome() != Outcome::Passed => {
                seen.push(worst.why().unwrap_or_default().to_owned());
                if let (true, Err(_)) = (step.checks.len() > 1, &worst.result) {
                    let missing = step.checks.iter().filter(|check| check.result.is_err()).count();
                    seen.push(format!("{missing} of {} checks", step.checks.len()));
                }
            }
            Some(_) => seen.push(step.measured()),
            None if step.left_out.is_empty() => {
                seen.push("no check of the selected suites covers this step".to_owned())
            }
            None => {}
        }
        if self.signed.covers(step) {
            seen.push("signed for".to_owned());
        }
        let left_out = step.left_out_by_target().count();
        if left_out > 0 {
            let shown = step.left_out_by_target().all(|check| check.proof.is_some());
            let checks = match (&step.outcome, left_out) {
                (None, _) => String::new(),
                (Some(_), 1) => "1 check ".to_owned(),
                (Some(_), count) => format!("{count} checks "),
            };
            seen.push(format!("{checks}{}", if shown { "shown on staging" } else { "left out here" }));
        }
        seen.retain(|text| !text.is_empty());
        seen.join("; ")
    }

    /// What the target leaves out by design: a line for each reason and proof.
    fn left_out(&self) {
        let mut groups: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
        for (step, check) in
            self.judgement.steps.iter().flat_map(|step| step.left_out_by_target().map(move |check| (step, check)))
        {
            let shown = match &check.proof {
                Some(proof) => format!(
                    "passed on {} {} (run {}, harness {})",
                    proof.target,
                    ago(proof.finished, Timestamp::now()),
                    proof.run,
                    proof.commit.as_deref().map_or("of an unknown commit", |commit| &commit[..commit.len().min(12)])
                ),
                None if self.signed.covers(step) => "signed for".to_owned(),
                None => "not shown on staging: run verify --target staging, or sign for it".to_owned(),
            };
            let why = check.because.to_string();
            let steps = groups.entry((why, shown)).or_default();
            if steps.last() != Some(&step.step.id.as_str()) {
                steps.push(&step.step.id);
            }
        }
        for ((why, shown), steps) in groups {
            print(&format!("left out, because {why}: {}; {shown}", steps.join(", ")));
        }
    }

    /// What holds for the whole run.
    fn remarks(&self) {
        self.left_out();
        for problem in &self.judgement.problems {
            print(&toned(Tone::Open, &format!("not whole: {problem}")));
        }
        for weakened in &self.judgement.weakened {
            let signed =
                if self.signed.accepts(&weakened.id) { "signed for" } else { "open until somebody signs for it" };
            print(&format!(
                "weakened: {} says {}; the runbook, {}; {signed}",
                weakened.id, weakened.says, weakened.runbook
            ));
        }
        for section in &self.judgement.not_promised {
            let because = LeftOutBecause::NotPromised { section: *section };
            match self.judgement.left_out.get(&because) {
                Some(steps) => print(&format!("{because}; checks of {} are left out", join(steps))),
                None => print(&because.to_string()),
            }
        }
        for because in [LeftOutBecause::NotRotated, LeftOutBecause::NotInRunbook] {
            if let Some(steps) = self.judgement.left_out.get(&because) {
                print(&format!("{because}; checks of {} are left out", join(steps)));
            }
        }
    }

    /// What people may want to do next.
    fn afterwards(&self) {
        let manual = Runbook::get().steps().iter().filter(|step| step.is_for_people()).count();
        let are = if manual == 1 { "step is" } else { "steps are" };
        say(&format!("{manual} {are} verified by people; see release-check runbook"));
        for run in self.runs {
            for stays in run.what_stays() {
                print(&format!("\n{stays}"));
            }
        }
        if let Some(trend) = History::default().trend(self.runs) {
            say(&trend);
        }
        for run in self.runs {
            let whose = match (run.manifest.target, &run.manifest.site) {
                (Some(target), Some(site)) if target != Target::Embedded => format!("{target}, {site}"),
                (Some(target), _) => target.to_string(),
                (None, _) => "no deployment".to_owned(),
            };
            say(&format!("target {whose}\nrun {}: {}", run.manifest.id, run.folder.display()));
        }
    }
}

/// A check of an entry that the contract lacks is of no step.
fn join(steps: &BTreeSet<&str>) -> String {
    steps.iter().copied().filter(|step| !step.is_empty()).collect::<Vec<_>>().join(", ")
}
