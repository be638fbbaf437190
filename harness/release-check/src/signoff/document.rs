//! The document: what was verified, what is open and what to do, then the runbook's own tables, filled.

use std::{cmp::Reverse, collections::BTreeMap};

use harness::{
    Runbook, Step,
    run::{JudgedStep, Judgement, Run, judge},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Signers, as_text,
    basis::Basis,
    line::{Line, Source},
    moment,
    monitoring::{Earlier, Metric},
    open::{Open, Promise},
    remedies::Remedies,
    signed::{Contact, Signed},
    state::{State, Status},
    subject::{Subject, end},
};
use crate::{Error, history};

/// Everything that a document is made of. The same makes the same bytes.
pub struct Materials<'m> {
    /// The runs.
    pub basis: &'m Basis,
    /// What people signed for.
    pub signed: &'m Signed,
    /// Who signs the document.
    pub signers: &'m Signers,
    /// Earlier verifications of the target.
    pub history: &'m [history::Entry],
    /// The public key of the signature that is put beside it.
    pub key: Option<String>,
}

/// The document.
#[derive(Serialize)]
pub struct SignOff {
    title: String,
    pub subject: Subject,
    #[serde(serialize_with = "as_text")]
    pub status: Status,
    rule: &'static str,
    deployed_by: String,
    verified_by: String,
    /// When the last check ended, or the last person signed.
    #[serde(skip)]
    pub at: Timestamp,
    time: String,
    key: Option<String>,
    numbers: Vec<Number>,
    pub open: Vec<Open>,
    pub promises: Vec<Promise>,
    open_promises: usize,
    not_promised: Vec<String>,
    stays: Vec<String>,
    remedies: Remedies,
    completed: Vec<Line>,
    monitoring: Vec<Metric>,
    earlier: Vec<Earlier>,
    figures: Vec<&'static str>,
    escalation: Vec<Contact>,
    sections: Vec<Section>,
    /// Lines with evidence of checks that passed.
    shown: Vec<Line>,
}

/// How many steps became what.
#[derive(Serialize)]
pub struct Number {
    #[serde(serialize_with = "as_text")]
    pub state: State,
    pub count: usize,
}

#[derive(Serialize)]
struct Section {
    title: &'static str,
    lines: Vec<Line>,
    /// How many of them are not done.
    open: usize,
}

impl SignOff {
    /// # Errors
    /// When somebody signed for what the tests did look at.
    pub fn of(materials: &Materials<'_>) -> Result<Self, Error> {
        let Materials { basis, signed, signers, history, key } = materials;
        let runs = &basis.runs;
        let judgement = judge(runs, &basis.proofs, |_| true);
        let source = Source { runs, proofs: &basis.proofs, signed };
        let lines = Lines::of(&judgement, &source)?;
        let target = runs[0].manifest.target.unwrap_or(harness::Target::Unnamed);
        let subject = Subject::of(runs, target);
        let promises: Vec<_> = judgement.weakened.iter().map(|weakened| Promise::of(weakened, signed)).collect();
        let open_promises = promises.iter().filter(|promise| !promise.is_done).count();
        let before = history::releases_before(history, end(runs));
        let at = signed.times().chain([end(runs)]).max().unwrap_or(end(runs));
        Ok(Self {
            title: subject.title(),
            status: status(lines.worst(), open_promises),
            rule: Status::RULE,
            deployed_by: signers.deployed_by.clone(),
            verified_by: signers.verified_by.clone(),
            at,
            time: moment(at),
            key: key.clone(),
            numbers: lines.numbers(),
            open: lines.open(signed, target),
            open_promises,
            promises,
            not_promised: judgement.not_promised.iter().map(|section| format!("[{section}]")).collect(),
            stays: runs.iter().flat_map(Run::what_stays).collect(),
            remedies: Remedies::of(lines.own(), signed),
            completed: lines.sums().filter(|(step, _)| !step.approval).map(|(_, line)| line.in_a_row()).collect(),
            monitoring: lines
                .all()
                .filter_map(|(step, line)| Metric::of(step, line, lines.judged(step), &before))
                .collect(),
            earlier: before.into_iter().map(Earlier::of).collect(),
            figures: Earlier::figures(),
            escalation: signed.contacts(),
            sections: lines.sections(),
            shown: lines.own().filter(|line| !line.exhibits.is_empty()).cloned().collect(),
            subject,
        })
    }

    /// How many steps became what, the worst first.
    pub fn counts(&self) -> String {
        let each: Vec<_> = self.numbers.iter().map(|number| format!("{} {}", number.count, number.state)).collect();
        each.join(", ")
    }

    /// How many steps became what.
    pub fn numbers(&self) -> &[Number] {
        &self.numbers
    }

    /// The first line.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// A paragraph in Markdown.
    pub fn summary(&self) -> String {
        format!("## {}: {}\n\n{}\n\n{}", self.title, self.status, self.counts(), self.rule)
    }
}

fn status(worst: State, open_promises: usize) -> Status {
    match worst {
        State::Failed => Status::Failed,
        state if state.is_done() && open_promises == 0 => Status::Success,
        _ => Status::Partial,
    }
}

/// The runbook's steps with what became of them.
struct Lines<'j> {
    lines: BTreeMap<&'static str, Line>,
    judged: BTreeMap<&'static str, &'j JudgedStep<'j>>,
}

impl<'j> Lines<'j> {
    fn of(judgement: &'j Judgement<'j>, source: &Source<'_>) -> Result<Self, Error> {
        let judged: BTreeMap<_, _> = judgement.steps.iter().map(|step| (step.step.id.as_str(), step)).collect();
        let mut lines = BTreeMap::new();
        for step in Runbook::get().steps().iter().filter(|step| step.follows.is_empty()) {
            let line = match judgement.unpromised.iter().any(|unpromised| unpromised.id == step.id) {
                true => Line::left_out(step, judgement.reason(step)),
                false => Line::made(step, judged.get(step.id.as_str()).copied(), source)?,
            };
            lines.insert(step.id.as_str(), line);
        }
        let sums = Runbook::get().steps().iter().filter(|step| !step.follows.is_empty());
        let sums: Vec<_> = sums.map(|step| Line::of_others(step, &lines)).collect();
        lines.extend(sums.into_iter().map(|line| (line.id, line)));
        Ok(Self { lines, judged })
    }

    fn judged(&self, step: &Step) -> Option<&'j JudgedStep<'j>> {
        self.judged.get(step.id.as_str()).copied()
    }

    /// In the runbook's order.
    fn all(&self) -> impl Iterator<Item = (&'static Step, &Line)> {
        Runbook::get().steps().iter().filter_map(|step| Some((step, self.lines.get(step.id.as_str())?)))
    }

    /// Steps that sum up others.
    fn sums(&self) -> impl Iterator<Item = (&'static Step, &Line)> {
        self.all().filter(|(step, _)| !step.follows.is_empty())
    }

    /// The other steps.
    fn own(&self) -> impl Iterator<Item = &Line> {
        self.all().filter(|(step, _)| step.follows.is_empty()).map(|(_, line)| line)
    }

    fn worst(&self) -> State {
        self.own().map(|line| line.state).max().unwrap_or(State::NotRun)
    }

    fn numbers(&self) -> Vec<Number> {
        let mut counts: BTreeMap<State, usize> = BTreeMap::new();
        self.own().for_each(|line| *counts.entry(line.state).or_default() += 1);
        counts.into_iter().rev().map(|(state, count)| Number { state, count }).collect()
    }

    /// What is not done: the worst first and, of what failed, the most severe.
    fn open(&self, signed: &Signed, target: harness::Target) -> Vec<Open> {
        let mut open: Vec<_> = self
            .all()
            .filter(|(step, line)| step.follows.is_empty() && !line.is_done)
            .map(|(step, line)| Open::of(step, line, signed, target))
            .collect();
        open.sort_by_key(|open| (Reverse(open.line.state), open.line.severity.clone()));
        open
    }

    fn sections(&self) -> Vec<Section> {
        let mut sections: Vec<Section> = Vec::new();
        for (step, line) in self.all() {
            let (line, open) = (line.in_a_row(), usize::from(!line.is_done));
            match sections.last_mut().filter(|section| section.title == step.section) {
                Some(section) => {
                    section.lines.push(line);
                    section.open += open;
                }
                None => sections.push(Section { title: &step.section, lines: vec![line], open }),
            }
        }
        sections
    }
}
