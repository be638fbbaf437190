//! Measuring. Figures are medians of whole processes; two things are compared in turn, so that a slower minute of the
//! machine is a slower minute of both.

mod process;
mod smoke;

use crate::{Error, Verdict};

pub use process::{Figures, measure};

/// What to measure.
#[derive(clap::Subcommand)]
pub enum Bench {
    /// The smoke suite on the embedded portal
    Smoke(smoke::Options),
}

/// Measures and prints. True when nothing failed; figures are for people to judge.
///
/// # Errors
/// When a command cannot be run.
pub fn run(bench: &Bench) -> Verdict {
    match bench {
        Bench::Smoke(options) => smoke::run(options),
    }
}

/// The middle one of an odd number of values.
pub fn median<T: Copy + PartialOrd>(values: &[T]) -> Result<T, Error> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    sorted.get(sorted.len() / 2).copied().ok_or_else(|| "nothing was measured".into())
}
