//! The prober on databases: what it reports, in every form, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test panics where it cannot go on")]

mod cases;
mod command;
mod generated;
mod harm;
mod held;
mod project;
mod schema;
mod sessions;
mod texts;
