//! The servers' own tests. What they imitate a vendor makes and no release changes, so that no suite asks for all of it.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::Error;

/// A program of them.
pub(super) struct Own {
    pub name: String,
    binary: PathBuf,
    folder: PathBuf,
}

impl Own {
    /// A test binary, and the folder in which cargo would run it.
    pub fn of(target: String, binary: PathBuf, folder: PathBuf) -> Self {
        Self { name: format!("portal {target}"), binary, folder }
    }

    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Runs them until one fails, and answers which.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn first_failed(&self, environment: &[(&str, String)]) -> Result<Option<String>, Error> {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).env("INSTA_UPDATE", "no").env("RUST_TEST_THREADS", "2");
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let lines = child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok);
        let failed = lines.filter_map(|line| failed(&line).map(str::to_owned)).next();
        // What is still running ends with it.
        let _ = child.kill();
        let status = child.wait()?;
        let ended = failed.is_none() && !status.success();
        Ok(failed.or_else(|| ended.then(|| status.to_string())).map(|test| format!("{}: {test}", self.name)))
    }
}

/// The test of which a line says that it failed.
fn failed(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}
