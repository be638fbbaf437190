//! §4.2 "Authentication Test".

use rstest_reuse::{self, template};

include!(concat!(env!("OUT_DIR"), "/cases.rs"));
