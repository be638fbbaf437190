//! Words of the suites: a desk at which payments are allocated, a gateway that messages come through, an attempt at what
//! may be refused. What every portal needs is the harness's.

mod attempt;
mod desk;
mod gateway;

use harness::{ClientError, Failure};
use serde_json::Value;

pub use attempt::{Attempt, Tried};
pub use desk::{Desk, differences};
pub use gateway::{Gateway, transactions_of, unique};

/// A filter for a value, in PostgREST's words.
pub fn equals(value: &Value) -> String {
    format!("eq.{}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// Why a look that brought no answer decides nothing.
pub fn unread(what: &str) -> impl Fn(ClientError) -> Failure {
    move |error| Failure::undecided(format!("{what} can be read")).seen(error.to_string())
}
