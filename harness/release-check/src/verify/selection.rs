//! Which steps of the runbook were chosen.

use harness::{Manual, Runbook, Step};

use crate::{Error, Usage, nearest::nearest};

/// The chosen steps that tests verify.
#[derive(Debug)]
pub struct Selection {
    filter: Option<String>,
}

impl Selection {
    /// The step with this id and those below it; all without a filter.
    ///
    /// # Errors
    /// When there is no such step, or tests do not verify it.
    pub fn of(filter: Option<&str>) -> Result<Self, Error> {
        let selection = Self { filter: filter.map(str::to_owned) };
        let steps = Runbook::get().steps();
        if steps.iter().any(|step| selection.has(step)) {
            return Ok(selection);
        }
        let filter = filter.unwrap_or_default();
        let others: Vec<_> = steps.iter().filter(|step| step.is_selected_by(filter)).map(others).collect();
        if !others.is_empty() {
            return Err(Usage::error(others.join("\n")));
        }
        let ids = || steps.iter().map(|step| step.id.as_str());
        Err(Usage::error(format!(
            "no step of the runbook is {filter:?} or below it{}\nrelease-check runbook lists all of them",
            nearest(filter, ids())
        )))
    }

    /// Whether tests verify the step, and it was chosen.
    pub fn has(&self, step: &Step) -> bool {
        step.is_tested() && self.filter.as_ref().is_none_or(|filter| step.is_selected_by(filter))
    }

    /// The same by its id; a step that the runbook lacks is left to whoever judges.
    pub fn has_id(&self, id: &str) -> bool {
        Runbook::get().step(id).map_or(self.is_everything(), |step| self.has(step) || self.is_everything())
    }

    /// Whether nothing was left out.
    pub fn is_everything(&self) -> bool {
        self.filter.is_none()
    }
}

fn others(step: &Step) -> String {
    match &step.manual {
        Some(Manual { by, look }) => format!("{} {} is verified by people ({by}): {look}", step.id, step.title),
        None => format!("{} {} follows from {}", step.id, step.title, step.follows.join(", ")),
    }
}
