//! Supabase's Management API, `/v1/projects/{ref}`, as far as it reads. Shapes: its OpenAPI document; what was only assumed
//! says so. 120 requests a minute for each endpoint.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::json;
use url::Url;

use super::{
    ClientError,
    vendor::{Told, Vendor},
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
    /// Its name in URLs.
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
    /// Its beginning.
    #[serde(default)]
    pub earliest_physical_backup_date_unix: Option<i64>,
    /// Its end.
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
        Ok(self.vendor.told(self.vendor.get(&self.path("functions"))).await?.value)
    }

    /// The names of the functions' secrets with a digest of each value: its SHA-256 in hexadecimal (assumed). It is told
    /// to nobody.
    ///
    /// # Errors
    /// As [`ManagementClient::functions`].
    pub async fn secrets(&self) -> Result<BTreeMap<String, SecretString>, ClientError> {
        let secrets: Vec<Secret> = self.vendor.told(self.vendor.get(&self.path("secrets"))).await?.value;
        Ok(secrets.into_iter().map(|secret| (secret.name, secret.value)).collect())
    }

    /// What the database can be restored from, as of the vendor's clock.
    ///
    /// # Errors
    /// As [`ManagementClient::functions`].
    pub async fn backups(&self) -> Result<Told<Backups>, ClientError> {
        self.vendor.told(self.vendor.get(&self.path("database/backups"))).await
    }

    /// What `/rest/v1` serves.
    ///
    /// # Errors
    /// As [`ManagementClient::functions`].
    pub async fn rest_settings(&self) -> Result<RestSettings, ClientError> {
        Ok(self.vendor.told(self.vendor.get(&self.path("postgrest"))).await?.value)
    }

    /// The rows of a query, run in a transaction that cannot write, as a role that row level security does not bind.
    ///
    /// # Errors
    /// Refused with 400 for what PostgreSQL refuses; else as [`ManagementClient::functions`].
    pub async fn query<T: DeserializeOwned>(&self, sql: &str) -> Result<Vec<T>, ClientError> {
        let request = self.vendor.post(&self.path("database/query/read-only")).json(&json!({ "query": sql }));
        Ok(self.vendor.told(request).await?.value)
    }
}
