//! Supabase's Management API, `/v1/projects/{ref}`, as far as it reads. Shapes: its OpenAPI document; what was only assumed
//! says so. 120 requests a minute for each endpoint.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use reqwest::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;

use super::{
    ClientError,
    lenient::{entries, lenient},
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
    #[serde(default, deserialize_with = "lenient")]
    pub status: String,
    /// Counts deployments.
    #[serde(default, deserialize_with = "lenient")]
    pub version: u64,
    /// Whether the gateway asks for a token of the project; not every answer says so.
    #[serde(default, deserialize_with = "lenient")]
    pub verify_jwt: Option<bool>,
    /// When it was last deployed, milliseconds since 1970.
    #[serde(default, deserialize_with = "lenient")]
    pub updated_at: Option<i64>,
    /// SHA-256 of what was deployed; not every answer has it.
    #[serde(default, deserialize_with = "lenient")]
    pub ezbr_sha256: Option<String>,
}

impl EdgeFunction {
    /// When it was last deployed.
    pub fn updated(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.updated_at?).ok()
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
    /// Daily ones, in any order. There are none with point-in-time recovery, whose window is the backup.
    #[serde(deserialize_with = "entries")]
    pub backups: Vec<Backup>,
    /// The window of points in time.
    #[serde(default, deserialize_with = "lenient")]
    pub physical_backup_data: PhysicalBackups,
}

/// One backup.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Backup {
    /// `COMPLETED`, `FAILED`, `PENDING`, `REMOVED`, `ARCHIVED`, `CANCELLED`; more may come.
    #[serde(default, deserialize_with = "lenient")]
    pub status: String,
    /// When it was made.
    #[serde(default, deserialize_with = "utc")]
    pub inserted_at: Option<Timestamp>,
}

impl Backup {
    /// Whether it can be restored; none of a status that nobody knows yet.
    pub fn is_complete(&self) -> Option<bool> {
        match self.status.as_str() {
            "COMPLETED" => Some(true),
            "FAILED" | "PENDING" | "REMOVED" | "ARCHIVED" | "CANCELLED" => Some(false),
            _ => None,
        }
    }
}

/// The window of points in time, seconds since 1970.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PhysicalBackups {
    /// The beginning.
    #[serde(default, deserialize_with = "lenient")]
    pub earliest_physical_backup_date_unix: Option<i64>,
    /// The end.
    #[serde(default, deserialize_with = "lenient")]
    pub latest_physical_backup_date_unix: Option<i64>,
}

/// What `/rest/v1` serves.
#[derive(Debug, Clone, Deserialize)]
pub struct RestSettings {
    /// The exposed schemas, separated by commas.
    pub db_schema: String,
    /// The most rows of one answer.
    #[serde(default, deserialize_with = "lenient")]
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

/// A key that clients are given for `apikey`, without what it is.
#[derive(Debug, Clone, Deserialize)]
pub struct ApiKey {
    /// Such as `default`; `anon` and `service_role` of legacy ones.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// `legacy`, `publishable`, `secret`; more may come.
    #[serde(default, rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// The beginning of an opaque key.
    #[serde(default, deserialize_with = "lenient")]
    pub prefix: Option<String>,
    /// When it was made.
    #[serde(default, deserialize_with = "utc")]
    pub inserted_at: Option<Timestamp>,
}

/// What signs users' tokens, or did.
#[derive(Debug, Clone, Deserialize)]
pub struct SigningKey {
    /// The `kid` of its tokens.
    #[serde(default, deserialize_with = "lenient")]
    pub id: String,
    /// `HS256`, `ES256`, `RS256`, `EdDSA`; more may come.
    #[serde(default, deserialize_with = "lenient")]
    pub algorithm: String,
    /// `in_use`, `previously_used`, `revoked`, `standby`; more may come.
    #[serde(default, deserialize_with = "lenient")]
    pub status: String,
}

#[derive(Deserialize)]
struct SigningKeys {
    #[serde(default)]
    keys: Vec<SigningKey>,
}

#[derive(Deserialize)]
struct LegacyKeys {
    enabled: bool,
}

/// The log's answer. Errors come with 200 as well, and without a result.
#[derive(Deserialize)]
struct Logs {
    #[serde(default)]
    result: Option<Vec<Value>>,
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

/// With an offset, or without one for UTC; none where it is no time.
fn utc<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text: String = lenient(deserializer)?;
    let without = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
    Ok(text.parse().ok().or_else(without))
}

impl ManagementClient {
    /// Asks the API below `base` about the project with this reference.
    pub fn new(http: reqwest::Client, base: Url, token: SecretString, project: String) -> Self {
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

    /// Names of the functions' secrets, each with its value's digest: SHA-256 in hexadecimal; never shown.
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
        const QUERY: &str = "select source, log_attributes['response.status_code'] as status, count(timestamp) as answers \
                             from logs where source in ('edge_logs', 'function_edge_logs') group by source, status";
        let now = Timestamp::now();
        let rows: Vec<LogRow> = self.logged(QUERY, [now - span, now]).await?;
        Ok(rows.into_iter().filter_map(LogRow::answers).collect())
    }

    /// The rows of a query on the log, in a SQL that ClickHouse and PostgreSQL both read. A row of another shape is left
    /// out. One query in twenty fails there for no reason, so it is asked twice.
    ///
    /// # Errors
    /// As [`ManagementClient::answers`].
    pub async fn logged<T: DeserializeOwned>(
        &self,
        sql: &str,
        [from, to]: [Timestamp; 2],
    ) -> Result<Vec<T>, ClientError> {
        // Times are rounded to minutes there.
        let to = to + SignedDuration::from_mins(1);
        let [start, end] = [from, to].map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let range = [("sql", sql), ("iso_timestamp_start", &start), ("iso_timestamp_end", &end)];
        let mut is_second = false;
        loop {
            let request = self.vendor.get(&self.path("analytics/endpoints/logs"));
            let answer = self.vendor.answer(request.query(&range)).await?;
            let logs: Logs = answer.json()?;
            let why = match (logs.result, logs.error.filter(|error| !error.is_null())) {
                (Some(rows), None) => {
                    return Ok(rows.into_iter().filter_map(|row| serde_json::from_value(row).ok()).collect());
                }
                (_, Some(error)) => format!("the log refuses the query: {error}"),
                (None, None) => "neither rows nor an error".to_owned(),
            };
            if is_second {
                return Err(answer.unexpected(why));
            }
            is_second = true;
        }
    }

    /// The keys that clients are given, without what they are.
    ///
    /// # Errors
    /// As [`ManagementClient::functions`].
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, ClientError> {
        Ok(self.vendor.dated(self.vendor.get(&self.path("api-keys"))).await?.value)
    }

    /// Whether the two legacy keys are taken; none where the API does not say any more.
    ///
    /// # Errors
    /// As [`ManagementClient::functions`], except that 404 is no error.
    pub async fn legacy_keys_enabled(&self) -> Result<Option<bool>, ClientError> {
        match self.vendor.dated::<LegacyKeys>(self.vendor.get(&self.path("api-keys/legacy"))).await {
            Ok(answer) => Ok(Some(answer.value.enabled)),
            Err(ClientError::Refused(refusal)) if refusal.status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What signs users' tokens, or did.
    ///
    /// # Errors
    /// As [`ManagementClient::functions`].
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, ClientError> {
        let keys: SigningKeys = self.vendor.dated(self.vendor.get(&self.path("config/auth/signing-keys"))).await?.value;
        Ok(keys.keys)
    }

    /// The rows of a query, run in a transaction that cannot write, as a role that row level security does not bind. Names
    /// have to be qualified, and views that show a role its own grants show it nothing.
    ///
    /// # Errors
    /// Refused with 400 for what PostgreSQL refuses; else as [`ManagementClient::functions`].
    pub async fn query<T: DeserializeOwned>(&self, sql: &str) -> Result<Vec<T>, ClientError> {
        let request = self.vendor.post(&self.path("database/query/read-only")).json(&json!({ "query": sql }));
        Ok(self.vendor.dated(request).await?.value)
    }
}
