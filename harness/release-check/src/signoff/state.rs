//! What becomes of a step, and of a release: the runbook's "Deployment Status".

use std::fmt;

use harness::Outcome;
use serde::{Deserialize, Serialize};

/// The runbook's "Deployment Status".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every step passed or is signed for, and no weakened promise is open.
    Success,
    /// None failed, but something is open.
    Partial,
    /// A step failed.
    Failed,
}

impl Status {
    /// How it is found.
    pub const RULE: &str = "Failed: a step failed. Partial: none failed, but one is undecided, not run or not signed for, or a weakened promise is not accepted. Success: every step passed or is signed for.";
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What became of a step, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The checks passed, here or where they are not left out.
    Passed,
    /// There is nothing that it could be about: not promised, or not done.
    LeftOut,
    /// Somebody signed for it.
    Signed,
    /// Somebody has to sign for it.
    NotSigned,
    /// Nobody looked.
    NotRun,
    /// The checks could not tell.
    Undecided,
    /// Not kept.
    Failed,
}

impl State {
    /// Whether nothing is left to do.
    pub fn is_done(self) -> bool {
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
            Self::LeftOut => f.pad("left out"),
            Self::Signed => f.pad("signed"),
            Self::NotSigned => f.pad("not signed"),
            Self::NotRun => Outcome::NotRun.fmt(f),
            Self::Undecided => Outcome::Undecided.fmt(f),
            Self::Failed => Outcome::Failed.fmt(f),
        }
    }
}
