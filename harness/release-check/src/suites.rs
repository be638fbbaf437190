//! The suites: where their test binaries come from, and running them.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::LazyLock,
    time::Duration,
};

use harness::{
    run::{CheckResult, Planned, SuiteEnd, read_results},
    workspace_root,
};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tempfile::TempDir;

use crate::{Error, Usage, archive, cargo::test_binaries, nearest::nearest};

/// The suites of this workspace.
pub static SUITES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folders = fs::read_dir(workspace_root().join("suites")).into_iter().flatten().filter_map(Result::ok);
    let suites =
        folders.filter(|folder| folder.path().join("Cargo.toml").exists() && folder.path().join("tests").exists());
    let mut names: Vec<_> = suites.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
});

/// Where the suites' binaries come from.
#[derive(Debug, Default)]
pub struct Source {
    /// By name, where they need not be compiled.
    binaries: Option<BTreeMap<String, PathBuf>>,
    /// What they were unpacked into.
    _unpacked: Option<TempDir>,
}

/// A compiled suite.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Package name.
    pub name: String,
    binary: PathBuf,
}

/// What a run of a suite brought.
#[derive(Debug)]
pub struct Ran {
    /// What became of its checks.
    pub results: Vec<CheckResult>,
    /// How its process ended.
    pub end: SuiteEnd,
    /// All that the test runner printed.
    pub output: String,
}

impl Source {
    /// cargo, or what `--suites` names: a folder of test binaries or a nextest archive. Beside the binary of this very
    /// program a folder `suites` is used without being named.
    ///
    /// # Errors
    /// When there is nothing that can be run.
    pub fn at(path: Option<&Path>) -> Result<Self, Error> {
        let beside = env::current_exe().ok().and_then(|program| Some(program.parent()?.join("suites")));
        let packaged = beside.filter(|folder| folder.is_dir() && !folder.join("smoke/Cargo.toml").exists());
        let Some(path) = path.map(Path::to_owned).or(packaged) else { return Ok(Self::default()) };
        if path.is_dir() {
            return Self::of(archive::binaries_in(&path)?, None, &path);
        }
        let unpacked = archive::unpack(&path)?;
        Self::of(archive::binaries_of_nextest(unpacked.path())?, Some(unpacked), &path)
    }

    fn of(binaries: BTreeMap<String, PathBuf>, unpacked: Option<TempDir>, path: &Path) -> Result<Self, Error> {
        if binaries.is_empty() {
            return Err(Usage::error(format!(
                "{} has no suites\n--suites names a folder of test binaries, or an archive that cargo nextest archive made",
                path.display()
            )));
        }
        Ok(Self { binaries: Some(binaries), _unpacked: unpacked })
    }

    /// The names of the suites that there are.
    pub fn names(&self) -> Vec<String> {
        self.binaries.as_ref().map_or_else(|| SUITES.clone(), |binaries| binaries.keys().cloned().collect())
    }

    /// The named suites, or all; compiled if need be, all in one go.
    ///
    /// # Errors
    /// When there is no such suite, or it does not compile.
    pub fn suites(&self, names: &[String]) -> Result<Vec<Suite>, Error> {
        let known = self.names();
        if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
            return Err(Usage::error(format!(
                "there is no suite {unknown:?}{}\nknown suites: {}",
                nearest(unknown, known.iter().map(String::as_str)),
                known.join(", ")
            )));
        }
        let chosen = if names.is_empty() { &known } else { names };
        let binaries = match &self.binaries {
            Some(binaries) => binaries.clone(),
            None => test_binaries(chosen)?,
        };
        let suite = |name: &String| {
            let binary = binaries.get(name).ok_or_else(|| format!("the suite {name} has no test binary"))?;
            Ok(Suite { name: name.clone(), binary: binary.clone() })
        };
        chosen.iter().map(suite).collect()
    }
}

impl Suite {
    /// Compiles a suite of this workspace.
    ///
    /// # Errors
    /// When there is no such suite, or it does not compile.
    pub fn build(name: &str) -> Result<Self, Error> {
        let mut suites = Source::default().suites(&[name.to_owned()])?;
        Ok(suites.remove(0))
    }

    /// The compiled test binary.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// As its crate is called in Rust.
    pub fn krate(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The suite's checks, with the step of each, as it lists them itself.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn checks(&self) -> Result<Vec<Planned>, Error> {
        let folder = tempfile::tempdir()?;
        let list = folder.path().join("checks");
        // What is only listed is "not run", so the run as a whole is red; what counts is the list.
        let output = self.command().env("HARNESS_LIST_STEPS", &list).output()?;
        harness::run::read_list(&list).map_err(|error| {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            format!("the suite {} lists no checks: {error}\n{said}", self.name).into()
        })
    }

    /// The suite's tests, with the step of each: step, test.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn steps(&self) -> Result<Vec<(String, String)>, Error> {
        let checks = self.checks()?.into_iter();
        Ok(checks.map(|check| (check.step.clone(), self.test_of(&check))).collect())
    }

    /// A check's name as the test runner knows it.
    pub fn test_of(&self, check: &Planned) -> String {
        let prefix = format!("{}::", self.krate());
        check.name.strip_prefix(&prefix).unwrap_or(&check.name).to_owned()
    }

    /// Runs the tests, all or those named, as a run of its own in this folder, and reads their results.
    ///
    /// # Errors
    /// When the suite cannot be run or its results cannot be read.
    pub fn run(&self, tests: Option<&[String]>, folder: &Path, environment: &[(&str, &str)]) -> Result<Ran, Error> {
        fs::create_dir_all(folder)
            .map_err(|error| format!("evidence cannot be kept in {}: {error}", folder.display()))?;
        let mut command = self.command_in(folder);
        command.envs(environment.iter().copied());
        let (end, output) = self.follow(command, tests, &MultiProgress::new())?;
        Ok(Ran { results: read_results(folder)?, end, output })
    }

    /// Runs a command of this suite with a bar of progress among those.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn follow(
        &self,
        mut command: Command,
        tests: Option<&[String]>,
        bars: &MultiProgress,
    ) -> Result<(SuiteEnd, String), Error> {
        if let Some(tests) = tests {
            command.arg("--exact").args(tests);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let bar = bars.add(ProgressBar::new(0).with_message(self.name.clone()));
        bar.set_style(ProgressStyle::with_template("{spinner} {msg} {pos}/{len} {wide_bar} {elapsed}")?);
        bar.enable_steady_tick(Duration::from_millis(120));
        let mut output = String::new();
        for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            if let Some(count) = line.strip_prefix("running ").and_then(|rest| rest.split(' ').next()?.parse().ok()) {
                bar.set_length(count);
            }
            if line.starts_with("test ") && line.contains(" ... ") {
                bar.inc(1);
            }
            output = format!("{output}{line}\n");
        }
        let end = end_of(child.wait()?);
        bar.finish_and_clear();
        Ok((end, output))
    }

    /// The suite's tests as a command whose run has this folder.
    pub fn command_in(&self, folder: &Path) -> Command {
        let mut command = self.command();
        command.env("ALLURE_RESULTS_DIR", folder).env_remove("HARNESS_RUN");
        command
    }

    /// The suite's tests as a command.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        let folder = workspace_root().join("suites").join(&self.name);
        if folder.is_dir() {
            command.current_dir(folder);
        }
        // A backtrace of a failed check shows the harness, not the portal.
        command.env_remove("RUST_BACKTRACE").env_remove("RUST_TEST_THREADS").env_remove("NEXTEST_RUN_ID");
        // What a broken portal shows must not be taken for what was approved.
        command.env("INSTA_UPDATE", "no");
        command
    }
}

/// What the test runner's exit says: 0 and 101 are its own, the others are not.
fn end_of(status: ExitStatus) -> SuiteEnd {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return SuiteEnd::Otherwise(format!("was killed by signal {signal}"));
    }
    match status.code() {
        Some(0) => SuiteEnd::Green,
        Some(101) => SuiteEnd::Red,
        Some(129..=131 | 143) => SuiteEnd::Interrupted,
        code => SuiteEnd::Otherwise(format!("ended with exit code {}", code.unwrap_or(-1))),
    }
}
