//! §4.1 "Critical Route Tests", with §3.1 "build output", §3.3 "verify deployment" and the environment variables that
//! are baked into the build. Read-only: safe on production.
//!
//! Checks that need a signed-in persona live in modules named `signed_in`; `-- --skip signed_in` leaves them out.

mod build;
mod deployment;
mod environment;
mod routes;

use rstest_reuse::{self, template};

include!(concat!(env!("OUT_DIR"), "/cases.rs"));
