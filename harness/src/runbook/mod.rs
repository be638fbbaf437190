//! The runbook's lines as data (`fixtures/runbook.toml`): what a step is called, how bad its failure is, what to do.

use std::{collections::BTreeMap, sync::LazyLock};

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
    /// Who looks at what, where no test does.
    pub manual: Option<Manual>,
    /// Who looks at what, where its tests cannot.
    pub otherwise: Option<Manual>,
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
    /// Its first moves.
    pub action: String,
}

/// All steps, in the runbook's order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
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
        }
    }

    #[test]
    fn a_section_selects_its_lines_and_no_others() {
        let step = Runbook::get().step("4.1.2").unwrap();
        assert!(step.is_selected_by("4.1") && step.is_selected_by("4") && step.is_selected_by("4.1.2"));
        assert!(!step.is_selected_by("4.1.") && !step.is_selected_by("4.10") && !step.is_selected_by("4.1.20"));
    }
}
