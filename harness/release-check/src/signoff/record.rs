//! `signoff.json`: what a sign-off says, for programs, and the hashes by which it is held together. `schema` changes
//! when a field changes its meaning or goes; fields may be added.

use std::{collections::BTreeMap, fs, path::Path};

use harness::{
    Target,
    run::{Harness, Run, Source},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Signers,
    document::{Materials, SignOff},
    state::{State, Status},
};
use crate::Error;

/// The schema of what this version writes.
pub const SCHEMA: u32 = 1;

/// What `signoff.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// 1.
    pub schema: u32,
    /// The document's title.
    pub title: String,
    /// Whether it is of production; of other targets it is a rehearsal.
    pub release: bool,
    /// `success`, `partial` or `failed`.
    pub status: Status,
    /// When the last check ended, or the last person signed.
    pub at: Timestamp,
    /// Who deployed.
    pub deployed_by: String,
    /// Who verified.
    pub verified_by: String,
    /// What was verified.
    pub target: Option<Target>,
    /// The URL, without credentials.
    pub site: Option<String>,
    /// The Supabase project.
    pub project: Option<String>,
    /// Steps by what became of them.
    pub counts: BTreeMap<State, usize>,
    /// The steps that are open, the worst first.
    pub open: Vec<OpenStep>,
    /// Promises of the runbook that the contract weakens, and whether somebody answers for them.
    pub weakened: BTreeMap<String, bool>,
    /// The runs that it is made of.
    pub runs: Vec<RecordedRun>,
    /// The runs of staging that show what these leave out.
    pub proofs: Vec<RecordedRun>,
    /// SHA-256 of the document's files, by name.
    pub sha256: BTreeMap<String, String>,
    /// The public key of the signature in `signoff.json.minisig`; none where the document is unsigned.
    pub key: Option<String>,
}

/// A step that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenStep {
    /// The step.
    pub step: String,
    /// What became of it.
    pub state: State,
    /// `P1` to `P4`.
    pub severity: String,
}

/// A run, and the hashes of what it wrote down before its first check and after its last one. The second has the hash
/// of every other file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedRun {
    /// The run.
    pub id: String,
    /// When it began.
    pub began: Timestamp,
    /// When its last check ended.
    pub finished: Timestamp,
    /// What it was compiled from.
    pub harness: Harness,
    /// What the portal promises.
    pub contract: Source,
    /// What its operators promise.
    pub runbook: Source,
    /// SHA-256 of `manifest.json`.
    pub manifest_sha256: String,
    /// SHA-256 of `ended.json`; none of a shard that nobody closed.
    pub ended_sha256: Option<String>,
}

impl Record {
    /// Of a document with these files.
    ///
    /// # Errors
    /// When a run can no longer be read.
    pub fn of(document: &SignOff, materials: &Materials<'_>, files: &[(&str, &str)]) -> Result<Self, Error> {
        let Signers { deployed_by, verified_by } = materials.signers;
        let runs = &materials.basis.runs;
        let manifest = &runs[0].manifest;
        let open = document.open.iter().map(|open| OpenStep {
            step: open.line.id.to_owned(),
            state: open.line.state,
            severity: open.line.severity.clone(),
        });
        let recorded = |runs: &[Run]| runs.iter().map(RecordedRun::of).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            schema: SCHEMA,
            title: document.title().to_owned(),
            release: document.subject.is_release(),
            status: document.status,
            at: document.at,
            deployed_by: deployed_by.clone(),
            verified_by: verified_by.clone(),
            target: manifest.target,
            site: manifest.site.clone(),
            project: manifest.project.clone(),
            counts: document.numbers().iter().map(|number| (number.state, number.count)).collect(),
            open: open.collect(),
            weakened: document.promises.iter().map(|promise| (promise.id.clone(), promise.is_done)).collect(),
            runs: recorded(runs)?,
            proofs: recorded(&materials.basis.proofs)?,
            sha256: files.iter().map(|(name, text)| ((*name).to_owned(), sha256(text.as_bytes()))).collect(),
            key: materials.key.clone(),
        })
    }

    /// As it is written.
    ///
    /// # Errors
    /// Never, unless memory runs out.
    pub fn json(&self) -> Result<String, Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl RecordedRun {
    fn of(run: &Run) -> Result<Self, Error> {
        let manifest = &run.manifest;
        let hash = |name: &str| {
            let path = run.folder.join(name);
            fs::read(&path).map(|bytes| sha256(&bytes)).map_err(|error| format!("{}: {error}", path.display()))
        };
        Ok(Self {
            id: manifest.id.clone(),
            began: manifest.began,
            finished: run.finished(),
            harness: manifest.harness.clone(),
            contract: manifest.contract.clone(),
            runbook: manifest.runbook.clone(),
            manifest_sha256: hash("manifest.json")?,
            ended_sha256: hash("ended.json").ok(),
        })
    }

    /// What differs in the run's folder from what was recorded.
    pub fn difference(&self, folder: &Path) -> Option<String> {
        let expected = [("manifest.json", Some(&self.manifest_sha256)), ("ended.json", self.ended_sha256.as_ref())];
        let changed = expected.into_iter().find(|(name, recorded)| {
            recorded.is_some_and(|recorded| {
                fs::read(folder.join(name)).map(|bytes| sha256(&bytes)).ok().as_ref() != Some(recorded)
            })
        });
        changed.map(|(name, _)| format!("{name} of run {} is not the one that was signed off", self.id))
    }
}

/// In hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
