//! What is still running when this process exits: a value in a `static` is never dropped, so the exit itself stops it.
//! Without this the guardians would do it a moment after the exit, when whoever waits for this process already goes on.

use std::sync::{Mutex, PoisonError};

use crate::{Owned, stop};

static RUNNING: Mutex<Vec<Owned>> = Mutex::new(Vec::new());

pub(crate) fn own(owned: Owned) {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner).push(owned);
}

/// Takes a child out of the list; its id is that of its process.
pub(crate) fn disown(id: u32) -> Option<Owned> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let at = running.iter().position(|owned| owned.child.id() == id)?;
    Some(running.swap_remove(at))
}

#[dtor::dtor(unsafe)]
fn at_exit() {
    // Somebody who holds the lock at this moment is starting or stopping a child; its guardian sees to it.
    if let Ok(mut running) = RUNNING.try_lock() {
        stop(std::mem::take(&mut *running));
    }
}
