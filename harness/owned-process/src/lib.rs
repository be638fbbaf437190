//! Child processes that end with the process that started them, however it ends.
//!
//! A value in a `static` is never dropped, and a killed process drops nothing. So each child has *guardians*: two
//! small `sh`s that each hold the reading end of a pipe whose only writing end is in this process. When the pipe closes
//! (drop, exit, panic, Ctrl-C, SIGKILL), a guardian stops the child's whole process group and removes its scratch
//! folder. Either of them does it alone, should somebody kill the other; where both were killed this process does it
//! when it ends. Unix only. This crate knows neither browsers nor databases.
//!
//! [`when_parent_ends`] is the same upwards: it says when the process that started this one is gone.

mod exit;
mod parent;
mod scratch;

use std::{
    collections::VecDeque,
    ffi::OsString,
    io::{self, BufRead, BufReader, PipeReader, PipeWriter, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

pub use parent::when_parent_ends;
use rustix::process::{Pid, Signal, kill_process_group};
pub use scratch::ScratchDir;

/// The child waits for one line before it becomes the program: until the guardian knows its process group, the death
/// of this process must end it too, and an unanswered `read` does.
const CHILD: &str = r#"read -r go || exit 0; exec "$@" </dev/null"#;

/// What guardians are called, as process lists show them.
const GUARDIANS: [&str; 2] = ["guardian", "second-guardian"];

/// `$1` signal, `$2` scratch folder, `$3` how often the signal is sent, a hundredth of a second apart; the process group
/// comes as the first line, the end of input means "stop it".
///
/// Only the leader is asked and waited for: how its children end is its own matter, for as long as it ends. A zombie has
/// ended; `init` may take seconds to get round to it. It is asked again and again, since a shell that is about to become
/// a program may hear the first time and forget.
const GUARDIAN: &str = r#"
runs() {
  kill -s 0 "$group" 2>/dev/null || return 1
  { read -r state <"/proc/$group/stat"; } 2>/dev/null || return 0
  case "$state" in *") Z "*) return 1 ;; esac
}
trap '' HUP INT QUIT TERM
read -r group || exit 0
while read -r ignored; do :; done
n=0
while runs && [ "$n" -lt "$3" ]; do kill -s "$1" "$group" 2>/dev/null; sleep 0.01; n=$((n + 1)); done
kill -s KILL -- "-$group" 2>/dev/null
n=0
until rm -rf -- "$2" "$2.lock" 2>/dev/null || [ "$n" -ge 100 ]; do sleep 0.01; n=$((n + 1)); done
rmdir -- "${2%/*}" 2>/dev/null
exit 0
"#;

/// Lines of the child's output that are kept for error texts.
const TAIL: usize = 40;

/// A program to start.
#[derive(Debug)]
pub struct Launch {
    /// The executable.
    pub program: PathBuf,
    /// The arguments.
    pub args: Vec<OsString>,
    /// Variables added to the inherited environment.
    pub env: Vec<(OsString, OsString)>,
    /// User and group id to run as, where this process may choose (PostgreSQL refuses to run as root).
    pub user: Option<(u32, u32)>,
    /// How it is asked to stop; what does not, in `patience`, is killed with all of its children.
    pub stop: Stop,
    /// How long it may take to stop.
    pub patience: Duration,
}

/// The first signal of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// `SIGQUIT`: PostgreSQL's immediate shutdown.
    Quit,
    /// `SIGINT`: PostgreSQL's fast shutdown, which leaves a data folder that needs no recovery.
    Interrupt,
    /// `SIGKILL`: for programs that own nothing but their children.
    Kill,
}

impl Stop {
    fn name(self) -> &'static str {
        match self {
            Stop::Quit => "QUIT",
            Stop::Interrupt => "INT",
            Stop::Kill => "KILL",
        }
    }
}

/// Why a child could not be started or did not get ready.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused to start it.
    #[error("could not start {}: {source}", program.display())]
    Spawn {
        /// What was to be started.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Ended before it said the awaited line.
    #[error("{} ended before it was ready; its last output:\n{tail}", program.display())]
    Ended {
        /// What was started.
        program: PathBuf,
        /// The last lines, indented.
        tail: String,
    },
    /// Running, but has not said the awaited line.
    #[error("{} was not ready after {waited:?}; its last output:\n{tail}", program.display())]
    NotReady {
        /// What was started.
        program: PathBuf,
        /// How long was waited.
        waited: Duration,
        /// The last lines, indented.
        tail: String,
    },
}

/// A running child. Dropping it stops its process group and removes its scratch folder before returning.
#[derive(Debug)]
pub struct OwnedProcess {
    program: PathBuf,
    id: u32,
    lines: Mutex<Receiver<String>>,
    tail: Arc<Mutex<VecDeque<String>>>,
    scratch: ScratchDir,
}

impl OwnedProcess {
    /// Starts `launch` in a process group of its own; `scratch` goes with it.
    ///
    /// # Errors
    /// [`Error::Spawn`] when `sh` or the pipes could not be made. A missing program shows as [`Error::Ended`].
    pub fn spawn(launch: Launch, scratch: ScratchDir) -> Result<Self, Error> {
        let failed = |source| Error::Spawn { program: launch.program.clone(), source };
        let sh = |script: &str, name: &str| {
            let mut command = Command::new("/bin/sh");
            command.arg("-c").arg(script).arg(name).process_group(0).current_dir("/");
            command
        };

        let guardian = |name: &str| {
            let (lifeline_end, lifeline) = io::pipe()?;
            let child = sh(GUARDIAN, name)
                .arg(launch.stop.name())
                .arg(scratch.path())
                .arg((launch.patience.as_millis() / 10).to_string())
                .stdin(lifeline_end)
                // Nothing is written to it: until the guardian ends, nobody else removes the folder.
                .stdout(scratch.lock()?)
                .stderr(Stdio::null())
                .spawn()?;
            Ok(Guardian { child, lifeline })
        };
        let guardians = GUARDIANS.map(guardian).into_iter().collect::<io::Result<Vec<_>>>().map_err(failed)?;

        let (go_end, mut go) = io::pipe().map_err(failed)?;
        let (output, output_end) = io::pipe().map_err(failed)?;
        let mut child = sh(CHILD, "child");
        // The guardian keeps our rights: it removes a folder whose parent may be ours alone.
        if let Some((uid, gid)) = launch.user {
            child.uid(uid).gid(gid);
        }
        let child = child
            .arg(&launch.program)
            .args(&launch.args)
            .envs(launch.env.iter().map(|(name, value)| (name, value)))
            .stdin(go_end)
            .stdout(output_end.try_clone().map_err(failed)?)
            .stderr(output_end)
            .spawn()
            .map_err(failed)?;
        for guardian in &guardians {
            writeln!(&guardian.lifeline, "{}", child.id()).map_err(failed)?;
        }
        writeln!(go, "go").map_err(failed)?;

        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let lines = follow(output, Arc::clone(&tail));
        let id = child.id();
        exit::own(Owned { child, guardians, scratch: scratch.path().to_owned() });
        Ok(Self { program: launch.program, id, lines: Mutex::new(lines), tail, scratch })
    }

    /// Blocks until `ready` makes something of a line of the child's output (standard output and error together).
    ///
    /// # Errors
    /// [`Error::Ended`] or [`Error::NotReady`], with the child's last lines.
    pub fn wait_for_line<T>(&self, at_most: Duration, mut ready: impl FnMut(&str) -> Option<T>) -> Result<T, Error> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + at_most;
        loop {
            match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(value) = ready(&line) {
                        return Ok(value);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Ended { program: self.program.clone(), tail: self.tail() });
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Error::NotReady { program: self.program.clone(), waited: at_most, tail: self.tail() });
                }
            }
        }
    }

    /// The last lines of the child's output, indented for an error text.
    pub fn tail(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.is_empty() {
            return "  (it said nothing)".to_owned();
        }
        tail.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    }

    /// The process id of the child, which is the id of its process group too.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The folder that goes when the child does.
    pub fn scratch(&self) -> &ScratchDir {
        &self.scratch
    }
}

impl Drop for OwnedProcess {
    fn drop(&mut self) {
        if let Some(owned) = exit::disown(self.id) {
            stop(vec![owned]);
        }
    }
}

/// The handles of a child, by which it is stopped.
#[derive(Debug)]
struct Owned {
    child: Child,
    guardians: Vec<Guardian>,
    scratch: PathBuf,
}

/// A shell that stops a child when the pipe to it closes.
#[derive(Debug)]
struct Guardian {
    child: Child,
    lifeline: PipeWriter,
}

/// Stops children, all at once, and returns when they and their scratch folders are gone.
fn stop(children: Vec<Owned>) {
    let let_go = |Owned { child, guardians, scratch }| {
        let guardians: Vec<_> = guardians.into_iter().map(|Guardian { child, .. }| child).collect();
        (child, guardians, scratch)
    };
    let waited: Vec<_> = children.into_iter().map(let_go).collect();
    for (mut child, guardians, scratch) in waited {
        let group = Pid::from_child(&child);
        thread::scope(|scope| {
            // Reaped meanwhile: to a guardian an unreaped child still runs. A failed wait means that somebody else
            // reaped it.
            scope.spawn(|| drop(child.wait()));
            let ended = |mut guardian: Child| guardian.wait().is_ok_and(|status| status.success());
            let stopped: Vec<_> = guardians.into_iter().map(ended).collect();
            if !stopped.contains(&true) {
                // Both guardians were killed. A group that is gone is what was wanted.
                let _ = kill_process_group(group, Signal::KILL);
                scratch::remove(&scratch);
            }
        });
    }
}

/// Reads the child's output to its end, so that it never blocks on a full pipe.
fn follow(output: PipeReader, tail: Arc<Mutex<VecDeque<String>>>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            let Ok(line) = line else { break };
            {
                let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
                if tail.len() == TAIL {
                    tail.pop_front();
                }
                tail.push_back(line.clone());
            }
            // Nobody listens once the child is ready; the tail is still wanted.
            let _ = sender.send(line);
        }
    });
    receiver
}
