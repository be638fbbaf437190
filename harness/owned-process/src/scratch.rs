//! Folders for what a child writes: removed by its guardian, or on drop when no child took them.

use std::{
    io,
    os::unix::fs::chown,
    path::{Path, PathBuf},
};

/// A new, private folder below the system's temporary folder.
#[derive(Debug)]
pub struct ScratchDir {
    dir: tempfile::TempDir,
}

impl ScratchDir {
    /// Makes the folder; `prefix` tells a person whose it is. The path is short enough for a Unix socket.
    ///
    /// # Errors
    /// When the temporary folder cannot be written to.
    pub fn new(prefix: &str) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix(prefix).tempdir()?;
        Ok(Self { dir })
    }

    /// As [`ScratchDir::new`], below another folder than the system's temporary one.
    ///
    /// # Errors
    /// When that folder cannot be written to.
    pub fn new_in(folder: &Path, prefix: &str) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix(prefix).tempdir_in(folder)?;
        Ok(Self { dir })
    }

    /// Hands the folder and all that is in it to another user.
    ///
    /// # Errors
    /// When this process may not (it is not root).
    pub fn give_to(&self, (uid, gid): (u32, u32)) -> io::Result<()> {
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            chown(&folder, Some(uid), Some(gid))?;
            for entry in folder.read_dir()? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else {
                    chown(entry.path(), Some(uid), Some(gid))?;
                }
            }
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A path in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }
}
