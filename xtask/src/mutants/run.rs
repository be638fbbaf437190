//! Running mutants: each in a portal of its own, until its first kill. What became of one is kept, so that a run which was
//! ended goes on where it was.

use std::{
    collections::BTreeMap,
    fmt, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use harness::{
    Outcome as Seen,
    run::{CheckResult, read_results},
};
use serde::{Deserialize, Serialize};

use super::{
    Class, Mutant,
    own::Own,
    plan::{self, Batch},
    sound::Sound,
    tree::{self, Tree},
};
use crate::{
    Error, say,
    setup::root,
    suites::{Source, Suite},
};

/// Mutants at once.
const WORKERS: usize = 2;

/// What became of a mutant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub kind: Kind,
    pub milliseconds: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// By a failed check.
    Killed { step: String, check: String },
    /// By checks of steps that it does not break, and by no other; the first one.
    Misled { step: String, check: String },
    /// By one of the servers' own tests, and by no check.
    KilledByOwn { test: String },
    /// No check failed; the first that could not tell, if any.
    Survived { undecided: Option<String> },
    /// No check failed, for none runs its code.
    Unseen,
    /// The portal is not made with it.
    Stillborn,
}

impl Outcome {
    /// The step of the check that noticed.
    pub fn killer(&self) -> Option<&str> {
        match &self.kind {
            Kind::Killed { step, .. } | Kind::Misled { step, .. } => Some(step),
            Kind::KilledByOwn { .. } | Kind::Survived { .. } | Kind::Unseen | Kind::Stillborn => None,
        }
    }

    pub fn is_survivor(&self) -> bool {
        matches!(self.kind, Kind::Survived { .. } | Kind::Unseen)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Killed { step, check } => write!(f, "{step} {check}"),
            Kind::Misled { step, check } => write!(f, "(misled) {step} {check}"),
            Kind::KilledByOwn { test } => write!(f, "(own test) {test}"),
            Kind::Survived { undecided: None } => f.write_str("survived"),
            Kind::Survived { undecided: Some(check) } => write!(f, "survived, undecided: {check}"),
            Kind::Unseen => f.write_str("survived, no check runs it"),
            Kind::Stillborn => f.write_str("(is not made)"),
        }
    }
}

/// Whether the check of a step is one of these steps.
pub(super) fn is_of(step: &str, steps: &[String]) -> bool {
    steps.iter().any(|own| step.strip_prefix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// What mutants of a class are looked at with.
struct Bench<'m> {
    suites: Vec<Suite>,
    sound: Sound,
    /// Results by mutant, and the file in which they are kept.
    kept: Mutex<BTreeMap<u64, Outcome>>,
    file: PathBuf,
    /// Servers' mutants by the number that turns them on.
    switches: Option<tree::Switches<'m>>,
    /// The servers' own tests.
    own: Vec<Own>,
}

/// What became of each, in their order; none where the time was over before.
///
/// # Errors
/// When a suite cannot be run, or the sound portal is not green by the same way.
pub(super) fn all(
    mutants: &[Mutant],
    only: &[String],
    within: Option<Duration>,
) -> Result<Vec<Option<Outcome>>, Error> {
    let start = Instant::now();
    let classes: Vec<_> =
        Class::ALL.into_iter().filter(|class| mutants.iter().any(|mutant| mutant.class == *class)).collect();
    let mut names: Vec<_> = plan::suites(&classes).into_iter().map(str::to_owned).collect();
    names.retain(|name| only.is_empty() || only.contains(name));
    if names.is_empty() {
        return Err(format!("none of {} looks at mutants", only.join(", ")).into());
    }
    let compiled = if classes == [Class::Server] { Vec::new() } else { Source::default().suites(&names)? };
    let mut benches = BTreeMap::new();
    for class in classes {
        benches.insert(class, Bench::of(class, mutants, &compiled, &names)?);
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(vec![None; mutants.len()]));
    let work = || -> Result<(), Error> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(mutant) = mutants.get(at) else { return Ok(()) };
            let Some(bench) = benches.get(&mutant.class) else { continue };
            let is_late = within.is_some_and(|within| start.elapsed() > within);
            let Some(outcome) = bench.judged(mutant, at, is_late)? else { continue };
            say(&format!("{}/{} {}: {outcome}", at + 1, mutants.len(), mutant.file));
            done.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(outcome);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err("a worker panicked".into())))
    })?;
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner))
}

impl<'m> Bench<'m> {
    fn of(class: Class, mutants: &'m [Mutant], compiled: &[Suite], names: &[String]) -> Result<Self, Error> {
        let (suites, own, switches) = if class == Class::Server {
            let tree = Tree::of(names)?;
            let (suites, own, switches) =
                tree.switched(mutants.iter().filter(|mutant| mutant.class == class).collect())?;
            (plan::of_class(&suites, class), own, Some(switches))
        } else {
            (plan::of_class(compiled, class), Vec::new(), None)
        };
        let mut hasher = DefaultHasher::new();
        for suite in &suites {
            // Of what is compiled for the mutants the time says less than what is in it.
            suite.name.hash(&mut hasher);
            fs::read(suite.binary())?.hash(&mut hasher);
        }
        for tests in &own {
            fs::read(tests.binary())?.hash(&mut hasher);
        }
        let folder = root().join("target/mutants").join(class.name());
        let sources = folder.join("sound/sources");
        copy(&root().join(class.folder()), &sources, &mut hasher)?;
        let folder = folder.join(format!("{:016x}", hasher.finish()));
        fs::create_dir_all(&folder)?;
        let environment = environment(class, &sources);
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let sound = Sound::of(&suites, &own, &folder, &environment)?;
        let file = folder.join("outcomes.jsonl");
        let lines = fs::read_to_string(&file).unwrap_or_default();
        let kept = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(Self { suites, sound, kept: Mutex::new(kept), file, switches, own })
    }

    /// What became of the mutant, now or before; none where it is too late to look.
    fn judged(&self, mutant: &Mutant, at: usize, is_late: bool) -> Result<Option<Outcome>, Error> {
        let mut hasher = DefaultHasher::new();
        (&mutant.file, mutant.text(), &mutant.breaks).hash(&mut hasher);
        let key = hasher.finish();
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = kept().get(&key) {
            return Ok(Some(outcome.clone()));
        }
        if is_late {
            return Ok(None);
        }
        let start = Instant::now();
        let kind = self.kind(mutant, at)?;
        let outcome = Outcome { kind, milliseconds: u64::try_from(start.elapsed().as_millis())? };
        let mut kept = kept();
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.file)?;
        writeln!(file, "{}", serde_json::to_string(&(key, &outcome))?)?;
        kept.insert(key, outcome.clone());
        Ok(Some(outcome))
    }

    fn kind(&self, mutant: &Mutant, at: usize) -> Result<Kind, Error> {
        let folder = root().join("target/mutants").join(mutant.class.name()).join(format!("at-{at}"));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let steps = if mutant.breaks.is_empty() { &mutant.about } else { &mutant.breaks };
        let mut batches = plan::batches(&self.sound, mutant, steps);
        if let Some(switches) = &self.switches {
            let Some(number) = switches.number(mutant) else { return Ok(Kind::Stillborn) };
            batches.retain(|batch| self.sound.runs(&batch.suite, number));
            let environment = [(tree::CHOSEN, number.to_string())];
            let kind = match batches.as_slice() {
                [] => Kind::Unseen,
                batches => self.looked(batches, &mutant.breaks, &environment, &folder)?,
            };
            return match kind {
                Kind::Survived { .. } | Kind::Unseen => Ok(self.own_kill(number)?.unwrap_or(kind)),
                kind => Ok(kind),
            };
        }
        let sources = folder.join("sources");
        copy(&root().join(mutant.class.folder()), &sources, &mut DefaultHasher::new())?;
        fs::write(sources.join(&mutant.file), mutant.text())?;
        self.looked(&batches, &mutant.breaks, &environment(mutant.class, &sources), &folder)
    }

    /// The first of the servers' own tests that fails.
    fn own_kill(&self, number: usize) -> Result<Option<Kind>, Error> {
        for tests in self.own.iter().filter(|tests| self.sound.runs(&tests.name, number)) {
            if let Some(test) = tests.first_failed(&[(tree::CHOSEN, number.to_string())])? {
                return Ok(Some(Kind::KilledByOwn { test }));
            }
        }
        Ok(None)
    }

    /// Until the first check of a broken step fails.
    fn looked(
        &self,
        batches: &[Batch],
        breaks: &[String],
        environment: &[(&'static str, String)],
        folder: &Path,
    ) -> Result<Kind, Error> {
        let (mut misled, mut undecided) = (None, None);
        for (at, batch) in batches.iter().enumerate() {
            let Some(suite) = self.suites.iter().find(|suite| suite.name == batch.suite) else { continue };
            let own = folder.join(format!("{at}-{}", suite.name));
            fs::create_dir_all(&own)?;
            let mut command = suite.command_in(&own);
            command.env("HARNESS_TARGET", "embedded").env("RUST_TEST_THREADS", "2").envs(environment.iter().cloned());
            command.arg("--exact").args(&batch.tests);
            let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
            let output = child.stdout.take().map(BufReader::new);
            let mut kind = None;
            for line in output.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
                if line.starts_with("test ") && line.ends_with("FAILED") {
                    let results = read_results(&own).unwrap_or_default();
                    // Of a portal that does not start, which is no defect that is released, no check is run.
                    if at == 0 && results.iter().all(|result| result.outcome == Seen::NotRun) {
                        kind = Some(Kind::Stillborn);
                        break;
                    }
                    kind = first_kill(&results, breaks);
                    undecided = undecided.or_else(|| first_undecided(&results));
                    if matches!(kind, Some(Kind::Killed { .. })) {
                        break;
                    }
                }
            }
            // What is still running ends with it: nothing outlives the process that started it.
            let _ = child.kill();
            child.wait()?;
            match kind {
                Some(ended @ (Kind::Killed { .. } | Kind::Stillborn)) => return Ok(ended),
                other => misled = misled.or(other),
            }
        }
        Ok(misled.unwrap_or(Kind::Survived { undecided }))
    }
}

/// How a suite gets these sources of a class.
fn environment(class: Class, sources: &Path) -> Vec<(&'static str, String)> {
    let sources = sources.display().to_string();
    let mut environment = vec![("HARNESS_TARGET", "embedded".to_owned()), ("RUST_TEST_THREADS", "2".to_owned())];
    match class {
        Class::Web => environment.push(("PORTAL_DIST", sources)),
        Class::Sql => environment.push(("PORTAL_OWN_MIGRATIONS", sources)),
        Class::Server => {}
    }
    environment
}

/// A failed check kills; one that could not tell does not. One of a broken step comes before all others.
fn first_kill(results: &[CheckResult], breaks: &[String]) -> Option<Kind> {
    let is_right = |result: &CheckResult| breaks.is_empty() || is_of(&result.step, breaks);
    let failed: Vec<_> = results.iter().filter(|result| result.outcome == Seen::Failed).collect();
    match failed.iter().find(|result| is_right(result)) {
        Some(right) => Some(Kind::Killed { step: right.step.clone(), check: right.name.clone() }),
        None => failed.first().map(|it| Kind::Misled { step: it.step.clone(), check: it.name.clone() }),
    }
}

fn first_undecided(results: &[CheckResult]) -> Option<String> {
    let undecided = results.iter().find(|result| result.outcome == Seen::Undecided)?;
    Some(format!("{} {}", undecided.step, undecided.name))
}

fn copy(from: &Path, to: &Path, hasher: &mut DefaultHasher) -> Result<(), Error> {
    fs::create_dir_all(to)?;
    let mut entries: Vec<_> =
        fs::read_dir(from)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for entry in entries {
        let target = to.join(entry.file_name().unwrap_or_default());
        if entry.is_dir() {
            copy(&entry, &target, hasher)?;
        } else {
            let content = fs::read(&entry)?;
            (&entry, &content).hash(hasher);
            fs::write(&target, content)?;
        }
    }
    Ok(())
}
