//! The runbook's lines as data (`fixtures/runbook.toml`): what a step is called, how bad its failure is, what to do.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use serde::Deserialize;

/// One line of the runbook that a release has to keep.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Stable name: the runbook's own numbers; `pre.`, `rollback.`, `post.`, `sec.`, `signoff.` and `app.` stand for the
    /// sections without one.
    pub id: String,
    /// The heading it stands under.
    pub section: String,
    /// Its line in the runbook.
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
    /// What the runbook's monitoring table expects of its figure; the title ends with it.
    pub expected: Option<String>,
    /// Who looks at what, where no test does.
    pub manual: Option<Manual>,
    /// Who looks at what, where its tests cannot.
    pub otherwise: Option<Manual>,
    /// The steps that it sums up, as [`Step::is_selected_by`] selects them: its outcome is the worst of theirs.
    #[serde(default)]
    pub follows: Vec<String>,
}

/// What the checks of a step do to a deployment, and so whether they run on production.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Production {
    /// They only read.
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
    /// Their role.
    pub by: String,
    /// What they look at, as a sentence that is true when the step is kept.
    pub look: String,
}

/// A row of the runbook's "Severity Levels".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Severity {
    /// Its definition.
    pub definition: String,
    /// Its response time.
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
    /// Its first moves.
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    roles: Vec<String>,
    rollback: Vec<Rollback>,
    #[serde(rename = "step")]
    steps: Vec<Step>,
    severity: BTreeMap<String, Severity>,
    remedy: BTreeMap<String, Remedy>,
}

static RUNBOOK: LazyLock<Runbook> = LazyLock::new(|| {
    // Part of this source: `tests::the_runbook_is_sound` reads it, so no user meets this panic.
    toml::from_str(include_str!("../../../fixtures/runbook.toml")).expect("fixtures/runbook.toml is sound")
});

impl Runbook {
    /// The runbook of this release.
    pub fn get() -> &'static Runbook {
        &RUNBOOK
    }

    /// All steps, in the runbook's order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
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
    /// Its row of the severity table.
    pub fn severity(&self) -> &'static Severity {
        &RUNBOOK.severity[&self.severity]
    }

    /// What to do when it fails.
    pub fn remedy(&self) -> &'static Remedy {
        &RUNBOOK.remedy[&self.remedy]
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
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_runbook_is_sound() {
        let runbook = Runbook::get();
        let ids: BTreeSet<_> = runbook.steps().iter().map(|step| &step.id).collect();
        assert_eq!(ids.len(), runbook.steps().len(), "every id once");
        for step in runbook.steps() {
            assert!(!step.severity().definition.is_empty() && !step.remedy().action.is_empty(), "{}", step.id);
            assert!(step.expected.iter().all(|expected| step.title.ends_with(expected.as_str())), "{}", step.id);
        }
        for remedy in runbook.remedy.values() {
            assert!(runbook.roles().contains(&remedy.escalate_to), "{}", remedy.title);
            assert!(remedy.level.is_none_or(|level| runbook.rollback(level).is_some()), "{}", remedy.title);
        }
    }

    #[test]
    fn the_final_approval_sums_up_every_step() {
        let steps = Runbook::get().steps();
        let (sums, others): (Vec<_>, Vec<_>) = steps.iter().partition(|step| !step.follows.is_empty());
        let approval = Runbook::get().step("signoff.final").unwrap();
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
