//! Running what was asked for, as one run.

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use harness::{
    Deployment, Detail, Runbook, Target,
    run::{Begun, Chosen, Plan, Planned, Run, Runner, SuiteEnd, SuiteEnded, runs_folder},
};
use indicatif::MultiProgress;
use portal::Builder;

use super::selection::Selection;
use crate::{
    Error, Usage,
    nearest::nearest,
    package, setup,
    suites::{Source, Suite},
};

/// So many suites run at once where each has a portal of its own: one computes while another waits for its pages.
const SIDE_BY_SIDE: usize = 2;

/// What was asked for.
pub struct Wanted<'o> {
    pub target: Option<Target>,
    /// By name; all where there is none.
    pub suites: &'o [String],
    pub step: Option<&'o str>,
    /// Parts of checks' names; all where there is none.
    pub names: &'o [String],
    pub source: Option<&'o Path>,
    pub evidence: Option<Detail>,
}

impl Wanted<'_> {
    /// Runs the suites, and reads the run back.
    ///
    /// # Errors
    /// When nothing can be run, or nothing is selected.
    pub fn run(&self, selection: &Selection) -> Result<Run, Error> {
        let configured = || Deployment::configured_target().map_err(|error| Usage::error(error.to_string()));
        let target = self.target.map_or_else(configured, Ok)?;
        if let Some(problem) = Runbook::problem() {
            return Err(Usage::error(problem));
        }
        setup::ensure_for(target)?;
        setup::warn_of_settings_that_git_would_take();
        // Unpacked suites are there for as long as their source is.
        let source = Source::at(self.source)?;
        let suites = self.suites(&source, selection)?;
        let plan = Plan {
            runner: Runner::ReleaseCheck,
            target: self.target,
            chosen: Chosen {
                suites: self.suites.to_vec(),
                step: self.step.map(str::to_owned),
                filter: self.names.to_vec(),
            },
            checks: suites.iter().flat_map(|(_, checks)| checks.clone()).collect(),
            harness: package::harness()?,
            evidence: self.evidence,
        };
        let runs = runs_folder();
        let begun =
            plan.begin(&runs).map_err(|error| format!("evidence cannot be kept in {}: {error}", runs.display()))?;
        let suites = Vec::from_iter(suites.iter().map(|(suite, _)| suite));
        let have_portals_of_their_own =
            target == Target::Embedded && Builder::from_env().is_ok_and(|portal| portal.may_stand_beside_others());
        let at_once = if have_portals_of_their_own { SIDE_BY_SIDE } else { 1 };
        let ends = self.follow_all(&suites, &begun, at_once);
        begun.close(ends).map_err(|error| format!("the run cannot be closed: {error}"))?;
        Ok(Run::read(begun.folder())?)
    }

    /// The suites that have a selected check, with those checks.
    fn suites(&self, source: &Source, selection: &Selection) -> Result<Vec<(Suite, Vec<Planned>)>, Error> {
        let mut suites = Vec::new();
        let mut known = Vec::new();
        for suite in source.suites(self.suites)? {
            let mut checks = suite.checks()?;
            known.extend(checks.iter().map(|check| check.name.clone()));
            checks.retain(|check| selection.has_id(&check.step) && self.is_named(&check.name));
            if !checks.is_empty() {
                suites.push((suite, checks));
            }
        }
        if !suites.is_empty() {
            return Ok(suites);
        }
        Err(Usage::error(match (self.step, self.names.first()) {
            (_, Some(name)) => {
                // A part of a name is more like a part than like the whole.
                let parts = known.iter().flat_map(|name| name.split("::"));
                format!("no check of the selected suites has {name:?} in its name{}", nearest(name, parts))
            }
            (step, None) => format!("no check of the selected suites verifies {}", step.unwrap_or_default()),
        }))
    }

    fn is_named(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }

    /// Runs the suites' checks that are not left out, so many suites at a time, and says how each ended.
    fn follow_all(&self, suites: &[&Suite], begun: &Begun, at_once: usize) -> Vec<SuiteEnded> {
        let (next, ends, bars) = (AtomicUsize::new(0), Mutex::new(Vec::new()), MultiProgress::new());
        let run_next = || -> Option<()> {
            let suite = suites.get(next.fetch_add(1, Relaxed))?;
            let own = begun.manifest().checks.iter().filter(|check| check.suite() == suite.krate());
            let made: Vec<_> = own.filter(|check| check.left_out.is_none()).collect();
            if !made.is_empty() {
                let end = SuiteEnded { suite: suite.krate(), how: self.follow(suite, &made, begun.variable(), &bars) };
                ends.lock().unwrap_or_else(PoisonError::into_inner).push(end);
            }
            Some(())
        };
        thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| while run_next().is_some() {});
            }
        });
        let mut ends = ends.into_inner().unwrap_or_else(PoisonError::into_inner);
        ends.sort_by(|one, other| one.suite.cmp(&other.suite));
        ends
    }

    fn follow(&self, suite: &Suite, checks: &[&Planned], run: (&str, &Path), bars: &MultiProgress) -> SuiteEnd {
        let mut command = suite.command();
        command.env(run.0, run.1).env_remove("ALLURE_RESULTS_DIR");
        command.envs(self.target.map(|target| ("HARNESS_TARGET", target.to_string())));
        command.envs(self.evidence.map(Detail::variable));
        let tests: Vec<_> = checks.iter().map(|check| suite.test_of(check)).collect();
        match suite.follow(command, Some(&tests), bars) {
            Ok((end, _)) => end,
            Err(error) => SuiteEnd::Otherwise(format!("could not be started: {error}")),
        }
    }
}
