//! Where this workspace is.

use std::path::{Path, PathBuf};

/// The workspace's root or, where the checks run from an archive, the current folder.
pub fn root() -> PathBuf {
    if option_env!("HARNESS_PACKAGED").is_some() {
        return PathBuf::from(".");
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    workspace.canonicalize().unwrap_or_else(|_| PathBuf::from("."))
}
