//! Runs that are made up, as folders of runs are: what a sign-off is measured, looked at and tested with.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Instant,
};

use harness::{
    Detail, Outcome, Production, Runbook, Section, Seen, Step, Target, Weakened,
    run::{
        AttachedFile, CheckResult, Chosen, Ended, Explanation, Figure, Harness, LeftOutBecause, Machine, Manifest,
        Planned, Run, Runner, Source, SuiteEnd, SuiteEnded,
    },
};
use jiff::{SignedDuration, Timestamp};

use super::{
    Signers,
    basis::Basis,
    document::Materials,
    record::sha256,
    signed::{Accepted, Signature, Signed},
    write,
};
use crate::{Error, history::Entry};

/// When a made-up day began: the same in every document of it.
pub const MORNING: Timestamp = Timestamp::constant(1_748_854_800, 0);

/// Every tenth check fails.
const FAILS: usize = 10;
/// Bytes of a screenshot of the portal.
const SCREENSHOT: usize = 80_000;
/// A view that shows an error, where a screenshot would be.
const PICTURE: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 640 360' width='640' height='360' font-family='sans-serif'><rect width='640' height='360' fill='#f4f5f7'/><rect width='640' height='48' fill='#22304a'/><text x='20' y='31' fill='#fff' font-size='18'>SACCO+ Admin</text><rect x='140' y='130' width='360' height='110' rx='8' fill='#fff' stroke='#c4c4c4'/><text x='170' y='180' font-size='20' fill='#b00020'>Something went wrong</text><text x='170' y='212' font-size='14' fill='#444'>500 from /rest/v1/transactions</text></svg>";

/// A run before it is a folder: each part may be made another one.
#[derive(Debug, Clone)]
pub struct Made {
    /// What it set out to do.
    pub manifest: Manifest,
    /// What became of its checks.
    pub results: Vec<CheckResult>,
    /// What was seen of the deployment.
    pub seen: Seen,
    /// What checks kept, by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Made {
    /// A run of a check for each step that tests verify, all of which passed. What writes is left out on production.
    pub fn passed(target: Target, began: Timestamp) -> Self {
        let steps: Vec<_> = Runbook::get().steps().iter().filter(|step| step.is_tested()).collect();
        Self::of(target, began, &steps)
    }

    fn of(target: Target, began: Timestamp, steps: &[&Step]) -> Self {
        let left_out = |step: &Step| {
            (target == Target::Production && step.production == Production::Writes).then_some(LeftOutBecause::Writes)
        };
        let checks = steps.iter().enumerate().map(|(index, step)| Planned {
            name: format!("sample::check_{index:04}"),
            step: step.id.clone(),
            needs: Vec::new(),
            left_out: left_out(step),
        });
        let manifest = manifest(target, began, checks.collect());
        let made = manifest.checks.iter().enumerate().filter(|(_, check)| check.left_out.is_none());
        let results = made.map(|(index, check)| result(&manifest, check, index)).collect();
        let text = |text: &str| Some(text.to_owned());
        let seen = Seen {
            version: text("1.4.0"),
            commit: text("4f1c2d3e5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d"),
            build: Some(sha256(b"document")),
            deployment: text("7d3f0a52-6c1b-4e8f-9a53-0c6e2f1b7a44"),
            browser: text("Chromium 140.0.7339.80"),
            driver: text("chromedriver 140.0.7339.80"),
            database: text("PostgreSQL 17.4"),
            sessions: None,
        };
        Self { manifest, results, seen, files: BTreeMap::new() }
    }

    /// The result of the first check of a step.
    ///
    /// # Panics
    /// When no check of the step has one.
    pub fn result(&mut self, step: &str) -> &mut CheckResult {
        let found = self.results.iter_mut().find(|result| result.step == step);
        found.unwrap_or_else(|| panic!("no check of {step} has a result"))
    }

    /// Lets the first check of a step end otherwise.
    pub fn end(&mut self, step: &str, outcome: Outcome, severity: &str, remedy: &str) {
        let result = self.result(step);
        (result.outcome, result.failure) = (outcome, Some(explanation(outcome, step, severity, remedy)));
    }

    /// Keeps a file as evidence of the first check of a step.
    pub fn attach(&mut self, step: &str, name: &str, content_type: &str, bytes: impl Into<Vec<u8>>) {
        let result = self.result(step);
        let file = format!("{}-{name}", result.name.replace("::", "-"));
        result.attachments.push(AttachedFile {
            name: name.to_owned(),
            content_type: content_type.to_owned(),
            path: PathBuf::from(&file),
        });
        self.files.insert(file, bytes.into());
    }

    /// Writes its folder below `runs`, with its end, and answers with it.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write(&self, runs: &Path) -> io::Result<PathBuf> {
        let folder = runs.join(&self.manifest.id);
        fs::create_dir_all(&folder)?;
        let mut files = self.files.clone();
        files.insert("manifest.json".to_owned(), serde_json::to_vec_pretty(&self.manifest)?);
        files.insert("seen-0.json".to_owned(), serde_json::to_vec_pretty(&self.seen)?);
        for (index, result) in self.results.iter().enumerate() {
            files.insert(format!("{index:04}-check.json"), serde_json::to_vec(result)?);
        }
        for (name, bytes) in &files {
            fs::write(folder.join(name), bytes)?;
        }
        let ended = Ended {
            id: self.manifest.id.clone(),
            at: self.results.iter().map(|result| result.finished).max().unwrap_or(self.manifest.began),
            suites: self.suites(),
            sha256: files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect(),
        };
        fs::write(folder.join("ended.json"), serde_json::to_vec_pretty(&ended)?)?;
        Ok(folder)
    }

    fn suites(&self) -> Vec<SuiteEnded> {
        let mut suites: BTreeMap<String, SuiteEnd> = BTreeMap::new();
        for check in &self.manifest.checks {
            suites.entry(check.suite().to_owned()).or_insert(SuiteEnd::Green);
        }
        for result in self.results.iter().filter(|result| result.outcome != Outcome::Passed) {
            let suite = result.name.split("::").next().unwrap_or_default();
            suites.insert(suite.to_owned(), SuiteEnd::Red);
        }
        suites.into_iter().map(|(suite, how)| SuiteEnded { suite, how }).collect()
    }
}

fn manifest(target: Target, began: Timestamp, checks: Vec<Planned>) -> Manifest {
    let source = |name: &str| Source { name: name.to_owned(), sha256: sha256(name.as_bytes()) };
    Manifest {
        format: 1,
        id: format!("{}-{target}", began.strftime("%Y-%m-%dT%H-%M-%SZ")),
        began,
        runner: Runner::ReleaseCheck,
        target: Some(target),
        site: Some("https://portal.example/".to_owned()),
        project: Some("abcdefghijklmnopqrst".to_owned()),
        release_commit: None,
        harness: Harness {
            version: "0.1.0".to_owned(),
            commit: Some("306ad7476b61e3c0cd65d2b0d3e4485bb218eca8".to_owned()),
            dirty: false,
        },
        contract: source("contract.toml"),
        runbook: source("runbook.toml"),
        machine: Machine { os: "Debian GNU/Linux 12".to_owned(), cores: 2, memory_mb: Some(8000), load: Some(0.5) },
        chosen: Chosen::default(),
        checks,
        weakened: Vec::new(),
        not_promised: Vec::new(),
        evidence: Detail::Masked,
    }
}

fn result(manifest: &Manifest, check: &Planned, index: usize) -> CheckResult {
    let step = Runbook::get().step(&check.step);
    let started = manifest.began + SignedDuration::from_millis(20 * i64::try_from(index).unwrap_or(0));
    let limit = step.and_then(|step| step.limit.as_ref()).map(|limit| limit.at_most);
    let value = limit.map(|limit| limit / 16.0);
    let unit = if limit > Some(100.0) { "ms" } else { "%" };
    CheckResult {
        run: manifest.id.clone(),
        name: check.name.clone(),
        step: check.step.clone(),
        target: manifest.target,
        outcome: Outcome::Passed,
        started,
        finished: started + SignedDuration::from_millis(120),
        attempt: 1,
        measured: value.map(|value| format!("{value} {unit}")),
        figure: value.zip(limit).map(|(value, limit)| Figure { value, limit, unit: unit.to_owned() }),
        failure: None,
        attachments: Vec::new(),
    }
}

fn explanation(outcome: Outcome, step: &str, severity: &str, remedy: &str) -> Explanation {
    let (claim, seen) = ("the view shows what the database has", "<500 & \"no\" body> ``` | 12 rows too few");
    let title = Runbook::get().step(step).map(|step| step.title.as_str()).unwrap_or_default();
    let failed = outcome == Outcome::Failed;
    Explanation {
        claim: claim.to_owned(),
        facts: vec![("expected".to_owned(), "200".to_owned()), ("seen".to_owned(), seen.to_owned())],
        severity: failed.then(|| severity.to_owned()),
        remedy: failed.then(|| remedy.to_owned()),
        text: format!("{outcome}  {step}  {title}\n  {claim}\n  expected  200\n  seen      {seen}"),
    }
}

/// A bad day on production, of so many checks: every tenth failed, with a picture, page and log; one could not tell, one
/// could not look; a limit was raised in the contract, and a console text allowed.
pub fn bad_day(checks: usize) -> Made {
    let tested = Runbook::get().steps().iter().filter(|step| step.is_tested());
    let steps: Vec<_> = tested.cycle().take(checks).collect();
    let mut day = Made::of(Target::Production, MORNING, &steps);
    let steps: Vec<_> = day.results.iter().map(|result| result.step.clone()).collect();
    for (index, id) in steps.iter().enumerate().filter(|(index, _)| index % FAILS == FAILS - 1) {
        let Some(step) = Runbook::get().step(id) else { continue };
        let (severity, remedy) =
            if index % 20 == 9 { ("P3", "slow") } else { (step.severity.as_str(), step.remedy.as_str()) };
        let result = &mut day.results[index];
        (result.outcome, result.failure) = (Outcome::Failed, Some(explanation(Outcome::Failed, id, severity, remedy)));
        let picture = format!("{PICTURE}<!--{}-->", " ".repeat(SCREENSHOT - PICTURE.len()));
        let kept = [
            ("screenshot.svg", "image/svg+xml", picture),
            ("page.html", "text/html", "<!doctype html><title>Portal</title>".to_owned()),
            ("log.txt", "text/plain", "GET https://portal.example/rest/v1/transactions 200 12 ms\n".repeat(100)),
        ];
        for (name, content_type, bytes) in kept {
            let file = format!("{index:04}-{name}");
            day.results[index].attachments.push(AttachedFile {
                name: name.to_owned(),
                content_type: content_type.to_owned(),
                path: PathBuf::from(&file),
            });
            day.files.insert(file, bytes.into_bytes());
        }
    }
    for (id, outcome) in steps.iter().filter(|id| id.starts_with("4.3")).zip([Outcome::Undecided, Outcome::NotRun]) {
        day.end(id, outcome, "", "");
    }
    let matrix = "public.transactions   own rows: r w · ·   across: · · · ·\n".repeat(14);
    day.attach(&steps[0], "matrix.txt", "text/plain", matrix);
    let weakened = |id: &str, says: &str, runbook: &str| Weakened {
        id: id.to_owned(),
        says: says.to_owned(),
        runbook: runbook.to_owned(),
    };
    day.manifest.weakened = vec![
        weakened("console.allowed.1", "the console may say \"Download the React DevTools\"", "no console errors"),
        weakened("monitoring.dashboard_load_ms", "4000 ms", "below 3000 ms"),
    ];
    day.manifest.not_promised = vec![Section::Sms];
    day
}

/// What people signed on that day: everything but one step and one weakened promise.
pub fn signed() -> Signed {
    let manual = Runbook::get().steps().iter().filter(|step| step.manual.is_some() && step.id != "pre.2.3");
    let signature = |step: &Step| Signature {
        step: step.id.clone(),
        by: "Ada".to_owned(),
        at: MORNING + SignedDuration::from_hours(1),
        note: String::new(),
    };
    let accepted = Accepted {
        promise: "console.allowed.1".to_owned(),
        by: "Grace".to_owned(),
        at: MORNING + SignedDuration::from_hours(1),
        note: "not of the portal".to_owned(),
    };
    Signed { signatures: manual.map(signature).collect(), accepted: vec![accepted], ..Signed::default() }
}

/// The releases before that day.
pub fn history() -> Vec<Entry> {
    let entry = |index: i32| Entry {
        run: format!("run {index}"),
        at: MORNING - SignedDuration::from_hours(i64::from(24 * 14 * (4 - index))),
        target: Some(Target::Production),
        site: None,
        release: Some(format!("1.{index}.0")),
        verdict: Outcome::Passed,
        counts: BTreeMap::from([(Outcome::Passed, 76)]),
        figures: BTreeMap::from([
            ("post.3.1".to_owned(), f64::from(900 + 400 * index)),
            ("post.3.2".to_owned(), f64::from(1800 - 300 * index)),
            ("post.3.3".to_owned(), 0.0),
            ("post.3.5".to_owned(), 1.5),
        ]),
    };
    (0..4).map(entry).collect()
}

/// Leaves the run of a bad day in a folder below this one, and answers with its folder.
///
/// # Errors
/// When the folder cannot be written to.
pub fn results(checks: usize, runs: &Path) -> Result<PathBuf, Error> {
    Ok(bad_day(checks).write(runs)?)
}

/// Makes the document of the run in `results`, and answers with the seconds that it took.
///
/// # Errors
/// When it cannot be made.
pub fn document(results: &Path, out: &Path) -> Result<f64, Error> {
    let signers = Signers { deployed_by: "Ada".to_owned(), verified_by: "Grace".to_owned() };
    let start = Instant::now();
    let basis = Basis { runs: vec![Run::read(results)?], proofs: Vec::new(), passed_over: None };
    let (signed, history) = (signed(), history());
    let materials = Materials { basis: &basis, signed: &signed, signers: &signers, history: &history, key: None };
    write::write(&materials, None, out)?;
    Ok(start.elapsed().as_secs_f64())
}
