//! Folders for what a child writes: removed by its guardian, or on drop when no child took them.

use std::{
    env, fs, io,
    os::unix::fs::chown,
    path::{Path, PathBuf},
};

use rustix::{
    io::Errno,
    process::{Pid, test_kill_process},
};

/// Room that has to be free in memory before a folder goes there, in bytes.
const ROOM: u64 = 256 << 20;

/// A new, private folder.
#[derive(Debug)]
pub struct ScratchDir {
    dir: tempfile::TempDir,
}

impl ScratchDir {
    /// Makes the folder; `prefix` tells a person whose it is. The path is short enough for a Unix socket.
    ///
    /// It is in `TMPDIR` if that is set; else in memory where there is room, since hundreds of small files (a data
    /// folder, a browser's profile) are slow to make on a busy disk; else in the system's temporary folder.
    ///
    /// # Errors
    /// When that folder cannot be written to.
    pub fn new(prefix: &str) -> io::Result<Self> {
        let (mut builder, memory) = (tempfile::Builder::new(), Path::new("/dev/shm"));
        for folder in [memory, &env::temp_dir()] {
            sweep(folder, prefix);
        }
        let prefix = format!("{prefix}{}-", std::process::id());
        builder.prefix(&prefix);
        let room = rustix::fs::statvfs(memory).map_or(0, |system| system.f_bavail * system.f_frsize);
        let chosen = env::var_os("TMPDIR").is_some();
        let in_memory = if !chosen && room >= ROOM { builder.tempdir_in(memory).ok() } else { None };
        let dir = in_memory.map_or_else(|| builder.tempdir(), Ok)?;
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

/// Removes the folders of processes that were killed before a guardian knew of them; their names tell whose they were.
fn sweep(folder: &Path, prefix: &str) {
    for entry in folder.read_dir().into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(prefix)?.split_once('-')?.0.parse().ok());
        let gone = owner.and_then(Pid::from_raw).is_some_and(|owner| test_kill_process(owner) == Err(Errno::SRCH));
        if gone {
            // Another process may sweep it at the same time, or it may not be ours to remove.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
