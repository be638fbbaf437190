//! Folders for what a child writes: removed by its guardian, or on drop when no child took them.
//!
//! A folder that somebody left behind is removed only when it is proved to be one of ours: beside it stands a lock file
//! with its name in it, and nobody holds the lock. A name or a process id proves nothing: others use them as well.

use std::{
    env, fs,
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

/// Room that has to be free in memory before a folder goes there, in bytes.
const ROOM: u64 = 256 << 20;

/// What the folder that holds ours is called, before the user's id.
const PARENT: &str = "release-check-";

/// What is added to a folder's path for its lock.
const LOCK: &str = ".lock";

/// How often a folder is tried for: whoever removes the last one takes the parent along.
const TRIES: usize = 16;

/// A new, private folder.
#[derive(Debug)]
pub struct ScratchDir {
    path: PathBuf,
    /// Held for as long as this process lives, or somebody who has it from here.
    lock: File,
}

impl ScratchDir {
    /// Makes the folder; `prefix` shows whose it is. The path is short enough for a Unix socket.
    ///
    /// In `TMPDIR` if that is set; else in memory where there is room, since hundreds of small files (a data
    /// folder, a browser's profile) are slow to make on a busy disk; else in the system's temporary folder.
    ///
    /// # Errors
    /// When that folder cannot be written to.
    pub fn new(prefix: &str) -> io::Result<Self> {
        let memory = Path::new("/dev/shm");
        for base in [memory, &env::temp_dir()] {
            sweep(&parent_in(base));
        }
        let room = rustix::fs::statvfs(memory).map_or(0, |system| system.f_bavail * system.f_frsize);
        let chosen = env::var_os("TMPDIR").is_some();
        let in_memory = if !chosen && room >= ROOM { Self::new_in(memory, prefix).ok() } else { None };
        in_memory.map_or_else(|| Self::new_in(&env::temp_dir(), prefix), Ok)
    }

    fn new_in(base: &Path, prefix: &str) -> io::Result<Self> {
        let parent = parent_in(base);
        let mut tried = 0;
        loop {
            tried += 1;
            match Self::try_in(&parent, prefix) {
                Err(error) if tried < TRIES && error.kind() == io::ErrorKind::NotFound && base.is_dir() => {}
                made => return made,
            }
        }
    }

    fn try_in(parent: &Path, prefix: &str) -> io::Result<Self> {
        // Whoever a child runs as has to get through to its own folder.
        match DirBuilder::new().mode(0o711).create(parent) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        if !is_own_folder(parent) {
            let why = format!("{} is there and is not a folder of this user", parent.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        let path = tempfile::Builder::new().prefix(prefix).make_in(parent, |path| {
            let mut lock = OpenOptions::new().write(true).create_new(true).mode(0o600).open(locked(path))?;
            // Locked before its name is in it: whoever reads the name and gets the lock knows that nobody lives.
            flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
            lock.write_all(name(path).as_bytes())?;
            DirBuilder::new().mode(0o700).create(path)?;
            Ok(lock)
        })?;
        let (lock, path) = path.into_parts();
        // The guardian removes it, or the drop below: not the library's own type.
        let path = path.keep()?;
        Ok(Self { path, lock })
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

    /// The lock, for whoever still needs the folder when this process is gone.
    pub(crate) fn lock(&self) -> io::Result<File> {
        self.lock.try_clone()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn parent_in(base: &Path) -> PathBuf {
    base.join(format!("{PARENT}{}", rustix::process::geteuid().as_raw()))
}

fn locked(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(LOCK);
    name.into()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A real folder of this user, no link to one.
fn is_own_folder(path: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == own)
}

/// Removes the folder, its lock, and the folder of folders if it was the last one.
pub(crate) fn remove(path: &Path) {
    // A guardian may have done it already.
    let _ = fs::remove_dir_all(path);
    let _ = fs::remove_file(locked(path));
    let _ = path.parent().map(fs::remove_dir);
}

/// Removes the folders of processes that were killed, and their guardians with them.
fn sweep(parent: &Path) {
    if !is_own_folder(parent) {
        return;
    }
    for entry in parent.read_dir().into_iter().flatten().filter_map(Result::ok) {
        let file = entry.file_name();
        let Some(name) = file.to_str().and_then(|name| name.strip_suffix(LOCK)) else { continue };
        let path = parent.join(name);
        if is_left_behind(&entry.path(), name) && path.symlink_metadata().map_or(true, |metadata| metadata.is_dir()) {
            remove(&path);
        }
    }
}

/// Whether a lock file names its folder, and nobody holds it. Where a file system knows no locks, nobody can tell.
fn is_left_behind(lock: &Path, name: &str) -> bool {
    let opened = OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32).open(lock);
    let Ok(mut file) = opened else { return false };
    let mut said = String::new();
    flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
        && file.read_to_string(&mut said).is_ok()
        && said == name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_stays() {
        let base = tempfile::tempdir().unwrap();
        let kept = ScratchDir::new_in(base.path(), "portal-").unwrap();
        let parent = kept.path().parent().unwrap().to_owned();
        // Names like ours, of processes that are gone or are somebody else's.
        for name in ["portal-2025-backup", "browser-2024-old-profiles", "portal-4194303-x"] {
            fs::create_dir(base.path().join(name)).unwrap();
            fs::create_dir(parent.join(name)).unwrap();
        }
        // A lock that names another folder, one that says nothing, a link to somebody's folder.
        fs::create_dir(parent.join("a")).unwrap();
        fs::write(parent.join("a.lock"), "b").unwrap();
        fs::write(parent.join("portal-4194303-x.lock"), "").unwrap();
        std::os::unix::fs::symlink(base.path().join("portal-2025-backup"), parent.join("link")).unwrap();
        fs::write(parent.join("link.lock"), "link").unwrap();

        sweep(&parent);

        for name in ["portal-2025-backup", "browser-2024-old-profiles", "portal-4194303-x"] {
            assert!(base.path().join(name).is_dir() && parent.join(name).is_dir(), "{name}");
        }
        assert!(parent.join("a").is_dir() && parent.join("link").exists());
        assert!(kept.path().is_dir(), "its lock is held");
    }

    #[test]
    fn what_a_killed_process_left_goes() {
        let base = tempfile::tempdir().unwrap();
        let mut left = ScratchDir::new_in(base.path(), "portal-").unwrap();
        let path = left.path().to_owned();
        // The lock goes with the process; the folder stays.
        left.lock = tempfile::tempfile().unwrap();
        fs::write(path.join("file"), "text").unwrap();
        sweep(path.parent().unwrap());
        assert!(!path.exists() && !locked(&path).exists());
    }

    #[test]
    fn the_last_folder_takes_the_parent_along() {
        let base = tempfile::tempdir().unwrap();
        let (one, two) =
            (ScratchDir::new_in(base.path(), "a-").unwrap(), ScratchDir::new_in(base.path(), "b-").unwrap());
        drop(one);
        assert!(two.path().is_dir());
        drop(two);
        assert_eq!(base.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_link_in_the_place_of_the_parent_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), parent_in(base.path())).unwrap();
        assert!(
            ScratchDir::new_in(base.path(), "a-").unwrap_err().to_string().contains("is not a folder of this user")
        );
        assert_eq!(elsewhere.path().read_dir().unwrap().count(), 0);
    }
}
