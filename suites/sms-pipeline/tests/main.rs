//! §4.4 "SMS Pipeline Test": money arrives here. Only who has the key sends, a message is read rightly or not at all, it
//! counts exactly once, for the institution of its device, and it gets to the ledger.
//!
//! Checks that change something live in modules named `writes`: `-- --skip writes` leaves a deployment as it is. The
//! others send bodies that no endpoint can store.

mod end_to_end;
mod endpoint;
mod exactly_once;
mod generated;
mod key;
mod monitoring;
mod parsing;
mod parts;
mod readings;
mod tenancy;

use rstest_reuse::{self, template};

include!(concat!(env!("OUT_DIR"), "/cases.rs"));
