//! Finding runs: by their folders, by the folders that they are in, as the last one of a target, as proof.

use std::path::{Path, PathBuf};

use harness::{
    Target,
    run::{Run, runs_folder},
};
use jiff::{SignedDuration, Span, Timestamp, Zoned};

use crate::{Error, Usage};

/// Clocks of machines that work together differ by less.
pub const CLOCKS: SignedDuration = SignedDuration::from_mins(2);

/// The runs with these folders, or in them.
///
/// # Errors
/// When a folder is neither that of a run nor has one in it.
pub fn runs_in(folders: &[PathBuf]) -> Result<Vec<Run>, Error> {
    let mut runs = Vec::new();
    for folder in folders {
        if folder.join("manifest.json").exists() {
            runs.push(Run::read(folder)?);
            continue;
        }
        let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut within: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        within.retain(|path| !path.is_symlink() && path.join("manifest.json").exists());
        within.sort();
        if within.is_empty() {
            return Err(Usage::error(format!(
                "{} has no run: no manifest.json in it or one level below",
                folder.display()
            )));
        }
        for path in within {
            runs.push(Run::read(&path)?);
        }
    }
    Ok(runs)
}

/// # Errors
/// When runs that are judged together differ in what they verified, by what, or by which promises.
pub fn of_one_target(runs: &[Run]) -> Result<(), Error> {
    let Some((first, others)) = runs.split_first() else { return Ok(()) };
    for other in others {
        let (one, two) = (&first.manifest, &other.manifest);
        let differs = [
            ("the target", one.target == two.target),
            ("the site", one.site == two.site),
            ("the Supabase project", one.project == two.project),
            ("the release commit", one.release_commit == two.release_commit),
            ("the contract", one.contract.sha256 == two.contract.sha256),
            ("the runbook", one.runbook.sha256 == two.runbook.sha256),
            ("the harness", one.harness == two.harness),
        ];
        if let Some((what, _)) = differs.iter().find(|(_, same)| !same) {
            return Err(Usage::error(format!(
                "{} and {} are not runs of one thing: they differ in {what}",
                one.id, two.id
            )));
        }
    }
    Ok(())
}

/// Whole runs of staging that are no older, for a target that leaves checks out: the named ones, or those in
/// `target/runs`.
///
/// # Errors
/// When a named one cannot be read.
pub fn proofs(target: Option<Target>, named: &[PathBuf], max_age: Span) -> Result<Vec<Run>, Error> {
    proofs_in(&runs_folder(), target, named, max_age)
}

/// The same, of runs in another folder.
///
/// # Errors
/// When a named one cannot be read.
pub fn proofs_in(folder: &Path, target: Option<Target>, named: &[PathBuf], max_age: Span) -> Result<Vec<Run>, Error> {
    let is_new = |run: &Run| is_within(run.finished(), max_age);
    let is_proof = |run: &Run| run.manifest.target == Some(Target::Staging) && is_new(run);
    if !named.is_empty() {
        let runs = runs_in(named)?;
        if let Some(run) = runs.iter().find(|run| !is_proof(run)) {
            return Err(Usage::error(format!(
                "{} proves nothing: it is no run of staging of the last {max_age:#}",
                run.manifest.id
            )));
        }
        return Ok(runs);
    }
    if !matches!(target, Some(Target::Production | Target::Unnamed)) {
        return Ok(Vec::new());
    }
    Ok(all(folder).filter(is_proof).collect())
}

/// Whether a moment is no longer ago, and no later than now.
pub fn is_within(moment: Timestamp, max_age: Span) -> bool {
    let now = Zoned::now();
    moment <= now.timestamp() + CLOCKS && now.checked_sub(max_age).is_ok_and(|oldest| moment >= oldest.timestamp())
}

/// The runs in a folder such as `target/runs`; what cannot be read is not one.
pub fn all(folder: &Path) -> impl Iterator<Item = Run> {
    let folders = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    folders.filter(|path| path.is_dir() && !path.is_symlink()).filter_map(|path| Run::read(&path).ok())
}
