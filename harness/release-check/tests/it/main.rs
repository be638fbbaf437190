//! The suites and `release-check` from outside: as somebody runs them who configured something wrong, who verifies a
//! remote deployment, who kills them.

#![expect(clippy::unwrap_used, reason = "a test panics where it cannot go on")]

mod another_portal;
mod bad_input;
mod contract_new;
mod doctor;
mod endings;
mod env_file;
mod local;
mod members;
mod on_demand;
mod other_front_end;
mod output;
mod redaction;
mod remote;
mod runs;
