//! Typed clients of a Supabase project. Answers are decoded leniently: every shape of error body that the platform is
//! known to send, and the raw text of those that it is not.

mod auth;
mod claims;
mod error;
mod github;
mod lenient;
mod management;
mod pages;
mod rest;
mod sentry;
mod signing;
mod sms_ingest;
mod vendor;

use std::error::Error;

pub(crate) use auth::Credentials;
pub use auth::{AuthClient, Session};
pub use claims::Claims;
pub(crate) use error::said;
pub use error::{ClientError, Refusal};
pub use github::{GithubClient, Issue, PullRequest};
pub use management::{
    ApiKey, Backup, Backups, EdgeFunction, LoggedAnswers, ManagementClient, PhysicalBackups, RestSettings, SigningKey,
};
pub use pages::{BuildVariable, PagesClient, PagesDeployment, PagesProject, Progress};
pub use rest::RestClient;
pub use sentry::{SentryClient, SentryIssue};
pub use signing::{PublishedKeys, SignedBy};
pub use sms_ingest::{AnsweredBy, Ingest, IngestRefusal, Message, Receipt, SmsIngest, Unstorable};
pub use vendor::Dated;
pub(crate) use vendor::Patience;
/// An error with its causes, most general first, without repetition: what reqwest says only in its sources.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !texts.iter().any(|said| said.contains(&text)) {
            texts.push(text);
        }
        source = cause.source();
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vendor_tests;
