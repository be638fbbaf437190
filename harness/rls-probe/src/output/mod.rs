//! A report for other programs and for people: SARIF for code scanning, JUnit for CI, a page of HTML.

mod html;
mod junit;
mod sarif;

pub use self::{html::html, junit::junit, sarif::sarif};
