//! The fault matrix: the embedded portal broken in every known way, and which checks notice.

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::PathBuf,
    process::Command,
    str::FromStr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use harness::{Outcome, Runbook, run::CheckResult};
use held_texts::{hold_of, whose};
use portal::Fault;

use crate::{
    Error, Verdict, print, say,
    setup::{self, root},
    suites::{SUITES, Suite},
    table::{seconds, table},
};

/// The quick matrix has one of so many holes.
const HOLES_FOR_ONE: usize = 20;

/// `cargo xtask test` looks at one part of so many.
const PARTS: usize = 8;

/// Which faults.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Only these, by name
    faults: Vec<Fault>,
    /// Only this suite's checks
    #[arg(long)]
    suite: Option<String>,
    /// Only the check that killed it before, or else those of the step a fault is about: shows whether it is killed,
    /// not what else it turns red
    #[arg(long)]
    quick: bool,
    /// Only one part of so many, such as 2/4
    #[arg(long, value_name = "N/M")]
    part: Option<Part>,
    /// Whether the checks that noticed are known to pass on the sound portal.
    #[arg(skip)]
    is_controlled: bool,
}

/// The faults of a list that have this place among `of`.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    number: usize,
    of: usize,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err(format!("expected a part and their number, such as 2/4, not {text:?}")),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Part {
    /// The part that falls to the commit which is checked out, of so many that one takes a few minutes: each commit
    /// looks at another one.
    pub fn of_commit() -> Self {
        let head = Command::new("git").arg("-C").arg(root()).args(["rev-parse", "HEAD"]).output();
        let hash = head.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let digits = hash.get(..4).and_then(|digits| usize::from_str_radix(digits, 16).ok()).unwrap_or_default();
        Self { number: digits % PARTS + 1, of: PARTS }
    }
}

impl Options {
    /// The faults of one part, as quickly as it goes; of the holes in the wall between tenants, which the prober's own
    /// test looks for, a few.
    pub fn quick(part: Part) -> Self {
        let (holes, others): (Vec<_>, Vec<_>) = Fault::ALL.iter().copied().partition(|fault| fault.is_hole());
        let few = holes.into_iter().step_by(HOLES_FOR_ONE);
        let faults = others.into_iter().chain(few).collect();
        // The suites' own stage looks at the sound portal.
        Self { faults, quick: true, part: Some(part), is_controlled: true, ..Self::default() }
    }

    fn chosen(&self) -> Vec<Fault> {
        let all = if self.faults.is_empty() { Fault::ALL } else { &self.faults };
        let Some(part) = self.part else { return all.to_vec() };
        all.iter().skip(part.number - 1).step_by(part.of).copied().collect()
    }
}

/// A fault and what the checks made of it.
struct Kill {
    /// The fault; none is the sound portal.
    fault: Option<Fault>,
    /// Checks that did not pass.
    red: Vec<CheckResult>,
    /// What is wrong with that, if anything.
    defect: Option<String>,
    milliseconds: u64,
}

/// The compiled suites with the step of each of their tests.
type Suites = Vec<(Suite, Vec<(String, String)>)>;

/// Prints the kill table. True when every fault is killed by the step that it breaks and by no other.
///
/// # Errors
/// When a suite cannot be run.
pub fn run(options: &Options) -> Verdict {
    setup::ensure()?;
    let chosen = options.chosen();
    let names = options.suite.clone().map_or_else(|| SUITES.clone(), |suite| vec![suite]);
    let built = names.iter().map(|name| Suite::build(name).and_then(|suite| suite.steps().map(|steps| (suite, steps))));
    let suites: Suites = built.collect::<Result<_, _>>()?;
    // The control of the whole matrix.
    let sound = (!options.quick).then_some(None);
    let faults: Vec<_> = sound.into_iter().chain(chosen.iter().copied().map(Some)).collect();
    let mut kills = kills(&suites, &faults, options.quick)?;
    if options.quick && !options.is_controlled {
        control(&suites, &mut kills)?;
    }

    let mut rows = table(&["fault", "breaks", "killed by", "time", ""]);
    for kill in &kills {
        let tests: Vec<_> = kill.red.iter().filter(|red| kill.is_about(red)).map(|red| short(&red.name)).collect();
        let killers = match tests.as_slice() {
            [] => String::new(),
            [first] => first.clone(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        };
        let (name, step) = kill.fault.map_or(("(none)", ""), |fault| (fault.name(), fault.breaks()[0]));
        rows.add_row([name, step, &killers, &seconds(kill.milliseconds), kill.defect.as_deref().unwrap_or("✓")]);
    }
    print(&rows.to_string());
    Ok(kills.iter().all(|kill| kill.defect.is_none()))
}

/// In the order of `faults`. Checks of a broken portal wait more than they work, so two portals share the machine; not
/// so in the full matrix, where what is sound has to be in time.
fn kills(suites: &Suites, faults: &[Option<Fault>], quick: bool) -> Result<Vec<Kill>, Error> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || -> Result<(), Error> {
        while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
            let kill = kill(suites, *fault, quick)?;
            say(&kill.line());
            done.lock().unwrap_or_else(PoisonError::into_inner).push(kill);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..if quick { 2 } else { 1 }).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err("a worker panicked".into())))
    })?;
    let mut kills = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    kills.sort_by_key(|kill: &Kill| faults.iter().position(|fault| *fault == kill.fault));
    Ok(kills)
}

/// Runs the checks that noticed on the sound portal: what is red there has noticed nothing.
fn control(suites: &Suites, kills: &mut [Kill]) -> Result<(), Error> {
    let names: BTreeSet<_> = kills.iter().flat_map(|kill| &kill.red).map(|red| red.name.clone()).collect();
    let is_among = |suite: &str, test: &str| names.contains(&format!("{}::{test}", suite.replace('-', "_")));
    let sound = look(suites, None, |suite, _, test| is_among(suite, test))?;
    say(&sound.line());
    for kill in kills.iter_mut().filter(|kill| kill.defect.is_none()) {
        let red = kill.red.iter().find(|red| sound.red.iter().any(|other| other.name == red.name));
        kill.defect = red.map(|red| format!("red on the sound portal, too: {}", short(&red.name)));
    }
    Ok(())
}

/// Runs the suites against the portal with one fault.
fn kill(suites: &Suites, fault: Option<Fault>, quick: bool) -> Result<Kill, Error> {
    let Some(fault) = fault.filter(|_| quick) else { return look(suites, fault, |_, _, _| true) };
    // Whose text is held killed it before.
    if let Some(killer) = whose("faults", fault.name()) {
        let kill =
            look(suites, Some(fault), |suite, _, test| killer == format!("{}::{test}", suite.replace('-', "_")))?;
        if kill.defect.is_none() {
            return Ok(kill);
        }
    }
    look(suites, Some(fault), |_, step, _| covers(fault.breaks()[0], step))
}

/// Runs the tests that are `wanted`, by suite, step and name.
fn look(suites: &Suites, fault: Option<Fault>, wanted: impl Fn(&str, &str, &str) -> bool) -> Result<Kill, Error> {
    let start = Instant::now();
    let folder: PathBuf = root().join("target/faults").join(fault.map_or("none", Fault::name));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut red = Vec::new();
    let mut seen = 0;
    for (suite, steps) in suites {
        let tests = steps.iter().filter(|(step, test)| wanted(&suite.name, step, test));
        let tests: Vec<_> = tests.map(|(_, test)| test.clone()).collect();
        if tests.is_empty() {
            continue;
        }
        // Where every view is broken the checks wait rather than work, and more of them can wait at once.
        let threads = if fault.is_some_and(|fault| fault.breaks().contains(&"4.1")) { "5" } else { "2" };
        let name = fault.map_or("", Fault::name);
        let environment = [("HARNESS_TARGET", "embedded"), ("PORTAL_FAULTS", name), ("RUST_TEST_THREADS", threads)];
        let results = suite.run(Some(&tests), &folder.join(&suite.name), &environment)?.results;
        seen += results.len();
        red.extend(results.into_iter().filter(|result| result.outcome != Outcome::Passed));
    }
    let mut kill = Kill { fault, red, defect: None, milliseconds: u64::try_from(start.elapsed().as_millis())? };
    kill.defect = if seen == 0 { Some("no check ran".to_owned()) } else { kill.judge().or_else(|| kill.shown()) };
    Ok(kill)
}

impl Kill {
    /// A kill is a failed check of the step that the fault is about. A red check of a step that it does not break is
    /// red for the wrong reason.
    fn judge(&self) -> Option<String> {
        let Some(fault) = self.fault else {
            return self.red.first().map(|red| format!("red on the sound portal: {}", short(&red.name)));
        };
        if !self.red.iter().any(|red| red.outcome == Outcome::Failed && self.is_about(red)) {
            return Some(format!("survived: no check of {} failed", fault.breaks()[0]));
        }
        let sees_all = |step: &str| Runbook::get().step(step).is_some_and(|step| step.sees_all);
        let is_broken = |step: &str| sees_all(step) || fault.breaks().iter().any(|broken| covers(broken, step));
        let strayed = self.red.iter().find(|red| !is_broken(&red.step));
        strayed.map(|red| format!("step {} is red and not broken: {}", red.step, short(&red.name)))
    }

    /// The killer's text is what the person on call reads; it changes only on purpose.
    fn shown(&self) -> Option<String> {
        // Which of several checks is shown does not depend on which was first.
        let killers = self.red.iter().filter(|red| red.outcome == Outcome::Failed && self.is_about(red));
        let (fault, killer) = (self.fault?, killers.min_by(|one, other| one.name.cmp(&other.name))?);
        let text = killer.text().unwrap_or_default();
        let held = hold_of("faults", fault.name(), text, &killer.name);
        (!held).then(|| "its text is not the one in snapshots/faults".to_owned())
    }

    /// Whether a red check names the step that the fault is about.
    fn is_about(&self, red: &CheckResult) -> bool {
        self.fault.is_some_and(|fault| covers(fault.breaks()[0], &red.step))
    }

    fn line(&self) -> String {
        let name = self.fault.map_or("sound portal", Fault::name);
        format!("{name}: {} red, {}", self.red.len(), self.defect.as_deref().unwrap_or("as it should be"))
    }
}

fn covers(filter: &str, step: &str) -> bool {
    Runbook::get().step(step).is_some_and(|step| step.is_selected_by(filter))
}

/// A test's name without its suite.
fn short(name: &str) -> String {
    name.split_once("::").map_or(name, |(_, test)| test).to_owned()
}
