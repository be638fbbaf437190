//! How long something took, and how long of that this machine kept it waiting: a limit that passes while every
//! processor is taken says nothing of the portal.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

#[cfg(target_os = "linux")]
use procfs::process::Process;

/// A span of time that a limit is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Took {
    /// By the clock.
    pub wall: Duration,
    /// How long the thread that waited longest was ready to run and got no processor: so much at least is this
    /// machine's. Zero where the system does not say.
    pub waited: Duration,
}

impl Took {
    /// Whether it took longer than this, whatever the machine contributed.
    pub fn is_beyond(self, limit: Duration) -> bool {
        self.wall.saturating_sub(self.waited) > limit
    }
}

/// Measures from its start on.
#[derive(Debug)]
pub struct Stopwatch {
    start: Instant,
    browser: Option<i32>,
    /// Of each thread, by its number.
    delays: HashMap<i32, u64>,
}

impl Stopwatch {
    /// Counts what this process waits.
    pub fn start() -> Self {
        Self::with(None)
    }

    /// Counts what a browser of this machine waits too, by the number of its process.
    pub(crate) fn with(browser: Option<i32>) -> Self {
        Self { start: Instant::now(), browser, delays: delays(browser) }
    }

    /// What passed by the clock.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// What passed since the start.
    pub fn took(&self) -> Took {
        let wall = self.elapsed();
        let of_thread = |(thread, delay): (i32, u64)| delay.saturating_sub(*self.delays.get(&thread).unwrap_or(&0));
        let waited = delays(self.browser).into_iter().map(of_thread).max();
        Took { wall, waited: Duration::from_nanos(waited.unwrap_or_default()) }
    }
}

/// Nanoseconds that the threads of this process and of a browser have waited for a processor since they began.
#[cfg(target_os = "linux")]
fn delays(browser: Option<i32>) -> HashMap<i32, u64> {
    let own = Process::myself().into_iter().map(|process| process.pid);
    let processes = own.chain(browser.into_iter().flat_map(family));
    let threads = processes.filter_map(|pid| Process::new(pid).ok()?.tasks().ok()).flatten().flatten();
    threads.filter_map(|thread| Some((thread.tid, thread.schedstat().ok()?.run_delay))).collect()
}

/// A process and what came of it.
#[cfg(target_os = "linux")]
fn family(root: i32) -> Vec<i32> {
    let mut family = vec![root];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        let threads = Process::new(parent).and_then(|process| process.tasks()).into_iter().flatten().flatten();
        let children = threads.filter_map(|thread| thread.children().ok()).flatten();
        family.extend(children.filter_map(|child| i32::try_from(child).ok()));
        next += 1;
    }
    family
}

/// Other systems do not say.
#[cfg(not(target_os = "linux"))]
fn delays(_: Option<i32>) -> HashMap<i32, u64> {
    HashMap::new()
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use insta::assert_snapshot;

    use super::*;
    use crate::failure::Failure;

    const LIMIT: Duration = Duration::from_millis(200);

    fn late(took: Took) -> String {
        let failure = Failure::failed("the view is on screen in time").expected("at most 0.2 s").seen("0.3 s");
        failure.unless_kept_waiting(took, LIMIT).to_string()
    }

    #[test]
    fn what_is_late_by_itself_failed() {
        assert_snapshot!(late(Took { waited: Duration::from_millis(50), wall: Duration::from_millis(300) }), @"
        FAILED  the view is on screen in time
          expected  at most 0.2 s
          seen      0.3 s
        ");
    }

    #[test]
    fn what_was_kept_waiting_is_undecided() {
        let (watch, over) = (Stopwatch::start(), AtomicBool::new(false));
        let busy = thread::available_parallelism().unwrap().get() * 4;
        let took = thread::scope(|scope| {
            for _ in 0..busy {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        std::hint::spin_loop()
                    }
                });
            }
            thread::sleep(Duration::from_millis(300));
            let took = watch.took();
            over.store(true, Ordering::Relaxed);
            took
        });
        assert!(!took.is_beyond(LIMIT), "{took:?}");
        assert_snapshot!(late(Took { waited: Duration::from_millis(140), wall: Duration::from_millis(300) }), @"
        undecided  the view is on screen in time
          expected  at most 0.2 s
          seen      0.3 s
          machine   a thread waited 0.1 s for a processor of this machine
          do        run the check again while this machine is less busy
        ");
    }
}
