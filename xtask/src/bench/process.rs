//! One run of a command: its wall time, and the peak memory of the largest process of the test runner that it started.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::Error;

/// How often memory is looked at. The kernel keeps the peak itself, so only growth in the last moments can be missed.
const LOOK: Duration = Duration::from_millis(20);

/// Programs below the test runner that are the portal's or the browser's, the same for whatever drives them.
const NOT_THE_RUNNER: [&str; 11] = [
    "chrome",
    "chromium",
    "headless_shell",
    "chromedriver",
    "postgres",
    "cargo",
    "rustc",
    "cc",
    "collect2",
    "ld",
    "sh",
];

/// What a run cost.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Seconds.
    pub wall: f64,
    /// Megabytes (2^20 bytes) of the largest process of the runner; 0 without `/proc`.
    pub memory: f64,
    /// Whether the command succeeded.
    pub good: bool,
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be started.
pub fn measure(command: &mut Command) -> Result<Figures, Error> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak = peak.max(largest_below(child.id()));
        // A sampler has no event to wait for.
        thread::sleep(LOOK);
    };
    Ok(Figures { wall: start.elapsed().as_secs_f64(), memory: peak as f64 / 1024.0, good: status.success() })
}

/// Peak resident kilobytes of the largest process of the runner among `root` and what descends from it.
fn largest_below(root: u32) -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let known: BTreeMap<u32, Status> = processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, Status::of(pid)?)))
        .collect();
    let descends = |mut pid: u32| {
        while pid != root {
            match known.get(&pid) {
                Some(status) if status.parent != 0 => pid = status.parent,
                _ => return false,
            }
        }
        true
    };
    let runners = known
        .iter()
        .filter(|(pid, status)| !NOT_THE_RUNNER.iter().any(|name| status.name.starts_with(name)) && descends(**pid));
    runners.map(|(_, status)| status.peak).max().unwrap_or(0)
}

struct Status {
    name: String,
    parent: u32,
    peak: u64,
}

impl Status {
    fn of(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field = |name: &str| text.lines().find_map(|line| Some(line.strip_prefix(name)?.trim()));
        Some(Self {
            name: field("Name:")?.to_owned(),
            parent: field("PPid:")?.parse().ok()?,
            peak: field("VmHWM:")?.split(' ').next()?.parse().ok()?,
        })
    }
}
