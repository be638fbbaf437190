//! Running cargo: with its output in sight, or for the test binaries that it builds.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde::Deserialize;

use harness::workspace_root;

use crate::Error;

/// A cargo command in the workspace's root.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace_root());
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
    name: String,
}

/// Builds the integration tests of suites, all in one go, and answers with the binaries by package. Those of another
/// contract have cases of their own, and are built beside ours: whoever runs ours meanwhile keeps them.
///
/// # Errors
/// When one does not compile; cargo has said why.
pub fn test_binaries(suites: &[String]) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut arguments = vec!["test", "--no-run"];
    arguments.extend(suites.iter().flat_map(|suite| ["--package", suite.as_str()]));
    let features = suites.iter().map(|suite| format!("{suite}/another-contract")).collect::<Vec<_>>().join(",");
    if env::var_os("HARNESS_CONTRACT").is_some_and(|path| !path.is_empty()) {
        arguments.extend(["--features", &features]);
    }
    built(cargo(&arguments), "test")
}

/// Runs a command that builds, and answers with the executables of a kind (`bin`, `test`) by the names of their targets.
///
/// # Errors
/// When there is no cargo, or something does not compile; cargo has said why.
pub fn built(mut command: Command, kind: &str) -> Result<BTreeMap<String, PathBuf>, Error> {
    command.args(["--quiet", "--message-format=json-render-diagnostics"]);
    let build = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(|error| {
        format!("cargo cannot be run: {error}\ninstall Rust, or name suites that are compiled: --suites PATH")
    })?;
    if !build.status.success() {
        let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        return Err(format!("cargo {} failed", arguments.join(" ")).into());
    }
    let messages =
        build.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    let artifacts = messages.filter(|message| message.reason == "compiler-artifact").filter_map(|message| {
        let target = message.target.filter(|target| target.kind == [kind])?;
        Some((target.name, message.executable?))
    });
    Ok(artifacts.collect())
}
