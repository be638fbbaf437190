//! Sentry's API, as far as it lists a project's issues. Shapes: "List an Organization's Issues" of its API reference, and the
//! types of its own client (npm `@sentry/api`).

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::{
    ClientError,
    lenient::lenient,
    vendor::{Vendor, next_page},
};

/// A client of one project of an organization.
#[derive(Debug, Clone)]
pub struct SentryClient {
    vendor: Vendor,
    organization: String,
    project: u64,
    environment: Option<String>,
}

/// Errors that are alike. What they say is not read: a message may hold what members' rows hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentryIssue {
    /// What people call it, such as `PORTAL-3F`.
    #[serde(default, deserialize_with = "lenient")]
    pub short_id: String,
    /// `fatal`, `error`, `warning`, `info`, `debug`, `sample`, …
    #[serde(default, deserialize_with = "lenient")]
    pub level: String,
    /// `new`, `ongoing`, `escalating`, `regressed`, …
    #[serde(default, deserialize_with = "lenient")]
    pub substatus: Option<String>,
    /// When it was met first.
    #[serde(default, deserialize_with = "lenient")]
    pub first_seen: Option<Timestamp>,
    /// How often it was met in the period that was asked for; a text there.
    #[serde(default, deserialize_with = "lenient")]
    count: Value,
    /// How many people met it.
    #[serde(default, deserialize_with = "lenient")]
    pub user_count: u64,
}

impl SentryIssue {
    /// Whether something failed, and nobody only remarked on something. A level that nobody knows yet is an error.
    pub fn is_error(&self) -> bool {
        !matches!(self.level.as_str(), "warning" | "info" | "debug" | "sample")
    }

    /// Whether it was resolved before, and is met again.
    pub fn is_back(&self) -> bool {
        self.substatus.as_deref() == Some("regressed")
    }
}

impl std::fmt::Display for SentryIssue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { short_id, level, user_count, .. } = self;
        if short_id.is_empty() {
            return write!(f, "an issue that cannot be read");
        }
        let count = self.count.as_str().map_or_else(|| self.count.to_string(), str::to_owned);
        write!(f, "{short_id} ({level}): {count} times, {user_count} people")?;
        match (self.is_back(), self.first_seen) {
            (true, _) => write!(f, ", resolved before"),
            (_, Some(first)) => write!(f, ", first at {first:.0}"),
            (_, None) => write!(f, ", since nobody knows when"),
        }
    }
}

/// Sentry keeps no more.
const LONGEST: SignedDuration = SignedDuration::from_hours(90 * 24);

impl SentryClient {
    /// Asks the API below `base` about a project, in one environment or in all.
    pub fn new(
        http: reqwest::Client,
        base: Url,
        token: SecretString,
        organization: String,
        project: u64,
        environment: Option<String>,
    ) -> Self {
        Self { vendor: Vendor::new(http, base, token), organization, project, environment }
    }

    /// Where it asks: for failure texts.
    pub fn url(&self) -> String {
        self.vendor.url(&format!("api/0/organizations/{}/issues/", self.organization))
    }

    /// The unresolved issues that somebody met in the last `period`, of whatever age.
    ///
    /// # Errors
    /// Refused with 401 and 403 for the token (it needs `event:read`), 404 for the organization, 400 for the project.
    pub async fn unresolved(&self, period: SignedDuration) -> Result<Vec<SentryIssue>, ClientError> {
        let hours = (period.min(LONGEST).as_secs().max(1) + 3599) / 3600;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("project", &self.project.to_string());
        query.append_pair("query", "is:unresolved");
        query.append_pair("statsPeriod", &format!("{hours}h"));
        query.append_pair("limit", "100");
        query.extend_pairs(self.environment.iter().map(|environment| ("environment", environment)));
        let first = format!("{}?{}", self.url(), query.finish());
        let read = |entry| serde_json::from_value(entry).unwrap_or_default();
        let page = |entries: Vec<Value>| entries.into_iter().map(read).collect();
        self.vendor.pages(first, |answer, _| Ok((page(answer.json()?), next_page(answer)))).await
    }
}
