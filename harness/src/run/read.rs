//! Reading a run back: what belongs to it, and what keeps it from being believed. Nothing is dropped in silence: what
//! cannot be read, is of another run or was altered has a name and a reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};

use super::{
    begin::close,
    folder::{ENDED, MANIFEST, files, sha256},
    manifest::{Ended, FORMAT, Manifest, Planned, Runner, SuiteEnd, SuiteEnded},
    result::{CheckResult, SUFFIX},
};
use crate::{
    outcome::Outcome,
    seen::{PREFIX, Seen},
};

/// Clocks of machines that work together differ by less.
const CLOCKS: SignedDuration = SignedDuration::from_mins(2);

/// A run, read from its folder.
#[derive(Debug, Clone)]
pub struct Run {
    /// The folder.
    pub folder: PathBuf,
    /// What it set out to do.
    pub manifest: Manifest,
    /// How it ended, if it did.
    pub ended: Option<Ended>,
    /// What its processes saw of the deployment.
    pub seen: Seen,
    /// What keeps it from being whole, apart from results that are missing.
    pub problems: Vec<String>,
    results: BTreeMap<String, Result<CheckResult, String>>,
}

/// Why a folder is not that of a run.
#[derive(Debug)]
pub struct ReadError {
    folder: PathBuf,
    why: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not the folder of a run: {}", self.folder.display(), self.why)
    }
}

impl std::error::Error for ReadError {}

impl Run {
    /// Reads a folder.
    ///
    /// # Errors
    /// When it has no manifest that can be read: nobody knows then what was to be checked.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        let error = |why: String| ReadError { folder: folder.to_owned(), why };
        let bytes = fs::read(folder.join(MANIFEST)).map_err(|why| error(format!("{MANIFEST}: {why}")))?;
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|why| error(format!("{MANIFEST}: {why}")))?;
        if manifest.format != FORMAT {
            return Err(error(format!("{MANIFEST} has format {}, and this version reads {FORMAT}", manifest.format)));
        }
        let names = files(folder).map_err(|why| error(why.to_string()))?;
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let mut run = Self {
            folder,
            manifest,
            ended: None,
            seen: Seen::default(),
            problems: Vec::new(),
            results: BTreeMap::new(),
        };
        run.read_results(&names);
        run.read_seen(&names);
        run.read_end(&names);
        Ok(run)
    }

    fn read_results(&mut self, names: &[String]) {
        let planned: BTreeMap<_, _> =
            self.manifest.checks.iter().map(|check| (check.name.clone(), check.step.clone())).collect();
        if planned.len() < self.manifest.checks.len() {
            self.problems.push(format!("{MANIFEST} lists a check twice"));
        }
        for name in names.iter().filter(|name| name.ends_with(SUFFIX)) {
            let result = match CheckResult::read(&self.folder.join(name)) {
                Ok(result) => result,
                Err(why) => {
                    self.problems.push(format!("the result {name} cannot be read: {why}"));
                    continue;
                }
            };
            let check = result.name.clone();
            let Some(step) = planned.get(&check) else {
                if result.run == self.manifest.id {
                    self.problems
                        .push(format!("{check} has a result, and is not one of the checks that {MANIFEST} lists"));
                }
                continue;
            };
            let sound = match self.objection(&result, step) {
                Some(why) => Err(why),
                None => Ok(result),
            };
            // Of two results of one check the one that passed is no better than the other.
            match (self.results.remove(&check), sound) {
                (None, sound) => self.results.insert(check, sound),
                (Some(Err(_)), Ok(result)) if self.is_retry(&result) => self.results.insert(check, Ok(result)),
                (Some(_), _) => self.results.insert(check, Err("it has more than one result".to_owned())),
            };
        }
    }

    fn is_retry(&self, result: &CheckResult) -> bool {
        result.attempt > 1 && self.manifest.runner == Runner::Nextest
    }

    /// Why a result of a planned check does not count.
    fn objection(&self, result: &CheckResult, step: &str) -> Option<String> {
        if result.run != self.manifest.id {
            return Some(format!("its result is of another run, {}", result.run));
        }
        if result.step != step {
            return Some(format!("its result is of step {}, and {MANIFEST} says {step}", result.step));
        }
        if result.target.is_some() && result.target != self.manifest.target {
            let target = result.target.map_or_else(String::new, |target| target.to_string());
            return Some(format!("its result is of the target {target}"));
        }
        if result.target.is_none() && result.outcome == Outcome::Passed {
            return Some("its result says of no deployment that it passed".to_owned());
        }
        if result.started < self.manifest.began - CLOCKS || result.finished > Timestamp::now() + CLOCKS {
            return Some(format!(
                "its result is of {}, outside the run",
                result.finished.strftime("%Y-%m-%d %H:%M:%SZ")
            ));
        }
        result.contradiction().map(|why| format!("its result contradicts itself: {why}"))
    }

    fn read_seen(&mut self, names: &[String]) {
        for name in names.iter().filter(|name| name.starts_with(PREFIX)) {
            let seen = fs::read(self.folder.join(name)).map_err(|error| error.to_string());
            match seen.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string())) {
                Ok(seen) => self.seen.merge(seen),
                Err(why) => self.problems.push(format!("{name} cannot be read: {why}")),
            }
        }
    }

    fn read_end(&mut self, names: &[String]) {
        let path = self.folder.join(ENDED);
        if !path.exists() {
            if self.manifest.runner != Runner::Nextest {
                self.problems.push("the run did not end: it was killed, or it is still going on".to_owned());
            }
            return;
        }
        let ended: Result<Ended, String> = fs::read(&path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
        match ended {
            Err(why) => self.problems.push(format!("{ENDED} cannot be read: {why}")),
            Ok(ended) if ended.id != self.manifest.id => {
                self.problems.push(format!("{ENDED} is of another run, {}", ended.id));
            }
            Ok(ended) => {
                self.altered(&ended, names);
                self.irregular(&ended);
                self.ended = Some(ended);
            }
        }
    }

    /// Files that are not as they were when the run ended.
    fn altered(&mut self, ended: &Ended, names: &[String]) {
        for name in names.iter().filter(|name| !ended.sha256.contains_key(*name)) {
            self.problems.push(format!("{name} was added after the run had ended"));
        }
        for (name, hash) in &ended.sha256 {
            // Names come from a file: none leads out of the folder.
            let own = Path::new(name).file_name().is_some_and(|file| file == name.as_str());
            match fs::read(self.folder.join(name)).ok().filter(|_| own) {
                None => self.problems.push(format!("{name} was removed after the run had ended")),
                Some(bytes) if sha256(&bytes) != *hash => {
                    self.problems.push(format!("{name} was altered after the run had ended"));
                }
                Some(_) => {}
            }
        }
    }

    /// Suites that were cut off, or whose end says something else than their results.
    fn irregular(&mut self, ended: &Ended) {
        let expected: BTreeSet<_> =
            self.planned().filter(|check| check.left_out.is_none()).map(|check| check.suite().to_owned()).collect();
        for suite in &expected {
            let Some(end) = ended.suites.iter().find(|ended| ended.suite == *suite) else {
                self.problems.push(format!("the suite {suite} was never run"));
                continue;
            };
            let worst = Outcome::worst(
                self.results
                    .values()
                    .flatten()
                    .filter(|result| suite_of(&result.name) == *suite)
                    .map(|result| result.outcome),
            );
            let text = match &end.how {
                SuiteEnd::Otherwise(how) => format!("the suite {suite} {how}"),
                SuiteEnd::Interrupted => format!("the suite {suite} was interrupted"),
                SuiteEnd::Red if worst.is_none_or(|worst| worst == Outcome::Passed) => {
                    format!("the suite {suite} ended with failures that none of its results tells")
                }
                SuiteEnd::Green if worst.is_some_and(|worst| worst != Outcome::Passed) => {
                    format!("the suite {suite} ended without failures, and results of it tell of some")
                }
                SuiteEnd::Green | SuiteEnd::Red | SuiteEnd::ByItself => continue,
            };
            self.problems.push(text);
        }
    }

    /// Every check that it was going to make, or left out by design.
    pub fn planned(&self) -> impl Iterator<Item = &Planned> {
        self.manifest.checks.iter()
    }

    /// The result of a planned check or, where there is none that counts, the reason.
    ///
    /// # Errors
    /// Why there is none.
    pub fn result(&self, check: &Planned) -> Result<&CheckResult, String> {
        match self.results.get(&check.name) {
            Some(Ok(result)) => Ok(result),
            Some(Err(why)) => Err(why.clone()),
            None => Err(self.missing(check)),
        }
    }

    /// Why a check has no result.
    fn missing(&self, check: &Planned) -> String {
        let suite = check.suite();
        let end = self.ended.iter().flat_map(|ended| &ended.suites).find(|ended| ended.suite == suite);
        match end.map(|ended| &ended.how) {
            Some(SuiteEnd::Otherwise(how)) => format!("it has no result: its suite {how}"),
            Some(SuiteEnd::Interrupted) => "it has no result: the run was interrupted".to_owned(),
            Some(_) => "it has no result: it did not run to its end, or could not keep its evidence".to_owned(),
            None if self.ended.is_none() && self.manifest.runner != Runner::Nextest => {
                "it has no result: the run did not end".to_owned()
            }
            None => "it has no result: it was not run".to_owned(),
        }
    }

    /// The results that count.
    pub fn results(&self) -> impl Iterator<Item = &CheckResult> {
        self.results.values().flatten()
    }

    /// Whether it ended, nothing was altered, and every check that it was going to make has a result.
    pub fn is_whole(&self) -> bool {
        self.problems.is_empty()
            && self.planned().filter(|check| check.left_out.is_none()).all(|check| self.result(check).is_ok())
    }

    /// When its last check ended, or else when it began.
    pub fn finished(&self) -> Timestamp {
        self.results().map(|result| result.finished).max().unwrap_or(self.manifest.began)
    }

    /// What checks could not remove from the deployment, as lists for people.
    pub fn what_stays(&self) -> Vec<String> {
        super::stays::read(&self.folder).unwrap_or_default()
    }
}

/// Closes a run that nobody closes, nextest's, so that whatever is altered afterwards is noticed.
///
/// # Errors
/// When its end cannot be written.
pub fn seal(run: &Run) -> io::Result<()> {
    if run.ended.is_some() || run.manifest.runner != Runner::Nextest || !run.is_whole() {
        return Ok(());
    }
    let suites: BTreeSet<_> = run.planned().map(|check| check.suite().to_owned()).collect();
    let suites = suites.into_iter().map(|suite| SuiteEnded { suite, how: SuiteEnd::ByItself });
    close(&run.folder, &run.manifest.id, suites.collect())
}

fn suite_of(name: &str) -> &str {
    name.split("::").next().unwrap_or_default()
}
