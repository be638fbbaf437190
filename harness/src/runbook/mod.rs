//! The runbook's lines as data (`fixtures/runbook.toml`, or the file that `HARNESS_RUNBOOK` names): what a step is
//! called, how bad its failure is, what to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt, fs,
    path::Path,
    sync::LazyLock,
};

use serde::Deserialize;

use crate::{section::Section, target::Target, workspace};

/// Names another runbook than the one compiled in.
const VARIABLE: &str = "HARNESS_RUNBOOK";

/// The runbook of the SACCO+ Admin Portal, part of this crate so that an archive of the tests needs no folder beside it.
const BUILT_IN: &str = include_str!("../../../fixtures/runbook.toml");

/// One line of the runbook that a release has to keep.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Stable name: the runbook's own numbers; `pre.`, `rollback.`, `post.`, `sec.`, `signoff.` and `app.` stand for the
    /// sections without one.
    pub id: String,
    /// The heading it stands under.
    pub section: String,
    /// The line in the runbook.
    pub line: u32,
    /// What it says.
    pub title: String,
    /// Key of the runbook's severity table, `P1` to `P4`.
    pub severity: String,
    /// Key of what to do when it fails.
    pub remedy: String,
    /// What verifying it does to a deployment.
    #[serde(default)]
    pub production: Production,
    /// Parts of a contract without which its checks have nothing to look at.
    #[serde(default)]
    pub needs: Vec<Section>,
    /// The names by which the suites call it, where a runbook has ids of its own; `4.4.1` for what they check as that.
    #[serde(default)]
    pub checks: Vec<String>,
    /// What the runbook's monitoring table expects of its figure; the title ends with it.
    pub expected: Option<String>,
    /// The same as a number, where a contract may set another.
    pub limit: Option<Limit>,
    /// Who looks at what, where no test does.
    pub manual: Option<Manual>,
    /// Who looks at what, where its tests cannot.
    pub otherwise: Option<Manual>,
    /// Whether it looks at the deployment as a whole, and so may notice whatever is wrong with it.
    #[serde(default)]
    pub sees_all: bool,
    /// The target whose whole run, passed, proves it instead of the person that `manual` names.
    pub proven_by: Option<Target>,
    /// Whether it is the final approval, whose outcome is the status of the release.
    #[serde(default)]
    pub approval: bool,
    /// The steps that it sums up, as [`Step::is_selected_by`] selects them: its outcome is the worst of theirs.
    #[serde(default)]
    pub follows: Vec<String>,
}

/// A limit of the monitoring table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Of what.
    pub of: Watched,
    /// In milliseconds or percent.
    pub at_most: f64,
}

/// What the monitoring table watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watched {
    /// The dashboard's load time, in milliseconds.
    DashboardLoad,
    /// The ledger's load time, in milliseconds.
    LedgerLoad,
    /// Errors among all answers, in percent.
    Errors,
    /// Messages that were given up, in percent.
    FailedParses,
}

/// What the checks of a step do to a deployment, and so whether they run on production.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Production {
    /// All only read.
    #[default]
    Reads,
    /// Some write, or lock the database's tables.
    Partly,
    /// All do.
    Writes,
}

impl fmt::Display for Production {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Production::Reads => "reads",
            Production::Partly => "partly writes",
            Production::Writes => "writes",
        })
    }
}

/// How a person verifies a step.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    /// The role.
    pub by: String,
    /// What they look at, as a sentence that is true when the step is kept.
    pub look: String,
}

/// A row of the runbook's "Severity Levels".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Severity {
    /// The definition.
    pub definition: String,
    /// The response time.
    pub respond_within: String,
}

/// What the runbook says to do about a failure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// The procedure's name.
    pub title: String,
    /// The level of the rollback that it is part of.
    pub level: Option<u8>,
    /// The role that is called.
    pub escalate_to: String,
    /// The first moves.
    pub action: String,
}

/// One of the runbook's "Rollback Procedures".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// From the lightest on.
    pub level: u8,
    /// What is rolled back.
    pub title: String,
    /// When to.
    pub use_when: String,
}

/// All steps, in the runbook's order.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    roles: Vec<String>,
    #[serde(default)]
    rollback: Vec<Rollback>,
    #[serde(rename = "step")]
    steps: Vec<Step>,
    severity: BTreeMap<String, Severity>,
    remedy: BTreeMap<String, Remedy>,
    #[serde(default)]
    cause: BTreeMap<Cause, Consequence>,
}

/// What is at fault, where a check saw it: `[cause.<name>]` of the runbook says how bad that is and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The front end: its build, its assets, what it shows.
    FrontEnd,
    /// An edge function.
    Functions,
    /// The database: policies, functions, rows.
    Database,
    /// Somebody gets in who must not, or does not who must.
    Access,
    /// Something takes longer than is promised, and works.
    Slow,
    /// A text or a title is another one than is promised, and the thing works.
    Wording,
}

/// What follows from a cause.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consequence {
    /// Key of the severity; none where the step decides.
    pub severity: Option<String>,
    /// Key of the remedy; none where the step decides.
    pub remedy: Option<String>,
}

impl Cause {
    /// Key of the severity that its failure has at a step.
    pub(crate) fn severity_of(self, step: &Step) -> &str {
        let own = RUNBOOK.runbook.cause.get(&self).and_then(|consequence| consequence.severity.as_deref());
        own.unwrap_or(&step.severity)
    }

    /// Key of the remedy that its failure has at a step.
    pub(crate) fn remedy_of(self, step: &Step) -> &str {
        let own = RUNBOOK.runbook.cause.get(&self).and_then(|consequence| consequence.remedy.as_deref());
        own.unwrap_or(&step.remedy)
    }
}

/// The runbook in use, with where it is from and what is wrong with the one that was named.
struct Loaded {
    runbook: Runbook,
    name: String,
    text: String,
    problem: Option<String>,
}

static RUNBOOK: LazyLock<Loaded> = LazyLock::new(|| {
    let named = env::var_os(VARIABLE).filter(|path| !path.is_empty());
    let read = named.as_ref().map(|path| {
        let shown = Path::new(path).display().to_string();
        let text = fs::read_to_string(workspace::root().join(path))
            .map_err(|error| format!("the runbook {shown} cannot be read: {error}"))?;
        let runbook = Runbook::parse(&text).map_err(|why| format!("the runbook {shown} {why}"))?;
        Ok((runbook, shown, text))
    });
    let built_in = || (OWN.clone(), "fixtures/runbook.toml (built in)".to_owned(), BUILT_IN.to_owned());
    let (problem, (runbook, name, text)) = match read {
        None => (None, built_in()),
        Some(Ok(read)) => (None, read),
        Some(Err(problem)) => (Some(problem), built_in()),
    };
    Loaded { runbook, name, text, problem }
});

/// The runbook whose ids the suites use.
static OWN: LazyLock<Runbook> = LazyLock::new(|| {
    // Part of this source: `tests::the_runbook_is_sound` reads it, so no user meets this panic.
    Runbook::parse(BUILT_IN).expect("fixtures/runbook.toml is sound")
});

impl Runbook {
    /// What the checks of this id need of a contract beside what the step asks for that names them in another runbook.
    pub(crate) fn needs_of_check(id: &str, step: Option<&Step>) -> Vec<Section> {
        let needs = OWN.step(id).map(|step| step.needs.as_slice()).unwrap_or_default();
        let is_asked_for = |section: &Section| step.is_some_and(|step| step.needs.contains(section));
        needs.iter().copied().filter(|section| !is_asked_for(section)).collect()
    }

    /// The runbook of this release. Where the one that `HARNESS_RUNBOOK` names is broken, no check runs at all:
    /// [`Runbook::problem`] says why.
    pub fn get() -> &'static Runbook {
        &RUNBOOK.runbook
    }

    /// What is wrong with the runbook that `HARNESS_RUNBOOK` names, and below it what to do.
    pub fn problem() -> Option<String> {
        let problem = RUNBOOK.problem.as_ref()?;
        Some(format!("{problem}\ncorrect it, or unset {VARIABLE} for the one that is built in"))
    }

    /// Where it is from.
    pub(crate) fn source_name() -> String {
        RUNBOOK.name.clone()
    }

    /// The text.
    pub(crate) fn source_text() -> &'static str {
        &RUNBOOK.text
    }

    /// Reads one and finds its contradictions, each with the name of the step.
    fn parse(text: &str) -> Result<Self, String> {
        let runbook: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("cannot be understood at line {}: {}", before.matches('\n').count() + 1, error.message())
        })?;
        runbook.contradiction().map_or(Ok(runbook), |what| Err(format!("contradicts itself: {what}")))
    }

    fn contradiction(&self) -> Option<String> {
        let (mut ids, mut checks) = (BTreeSet::new(), BTreeSet::new());
        for step in &self.steps {
            let id = &step.id;
            if !ids.insert(id) {
                return Some(format!("a second step is {id}"));
            }
            if let Some(check) = step.checks.iter().find(|check| !checks.insert(*check)) {
                return Some(format!("a second step is verified by the checks of {check}, {id}"));
            }
            if !self.severity.contains_key(&step.severity) {
                return Some(format!("step {id} has the severity {:?}, which is not in its table", step.severity));
            }
            if !self.remedy.contains_key(&step.remedy) {
                return Some(format!("step {id} has the remedy {:?}, which is not in its table", step.remedy));
            }
            if step.expected.as_ref().is_some_and(|expected| !step.title.ends_with(expected.as_str())) {
                return Some(format!("the title of step {id} does not end with what it expects"));
            }
        }
        for remedy in self.remedy.values() {
            if !self.roles.contains(&remedy.escalate_to) {
                return Some(format!("the remedy {:?} calls {:?}, which is no role", remedy.title, remedy.escalate_to));
            }
            if let Some(level) = remedy.level.filter(|level| self.rollback(*level).is_none()) {
                return Some(format!("the remedy {:?} is of rollback level {level}, which is not there", remedy.title));
            }
        }
        for consequence in self.cause.values() {
            if let Some(key) = consequence.severity.as_ref().filter(|key| !self.severity.contains_key(*key)) {
                return Some(format!("a cause has the severity {key:?}, which is not in its table"));
            }
            if let Some(key) = consequence.remedy.as_ref().filter(|key| !self.remedy.contains_key(*key)) {
                return Some(format!("a cause has the remedy {key:?}, which is not in its table"));
            }
        }
        None
    }

    /// The row of the severity table with this key.
    pub fn severity(&self, key: &str) -> Option<&Severity> {
        self.severity.get(key)
    }

    /// What to do, by its key.
    pub fn remedy(&self, key: &str) -> Option<&Remedy> {
        self.remedy.get(key)
    }

    /// All steps, in the runbook's order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The step that the suites call this: the one with this id, unless another one claims it.
    pub fn checked_as(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.checks.iter().any(|check| check == name)).or_else(|| self.step(name))
    }

    /// The step with this id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The roles of "Escalation Contacts".
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The rollback of this level.
    pub fn rollback(&self, level: u8) -> Option<&Rollback> {
        self.rollback.iter().find(|rollback| rollback.level == level)
    }
}

impl Step {
    /// The row of the severity table.
    pub fn severity(&self) -> &'static Severity {
        &RUNBOOK.runbook.severity[&self.severity]
    }

    /// What to do when it fails.
    pub fn remedy(&self) -> &'static Remedy {
        &RUNBOOK.runbook.remedy[&self.remedy]
    }

    /// Whether it is a row of the runbook's monitoring table.
    pub fn is_monitored(&self) -> bool {
        self.expected.is_some()
    }

    /// Whether nobody but a person answers it.
    pub fn is_for_people(&self) -> bool {
        self.manual.is_some() && self.proven_by.is_none()
    }

    /// Whether tests verify it: neither people, nor other steps.
    pub fn is_tested(&self) -> bool {
        self.manual.is_none() && self.follows.is_empty()
    }

    /// Whether its outcome is the worst of some, `other` among them.
    pub fn sums_up(&self, other: &Step) -> bool {
        self.follows.iter().any(|filter| other.is_selected_by(filter))
    }

    /// Whether `filter` (an id, or the beginning of one up to a dot) selects this step: `4.1` selects `4.1.2`.
    pub fn is_selected_by(&self, filter: &str) -> bool {
        self.id.strip_prefix(filter).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runbook_is_sound() {
        let runbook = Runbook::parse(BUILT_IN).unwrap();
        assert_eq!(runbook.steps().iter().filter(|step| step.approval).count(), 1);
        let broken = |from: &str, to: &str| Runbook::parse(&BUILT_IN.replacen(from, to, 1)).unwrap_err();
        assert_eq!(broken("id = \"pre.1.2\"", "id = \"pre.1.1\""), "contradicts itself: a second step is pre.1.1");
        assert_eq!(
            broken("severity = \"P3\"\nremedy = \"build\"", "severity = \"P9\"\nremedy = \"build\""),
            "contradicts itself: step pre.1.1 has the severity \"P9\", which is not in its table"
        );
        assert!(broken("[[step]]", "[[step").starts_with("cannot be understood at line 115: "));
    }

    #[test]
    fn checks_need_of_a_contract_what_they_need_under_any_runbook() {
        let [own, planboard] = [BUILT_IN, include_str!("../../../fixtures/planboard/runbook.toml")]
            .map(|text| Runbook::parse(text).unwrap());
        let needs = |runbook: &Runbook, id: &str| Runbook::needs_of_check(id, runbook.checked_as(id));
        assert_eq!(needs(&own, "4.3.1"), []);
        assert_eq!(needs(&planboard, "4.3.1"), [Section::Dashboard, Section::Data]);
        assert_eq!(needs(&planboard, "sec.1.4"), [], "its own step says so");
    }

    #[test]
    fn another_runbook_says_what_its_steps_are_checked_as() {
        let runbook = Runbook::parse(include_str!("../../../fixtures/planboard/runbook.toml")).unwrap();
        let id = |name: &str| runbook.checked_as(name).map(|step| step.id.as_str());
        assert_eq!(id("sec.1.4"), Some("rows.wall"));
        assert_eq!(id("rows.wall"), Some("rows.wall"));
        assert_eq!(id("4.4.2"), None);
        assert_eq!(runbook.step("rows.messages").unwrap().needs, [Section::Sms]);
    }

    #[test]
    fn the_final_approval_sums_up_every_step() {
        let steps = Runbook::get().steps();
        let (sums, others): (Vec<_>, Vec<_>) = steps.iter().partition(|step| !step.follows.is_empty());
        let approval = steps.iter().find(|step| step.approval).unwrap();
        assert!(others.iter().all(|step| approval.sums_up(step)));
        assert!(sums.iter().all(|sum| sum.manual.is_none() && others.iter().any(|step| sum.sums_up(step))));
        assert!(sums.iter().all(|sum| !sums.iter().any(|other| sum.sums_up(other))), "a sum of sums has no end");
    }

    #[test]
    fn a_section_selects_its_lines_and_no_others() {
        let step = Runbook::get().step("4.1.2").unwrap();
        assert!(step.is_selected_by("4.1") && step.is_selected_by("4") && step.is_selected_by("4.1.2"));
        assert!(!step.is_selected_by("4.1.") && !step.is_selected_by("4.10") && !step.is_selected_by("4.1.20"));
    }
}
