//! What a packaged `release-check` was made from: `package.json` beside the program.

use std::{env, fs, path::PathBuf};

use harness::run::Harness;

use crate::Error;

/// The file's name.
pub const FILE: &str = "package.json";

/// Version and commit of the package; none where this is no package, but a working copy.
///
/// # Errors
/// When the file is there and cannot be understood.
pub fn harness() -> Result<Option<Harness>, Error> {
    let Some(path) = beside(FILE).filter(|path| path.exists()) else { return Ok(None) };
    let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let harness = serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Some(harness))
}

fn beside(name: &str) -> Option<PathBuf> {
    Some(env::current_exe().ok()?.parent()?.join(name))
}
