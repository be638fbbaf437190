//! The fault matrix: the embedded portal broken in every known way, and which checks notice.

use std::{fs, path::PathBuf, time::Instant};

use harness::{CheckResult, Outcome, Runbook};
use portal::Fault;

use crate::{
    Error, Verdict, print, say,
    setup::{self, root},
    suites::{SUITES, Suite},
    table::{seconds, table},
    texts::hold,
};

/// Which faults.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Only these, by name
    faults: Vec<Fault>,
    /// Only this suite's checks
    #[arg(long)]
    suite: Option<String>,
}

/// A fault and what the checks made of it.
pub struct Kill {
    /// The fault; none is the sound portal.
    pub fault: Option<Fault>,
    /// Checks that did not pass.
    pub red: Vec<CheckResult>,
    /// What is wrong with that, if anything.
    pub defect: Option<String>,
    milliseconds: u64,
}

/// Prints the kill table. True when every fault is killed by the step that it breaks and by no other.
///
/// # Errors
/// When a suite cannot be run.
pub fn run(options: &Options) -> Verdict {
    setup::ensure()?;
    let chosen = if options.faults.is_empty() { Fault::ALL } else { &options.faults };
    let names = options.suite.clone().map_or_else(|| SUITES.clone(), |suite| vec![suite]);
    let suites = names.iter().map(|name| Suite::build(name)).collect::<Result<Vec<_>, _>>()?;
    let mut rows = table(&["fault", "breaks", "killed by", "time", ""]);
    let mut good = true;
    let faults = std::iter::once(None).chain(chosen.iter().copied().map(Some));
    for fault in faults {
        let kill = kill(&suites, fault)?;
        say(&kill.line());
        good &= kill.defect.is_none();
        let tests: Vec<_> = kill.red.iter().filter(|red| kill.is_about(red)).map(|red| short(&red.name)).collect();
        let killers = match tests.as_slice() {
            [] => String::new(),
            [first] => first.clone(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        };
        let (name, step) = fault.map_or(("(none)", ""), |fault| (fault.name(), fault.breaks()[0]));
        rows.add_row([name, step, &killers, &seconds(kill.milliseconds), kill.defect.as_deref().unwrap_or("✓")]);
    }
    print(&rows.to_string());
    Ok(good)
}

/// Runs the suites against the portal with one fault.
///
/// # Errors
/// When a suite cannot be run.
pub fn kill(suites: &[Suite], fault: Option<Fault>) -> Result<Kill, Error> {
    let start = Instant::now();
    let name = fault.map_or("none", Fault::name);
    let folder: PathBuf = root().join("target/faults").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut red = Vec::new();
    let mut seen = 0;
    for suite in suites {
        // Where every view is broken the checks wait rather than work, and more of them can wait at once.
        let threads = if fault.is_some_and(|fault| fault.breaks().contains(&"4.1")) { "5" } else { "2" };
        let name = fault.map_or("", Fault::name);
        let environment = [("HARNESS_TARGET", "embedded"), ("PORTAL_FAULTS", name), ("RUST_TEST_THREADS", threads)];
        let results = suite.run(None, &folder.join(&suite.name), &environment)?.results;
        seen += results.len();
        red.extend(results.into_iter().filter(|result| result.outcome != Outcome::Passed));
    }
    let mut kill = Kill { fault, red, defect: None, milliseconds: u64::try_from(start.elapsed().as_millis())? };
    kill.defect = if seen == 0 { Some("no check ran".to_owned()) } else { kill.judge().or_else(|| kill.told()) };
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
        let strayed = self.red.iter().find(|red| !fault.breaks().iter().any(|step| covers(step, &red.step)));
        strayed.map(|red| format!("step {} is red and not broken: {}", red.step, short(&red.name)))
    }

    /// The killer's text is what the person on call reads; it changes only on purpose.
    fn told(&self) -> Option<String> {
        let (fault, killer) = (self.fault?, self.red.iter().find(|red| self.is_about(red))?);
        let held = hold("faults", fault.name(), killer.explanation.as_deref().unwrap_or_default(), None);
        (!held).then(|| "its text is not the one in snapshots/faults".to_owned())
    }

    /// Whether a red check names the step that the fault is about.
    pub fn is_about(&self, red: &CheckResult) -> bool {
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
