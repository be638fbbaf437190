//! Whether this process was asked to end: nothing more is made then.

use std::sync::atomic::{AtomicBool, Ordering};

static ENDING: AtomicBool = AtomicBool::new(false);

/// Somebody asked.
pub(crate) fn begin() {
    ENDING.store(true, Ordering::Relaxed);
}

/// Whether somebody asked.
pub(crate) fn has_begun() -> bool {
    ENDING.load(Ordering::Relaxed)
}
