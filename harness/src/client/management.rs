//! Supabase's Management API, `/v1/projects/{ref}`, as far as it reads. Shapes: its OpenAPI document; what was only assumed
//! says so. 120 requests a minute for each endpoint.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;

use super::{
    ClientError,
    vendor::{Dated, Vendor},
};

/// A client of one project's management.
#[derive(Debug, Clone)]
pub struct ManagementClient {
    vendor: Vendor,
    project: String,
}

/// An edge function that was deployed.
#[derive(Debug, Clone, Deserialize)]
pub struct EdgeFunction {
    /// The name in URLs.
    pub slug: String,
    /// `ACTIVE`, `REMOVED`, `THROTTLED`; more may come.
    pub status: String,
    /// Counts its deployments.
    pub version: u64,
    /// Whether the gateway asks for a token of the project.
    #[serde(default)]
    pub verify_jwt: Option<bool>,
    /// When it was last deployed, milliseconds since 1970.
    pub updated_at: i64,
    /// SHA-256 of what was deployed.
    #[serde(default)]
    pub ezbr_sha256: Option<String>,
}

impl EdgeFunction {
    /// When it was last deployed.
    pub fn updated(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.updated_at).ok()
    }
}

#[derive(Deserialize)]
struct Secret {
    name: String,
    value: SecretString,
}

/// What the database can be restored from.
#[derive(Debug, Clone, Deserialize)]
pub struct Backups {
    /// Whether it can be had as it was at a point in time.
    pub pitr_enabled: bool,
    /// Newest first or last: both were seen.
    pub backups: Vec<Backup>,
    /// The window of points in time.
    #[serde(default)]
    pub physical_backup_data: PhysicalBackups,
}

/// One backup.
#[derive(Debug, Clone, Deserialize)]
pub struct Backup {
    /// `COMPLETED`, `FAILED`, `PENDING`, …
    pub status: String,
    /// When it was made.
    #[serde(deserialize_with = "utc")]
    pub inserted_at: Timestamp,
}

/// The window of points in time, seconds since 1970.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PhysicalBackups {
    /// The beginning.
    #[serde(default)]
    pub earliest_physical_backup_date_unix: Option<i64>,
    /// The end.
    #[serde(default)]
    pub latest_physical_backup_date_unix: Option<i64>,
}

/// What `/rest/v1` serves.
#[derive(Debug, Clone, Deserialize)]
pub struct RestSettings {
    /// The exposed schemas, separated by commas.
    pub db_schema: String,
    /// The most rows of one answer.
    #[serde(default)]
    pub max_rows: Option<u64>,
}

/// How many answers of one status the project's log has of a span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedAnswers {
    /// Who answered: `edge_logs` is the API's gateway, `function_edge_logs` the edge functions.
    pub source: String,
    /// The HTTP status.
    pub status: u16,
    /// How many.
    pub answers: u64,
}

/// The log's answer. Errors come with 200 as well.
#[derive(Deserialize)]
struct Logs {
    #[serde(default)]
    result: Vec<LogRow>,
    #[serde(default)]
    error: Option<Value>,
}

/// Attributes are texts, and counts are numbers or texts: both were seen.
#[derive(Deserialize)]
struct LogRow {
    source: String,
    status: Value,
    answers: Value,
}

impl LogRow {
    /// Nothing for a line that has no status.
    fn answers(self) -> Option<LoggedAnswers> {
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let status = number(&self.status)?.try_into().ok()?;
        Some(LoggedAnswers { source: self.source, status, answers: number(&self.answers)? })
    }
}

/// With an offset, or without one for UTC.
fn utc<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let without = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
    let time = text.parse().ok().or_else(without);
    time.ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a time")))
}

impl ManagementClient {
    pub(crate) fn new(http: reqwest::Client, base: Url, token: SecretString, project: String) -> Self {
        Self { vendor: Vendor::new(http, base, token), project }
    }

    /// Where it asks: for failure texts.
    pub fn url(&self, path: &str) -> String {
        self.vendor.url(&self.path(path))
    }

    fn path(&self, path: &str) -> String {
        format!("v1/projects/{}/{path}", self.project)
    }

    /// The edge functions.
    ///
    /// # Errors
    /// Refused with 401 and 403 for the token, 404 for the project.
    pub async fn functions(&self) -> Result<Vec<EdgeFunction>, ClientError> {
        Ok(self.vendor.dated(self.vendor.get(&self.path("functions"))).await?.value)
    }

    /// Names of the functions' secrets, each with its value's digest: SHA-256 in hexadecimal (assumed); never shown.
    ///
    /// # Errors
    /// As [`ManagementClient::functions`].
    pub async fn secrets(&self) -> Result<BTreeMap<String, SecretString>, ClientError> {
        let secrets: Vec<Secret> = self.vendor.dated(self.vendor.get(&self.path("secrets"))).await?.value;
        Ok(secrets.into_iter().map(|secret| (secret.name, secret.value)).collect())
    }

    /// What the database can be restored from, as of the vendor's clock.
    ///
    /// # Errors
    /// As [`ManagementClient::functions`].
    pub async fn backups(&self) -> Result<Dated<Backups>, ClientError> {
        self.vendor.dated(self.vendor.get(&self.path("database/backups"))).await
    }

    /// What `/rest/v1` serves.
    ///
    /// # Errors
    /// As [`ManagementClient::functions`].
    pub async fn rest_settings(&self) -> Result<RestSettings, ClientError> {
        Ok(self.vendor.dated(self.vendor.get(&self.path("postgrest"))).await?.value)
    }

    /// What the API answered in the span before now, at most 24 hours, by source and status. Lines arrive some seconds
    /// late.
    ///
    /// # Errors
    /// Unexpected when the log refuses the query; else as [`ManagementClient::functions`].
    pub async fn answers(&self, span: SignedDuration) -> Result<Vec<LoggedAnswers>, ClientError> {
        const QUERY: &str = "select source, log_attributes['response.status_code'] as status, count(*) as answers \
                             from logs where source in ('edge_logs', 'function_edge_logs') group by source, status";
        // Times are rounded to minutes there.
        let (now, minute) = (Timestamp::now(), SignedDuration::from_mins(1));
        let [start, end] = [now - span, now + minute].map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let request = self.vendor.get(&self.path("analytics/endpoints/logs"));
        let range = [("sql", QUERY), ("iso_timestamp_start", &start), ("iso_timestamp_end", &end)];
        let answer = self.vendor.answer(request.query(&range)).await?;
        let logs: Logs = answer.json()?;
        match logs.error.filter(|error| !error.is_null()) {
            Some(error) => Err(answer.unexpected(format!("the log refuses the query: {error}"))),
            None => Ok(logs.result.into_iter().filter_map(LogRow::answers).collect()),
        }
    }

    /// The rows of a query, run in a transaction that cannot write, as a role that row level security does not bind.
    ///
    /// # Errors
    /// Refused with 400 for what PostgreSQL refuses; else as [`ManagementClient::functions`].
    pub async fn query<T: DeserializeOwned>(&self, sql: &str) -> Result<Vec<T>, ClientError> {
        let request = self.vendor.post(&self.path("database/query/read-only")).json(&json!({ "query": sql }));
        Ok(self.vendor.dated(request).await?.value)
    }
}
