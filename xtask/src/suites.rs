//! Running a suite and reading what became of its checks.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
    time::Duration,
};

use harness::{CheckResult, read_results};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{Error, cargo::test_binary, setup::root};

/// The suites that there are, in the runbook's order.
pub static SUITES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folders = fs::read_dir(root().join("suites")).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<_> = folders.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
});

/// A compiled suite.
pub struct Suite {
    pub name: String,
    binary: PathBuf,
}

/// What a run of a suite brought.
pub struct Run {
    pub results: Vec<CheckResult>,
    /// Where results and attachments are.
    pub folder: PathBuf,
    /// All that the test runner printed.
    pub output: String,
}

impl Suite {
    /// Compiles a suite.
    ///
    /// # Errors
    /// When there is no such suite, or it does not compile.
    pub fn build(name: &str) -> Result<Self, Error> {
        if !SUITES.iter().any(|suite| suite == name) {
            return Err(format!("there is no suite {name:?}; there are {}", SUITES.join(", ")).into());
        }
        Ok(Self { name: name.to_owned(), binary: test_binary(name)? })
    }

    /// The suite's tests, with the step of each.
    ///
    /// # Errors
    /// When the suite cannot be run.
    pub fn steps(&self) -> Result<Vec<(String, String)>, Error> {
        let folder = tempfile::tempdir()?;
        let list = folder.path().join("steps");
        // What is only listed is "not run", so the run as a whole is red; what counts is the list.
        self.command(&folder.path().join("results")).env("HARNESS_LIST_STEPS", &list).output()?;
        let list = fs::read_to_string(&list)?;
        let prefix = format!("{}::", self.name.replace('-', "_"));
        let tests = list.lines().filter_map(|line| line.split_once('\t'));
        Ok(tests.map(|(step, test)| (step.to_owned(), test.trim_start_matches(&prefix).to_owned())).collect())
    }

    /// Runs the tests, all or those named, and reads their results.
    ///
    /// # Errors
    /// When the suite cannot be run or its results cannot be read.
    pub fn run(&self, tests: Option<&[String]>, folder: &Path, environment: &[(&str, &str)]) -> Result<Run, Error> {
        fs::create_dir_all(folder)
            .map_err(|error| format!("evidence cannot be kept in {}: {error}", folder.display()))?;
        let mut command = self.command(folder);
        command.envs(environment.iter().copied());
        if let Some(tests) = tests {
            command.arg("--exact").args(tests);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let bar = ProgressBar::new(0).with_message(self.name.clone());
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
        child.wait()?;
        bar.finish_and_clear();
        let results = read_results(folder)?;
        Ok(Run { results, folder: folder.to_owned(), output })
    }

    /// The suite's tests as a command that leaves its results in a folder.
    pub fn command(&self, results: &Path) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(root().join("suites").join(&self.name)).env("ALLURE_RESULTS_DIR", results);
        // A backtrace of a failed check tells of the harness, not of the portal.
        command.env_remove("RUST_BACKTRACE").env_remove("RUST_TEST_THREADS");
        // What a broken portal shows must not be taken for what was approved.
        command.env("INSTA_UPDATE", "no");
        command
    }
}
