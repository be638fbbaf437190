//! What can become of a check and of a step: the four outcomes, their order and their words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What became of a step of the runbook, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A check saw what the runbook promises.
    Passed,
    /// No check looked, and the text says why.
    NotRun,
    /// A check looked and could not tell.
    Undecided,
    /// A check saw something else.
    Failed,
}

impl Outcome {
    /// The worst of several: one red check is the outcome of its step. None of none.
    pub fn worst(outcomes: impl IntoIterator<Item = Self>) -> Option<Self> {
        outcomes.into_iter().max()
    }
}

/// As people read it.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Outcome::Passed => "passed",
            Outcome::NotRun => "not run",
            Outcome::Undecided => "undecided",
            Outcome::Failed => "FAILED",
        })
    }
}
