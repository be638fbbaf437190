//! What a soak leaves for whoever releases: its sums, in a folder beside those of runs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    deployment::Deployment,
    failure::{Failure, Verdict},
    run::{self, runs_folder},
    target::Target,
};

const PREFIX: &str = "soak-";
const FILE: &str = "soak.json";

/// A soak that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Soaked {
    /// The format of this file; readers refuse others.
    pub format: u32,
    /// What its institution, devices and messages are named after.
    pub id: String,
    /// The deployment.
    pub target: Target,
    /// URL of its front end, without credentials.
    pub site: Option<String>,
    /// Its Supabase project.
    pub project: Option<String>,
    /// The commit that was to be live, where somebody said it.
    pub commit: Option<String>,
    /// When the first message was sent.
    pub started: Timestamp,
    /// When the last one was answered.
    pub finished: Timestamp,
    /// Whether somebody, or a deployment that answered no more, ended it before all were sent.
    pub ended_early: bool,
    /// Messages that were sent, duplicates included.
    pub messages: u32,
    /// How many of them in a second.
    pub per_second: f64,
    /// Messages that were reported as taken, and have no row or no payment.
    pub lost: u32,
    /// Messages with several rows or payments.
    pub doubled: u32,
    /// Messages of which something else does not agree.
    pub otherwise_wrong: u32,
}

impl Soaked {
    /// The format of today.
    pub const FORMAT: u32 = 1;

    /// Leaves it in a folder of its own below `runs`, and answers with that.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, runs: &Path) -> io::Result<PathBuf> {
        let folder = runs.join(format!("{PREFIX}{}", self.id));
        fs::create_dir_all(&folder)?;
        run::write(&folder, FILE, &serde_json::to_vec_pretty(self)?)?;
        Ok(folder)
    }

    /// The last soak that says something of this deployment's release, with its folder: of staging, where the deployment is
    /// one that is not soaked itself.
    ///
    /// # Errors
    /// Not run where the embedded portal's repository cannot be had; undecided where a soak cannot be read.
    pub async fn before(deployment: &Deployment) -> Verdict<Option<(Self, PathBuf)>> {
        let (target, runs) = match deployment.target() {
            Target::Embedded => (Target::Embedded, deployment.checkout().await?.folder().join("target/runs")),
            Target::Local => (Target::Local, runs_folder()),
            Target::Staging | Target::Production | Target::Unnamed => (Target::Staging, runs_folder()),
        };
        Self::last(&runs, target).map_err(|error| {
            Failure::undecided("the soaks that were made can be read")
                .expected(format!("{FILE} of format {} in each folder {PREFIX}…", Self::FORMAT))
                .seen(error.to_string())
                .at(runs.display().to_string())
                .advice("remove the folder, and soak again")
        })
    }

    fn last(runs: &Path, target: Target) -> io::Result<Option<(Self, PathBuf)>> {
        let Ok(entries) = fs::read_dir(runs) else { return Ok(None) };
        let mut last: Option<(Self, PathBuf)> = None;
        for entry in entries {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
                continue;
            }
            let soaked = Self::read(&entry.path())?;
            let is_later = last.as_ref().is_none_or(|(last, _)| soaked.finished > last.finished);
            if soaked.target == target && is_later {
                last = Some((soaked, entry.path()));
            }
        }
        Ok(last)
    }

    fn read(folder: &Path) -> io::Result<Self> {
        let file = folder.join(FILE);
        let named = |why: String| io::Error::other(format!("{}: {why}", file.display()));
        let bytes = fs::read(&file).map_err(|error| named(error.to_string()))?;
        let soaked: Self = serde_json::from_slice(&bytes).map_err(|error| named(error.to_string()))?;
        match soaked.format {
            Self::FORMAT => Ok(soaked),
            other => Err(named(format!("it has format {other}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soaked(id: &str, target: Target, minute: i64) -> Soaked {
        let at = Timestamp::from_second(1_750_000_000 + 60 * minute).unwrap();
        Soaked {
            format: Soaked::FORMAT,
            id: id.to_owned(),
            target,
            site: None,
            project: None,
            commit: Some("c0ffee".to_owned()),
            started: at,
            finished: at,
            ended_early: false,
            messages: 1000,
            per_second: 100.5,
            lost: 0,
            doubled: 0,
            otherwise_wrong: 0,
        }
    }

    #[test]
    fn the_last_soak_of_a_target_is_found_among_runs() {
        let runs = tempfile::tempdir().unwrap();
        assert_eq!(Soaked::last(&runs.path().join("none"), Target::Staging).unwrap(), None);
        fs::create_dir(runs.path().join("2026-11-27T00-21-27Z-dc8807")).unwrap();
        let newer = soaked("b", Target::Staging, 2);
        for soaked in [&newer, &soaked("a", Target::Staging, 1), &soaked("c", Target::Local, 3)] {
            soaked.keep(runs.path()).unwrap();
        }
        let (last, folder) = Soaked::last(runs.path(), Target::Staging).unwrap().unwrap();
        assert_eq!((last, folder), (newer, runs.path().join("soak-b")));
    }

    #[test]
    fn a_soak_that_cannot_be_read_is_named_and_not_passed_over() {
        let runs = tempfile::tempdir().unwrap();
        soaked("a", Target::Staging, 1).keep(runs.path()).unwrap();
        let of_later = Soaked { format: 2, ..soaked("b", Target::Staging, 2) };
        of_later.keep(runs.path()).unwrap();
        let why = Soaked::last(runs.path(), Target::Staging).unwrap_err().to_string();
        assert!(why.ends_with("soak-b/soak.json: it has format 2"), "{why}");
    }
}
