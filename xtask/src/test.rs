//! `cargo xtask test`: everything that must pass, stage by stage, with one table at the end.

use std::{fs, process::Stdio, time::Instant};

use comfy_table::Table;

use crate::{
    Error, Verdict, axe,
    cargo::cargo,
    faults, peer, print, say,
    setup::{self, root},
    suites::SUITES,
    table::{seconds, table},
    vendors,
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
    }
    let mut apart = vec!["nextest", "run", "--no-fail-fast"];
    apart.extend(APART.iter().flat_map(|suite| ["--package", suite]));
    stages.cargo("suites, a process per test", &apart, Some("nextest"));
    for year in ["2024", "2026"] {
        let name = format!("suites of a project of {year}");
        stages
            .run(&name, &format!("PORTAL_PROJECT={year} cargo test"), None, || project_of(year).unwrap_or_else(failed));
    }
    let mut unit = vec!["test", "--workspace", "--no-fail-fast"];
    unit.extend(SUITES.iter().flat_map(|suite| ["--exclude", suite.as_str()]));
    stages.cargo("unit tests, bad input", &unit, None);
    let part = faults::Part::of_commit();
    stages.run("faults", &format!("cargo xtask faults --quick --part {part}"), None, || {
        faults::run(&faults::Options::quick(part)).unwrap_or_else(failed)
    });
    let deno = ["test", "--package", "portal", "--test", "team", "--", "--ignored"];
    let node = (!peer::has_node()).then_some("node is not on this machine");
    stages.run("functions in Deno", &format!("cargo {}", deno.join(" ")), node, || {
        cargo(&deno).status().is_ok_and(|status| status.success())
    });
    stages.run("supabase-js", "cargo xtask supabase-js", node, || peer::supabase_js().unwrap_or_else(failed));
    stages.run("postgrest-js", "cargo xtask postgrest-js", node, || peer::postgrest_js().unwrap_or_else(failed));
    stages.run("a portal built by Vite", "cargo xtask vite", node, || peer::vite().unwrap_or_else(failed));
    stages.run("vendors", "cargo xtask vendors", node, || vendors::run().unwrap_or_else(failed));
    stages.run("sign-off's page", "cargo xtask axe", node, || axe::run().unwrap_or_else(failed));
    print(&stages.rows.to_string());
    Ok(stages.good)
}

/// The suites that meet most of what a process per test changes: a portal, a browser and sessions of its own.
const APART: [&str; 2] = ["smoke", "authentication"];

/// The suites that look at keys, grants and backups, which differ from year to year.
const OF_PROJECTS: [&str; 2] = ["release", "security"];

/// Those on a project as Supabase set it up that year. One of 2024 has daily backups, which a contract has to say.
fn project_of(year: &str) -> Verdict {
    let contract = root().join("fixtures/sacco-plus.toml");
    let mut suites = vec!["test", "--no-fail-fast"];
    suites.extend(OF_PROJECTS.iter().flat_map(|suite| ["--package", suite]));
    let mut command = cargo(&suites);
    command.env("PORTAL_PROJECT", year);
    let daily = root().join("target/contract-of-2024.toml");
    if year == "2024" {
        let text = fs::read_to_string(contract)?;
        let text = text.replacen("\nbackup_within_hours", "\nrecovery = \"daily\"\nbackup_within_hours", 1);
        fs::write(&daily, text)?;
        command.env("HARNESS_CONTRACT", &daily);
    }
    Ok(command.status()?.success())
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
