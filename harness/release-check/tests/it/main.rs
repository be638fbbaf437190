//! The suites and `release-check` from outside: as somebody runs them who configured something wrong, who verifies a
//! remote deployment, who kills them.

mod another_portal;
mod bad_input;
mod redaction;
mod remote;
mod runs;
