//! How long anything may take and how large it may be: the one table. Whoever waits takes a limit from here, so the worst
//! case of a run follows from it; the README states it, and a test compares the two.

use std::{
    env,
    sync::LazyLock,
    time::{Duration, Instant},
};

/// A connection, TLS included.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// From the request to the first byte of its answer.
pub(crate) const FIRST_BYTE: Duration = Duration::from_secs(15);

/// A request, from its beginning to the last byte of its answer.
pub(crate) const REQUEST: Duration = Duration::from_secs(30);

/// The wait that a server may ask for (429), once per request.
pub(crate) const WAIT_AS_ASKED: Duration = Duration::from_secs(60);

/// The body of an answer, after decompression. A contract may say another figure for the portal's own files.
pub(crate) const BODY_BYTES: usize = 20_000_000;

/// All scripts of an app together.
pub(crate) const BUNDLE_BYTES: usize = 60_000_000;

/// Scripts that one app may have; more means that something is not what it seems.
pub(crate) const BUNDLE_SCRIPTS: usize = 2_000;

/// The driver's start, and the first answer of a browser that has just started.
pub(crate) const DRIVER_START: Duration = Duration::from_secs(20);

/// Opening a page, up to the moment when its document is parsed.
pub(crate) const PAGE_LOAD: Duration = Duration::from_secs(10);

/// How much longer than the page may take for it, its answer to a script may take.
pub(crate) const SCRIPT_MARGIN: Duration = Duration::from_secs(5);

/// Any other command of the driver.
pub(crate) const COMMAND: Duration = Duration::from_secs(15);

/// Ending a browser that does not answer.
pub(crate) const BROWSER_END: Duration = Duration::from_secs(3);

/// How often the processes of a browser that has not answered yet are looked at.
pub(crate) const BROWSER_LOOK: Duration = Duration::from_millis(250);

/// Resident memory of all processes of one browser.
pub(crate) const BROWSER_BYTES: u64 = 1_000_000_000;

/// Browsers in a row that had to be ended before no further page is opened.
pub(crate) const BROWSERS_ENDED: usize = 3;

/// A build from a clean clone, with what it installs.
pub(crate) const BUILD: Duration = Duration::from_secs(160);

/// A check, from its first request to its verdict.
pub(crate) const CHECK: Duration = Duration::from_secs(180);

/// What a check that is over still does: screenshot, page, console, the browser's end.
pub(crate) const EVIDENCE: Duration = Duration::from_secs(20);

/// What is removed from the deployment when a suite ends.
pub(crate) const TIDY: Duration = Duration::from_secs(60);

/// The checks of a suite together.
pub(crate) const SUITE: Duration = Duration::from_secs(600);

/// The checks of a round of `watch` together.
pub const WATCH_ROUND: Duration = Duration::from_secs(120);

/// Names the limit of this process's suite in seconds, where whoever started it has less time than the default.
pub const SUITE_SECONDS: &str = "HARNESS_SUITE_SECONDS";

/// When the checks of this process have to have ended. The first to ask starts the clock.
static SUITE_END: LazyLock<(Instant, Duration)> = LazyLock::new(|| {
    let given = env::var(SUITE_SECONDS).ok().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let limit = given.unwrap_or(SUITE).min(SUITE);
    (Instant::now() + limit, limit)
});

/// The time that this process's checks have together.
pub(crate) fn suite() -> Duration {
    SUITE_END.1
}

/// The time that a check has which begins now; none where the suite's is over.
pub(crate) fn check() -> Option<Duration> {
    let left = SUITE_END.0.saturating_duration_since(Instant::now());
    (!left.is_zero()).then_some(left.min(CHECK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace_root;

    const README: &str = "README.md";

    /// The README's table of limits, and what follows from it.
    #[test]
    fn the_readme_states_the_limits_and_the_worst_case() {
        let readme = std::fs::read_to_string(workspace_root().join(README)).unwrap();
        let seconds = |limit: Duration| format!("{} s", limit.as_secs());
        let megabytes = |bytes: usize| format!("{} MB", bytes / 1_000_000);
        for (what, limit) in [
            ("a connection", seconds(CONNECT)),
            ("the first byte of an answer", seconds(FIRST_BYTE)),
            ("a request", seconds(REQUEST)),
            ("an answer", megabytes(BODY_BYTES)),
            ("all scripts of an app", format!("{}, {BUNDLE_SCRIPTS} scripts", megabytes(BUNDLE_BYTES))),
            ("the wait that a server asks for", seconds(WAIT_AS_ASKED)),
            ("the start of the driver", seconds(DRIVER_START)),
            ("a page until its document is parsed", seconds(PAGE_LOAD)),
            ("a command of the browser", seconds(COMMAND)),
            ("a browser's processes", format!("{} MB", BROWSER_BYTES / 1_000_000)),
            ("a build from a clean clone", seconds(BUILD)),
            ("a check", seconds(CHECK)),
            ("a check's evidence", seconds(EVIDENCE)),
            ("a suite's checks", seconds(SUITE)),
            ("tidying up after a suite", seconds(TIDY)),
            ("a round of `watch`", seconds(WATCH_ROUND)),
        ] {
            let row = format!("| {what} | {limit} |");
            assert!(readme.contains(&row), "{README} lacks {row}");
        }
        // Its checks, what is kept of the last ones, and tidying up.
        let suite = SUITE + EVIDENCE + TIDY;
        let six = suite * 6;
        let sentence =
            format!("A suite ends within {} s and a run of six suites within {}", suite.as_secs(), minutes(six));
        assert!(readme.contains(&sentence), "{README} lacks {sentence:?}");
    }

    fn minutes(time: Duration) -> String {
        format!("{} minutes", time.as_secs().div_ceil(60))
    }

    #[test]
    fn what_a_check_waits_for_fits_into_it_and_it_into_its_suite() {
        assert!(CONNECT < FIRST_BYTE && FIRST_BYTE < REQUEST);
        // Signing in, asked to wait once, and a page that does not answer.
        let waits = REQUEST + WAIT_AS_ASKED + REQUEST + PAGE_LOAD + COMMAND;
        assert!(waits <= CHECK && BUILD < CHECK && CHECK < SUITE, "{waits:?}");
        // A page that hangs is known as such within 20 s, whatever it hangs in.
        assert!(PAGE_LOAD + SCRIPT_MARGIN < Duration::from_secs(20) && COMMAND < Duration::from_secs(20));
        assert!(BROWSER_END * 2 < EVIDENCE);
    }
}
