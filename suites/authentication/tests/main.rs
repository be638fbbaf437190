//! §4.2 "Authentication Test": signing in and being refused, staying signed in, signing out, and what is behind it all.
//! Signs test accounts in and out and changes nothing else.
//!
//! Checks that need an account live in modules named `signed_in`; `-- --skip signed_in` leaves them out. The suite asks
//! the auth server for a token 25 times, below the 30 that it grants an address at once.

mod auth_server;
mod login;
mod logout;
mod protected_routes;
mod session;

use rstest_reuse::{self, template};

include!(concat!(env!("OUT_DIR"), "/cases.rs"));
