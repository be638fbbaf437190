//! What a process learns of the deployment and of its tools while checks run: `seen-<hash>.json`, one for what is the
//! same.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What was seen of the deployment and of the tools that looked.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Seen {
    /// Version of the portal.
    pub version: Option<String>,
    /// The commit that is live.
    pub commit: Option<String>,
    /// SHA-256 of the served document: another build has another.
    pub build: Option<String>,
    /// Id of the deployment at whoever serves it.
    pub deployment: Option<String>,
    /// The browser.
    pub browser: Option<String>,
    /// The driver.
    pub driver: Option<String>,
    /// The database.
    pub database: Option<String>,
    /// How people are signed in, where a stored session does not do.
    pub sessions: Option<String>,
}

static SEEN: Mutex<Seen> = Mutex::new(Seen {
    version: None,
    commit: None,
    build: None,
    deployment: None,
    browser: None,
    driver: None,
    database: None,
    sessions: None,
});

/// Notes something.
pub(crate) fn note(add: impl FnOnce(&mut Seen)) {
    add(&mut SEEN.lock().unwrap_or_else(PoisonError::into_inner));
}

/// What was noted, if anything.
pub(crate) fn noted() -> Option<Seen> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (seen != Seen::default()).then_some(seen)
}

/// What the names of its files begin with.
pub(crate) const PREFIX: &str = "seen-";

impl Seen {
    /// Adds what another process saw. What two of them saw differently keeps both values.
    pub(crate) fn merge(&mut self, other: Self) {
        for (mine, theirs) in [
            (&mut self.version, other.version),
            (&mut self.commit, other.commit),
            (&mut self.build, other.build),
            (&mut self.deployment, other.deployment),
            (&mut self.browser, other.browser),
            (&mut self.driver, other.driver),
            (&mut self.database, other.database),
            (&mut self.sessions, other.sessions),
        ] {
            match (&mine, theirs) {
                (None, theirs) => *mine = theirs,
                (Some(one), Some(two)) if !one.split(" and ").any(|part| part == two) => {
                    *mine = Some(format!("{one} and {two}"));
                }
                _ => {}
            }
        }
    }
}
