//! What was verified, by what, and on what: how the document opens.

use harness::{
    Target,
    run::{Run, Runner, Source},
};
use jiff::Timestamp;
use serde::Serialize;

use super::moment;

/// What was verified.
#[derive(Serialize)]
pub struct Subject {
    /// `Release` or `Rehearsal`: only production is released.
    occasion: &'static str,
    is_release: bool,
    target: String,
    site: Option<String>,
    /// The release in a few words.
    release: String,
    groups: Vec<Group>,
}

/// Facts that belong together.
#[derive(Serialize)]
struct Group {
    title: &'static str,
    facts: Vec<Fact>,
}

#[derive(Serialize)]
struct Fact {
    label: &'static str,
    value: String,
    /// A hash or another name without spaces, which may be broken anywhere.
    is_code: bool,
}

impl Subject {
    /// Of runs that verified one thing.
    pub fn of(runs: &[Run], target: Target) -> Self {
        let is_release = target == Target::Production;
        Self {
            occasion: if is_release { "Release" } else { "Rehearsal" },
            is_release,
            target: target.to_string(),
            site: each(runs, |run| run.manifest.site.clone()),
            release: release(runs),
            groups: vec![verified(runs, target), run(runs), checks(runs), tools(runs)],
        }
    }

    /// What the document is called.
    pub fn title(&self) -> String {
        match self.is_release {
            true => format!("Release sign-off, {}", self.release),
            false => format!("Rehearsal on {}, {}; not a release", self.target, self.release),
        }
    }

    /// The release in a few words.
    pub fn release(&self) -> &str {
        &self.release
    }

    /// Whether the document releases anything.
    pub fn is_release(&self) -> bool {
        self.is_release
    }
}

/// Version and commit, as far as they are known.
fn release(runs: &[Run]) -> String {
    let version = each(runs, |run| run.seen.version.clone());
    let commit = each(runs, |run| run.seen.commit.clone().or_else(|| run.manifest.release_commit.clone()));
    let short = |commit: &str| commit.chars().take(12).collect::<String>();
    match (version, commit) {
        (Some(version), Some(commit)) => format!("version {version}, commit {}", short(&commit)),
        (Some(version), None) => format!("version {version}"),
        (None, Some(commit)) => format!("commit {}", short(&commit)),
        (None, None) => "version and commit not known".to_owned(),
    }
}

fn verified(runs: &[Run], target: Target) -> Group {
    Group {
        title: "Portal",
        facts: vec![
            text("target", Some(target.to_string())),
            code("URL", each(runs, |run| run.manifest.site.clone())),
            code("project", each(runs, |run| run.manifest.project.clone())),
            text("version", each(runs, |run| run.seen.version.clone())),
            code("commit, live", each(runs, |run| run.seen.commit.clone())),
            code("commit, expected", each(runs, |run| run.manifest.release_commit.clone())),
            code("build, SHA-256", each(runs, |run| run.seen.build.clone())),
            code("deployment id", each(runs, |run| run.seen.deployment.clone())),
        ],
    }
}

fn run(runs: &[Run]) -> Group {
    let began = runs.iter().map(|run| run.manifest.began).min().map(moment);
    Group {
        title: if runs.len() == 1 { "Run" } else { "Runs" },
        facts: vec![
            code("id", each(runs, |run| Some(run.manifest.id.clone()))),
            text("began", began),
            text("ended", Some(moment(end(runs)))),
            text("run by", each(runs, |run| Some(runner(run.manifest.runner).to_owned()))),
            text("checks", Some(runs.iter().flat_map(Run::results).count().to_string())),
        ],
    }
}

fn checks(runs: &[Run]) -> Group {
    let harness = each(runs, |run| {
        let harness = &run.manifest.harness;
        let commit = harness.commit.as_deref().unwrap_or("not known");
        let changed = if harness.dirty { ", with changes that are in no commit" } else { "" };
        Some(format!("{}, commit {commit}{changed}", harness.version))
    });
    let name = |source: &Source| Some(source.name.clone());
    Group {
        title: "Checked by",
        facts: vec![
            code("harness", harness),
            text("contract", each(runs, |run| name(&run.manifest.contract))),
            code("contract, SHA-256", each(runs, |run| Some(run.manifest.contract.sha256.clone()))),
            text("runbook", each(runs, |run| name(&run.manifest.runbook))),
            code("runbook, SHA-256", each(runs, |run| Some(run.manifest.runbook.sha256.clone()))),
        ],
    }
}

fn tools(runs: &[Run]) -> Group {
    let machine = each(runs, |run| {
        let machine = &run.manifest.machine;
        let memory = machine.memory_mb.map(|megabytes| format!(", {megabytes} MB")).unwrap_or_default();
        let load = machine.load.map(|load| format!(", load {load:.1} at the beginning")).unwrap_or_default();
        Some(format!("{}, {} cores{memory}{load}", machine.os, machine.cores))
    });
    let by_the_form = runs.iter().any(|run| run.seen.sessions.is_some());
    let sessions = by_the_form.then(|| text("sessions", each(runs, |run| run.seen.sessions.clone())));
    Group {
        title: "Tools",
        facts: [
            text("browser", each(runs, |run| run.seen.browser.clone())),
            text("driver", each(runs, |run| run.seen.driver.clone())),
            text("database", each(runs, |run| run.seen.database.clone())),
            text("machine", machine),
        ]
        .into_iter()
        .chain(sessions)
        .collect(),
    }
}

/// When the last of them ended.
pub fn end(runs: &[Run]) -> Timestamp {
    runs.iter().map(Run::finished).max().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Who runs the checks, as a command.
pub fn runner(runner: Runner) -> &'static str {
    match runner {
        Runner::CargoTest => "cargo test",
        Runner::Nextest => "cargo nextest",
        Runner::ReleaseCheck => "release-check",
    }
}

/// What the runs say, each value once.
pub fn each(runs: &[Run], value: impl Fn(&Run) -> Option<String>) -> Option<String> {
    let mut values: Vec<_> = runs.iter().filter_map(value).collect();
    values.dedup();
    (!values.is_empty()).then(|| values.join(", "))
}

fn text(label: &'static str, value: Option<String>) -> Fact {
    Fact { label, value: value.unwrap_or_else(|| "not known".to_owned()), is_code: false }
}

fn code(label: &'static str, value: Option<String>) -> Fact {
    Fact { is_code: value.is_some(), ..text(label, value) }
}
