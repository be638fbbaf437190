//! The document: the runbook's own tables, filled.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use harness::{
    Manual, Outcome, Remedy, Rollback, Runbook, Step,
    run::{CheckResult, JudgedStep, Judgement},
};
use jiff::Timestamp;
use minijinja::{Environment, syntax::SyntaxConfig, value::Serde};
use serde::{Serialize, Serializer};

use super::{
    Signers,
    exhibit::Exhibit,
    signed::{Contact, Signed},
};
use crate::Error;

/// The runbook's "Deployment Status".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Every step passed or is signed for.
    Success,
    /// None failed, but one is open.
    Partial,
    /// A step failed.
    Failed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What became of a step, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Passed,
    NotPromised,
    Signed,
    NotSigned,
    NotRun,
    Undecided,
    Failed,
}

impl State {
    fn is_done(self) -> bool {
        self <= Self::Signed
    }
}

impl From<Outcome> for State {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Passed,
            Outcome::NotRun => Self::NotRun,
            Outcome::Undecided => Self::Undecided,
            Outcome::Failed => Self::Failed,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => Outcome::Passed.fmt(f),
            Self::NotPromised => f.pad("not promised"),
            Self::Signed => f.pad("signed"),
            Self::NotSigned => f.pad("not signed"),
            Self::NotRun => Outcome::NotRun.fmt(f),
            Self::Undecided => Outcome::Undecided.fmt(f),
            Self::Failed => Outcome::Failed.fmt(f),
        }
    }
}

fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// A step and what became of it.
#[derive(Clone, Serialize)]
struct Line {
    id: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_text")]
    state: State,
    is_done: bool,
    evidence: String,
    /// The figures that its checks measured, or what was noted of it.
    actual: String,
    by: String,
    time: String,
    severity: String,
    respond_within: &'static str,
    /// What its failure says, or what somebody has to look at.
    text: String,
    exhibits: Vec<Exhibit>,
}

/// A line that is not done.
#[derive(Serialize)]
struct Open {
    line: Line,
    /// What to do about a failed or undecided one.
    action: Option<String>,
    call: Option<String>,
}

/// A row of the runbook's "Monitoring Checklist".
#[derive(Serialize)]
struct Metric {
    name: &'static str,
    expected: &'static str,
    actual: String,
    #[serde(serialize_with = "as_text")]
    state: State,
    is_done: bool,
}

#[derive(Serialize)]
struct Section {
    title: &'static str,
    lines: Vec<Line>,
}

/// The rollback that applies.
#[derive(Serialize)]
struct Applies {
    level: u8,
    title: &'static str,
    use_when: &'static str,
    /// The failed steps whose remedy it is.
    steps: Vec<&'static str>,
}

/// The document.
#[derive(Serialize)]
pub struct SignOff {
    #[serde(serialize_with = "as_text")]
    pub status: Status,
    rule: &'static str,
    deployed_by: String,
    verified_by: String,
    /// When the last check ended, or the last person signed.
    time: String,
    counts: String,
    rollback: Option<Applies>,
    /// What the runbook says to do about the failed ones.
    remedies: BTreeSet<String>,
    open: Vec<Open>,
    completed: Vec<Line>,
    monitoring: Vec<Metric>,
    escalation: Vec<Contact>,
    sections: Vec<Section>,
    /// Lines that are done and kept something.
    shown: Vec<Line>,
}

impl SignOff {
    const RULE: &str = "Failed: a step failed. Partial: none failed, but one is undecided, not run or not signed for. Success: every step passed or is signed for.";

    /// # Errors
    /// When somebody signed for what the tests did look at.
    pub fn of(judgement: &Judgement<'_>, signed: &Signed, signers: &Signers) -> Result<Self, Error> {
        let by_step: BTreeMap<&str, &JudgedStep<'_>> =
            judgement.steps.iter().map(|step| (step.step.id.as_str(), step)).collect();
        let steps = Runbook::get().steps();
        let (sums, own): (Vec<_>, Vec<_>) = steps.iter().partition(|step| !step.follows.is_empty());
        let mut lines: BTreeMap<&str, Line> = BTreeMap::new();
        for step in own {
            if judgement.unpromised.iter().any(|unpromised| unpromised.id == step.id) {
                lines.insert(&step.id, Line::of(step, State::NotPromised));
                continue;
            }
            let tested = || Line::of_tests(step, by_step.get(step.id.as_str()).copied());
            let line = match (&step.manual, &step.otherwise) {
                (Some(manual), _) => Line::of_people(step, manual, signed),
                (None, Some(otherwise)) => tested().or_of_people(step, otherwise, signed)?,
                (None, None) => tested(),
            };
            lines.insert(&step.id, line);
        }
        let worst = lines.values().map(|line| line.state).max().unwrap_or(State::NotRun);
        let mut counts: BTreeMap<State, usize> = BTreeMap::new();
        lines.values().for_each(|line| *counts.entry(line.state).or_default() += 1);
        let summed: Vec<_> = sums.iter().map(|step| Line::of_others(step, &lines)).collect();
        lines.extend(summed.into_iter().map(|line| (line.id, line)));

        let in_order = || steps.iter().filter_map(|step| Some((step, lines.get(step.id.as_str())?)));
        let failed: Vec<_> = in_order()
            .filter(|(step, line)| line.state == State::Failed && step.follows.is_empty())
            .map(|(step, _)| step)
            .collect();
        let results =
            judgement.steps.iter().flat_map(|step| &step.checks).filter_map(|check| check.result.as_ref().ok());
        let last = results.map(|result| result.finished);
        let last = last.chain(signed.signatures.iter().map(|signature| signature.at)).max();
        let mut sections: Vec<Section> = Vec::new();
        for (step, line) in in_order() {
            // Shown once, among what is open or among the evidence.
            let line = Line { exhibits: Vec::new(), ..line.clone() };
            match sections.last_mut().filter(|section| section.title == step.section) {
                Some(section) => section.lines.push(line),
                None => sections.push(Section { title: &step.section, lines: vec![line] }),
            }
        }
        let counts: Vec<_> = counts.iter().rev().map(|(state, count)| format!("{count} {state}")).collect();
        Ok(Self {
            status: match worst {
                State::Failed => Status::Failed,
                state if state.is_done() => Status::Success,
                _ => Status::Partial,
            },
            rule: Self::RULE,
            deployed_by: signers.deployed_by.clone(),
            verified_by: signers.verified_by.clone(),
            time: last.map(told).unwrap_or_default(),
            counts: counts.join(", "),
            rollback: Applies::to(&failed),
            remedies: failed.iter().map(|step| remedy(step)).collect(),
            open: in_order()
                .filter(|(step, line)| !line.is_done && step.follows.is_empty())
                .map(|(step, line)| Open::of(step, line, signed))
                .collect(),
            completed: in_order()
                .filter(|(step, _)| !step.follows.is_empty() && !step.approval)
                .map(|(_, line)| line.clone())
                .collect(),
            monitoring: in_order().filter_map(|(step, line)| Metric::of(step, line)).collect(),
            escalation: signed.contacts(),
            shown: in_order()
                .filter(|(_, line)| line.is_done && !line.exhibits.is_empty())
                .map(|(_, line)| line.clone())
                .collect(),
            sections,
        })
    }

    /// How many steps became what, the worst first.
    pub fn counts(&self) -> &str {
        &self.counts
    }

    /// The document for people with an editor, and for whoever greps.
    pub fn markdown(&self) -> Result<String, Error> {
        self.render("SIGNOFF.md", include_str!("SIGNOFF.md"))
    }

    /// The document for people with a browser: one file that asks for no other.
    pub fn html(&self) -> Result<String, Error> {
        self.render("index.html", include_str!("index.html"))
    }

    /// A paragraph in Markdown.
    pub fn summary(&self) -> String {
        format!("## Release sign-off: {}\n\n{}\n\n{}", self.status, self.counts, self.rule)
    }

    fn render(&self, name: &'static str, template: &'static str) -> Result<String, Error> {
        let mut environment = Environment::new();
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.add_filter("cell", crate::github::cell);
        environment.add_filter("fence", fence);
        environment.add_filter("class", |state: String| state.to_lowercase().replace(' ', "-"));
        environment.add_template(name, template)?;
        Ok(environment.get_template(name)?.render(Serde(self))?.trim_end().to_owned() + "\n")
    }
}

impl Line {
    fn of(step: &'static Step, state: State) -> Self {
        let severity = step.severity();
        Self {
            id: &step.id,
            title: &step.title,
            state,
            is_done: state.is_done(),
            evidence: String::new(),
            actual: String::new(),
            by: String::new(),
            time: String::new(),
            severity: format!("{} {}", step.severity, severity.definition),
            respond_within: &severity.respond_within,
            text: String::new(),
            exhibits: Vec::new(),
        }
    }

    fn of_people(step: &'static Step, manual: &Manual, signed: &Signed) -> Self {
        match signed.signatures.iter().find(|signature| signature.step == step.id) {
            Some(signature) => Self {
                by: signature.by.clone(),
                time: told(signature.at),
                evidence: signature.note.clone(),
                actual: signature.note.clone(),
                ..Self::of(step, State::Signed)
            },
            None => Self { text: format!("{}: {}", manual.by, manual.look), ..Self::of(step, State::NotSigned) },
        }
    }

    fn of_tests(step: &'static Step, judged: Option<&JudgedStep<'_>>) -> Self {
        let Some(judged) = judged else {
            return Self { text: "no check of the run covers this step".to_owned(), ..Self::of(step, State::NotRun) };
        };
        let checks: Vec<&CheckResult> =
            judged.checks.iter().filter_map(|check| check.result.as_ref().ok().copied()).collect();
        let state = judged.word().into();
        let mut evidence = format!("{} check{}", checks.len(), if checks.len() == 1 { "" } else { "s" });
        let figures: Vec<_> = checks.iter().filter_map(|check| check.measured.as_deref()).collect();
        let actual = figures.join(", ");
        if !actual.is_empty() {
            evidence += &format!(": {actual}");
        }
        let worst = judged.worst().filter(|check| check.outcome() != Outcome::Passed);
        let text = worst.map(|check| match &check.result {
            Ok(result) => result.text().unwrap_or_default().to_owned(),
            Err(why) => format!("{}: {why}", check.planned.name),
        });
        Self {
            evidence,
            actual,
            by: "cargo test".to_owned(),
            time: checks.iter().map(|check| check.finished).max().map(told).unwrap_or_default(),
            text: text.unwrap_or_default(),
            exhibits: checks.iter().flat_map(|check| Exhibit::all_of(check)).collect(),
            ..Self::of(step, state)
        }
    }

    /// Where the tests could not look, a person may. What they saw, nobody signs away.
    fn or_of_people(self, step: &'static Step, otherwise: &Manual, signed: &Signed) -> Result<Self, Error> {
        let is_signed = signed.signatures.iter().any(|signature| signature.step == step.id);
        Ok(match (self.state, is_signed) {
            (State::NotRun, true) => Self::of_people(step, otherwise, signed),
            (State::NotRun, false) => {
                let text = format!("{}\nor {}: {}", self.text, otherwise.by, otherwise.look);
                Self { text: text.trim_start().to_owned(), ..self }
            }
            (state, true) => {
                return Err(format!(
                    "{} is signed for, and its tests did look: {state}. Take the signature out",
                    step.id
                )
                .into());
            }
            (_, false) => self,
        })
    }

    /// The worst of the steps that it sums up.
    fn of_others(step: &'static Step, lines: &BTreeMap<&str, Line>) -> Self {
        let summed = Runbook::get().steps().iter().filter(|other| step.sums_up(other));
        let summed: Vec<_> = summed.filter_map(|other| lines.get(other.id.as_str())).collect();
        let open: Vec<_> = summed.iter().filter(|line| !line.is_done).map(|line| line.id).collect();
        let by: BTreeSet<_> = summed.iter().filter(|line| line.is_done).map(|line| line.by.as_str()).collect();
        let evidence = match open.len() {
            0 => format!("{} steps", summed.len()),
            count => format!("{count} of {} steps open: {}", summed.len(), open.join(", ")),
        };
        Self {
            evidence,
            by: by.into_iter().collect::<Vec<_>>().join(", "),
            time: summed.iter().map(|line| line.time.clone()).max().unwrap_or_default(),
            ..Self::of(step, summed.iter().map(|line| line.state).max().unwrap_or(State::NotRun))
        }
    }
}

impl Open {
    fn of(step: &'static Step, line: &Line, signed: &Signed) -> Self {
        let action = match line.state {
            State::Failed => Some(remedy(step)),
            State::Undecided => {
                Some(format!("decide it: remove what the text names, then cargo xtask verify --step {}", step.id))
            }
            _ => None,
        };
        let call = action.as_ref().map(|_| signed.whom_to_call(&step.remedy().escalate_to));
        Self { line: line.clone(), action, call }
    }
}

impl Metric {
    fn of(step: &'static Step, line: &Line) -> Option<Self> {
        let expected = step.expected.as_deref()?;
        let name = step.title.strip_suffix(expected)?.trim_end_matches([':', ' ']);
        Some(Self { name, expected, actual: line.actual.clone(), state: line.state, is_done: line.is_done })
    }
}

impl Applies {
    /// The highest level among the remedies of the failed steps.
    fn to(failed: &[&'static Step]) -> Option<Self> {
        let level = failed.iter().filter_map(|step| step.remedy().level).max()?;
        let Rollback { title, use_when, .. } = Runbook::get().rollback(level)?;
        let steps = failed.iter().filter(|step| step.remedy().level == Some(level)).map(|step| step.id.as_str());
        Some(Self { level, title, use_when, steps: steps.collect() })
    }
}

fn remedy(step: &Step) -> String {
    let remedy: &Remedy = step.remedy();
    format!("{}: {}", remedy.title, remedy.action)
}

/// To the second, in UTC.
fn told(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A text as a block that nothing in it can end.
fn fence(text: String) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}text\n{text}\n{fence}")
}
