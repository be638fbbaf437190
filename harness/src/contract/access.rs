//! What tokens are good for, and what a page may cost.

use serde::Deserialize;

/// What tokens are good for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// How long an access token may be good, in seconds.
    pub access_at_most_s: i64,
    /// A relation that only somebody who is signed in reads.
    pub relation: String,
    /// After how many wrong passwords the auth server stops whoever guesses.
    pub guesses_at_most: usize,
}

/// What a page may cost.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Requests of a view that is opened.
    pub requests: usize,
    /// Kilobytes of what it loads.
    pub kilobytes: u64,
    /// How long a page is left alone, in milliseconds.
    pub left_alone_ms: u64,
    /// Requests to the data API in this time.
    pub requests_left_alone: usize,
    /// The same of the dashboard, once another view was left for it.
    pub requests_after_leaving: usize,
    /// Warnings of the console in this time, those of its opening included.
    pub warnings: usize,
    /// Kilobytes that its memory may grow in this time.
    pub growth_kb: u64,
}
