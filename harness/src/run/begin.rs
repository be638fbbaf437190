//! Beginning a run and ending it, for who runs the suites.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    exclusion::left_out,
    folder::{ENDED, JOINED, MANIFEST, files, point_latest_to, sha256, write, write_new},
    manifest::{Chosen, Ended, FORMAT, Harness, Machine, Manifest, Planned, Runner, Source, SuiteEnded},
};
use crate::{deployment::Identity, privacy::Detail, runbook::Runbook, target::Target, workspace};

/// What a run is going to be.
#[derive(Debug)]
pub struct Plan {
    /// Who runs the checks.
    pub runner: Runner,
    /// What was asked for.
    pub chosen: Chosen,
    /// The checks as the suites list them; what is left out by design is marked here.
    pub checks: Vec<Planned>,
    /// The target; none is the one that the environment names.
    pub target: Option<Target>,
    /// What the checks were compiled from; none is the working copy around them.
    pub harness: Option<Harness>,
    /// How much evidence shows; none is what the environment says, or else what the target wants.
    pub evidence: Option<Detail>,
}

/// A run that began.
#[derive(Debug)]
pub struct Begun {
    folder: PathBuf,
    manifest: Manifest,
}

impl Plan {
    /// Writes the manifest into a new folder below `runs`.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn begin(self, runs: &Path) -> io::Result<Begun> {
        let began = Timestamp::now();
        let chance = &Uuid::new_v4().simple().to_string()[..6];
        let id = format!("{}-{chance}", began.strftime("%Y-%m-%dT%H-%M-%SZ"));
        let folder = runs.join(&id);
        fs::create_dir_all(runs)?;
        create_private(&folder)?;
        let begun = self.begin_in(folder, id, began)?;
        point_latest_to(&begun.folder);
        Ok(begun)
    }

    /// Writes the manifest into a folder that is there. Of several processes that begin the same run, the first does.
    pub(super) fn begin_in(self, folder: PathBuf, id: String, began: Timestamp) -> io::Result<Begun> {
        let identity = Identity::configured(self.target);
        let allowed = identity.writes_allowed;
        let mut checks = self.checks;
        for check in &mut checks {
            check.left_out = left_out(check, identity.target, allowed, identity.is_rotated, &identity.not_promised);
        }
        checks.sort();
        let manifest = Manifest {
            format: FORMAT,
            id,
            began,
            runner: self.runner,
            target: identity.target,
            site: identity.site,
            project: identity.project,
            release_commit: identity.release_commit,
            harness: self.harness.unwrap_or_else(working_copy),
            contract: Source { name: identity.contract_name, sha256: sha256(identity.contract.as_bytes()) },
            runbook: Source { name: Runbook::source_name(), sha256: sha256(Runbook::source_text().as_bytes()) },
            machine: machine(),
            chosen: self.chosen,
            checks,
            weakened: identity.weakened,
            not_promised: identity.not_promised,
            evidence: self.evidence.unwrap_or_else(|| Detail::of(identity.target)),
        };
        let json = serde_json::to_vec_pretty(&manifest)?;
        match self.runner {
            Runner::Nextest => {
                write_new(&folder, MANIFEST, &json)?;
            }
            Runner::CargoTest | Runner::ReleaseCheck => {
                write(&folder, MANIFEST, &json)?;
            }
        }
        Ok(Begun { folder, manifest })
    }
}

impl Begun {
    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it is going to check.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The variable by which a suite's process takes part in it.
    pub fn variable(&self) -> (&'static str, &Path) {
        (JOINED, &self.folder)
    }

    /// Closes it.
    ///
    /// # Errors
    /// When a file of it cannot be read, or the end cannot be written.
    pub fn close(&self, suites: Vec<SuiteEnded>) -> io::Result<()> {
        close(&self.folder, &self.manifest.id, suites)
    }
}

pub(super) fn close(folder: &Path, id: &str, suites: Vec<SuiteEnded>) -> io::Result<()> {
    let hashed = files(folder)?.into_iter().map(|name| {
        let bytes = fs::read(folder.join(&name))?;
        Ok((name, sha256(&bytes)))
    });
    let sha256 = hashed.collect::<io::Result<_>>()?;
    let ended = Ended { id: id.to_owned(), at: Timestamp::now(), suites, sha256 };
    write(folder, ENDED, &serde_json::to_vec_pretty(&ended)?).map(drop)
}

/// What a run keeps may show members' data: only its owner reads it.
pub(super) fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Version and commit of the working copy that this was compiled in.
pub fn working_copy() -> Harness {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(workspace::root()).args(arguments).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    };
    Harness {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: git(&["rev-parse", "HEAD"]),
        dirty: git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty()),
    }
}

fn machine() -> Machine {
    let first_of = |path: &str, label: &str| {
        let text = fs::read_to_string(path).ok()?;
        text.lines().find_map(|line| line.strip_prefix(label)).map(str::trim).map(str::to_owned)
    };
    let name = first_of("/etc/os-release", "PRETTY_NAME=").map(|name| name.trim_matches('"').to_owned());
    let memory = first_of("/proc/meminfo", "MemTotal:");
    Machine {
        os: name.unwrap_or_else(|| std::env::consts::OS.to_owned()),
        cores: thread::available_parallelism().map_or(1, usize::from),
        memory_mb: memory.and_then(|text| Some(text.split(' ').next()?.parse::<u64>().ok()? / 1024)),
        load: first_of("/proc/loadavg", "").and_then(|text| text.split(' ').next()?.parse().ok()),
    }
}
