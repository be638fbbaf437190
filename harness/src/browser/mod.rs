//! A real browser over WebDriver: one driver per process, a fresh profile per check, event-driven waits, and the console
//! and network log that the driver keeps.

mod devtools;
mod driver;
mod error;
mod grid;
mod ledger;
mod log;
mod page;
mod running;
mod session;
pub mod tools;
mod visit;

pub use log::Request;
pub use page::Page;
pub use session::Browser;
pub(crate) use session::PRESS;
pub use visit::{Visit, Wanted};

pub(crate) use error::Error;
pub(crate) use grid::end_sessions;
