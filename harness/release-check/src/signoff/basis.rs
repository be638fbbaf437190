//! Which runs a sign-off is made of, and which it refuses: a document says nothing that its runs do not.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use harness::{
    Runbook, Target,
    run::{Chosen, Planned, Run, seal},
};
use jiff::{Span, Timestamp};

use crate::{
    Error, Usage,
    evidence::{CLOCKS, all, is_within, of_one_target, proofs_in, runs_in},
};

/// What somebody asks for a sign-off of.
#[derive(Debug)]
pub struct Wanted<'o> {
    /// The deployment.
    pub target: Target,
    /// Folders or ids of the runs; none is the last whole one.
    pub named: &'o [PathBuf],
    /// Folders or ids of the runs of staging; none is those that are there.
    pub proofs: &'o [PathBuf],
    /// How old a run may be.
    pub max_age: Span,
}

/// The runs that a sign-off is made of.
#[derive(Debug)]
pub struct Basis {
    /// One whole run of everything, or several that together are one.
    pub runs: Vec<Run>,
    /// Whole runs of staging that may show what the target leaves out.
    pub proofs: Vec<Run>,
    /// A later run of everything that was passed over, and why.
    pub passed_over: Option<String>,
}

impl Basis {
    /// Finds them in a folder such as `target/runs`.
    ///
    /// # Errors
    /// When there are none, or a named one is refused.
    pub fn find(wanted: &Wanted<'_>, folder: &Path) -> Result<Self, Error> {
        let (runs, passed_over) = match wanted.named {
            [] => {
                let (last, passed_over) = last_whole(wanted.target, folder)?;
                (vec![last], passed_over)
            }
            named => (runs_in(&by_id(named, folder))?, None),
        };
        for run in &runs {
            is_of(run, wanted.target)?;
            is_fresh(run, wanted.max_age)?;
        }
        of_one_target(&runs)?;
        saw_one_release(&runs, wanted.target)?;
        are_whole(&runs)?;
        for run in &runs {
            seal(run)?;
        }
        let named = by_id(wanted.proofs, folder);
        let mut proofs = proofs_in(folder, Some(wanted.target), &named, wanted.max_age)?;
        if let Some(other) =
            proofs.iter().find(|proof| is_of_another_release(proof, &runs)).filter(|_| !named.is_empty())
        {
            return Err(Usage::error(format!("{} proves nothing: it verified another release", other.manifest.id)));
        }
        proofs.retain(|proof| !is_of_another_release(proof, &runs));
        are_everything(&runs, &proofs)?;
        Ok(Self { runs, proofs, passed_over })
    }
}

/// A name without a folder is that of a run in `folder`.
fn by_id(named: &[PathBuf], folder: &Path) -> Vec<PathBuf> {
    let path = |name: &PathBuf| if name.exists() { name.clone() } else { folder.join(name) };
    named.iter().map(path).collect()
}

/// The last whole run of everything, and what is wrong with one that is later.
fn last_whole(target: Target, folder: &Path) -> Result<(Run, Option<String>), Error> {
    let mut runs: Vec<_> =
        all(folder).filter(|run| run.manifest.target == Some(target) && run.manifest.chosen.is_everything()).collect();
    runs.sort_by_key(|run| run.manifest.began);
    let mut passed_over = None;
    while let Some(run) = runs.pop() {
        match are_whole(std::slice::from_ref(&run)) {
            Ok(()) => return Ok((run, passed_over)),
            Err(why) => passed_over = passed_over.or(Some(why.to_string())),
        }
    }
    let why = passed_over.map(|why| format!(": {why}")).unwrap_or_default();
    Err(Usage::error(format!(
        "{} has no whole run of {target} that left nothing out{why}\nverify it first: release-check verify --target {target}",
        folder.display()
    )))
}

fn is_of(run: &Run, target: Target) -> Result<(), Error> {
    if run.manifest.target == Some(target) {
        return Ok(());
    }
    let verified = run.manifest.target.map_or_else(|| "no deployment".to_owned(), |target| target.to_string());
    Err(Usage::error(format!("{} verified {verified}, not {target}", run.manifest.id)))
}

fn is_fresh(run: &Run, max_age: Span) -> Result<(), Error> {
    let ended = run.ended.iter().map(|ended| ended.at);
    let dates = [run.manifest.began, run.finished()].into_iter().chain(ended);
    let shown = |moment: Timestamp| moment.strftime("%Y-%m-%d %H:%MZ").to_string();
    if let Some(future) = dates.max().filter(|latest| *latest > Timestamp::now() + CLOCKS) {
        return Err(Usage::error(format!("{} is dated in the future: {}", run.manifest.id, shown(future))));
    }
    // By its beginning, so that one late result makes no old run new.
    if !is_within(run.manifest.began, max_age) {
        return Err(Usage::error(format!(
            "{} began at {}, longer ago than --max-age {max_age:#}",
            run.manifest.id,
            shown(run.manifest.began)
        )));
    }
    Ok(())
}

/// A deployment in the middle of a verification makes two releases of it. The embedded portal has one for each process.
fn saw_one_release(runs: &[Run], target: Target) -> Result<(), Error> {
    let values = |value: fn(&Run) -> Option<&String>| -> BTreeSet<&str> {
        // What processes of one run saw differently is joined by the same word.
        runs.iter().filter_map(value).flat_map(|seen| seen.split(" and ")).collect()
    };
    let seen = [
        ("commits", values(|run| run.seen.commit.as_ref())),
        ("deployments", values(|run| run.seen.deployment.as_ref())),
    ];
    match seen.into_iter().find(|(_, values)| values.len() > 1 && target != Target::Embedded) {
        None => Ok(()),
        Some((what, values)) => {
            let values: Vec<_> = values.into_iter().collect();
            Err(Usage::error(format!(
                "{} saw several {what}: {}\nverify again when the deployment has ended",
                runs[0].manifest.id,
                values.join(", ")
            )))
        }
    }
}

/// Every check that one of them lists has a result in one of them, and nothing is wrong with any.
fn are_whole(runs: &[Run]) -> Result<(), Error> {
    for run in runs {
        if let Some(problem) = run.problems.first() {
            return Err(Usage::error(format!("{} is not whole: {problem}", run.manifest.id)));
        }
    }
    let has_result = |check: &Planned| runs.iter().any(|run| run.result(check).is_ok());
    let missing: BTreeSet<_> = runs
        .iter()
        .flat_map(|run| run.planned().map(move |check| (run, check)))
        .filter(|(_, check)| check.left_out.is_none() && !has_result(check))
        .map(|(run, check)| (&run.manifest.id, &check.name, run.result(check).err().unwrap_or_default()))
        .collect();
    let Some((run, check, why)) = missing.first() else { return Ok(()) };
    let others = match missing.len() {
        1 => String::new(),
        count => format!("; so do {} more checks", count - 1),
    };
    Err(Usage::error(format!("{run} is not whole: {check} lacks a result that counts, {why}{others}")))
}

/// Nothing was left out: by a run of everything, or by several that together have every step, and every check that a
/// run of everything on staging has.
fn are_everything(runs: &[Run], proofs: &[Run]) -> Result<(), Error> {
    if runs.iter().any(|run| run.manifest.chosen.is_everything()) {
        return Ok(());
    }
    if let [run] = runs {
        return Err(Usage::error(format!(
            "{} was selective ({}): a sign-off is made of a run of everything, or of several that together are one",
            run.manifest.id,
            selection(&run.manifest.chosen)
        )));
    }
    // Which checks of a step a filter drops is written nowhere, so a filtered run covers none.
    let unfiltered = || runs.iter().filter(|run| run.manifest.chosen.filter.is_empty()).flat_map(Run::planned);
    let covered: BTreeSet<&str> = unfiltered().map(|check| check.step.as_str()).collect();
    let named: BTreeSet<&str> = unfiltered().map(|check| check.name.as_str()).collect();
    let steps = Runbook::get().steps().iter().filter(|step| step.is_tested() && !covered.contains(step.id.as_str()));
    let known = proofs
        .iter()
        .filter(|proof| proof.manifest.chosen.is_everything() && proof.manifest.harness == runs[0].manifest.harness);
    let checks = known.flat_map(Run::planned).filter(|check| !named.contains(check.name.as_str()));
    let missing: BTreeSet<&str> =
        steps.map(|step| step.id.as_str()).chain(checks.map(|check| check.name.as_str())).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing: Vec<_> = missing.into_iter().collect();
    Err(Usage::error(format!("the named runs together are not everything: no run covers {}", missing.join(", "))))
}

fn selection(chosen: &Chosen) -> String {
    let suites = chosen.suites.iter().map(|suite| format!("--suite {suite}"));
    let step = chosen.step.iter().map(|step| format!("--step {step}"));
    suites.chain(step).chain(chosen.filter.iter().cloned()).collect::<Vec<_>>().join(" ")
}

/// Whether both name their release, and not the same.
fn is_of_another_release(proof: &Run, runs: &[Run]) -> bool {
    let release = |run: &Run| run.seen.commit.clone().or_else(|| run.manifest.release_commit.clone());
    let Some(proved) = release(proof) else { return false };
    // A short commit names the same release as the long one.
    let is_same = |one: &str, two: &str| one.starts_with(two) || two.starts_with(one);
    runs.iter().filter_map(release).any(|verified| !is_same(&proved, &verified))
}
