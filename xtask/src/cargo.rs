//! Running cargo: with its output in sight, or for the test binaries that it builds.

use std::{
    env,
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde::Deserialize;

use crate::{Error, setup::root};

/// A cargo command in the workspace's root.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    // Set for this program by the cargo that runs it. Build scripts watch them, so what is compiled for a developer's
    // cargo would be compiled again for this one, and then again for the developer's.
    let of_this_program = |name: &OsStr| {
        ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix))
    };
    for (name, _) in env::vars_os().filter(|(name, _)| of_this_program(name)) {
        command.env_remove(name);
    }
    command
}

/// One line of `--message-format=json`.
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

/// Builds the integration test of a suite and answers with the binary.
///
/// # Errors
/// When it does not compile; cargo has said why.
pub fn test_binary(suite: &str) -> Result<PathBuf, Error> {
    let build = cargo(&["test", "--quiet", "--no-run", "--message-format=json-render-diagnostics", "--package", suite])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !build.status.success() {
        return Err(format!("the suite {suite} does not compile").into());
    }
    let messages =
        build.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    let tests = messages.filter(|message| {
        message.reason == "compiler-artifact" && message.target.as_ref().is_some_and(|target| target.kind == ["test"])
    });
    tests
        .filter_map(|message| message.executable)
        .next()
        .ok_or_else(|| format!("the suite {suite} has no test binary").into())
}
