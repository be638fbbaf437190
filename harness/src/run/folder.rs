//! The folder of a run: where it is, and how files get into it whole or not at all.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::workspace::root;

/// Names the folder of a run that somebody else has begun and will close.
pub(super) const JOINED: &str = "HARNESS_RUN";

/// Names the folder of the run that this process begins; the variable is Allure's own.
pub(super) const OWN: &str = "ALLURE_RESULTS_DIR";

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const ENDED: &str = "ended.json";

/// Where runs have their folders: `target/runs` of the workspace or, where there is none, of the current folder.
pub fn runs_folder() -> PathBuf {
    root().join("target/runs")
}

pub(super) fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// Writes a file that is there as a whole or not at all, and that only its owner reads.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let path = folder.join(name);
    temporary(folder, bytes)?.persist(&path)?;
    Ok(path)
}

/// The same, unless the file is there already: true when this call made it.
pub(super) fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<bool> {
    match temporary(folder, bytes)?.persist_noclobber(folder.join(name)) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

fn temporary(folder: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// Lets `latest` beside the run's folder point to it. A file system without symbolic links goes without.
pub(super) fn point_latest_to(folder: &Path) {
    #[cfg(unix)]
    if let (Some(runs), Some(name)) = (folder.parent(), folder.file_name()) {
        let link = runs.join(format!(".latest-{}", name.to_string_lossy()));
        let placed = std::os::unix::fs::symlink(name, &link).and_then(|()| fs::rename(&link, runs.join("latest")));
        if placed.is_err() {
            let _ = fs::remove_file(&link);
        }
    }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The names of a folder's files, hidden ones and `ended.json` left out.
pub(super) fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && !name.starts_with('.') && name != ENDED {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
