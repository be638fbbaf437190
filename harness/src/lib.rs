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
mod figures;
mod runbook;
mod site;

pub use browser::{Browser, Page, Request, Visit, Wanted, tools};
pub use check::{Check, check};
pub use client::{AuthClient, Claims, ClientError, Refusal, RestClient, Session};
pub use contract::{
    Allocation, AllocationColumns, AllocationRecord, Audit, Canary, Contract, Dashboard, Data, Forbidden, Heading, Kpi,
    Ledger, Problem as ContractProblem, Recipe, Refused, Route, StatusFilter, UnknownPath,
};
pub use deployment::{Deployment, Error as DeploymentError, Person, Target, Tenant, Writes};
pub use evidence::{CheckResult, read_results, read_what_stays};
pub use failure::{Failure, Outcome, Verdict};
pub use figures::figure;
pub use runbook::{Remedy, Runbook, Severity, Step};
pub use site::{Asset, Bundle, Document, Fetched, Site, Token};
