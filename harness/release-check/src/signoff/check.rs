//! `release-check signoff --check FOLDER`: whether a sign-off is as it was when it was made, and by whom.

use std::{fs, path::Path};

use super::{
    record::{Record, SCHEMA, sha256},
    signature,
    write::{MARKDOWN, PAGE, RECORD, SIGNATURE},
};
use crate::{Error, Exit, Usage};

/// What became of a check: a sentence, and the exit code that goes with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Checked {
    pub exit: Exit,
    pub sentence: String,
}

/// Checks the hashes and the signature in a folder; those of its runs as well, where they are in `runs`.
///
/// # Errors
/// When the folder has no sign-off, or the key is none.
pub fn check(folder: &Path, key: Option<&str>, runs: &Path) -> Result<Checked, Error> {
    let key = key.map(|key| Ok::<_, Error>((signature::public_key(key)?, key))).transpose()?;
    let path = folder.join(RECORD);
    let bytes = fs::read(&path)
        .map_err(|error| Usage::error(format!("{} has no sign-off: {RECORD}: {error}", folder.display())))?;
    let failed = |why: String| Ok(Checked { exit: Exit::Failed, sentence: format!("not sound: {why}") });
    let record: Record = match serde_json::from_slice(&bytes) {
        Ok(record) => record,
        Err(error) => return failed(format!("{RECORD} cannot be understood: {error}")),
    };
    if record.schema != SCHEMA {
        return Err(Usage::error(format!("{RECORD} has schema {}, and this version reads {SCHEMA}", record.schema)));
    }
    let detached = fs::read_to_string(folder.join(SIGNATURE)).ok();
    if let (Some((key, _)), Some(detached)) = (&key, &detached)
        && let Err(why) = signature::verify(&bytes, detached, key)
    {
        return failed(format!("{SIGNATURE} {why}"));
    }
    if let Some(why) = altered(folder, &record).or_else(|| altered_run(&record, runs)) {
        return failed(why);
    }
    if detached.is_none() && record.key.is_some() {
        return failed(format!("{RECORD} names the key of a signature, and {SIGNATURE} is missing"));
    }
    let what = format!("{}: {}", record.title, record.status);
    let (exit, end) = match (&key, &detached) {
        (Some((_, given)), Some(_)) => (Exit::Passed, format!("signed by the key {given}")),
        (None, Some(_)) => (Exit::Open, "its signature was not checked, which takes --key".to_owned()),
        (_, None) => (Exit::Open, "unsigned, so whoever could write to the folder could have made it".to_owned()),
    };
    Ok(Checked { exit, sentence: format!("{what}; its files are as they were made; {end}") })
}

/// A file of the document that is not the one that was hashed.
fn altered(folder: &Path, record: &Record) -> Option<String> {
    [MARKDOWN, PAGE].into_iter().find_map(|name| {
        let Some(recorded) = record.sha256.get(name) else { return Some(format!("{RECORD} has no hash of {name}")) };
        match fs::read(folder.join(name)) {
            Ok(bytes) if sha256(&bytes) == *recorded => None,
            Ok(_) => Some(format!("{name} was altered")),
            Err(error) => Some(format!("{name} cannot be read: {error}")),
        }
    })
}

/// A run that is still here, and is not the one that was signed off.
fn altered_run(record: &Record, runs: &Path) -> Option<String> {
    let recorded = record.runs.iter().chain(&record.proofs);
    // Ids come from a file: none leads out of the folder.
    let here = recorded.filter(|run| Path::new(&run.id).file_name().is_some_and(|name| name == run.id.as_str()));
    here.filter(|run| runs.join(&run.id).is_dir()).find_map(|run| run.difference(&runs.join(&run.id)))
}
