//! Exit codes: one table, the same for every command.

use std::{fmt, process::ExitCode};

use crate::{
    Error,
    terminal::{say, unwritten},
};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was chosen passed.
    Passed,
    /// Something failed.
    Failed,
    /// Nothing failed, but something is undecided, was not run, or waits for a signature.
    Open,
    /// A signal ended it, by the number that shells give it: 130 or 143.
    Interrupted(u8),
}

/// The part of `--help` that explains exit codes.
pub(crate) const TABLE: &str = "\
Exit codes:
  0    passed: everything that was selected passed
  1    failed: something failed
  2    usage: the command line or the configuration is wrong
  3    open: nothing failed, but something is undecided, was not run or is not signed
  4    infrastructure: nothing could be verified at all
  130  interrupted (143: terminated)";

/// A mistake of the person who typed the command: exit code 2.
#[derive(Debug)]
pub struct Usage(String);

impl Usage {
    /// The mistake, in a sentence, and below it what to do.
    pub fn error(text: impl Into<String>) -> Error {
        Box::new(Self(text.into()))
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::error::Error for Usage {}

impl Exit {
    /// Passed when `good`, failed otherwise.
    pub fn of(good: bool) -> Self {
        if good { Self::Passed } else { Self::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Passed => ExitCode::from(0),
            Exit::Failed => ExitCode::from(1),
            Exit::Open => ExitCode::from(3),
            Exit::Interrupted(code) => ExitCode::from(code),
        }
    }
}

/// The exit code of a command, after its error was printed.
pub fn code(ended: Result<Exit, Error>) -> ExitCode {
    let written = || unwritten().map_or(Ok(()), |error| Err(format!("the standard output cannot be written: {error}")));
    let ended = ended.and_then(|exit| written().map(|()| exit).map_err(Error::from));
    ended.map(ExitCode::from).unwrap_or_else(|error| {
        say(&format!("error: {error}"));
        ExitCode::from(if error.is::<Usage>() { 2 } else { 4 })
    })
}
