//! What is written down of a run before its first check, and after its last one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::exclusion::LeftOutBecause;
use crate::{contract::Weakened, privacy::Detail, section::Section, target::Target};

/// The format of the files in a run's folder; readers refuse others.
pub(super) const FORMAT: u32 = 1;

/// What a run verifies, and what it is going to check: `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format of this file.
    pub format: u32,
    /// The run's name: when it began, and a few letters of chance.
    pub id: String,
    /// When it began.
    pub began: Timestamp,
    /// Who runs the checks.
    pub runner: Runner,
    /// The deployment; none where the configuration names none that there is.
    pub target: Option<Target>,
    /// URL of its front end, without credentials; the embedded portal has a new one in each process.
    pub site: Option<String>,
    /// The Supabase project.
    pub project: Option<String>,
    /// The commit that is to be live, where somebody says it.
    pub release_commit: Option<String>,
    /// What the checks were compiled from.
    pub harness: Harness,
    /// What the portal promises.
    pub contract: Source,
    /// What its operators promise.
    pub runbook: Source,
    /// Where the checks run.
    pub machine: Machine,
    /// What was asked for.
    pub chosen: Chosen,
    /// Every check that it is going to make, or leaves out by design.
    pub checks: Vec<Planned>,
    /// What the contract asks less of than the runbook does.
    pub weakened: Vec<Weakened>,
    /// Parts of the contract that this portal has no use for.
    pub not_promised: Vec<Section>,
    /// Whether evidence shows members' data: by the target, or as somebody chose.
    pub evidence: Detail,
}

/// Who runs the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runner {
    /// `cargo test`: one process for a suite, which opens and closes the run itself.
    CargoTest,
    /// `cargo nextest run`: a process for each check. Nobody closes such a run; it is whole when no result is missing.
    Nextest,
    /// `release-check`: all suites, one after the other.
    ReleaseCheck,
}

/// What the checks were compiled from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Harness {
    /// Version of the crate `harness`.
    pub version: String,
    /// Commit of its repository, where there is one.
    pub commit: Option<String>,
    /// Whether files differed from that commit.
    pub dirty: bool,
}

/// A file that decides what is checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The path, or which of those compiled in it is.
    pub name: String,
    /// SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
}

/// Where the checks run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Operating system.
    pub os: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory, in megabytes; none where the system does not say.
    pub memory_mb: Option<u64>,
    /// How many processes wanted a core in the last minute, when the run began.
    pub load: Option<f64>,
}

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// The suites; all when empty.
    pub suites: Vec<String>,
    /// A step of the runbook, or the beginning of several.
    pub step: Option<String>,
    /// The test runner's own arguments.
    pub filter: Vec<String>,
}

impl Chosen {
    /// Whether nothing was left out.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

/// A check that a run is going to make.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// The test's name with its suite: `smoke::routes::…`.
    pub name: String,
    /// The step that it verifies.
    pub step: String,
    /// Parts of a contract that it needs beside those that its step needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Section>,
    /// Why it is left out by design, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOutBecause>,
}

impl Planned {
    /// The suite, as its crate is called in Rust.
    pub fn suite(&self) -> &str {
        self.name.split("::").next().unwrap_or_default()
    }
}

/// How a run ended: `ended.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// The run.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// How each suite's process ended.
    pub suites: Vec<SuiteEnded>,
    /// SHA-256 of every other file of the folder, by name.
    pub sha256: BTreeMap<String, String>,
}

/// How a suite's process ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteEnded {
    /// The suite, as its crate is called in Rust.
    pub suite: String,
    /// How.
    pub how: SuiteEnd,
}

/// How a suite's process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuiteEnd {
    /// By itself, all tests green.
    Green,
    /// By itself, a test red.
    Red,
    /// By itself; whether a test was red is not known to who wrote this.
    ByItself,
    /// Somebody asked it to end.
    Interrupted,
    /// In another way: a signal, an exit code that no test runner has, no start at all.
    Otherwise(String),
}

impl SuiteEnd {
    /// Whether no check was cut off.
    pub fn is_regular(&self) -> bool {
        matches!(self, Self::Green | Self::Red | Self::ByItself)
    }
}
