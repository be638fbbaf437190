//! "Security Post-Deployment" and the security scan: nobody gets across the wall between institutions, a rotated key is
//! rotated, and nothing that is served is a secret.
//!
//! Checks that need a signed-in persona live in modules named `signed_in`, checks that change something in modules
//! named `writes`: `-- --skip writes` leaves a deployment as it is. The prober of `wall` takes everything back that it
//! does, and is not run on production.

mod accounts;
mod counts;
mod keys;
mod rights;
mod rotation;
mod scan;
mod wall;

use rstest_reuse::{self, template};

include!(concat!(env!("OUT_DIR"), "/cases.rs"));
