//! `cargo xtask schemas`: sound schemas made at random, and holes in them, as many as one has time for: the same test of the
//! prober that runs everywhere with a few.

use crate::{Verdict, cargo::cargo};

/// Which schemas.
#[derive(clap::Args)]
pub struct Options {
    /// Chooses the first; the day's date in CI
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many
    #[arg(long, default_value_t = 50)]
    count: u64,
}

/// True when each sound schema was reported as sound, and each hole as what it is.
pub fn run(options: &Options) -> Verdict {
    let mut command = cargo(&["test", "-p", "rls-probe", "--test", "probe", "--", "generated::", "--nocapture"]);
    command.env("RLS_PROBE_SEED", options.seed.to_string()).env("RLS_PROBE_SCHEMAS", options.count.to_string());
    Ok(command.status()?.success())
}
