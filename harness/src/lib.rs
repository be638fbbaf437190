//! What a release check of a Supabase portal is made of.
//!
//! A suite writes a check as [`check`] with a step of the runbook and an async body that gets a [`Check`]: the
//! [`Deployment`] under test, a browser when it asks for one, and the [`Contract`] that says what the portal promises.
//! The body answers with a [`Verdict`]. What a portal promises is data; how a promise is checked is code here.

mod browser;
mod check;
mod client;
mod contract;
mod deployment;
mod evidence;
mod failure;
mod runbook;
mod site;

pub use browser::{Browser, Page, Visit, tools};
pub use check::{Check, check};
pub use client::{AuthClient, ClientError, Refusal, RestClient, Session};
pub use contract::{Contract, Heading, Problem as ContractProblem, Route, UnknownPath};
pub use deployment::{Deployment, Error as DeploymentError, Target};
pub use evidence::{CheckResult, read_results};
pub use failure::{Failure, Outcome, Verdict};
pub use runbook::{Remedy, Runbook, Severity, Step};
pub use site::{Asset, Bundle, Document, Fetched, Site, Token};
