//! §4.3 "Data Test": what is on screen is what is in the rows, of one's own institution, and an allocation does what it
//! says and leaves its trace.
//!
//! Checks that need a signed-in persona live in modules named `signed_in`, checks that change something in modules
//! named `writes`: `-- --skip writes` leaves a deployment as it is.

mod actions;
mod allocation;
mod arguments;
mod audit_log;
mod cost;
mod dashboard;
mod duplicates;
mod institutions;
mod lookalikes;
mod mirrors;
mod refusals;
mod screen;
mod states;
mod trace;
mod trail;
mod transactions;
mod views;

use rstest_reuse::{self, template};

include!(concat!(env!("OUT_DIR"), "/cases.rs"));
