//! `cargo xtask test`: everything that must pass, stage by stage, with one table at the end.

use std::{process::Stdio, time::Instant};

use crate::{
    Verdict,
    cargo::cargo,
    print, say, setup,
    suites::SUITES,
    table::{seconds, table},
};

/// What became of a stage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Passed,
    Failed,
    /// The tool that it needs is not on this machine.
    NotRun,
}

/// Runs every stage, also after one has failed: each tells something of its own.
///
/// # Errors
/// When the machine lacks something that cannot be installed.
pub fn run() -> Verdict {
    setup::ensure()?;
    let mut rows = table(&["stage", "outcome", "time", ""]);
    let mut good = true;
    let mut stage = |name: &str, command: &[&str], tool: Option<&[&str]>| {
        let present = tool.is_none_or(|tool| {
            cargo(tool).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        });
        let start = Instant::now();
        let outcome = if !present {
            Stage::NotRun
        } else {
            say(&format!("\n— {name}: cargo {}", command.join(" ")));
            let status = cargo(command).env("RUSTDOCFLAGS", "-D warnings").env("CLICOLOR_FORCE", "0").status();
            if status.is_ok_and(|status| status.success()) { Stage::Passed } else { Stage::Failed }
        };
        good &= outcome != Stage::Failed;
        let (told, why) = match outcome {
            Stage::Passed => ("passed", String::new()),
            Stage::Failed => ("FAILED", format!("cargo {}", command.join(" "))),
            Stage::NotRun => {
                ("not run", format!("cargo {} is not on this machine", tool.unwrap_or_default().join(" ")))
            }
        };
        rows.add_row([name, told, &seconds(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)), &why]);
    };

    stage("format", &["fmt", "--all", "--check"], Some(&["fmt", "--version"]));
    stage(
        "lints",
        &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"],
        Some(&["clippy", "--version"]),
    );
    stage("documentation", &["doc", "--quiet", "--workspace", "--no-deps"], None);
    for suite in SUITES.iter() {
        stage(&format!("suite {suite}"), &["test", "--package", suite], None);
        stage(
            &format!("suite {suite}, a process per test"),
            &["nextest", "run", "--package", suite],
            Some(&["nextest", "--version"]),
        );
    }
    let mut unit = vec!["test", "--workspace"];
    unit.extend(SUITES.iter().flat_map(|suite| ["--exclude", suite.as_str()]));
    stage("unit tests, bad input, faults", &unit, None);

    print(&rows.to_string());
    Ok(good)
}
