//! A PostgreSQL of our own for as long as a probing takes, on a socket in its scratch folder.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use owned_process::{Launch, OwnedProcess, ScratchDir, Stop};

use crate::error::Error;

/// A start with `initdb` takes about 1 s; this is for a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to stop before it is killed.
const STOPPED_WITHIN: Duration = Duration::from_secs(3);

const SETTINGS: [&str; 8] = [
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_locks_per_transaction=512",
    "max_parallel_workers=0",
    "timezone=UTC",
];

/// It ends with this value.
pub struct Server {
    process: OwnedProcess,
}

impl Server {
    /// Makes a data folder and starts a server on it.
    ///
    /// # Errors
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub fn start() -> Result<Self, Error> {
        let bin = programs().ok_or(Error::NoServer)?;
        let failed = |why: &dyn std::fmt::Display| Error::Server(why.to_string());
        let scratch = ScratchDir::new("rls-probe").map_err(|error| failed(&error))?;
        let user = other_than_root(scratch.path());
        if let Some(user) = user {
            scratch.give_to(user).map_err(|error| failed(&error))?;
        }
        let data = scratch.join("data");
        let script = r#"data=$1 bin=$2; shift 2
"$bin/initdb" --pgdata "$data" --encoding UTF8 --no-locale --lc-ctype=C.UTF-8 --auth trust --username postgres --no-sync --no-instructions >/dev/null || exit
exec "$bin/postgres" "$@""#;
        let mut args: Vec<OsString> =
            vec!["-c".into(), script.into(), "server".into(), data.clone().into(), bin.into()];
        args.extend(["-D".into(), data.into(), "-k".into(), scratch.path().into()]);
        args.extend(SETTINGS.iter().flat_map(|setting| ["-c".into(), setting.into()]));
        let env = vec![("LC_ALL".into(), "C".into())];
        let launch = Launch { program: "/bin/sh".into(), args, env, user, stop: Stop::Quit, patience: STOPPED_WITHIN };
        let process = OwnedProcess::spawn(launch, scratch).map_err(|error| failed(&error))?;
        let ready = "database system is ready to accept connections";
        process.wait_for_line(PATIENCE, |line| line.contains(ready).then_some(())).map_err(|error| failed(&error))?;
        Ok(Self { process })
    }

    /// How a database of it is reached.
    pub fn url(&self, database: &str) -> String {
        let socket = self.process.scratch().path().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@localhost/{database}?host={socket}&sslmode=disable")
    }
}

/// The folder of PostgreSQL's server programs, the newest where there are several.
fn programs() -> Option<PathBuf> {
    let folders = |base: &str, end: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(base).into_iter().flatten().flatten();
        let mut found: Vec<_> = entries.map(|entry| entry.path().join(end)).collect();
        found.sort();
        found.reverse();
        found
    };
    let given = env::var_os("PG_BIN_DIR").map(PathBuf::from);
    let path: Vec<_> = env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    let mut all: Vec<PathBuf> = given.into_iter().collect();
    for base in ["/usr/lib/postgresql", "/usr/local/lib/postgresql", "/opt/homebrew/opt", "/Library/PostgreSQL"] {
        all.extend(folders(base, "bin"));
    }
    all.extend(path);
    all.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

/// Whom the server runs as, since PostgreSQL does not run as root.
fn other_than_root(ours: &Path) -> Option<(u32, u32)> {
    if ours.metadata().ok()?.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    ["postgres", "nobody"].iter().find_map(|name| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2);
        Some((ids.next()?.parse().ok()?, ids.next()?.parse().ok()?))
    })
}
