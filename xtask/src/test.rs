//! `cargo xtask test`: everything that must pass, stage by stage, with one table at the end.

use std::{process::Stdio, time::Instant};

use comfy_table::Table;

use crate::{
    Error, Verdict, axe,
    cargo::cargo,
    faults, peer, print, say, setup,
    suites::SUITES,
    table::{seconds, table},
};

/// Runs every stage, also after one has failed: each shows something of its own.
///
/// # Errors
/// When the machine lacks something that cannot be installed.
pub fn run() -> Verdict {
    setup::ensure()?;
    let mut stages = Stages { rows: table(&["stage", "outcome", "time", ""]), good: true };
    stages.cargo("format", &["fmt", "--all", "--check"], Some("fmt"));
    stages.cargo(
        "lints",
        &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"],
        Some("clippy"),
    );
    stages.cargo("documentation", &["doc", "--quiet", "--workspace", "--no-deps"], None);
    for suite in SUITES.iter() {
        stages.cargo(&format!("suite {suite}"), &["test", "--package", suite], None);
        stages.cargo(
            &format!("suite {suite}, a process per test"),
            &["nextest", "run", "--package", suite],
            Some("nextest"),
        );
    }
    let mut unit = vec!["test", "--workspace", "--no-fail-fast"];
    unit.extend(SUITES.iter().flat_map(|suite| ["--exclude", suite.as_str()]));
    stages.cargo("unit tests, bad input", &unit, None);
    stages.run("faults", "cargo xtask faults --quick", None, || {
        faults::run(&faults::Options::quick()).unwrap_or_else(failed)
    });
    let node = (!peer::has_node()).then_some("node is not on this machine");
    stages.run("supabase-js", "cargo xtask supabase-js", node, || peer::supabase_js().unwrap_or_else(failed));
    stages.run("sign-off's page", "cargo xtask axe", node, || axe::run().unwrap_or_else(failed));
    print(&stages.rows.to_string());
    Ok(stages.good)
}

fn failed(error: Error) -> bool {
    say(&format!("error: {error}"));
    false
}

struct Stages {
    rows: Table,
    good: bool,
}

impl Stages {
    /// A cargo command; `tool` is the subcommand that a machine may lack.
    fn cargo(&mut self, name: &str, command: &[&str], tool: Option<&str>) {
        let lacks = tool.filter(|tool| {
            let version = cargo(&[tool, "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
            !version.is_ok_and(|status| status.success())
        });
        let lacks = lacks.map(|tool| format!("cargo {tool} is not on this machine"));
        self.run(name, &format!("cargo {}", command.join(" ")), lacks.as_deref(), || {
            cargo(command).env("RUSTDOCFLAGS", "-D warnings").status().is_ok_and(|status| status.success())
        });
    }

    fn run(&mut self, name: &str, command: &str, lacks: Option<&str>, stage: impl FnOnce() -> bool) {
        let start = Instant::now();
        let (outcome, why) = match lacks {
            Some(why) => ("not run", why),
            None => {
                say(&format!("\n— {name}: {command}"));
                if stage() { ("passed", "") } else { ("FAILED", command) }
            }
        };
        self.good &= outcome != "FAILED";
        let time = seconds(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX));
        self.rows.add_row([name, outcome, &time, why]);
    }
}
