//! What a release check of a Supabase portal is made of.
//!
//! A suite writes a check as [`check`] with a step of the runbook and an async body that gets a [`Check`]: the
//! [`Deployment`] under test, a browser when it asks for one, and the [`Contract`] that says what the portal promises.
//! The body answers with a [`Verdict`]. What a portal promises is data; how a promise is checked is code here.
//!
//! ```no_run
//! use harness::{Failure, Verdict, check};
//!
//! #[test]
//! fn the_document_is_never_cached() -> Verdict {
//!     check("3.3.1", async |check| {
//!         let document = check.deployment().site().document("/").await?;
//!         let cached = document.fetched.header("cache-control");
//!         if cached.contains("no-cache") {
//!             return Ok(());
//!         }
//!         Err(Failure::failed("browsers ask for the document each time")
//!             .expected("cache-control: no-cache")
//!             .seen(format!("cache-control: {cached}"))
//!             .at(document.fetched.url.as_str()))
//!     })
//! }
//! # fn main() {}
//! ```
//!
//! Every check belongs to a [`run`]: it says beforehand which checks it is going to make, and only a whole one is green.

mod bounded;
mod browser;
mod check;
mod checkout;
mod client;
mod clock;
mod contract;
mod corpus;
mod deployment;
mod ending;
mod evidence;
mod failure;
mod figures;
mod limits;
mod mirror;
mod network;
mod obstacle;
mod outcome;
mod panics;
mod permission;
mod privacy;
mod rebuild;
mod redaction;
mod rehearsal;
mod restore;
pub mod run;
mod runbook;
mod section;
mod seen;
mod site;
mod soaked;
mod statements;
mod stopwatch;
mod target;
pub mod views;
mod volume;
mod workload;
mod workspace;

pub use network::{http, is_here};
pub use rls_probe as rls;

pub use browser::{Browser, Page, Request, Visit, Wanted, tools};
pub use check::{Check, check, check_if_promised};
pub use checkout::{Checkout, Commit};
pub use client::{
    AnsweredBy, ApiKey, AuthClient, Backup, Backups, BuildVariable, Claims, ClientError, Dated, EdgeFunction,
    GithubClient, Ingest, IngestRefusal, Issue, LoggedAnswers, ManagementClient, Message, PagesClient, PagesDeployment,
    PagesProject, PhysicalBackups, Progress, PublishedKeys, PullRequest, Receipt, Refusal, RestClient, RestSettings,
    SentryClient, SentryIssue, Session, SignedBy, SigningKey, SmsIngest, Unstorable,
};
pub use contract::{
    Action, Allocation, AllocationColumns, AllocationRecord, Attempts, Audit, AuditKinds, AuditPages, AuditRows,
    AuditSequence, Budget, Canary, Changes, Choice, ChosenWindow, Column, Contract, Controls, Count, Counted, Counts,
    Dashboard, Data, Details, Duplicates, Entry, FailedParses, Field, Figures, Filled, Forbidden, Form, Formats,
    Function as ContractFunction, Grouped, Heading, Kept, Kind, Kpi, Ledger, List, MemberChoice, Migration, Mirror,
    Monitoring, Offer, Pages, Period, Problem as ContractProblem, Raw, Readings, Rebuild, Recipe, Recovery, Refusals,
    Refused, Release, Right, Route, RowsOf, Search, Security, Sentry, Sms, SmsTransaction, Soak, State, StatusFilter,
    Times, Tokens, Totals, Trail, UnknownPath, Unread, Variable, View, Volume, Weakened, Window, WorkingHours,
};
pub use corpus::{Direction, Fields, Owes, Sample, Source, Variant, variants};
pub use deployment::{
    Api, BuildFiles, Deployment, Error as DeploymentError, Known, LocalProblem, MADE_BY_CHECKS, Missing, Person,
    Released, Stack, Tenant, Writes, known, missing_variables, revealed, settings_file,
};
pub use failure::{Failure, Verdict, or_none};
pub use figures::{Shown, figure, now_in};
pub use limits::{SUITE_SECONDS, WATCH_ROUND};
pub use mirror::{Difference, Facts, table as difference_table};
pub use obstacle::Obstacle;
pub use outcome::Outcome;
pub use permission::Permission;
pub use privacy::Detail;
pub use rehearsal::Rehearsal;
pub use restore::Restored;
pub use runbook::{Cause, Limit, Manual, Production, Remedy, Rollback, Runbook, Severity, Step, Watched};
pub use section::Section;
pub use seen::Seen;
pub use site::{Asset, Bundle, Document, Fetched, Site, Token, path_of};
pub use soaked::Soaked;
pub use statements::same_statements;
pub use stopwatch::{Stopwatch, Took};
pub use target::Target;
pub use volume::{Answered, AtVolume};
pub use workload::{Workload, Workloads};
pub use workspace::root as workspace_root;

/// A text without secrets, for whoever writes one that no check has cleaned: what the environment holds, what this
/// process learned, and whatever looks like a token.
pub fn without_secrets(text: &str) -> String {
    deployment::know_secrets_of_environment();
    redaction::redactor().clean(text)
}
