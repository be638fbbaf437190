//! The run that this process takes part in: one that somebody else has begun, one of nextest's, or its own.

use std::{
    env, fs,
    io::{self, BufRead},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    begin::{self, create_private},
    folder::{JOINED, MANIFEST, OWN, named, runs_folder, sha256, write},
    manifest::{Chosen, Manifest, Planned, Runner, SuiteEnd, SuiteEnded},
};
use crate::{failure::Failure, section::Section, seen};

/// When set, checks write their step and name to this file instead of running.
const LIST: &str = "HARNESS_LIST_STEPS";

/// When set, each check keeps what its pages asked for, whatever its verdict: what a check never asked for, it cannot judge.
const ASKED: &str = "HARNESS_KEEP_ASKED";

/// nextest's name for a run, the same in all of its processes.
const NEXTEST: &str = "NEXTEST_RUN_ID";

static CURRENT: OnceLock<Result<Current, Failure>> = OnceLock::new();

/// The run that this process takes part in.
#[derive(Debug)]
pub(crate) struct Current {
    /// The name.
    pub id: String,
    /// The folder.
    pub folder: PathBuf,
    /// The suite that this process is, if it began the run by itself and so closes it.
    closes: Option<String>,
}

/// A line of the list.
#[derive(Serialize, Deserialize)]
struct Listed {
    name: String,
    step: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    needs: Vec<Section>,
}

/// The run of this process. The first check of a process that nobody runs begins one, of all checks that the same
/// command line selects.
///
/// # Errors
/// Not run when the folder cannot be written to: a check that leaves no evidence cannot be signed.
pub(crate) fn current(suite: &str) -> Result<&'static Current, Failure> {
    CURRENT.get_or_init(|| take_part(suite)).as_ref().map_err(Failure::clone)
}

fn take_part(suite: &str) -> Result<Current, Failure> {
    if let Some(folder) = named(JOINED) {
        return join(&folder).map_err(|error| {
            Failure::not_run(format!("the run that {JOINED} names can be joined"))
                .expected(format!("a folder with the {MANIFEST} of a run"))
                .seen(error.to_string())
                .at(folder.display().to_string())
                .advice(format!("unset {JOINED}: release-check sets it for the suites that it runs"))
                .shared()
        });
    }
    let own = named(OWN);
    let runs = own.clone().unwrap_or_else(runs_folder);
    begin_own(suite, own, &runs).map_err(|error| {
        Failure::not_run("evidence cannot be kept")
            .seen(error.to_string())
            .at(runs.display().to_string())
            .advice(format!("make the folder writable, or set {OWN} to one that is"))
            .shared()
    })
}

fn join(folder: &Path) -> io::Result<Current> {
    let manifest: Manifest = serde_json::from_slice(&fs::read(folder.join(MANIFEST))?)?;
    Ok(Current { id: manifest.id, folder: folder.to_owned(), closes: None })
}

fn begin_own(suite: &str, own: Option<PathBuf>, runs: &Path) -> io::Result<Current> {
    let nextest = env::var(NEXTEST).ok().filter(|id| !id.is_empty());
    let arguments: Vec<_> = env::args().skip(1).collect();
    let plan = |arguments: &[String], folder: &Path, runner: Runner| {
        Ok::<_, io::Error>(begin::Plan {
            runner,
            chosen: Chosen { suites: vec![suite.to_owned()], step: None, filter: selecting(arguments) },
            checks: list_own(arguments, folder)?,
            harness: None,
            target: None,
            evidence: None,
        })
    };
    if let Some(nextest) = nextest {
        // A process knows no test but its own: the run of a suite has all of the suite's checks, whatever was selected.
        let folder = runs.join(format!("nextest-{nextest}-{suite}"));
        fs::create_dir_all(runs)?;
        match create_private(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        if !folder.join(MANIFEST).exists() {
            let plan = plan(&[], &folder, Runner::Nextest)?;
            let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            plan.begin_in(folder.clone(), id, Timestamp::now())?;
            super::folder::point_latest_to(&folder);
        }
        return join(&folder);
    }
    let begun = match own {
        Some(folder) => {
            fs::create_dir_all(&folder)?;
            let id = format!(
                "{}-{}",
                Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ"),
                &uuid::Uuid::new_v4().simple().to_string()[..6]
            );
            plan(&arguments, &folder, Runner::CargoTest)?.begin_in(folder, id, Timestamp::now())?
        }
        None => {
            fs::create_dir_all(runs)?;
            plan(&arguments, runs, Runner::CargoTest)?.begin(runs)?
        }
    };
    Ok(Current { id: begun.manifest().id.clone(), folder: begun.folder().to_owned(), closes: Some(suite.to_owned()) })
}

/// The test runner's arguments that choose among tests.
fn selecting(arguments: &[String]) -> Vec<String> {
    let mut chosen = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--skip" => chosen.extend([argument.clone()].into_iter().chain(arguments.next().cloned())),
            "--exact" | "--ignored" | "--include-ignored" => chosen.push(argument.clone()),
            "--test-threads" | "--format" | "--color" | "--logfile" | "-Z" | "--report-time" | "--shuffle-seed" => {
                arguments.next();
            }
            option if option.starts_with("--skip=") => chosen.push(option.to_owned()),
            option if option.starts_with('-') => {}
            name => chosen.push(name.to_owned()),
        }
    }
    chosen
}

/// The checks that this very program makes when it is called with these arguments, as it lists them itself.
fn list_own(arguments: &[String], folder: &Path) -> io::Result<Vec<Planned>> {
    let list = tempfile::Builder::new().prefix(".listing-").tempfile_in(folder)?;
    // Each check that is only listed fails, so the exit code says nothing.
    Command::new(env::current_exe()?)
        .args(arguments)
        .env(LIST, list.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    read_list(list.path())
}

/// Reads what a suite has listed in the file that `HARNESS_LIST_STEPS` named.
///
/// # Errors
/// When it has listed nothing, or not as suites do.
pub fn read_list(path: &Path) -> io::Result<Vec<Planned>> {
    let mut checks = Vec::new();
    for line in io::BufReader::new(fs::File::open(path)?).lines() {
        let Listed { name, step, needs } = serde_json::from_str(&line?)?;
        checks.push(Planned { name, step, needs, left_out: None });
    }
    Ok(checks)
}

/// The file that checks are listed in instead of being run, if this process is asked for a list.
pub(crate) fn asked_to_list() -> Option<PathBuf> {
    named(LIST)
}

/// Whether what pages asked for is kept of checks that pass, too.
pub(crate) fn keeps_asked() -> bool {
    named(ASKED).is_some()
}

/// Adds a check to the list.
pub(crate) fn list(path: &Path, name: &str, step: &str, needs: &[Section]) -> io::Result<()> {
    let listed = Listed { name: name.to_owned(), step: step.to_owned(), needs: needs.to_vec() };
    let mut line = serde_json::to_vec(&listed)?;
    line.push(b'\n');
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    io::Write::write_all(&mut file, &line)
}

/// The folder of this process's run, if it takes part in one.
pub(super) fn closing() -> Option<&'static Path> {
    CURRENT.get()?.as_ref().ok().map(|current| current.folder.as_path())
}

/// What this process saw of the deployment; of nothing, nothing.
fn keep_seen(folder: &Path) {
    let Some(seen) = seen::noted() else { return };
    let Ok(json) = serde_json::to_vec_pretty(&seen) else { return };
    // A full disk was reported by the checks' own results.
    let _ = write(folder, &format!("{}{}.json", seen::PREFIX, &sha256(&json)[..12]), &json);
}

/// Ends what this process has of a run: keeps what it saw and, if it began the run, closes it. A run that cannot be
/// closed stays open, and so is not green.
pub(crate) fn close(interrupted: bool) {
    let Some(Ok(current)) = CURRENT.get() else { return };
    keep_seen(&current.folder);
    if let Some(suite) = &current.closes {
        let how = if interrupted { SuiteEnd::Interrupted } else { SuiteEnd::ByItself };
        let _ = begin::close(&current.folder, &current.id, vec![SuiteEnded { suite: suite.clone(), how }]);
    }
}
