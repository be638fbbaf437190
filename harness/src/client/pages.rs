//! Cloudflare's API for Pages, as far as it reads. Shapes: the types of Cloudflare's own client.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{ClientError, lenient::lenient, vendor::Vendor};

/// A client of one Pages project.
#[derive(Debug, Clone)]
pub struct PagesClient {
    vendor: Vendor,
    account: String,
    project: String,
}

/// The settings of a project.
#[derive(Debug, Clone, Deserialize)]
pub struct PagesProject {
    /// The branch whose deployments are live.
    pub production_branch: String,
    #[serde(default, deserialize_with = "lenient")]
    deployment_configs: Configurations,
    #[serde(default, deserialize_with = "lenient")]
    canonical_deployment: Option<Named>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Configurations {
    #[serde(default, deserialize_with = "lenient")]
    production: Configuration,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Configuration {
    #[serde(default, deserialize_with = "lenient")]
    env_vars: Option<BTreeMap<String, Value>>,
}

/// A variable of a build that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildVariable {
    /// Everybody who manages the project sees it.
    Plain(String),
    /// Nobody sees it again.
    Secret,
}

impl PagesProject {
    /// The variables of production builds. One that is null was removed, and is not set.
    pub fn variables(&self) -> BTreeMap<&str, BuildVariable> {
        let all = self.deployment_configs.production.env_vars.iter().flatten();
        all.filter_map(|(name, variable)| {
            let value = variable.get("value").and_then(Value::as_str);
            let variable = match (variable.is_null(), variable["type"].as_str(), value) {
                (true, ..) => return None,
                (_, Some("plain_text"), Some(value)) => BuildVariable::Plain(value.to_owned()),
                (_, None, Some(value)) if !value.is_empty() => BuildVariable::Plain(value.to_owned()),
                _ => BuildVariable::Secret,
            };
            Some((name.as_str(), variable))
        })
        .collect()
    }

    /// The deployment that the project takes for the live one, where it says so: certain is only what is served.
    pub fn canonical(&self) -> Option<&str> {
        self.canonical_deployment.as_ref().map(|it| it.id.as_str()).filter(|id| !id.is_empty())
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Named {
    #[serde(default, deserialize_with = "lenient")]
    id: String,
}

/// A deployment of the site. Whatever cannot be read of one is empty, so that it does not take the list with it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PagesDeployment {
    /// All of its id.
    #[serde(default, deserialize_with = "lenient")]
    pub id: String,
    /// The beginning of its id, as the dashboard shows it.
    #[serde(default, deserialize_with = "lenient")]
    pub short_id: String,
    /// An address of its own, which stays; none of one that built nothing.
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<Url>,
    /// When it was begun.
    #[serde(default, deserialize_with = "lenient")]
    pub created_on: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient")]
    environment: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    is_skipped: bool,
    #[serde(default, deserialize_with = "lenient")]
    deployment_trigger: Trigger,
    #[serde(default, deserialize_with = "lenient")]
    latest_stage: Stage,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Trigger {
    #[serde(default, rename = "type", deserialize_with = "lenient")]
    kind: String,
    #[serde(default, deserialize_with = "lenient")]
    metadata: Metadata,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Metadata {
    #[serde(default, deserialize_with = "lenient")]
    branch: String,
    #[serde(default, deserialize_with = "lenient")]
    commit_hash: String,
    #[serde(default, deserialize_with = "lenient")]
    commit_dirty: Option<bool>,
}

/// A stage of a deployment: `queued`, `initialize`, `clone_repo`, `build`, `deploy`.
#[derive(Debug, Clone, Default, Deserialize)]
struct Stage {
    #[serde(default, deserialize_with = "lenient")]
    name: String,
    /// `success`, `active`, `failure`, `canceled`, `idle`, `skipped`.
    #[serde(default, deserialize_with = "lenient")]
    status: String,
}

/// How far a deployment got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It was published. Whether it is live, only the site shows: a rollback makes no deployment.
    Published,
    /// It is still being built or deployed.
    UnderWay,
    /// It was not published, and is not going to be.
    Failed,
    /// Nothing was to be built.
    Skipped,
    /// A state that nobody knows yet.
    Unknown,
}

impl PagesDeployment {
    /// How far it got.
    pub fn progress(&self) -> Progress {
        match (self.latest_stage.name.as_str(), self.latest_stage.status.as_str()) {
            _ if self.is_skipped => Progress::Skipped,
            (_, "skipped") => Progress::Skipped,
            ("deploy", "success") => Progress::Published,
            (_, "active" | "idle" | "success") => Progress::UnderWay,
            (_, "failure" | "canceled") => Progress::Failed,
            _ => Progress::Unknown,
        }
    }

    /// The commit that it was built of; empty where nobody said.
    pub fn commit(&self) -> &str {
        &self.deployment_trigger.metadata.commit_hash
    }

    /// The branch of that commit.
    pub fn branch(&self) -> &str {
        &self.deployment_trigger.metadata.branch
    }

    /// Whether it was built of more than its commit: an upload from a working copy with changes. None where it was uploaded
    /// and does not say.
    pub fn is_dirty(&self) -> Option<bool> {
        let builds = self.deployment_trigger.kind == "github:push";
        self.deployment_trigger.metadata.commit_dirty.or(builds.then_some(false))
    }
}

impl std::fmt::Display for PagesDeployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Stage { name, status } = &self.latest_stage;
        let commit = self.commit().get(..12).unwrap_or(self.commit());
        let dirty = if self.is_dirty() == Some(true) { ", with uncommitted changes" } else { "" };
        write!(f, "{} of {commit} ({}){dirty}: {name} {status}", self.short_id, self.branch())?;
        self.created_on.map_or(Ok(()), |created| write!(f, ", {created}"))
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    result: Option<T>,
    #[serde(default, deserialize_with = "lenient")]
    result_info: Info,
}

/// Each of these may be missing, and the whole of it.
#[derive(Default, Deserialize)]
struct Info {
    #[serde(default, deserialize_with = "lenient")]
    total_pages: Option<usize>,
    #[serde(default, deserialize_with = "lenient")]
    total_count: Option<usize>,
}

/// Deployments that are looked at, newest first: what is live and what was before it is among them.
const ENOUGH: usize = 200;

impl PagesClient {
    /// Asks the API below `base` about a Pages project of an account.
    pub fn new(http: reqwest::Client, base: Url, token: SecretString, account: String, project: String) -> Self {
        Self { vendor: Vendor::new(http, base, token), account, project }
    }

    /// Where it asks: for failure texts.
    pub fn url(&self, path: &str) -> String {
        self.vendor.url(&self.path(path))
    }

    fn path(&self, path: &str) -> String {
        format!("client/v4/accounts/{}/pages/projects/{}{path}", self.account, self.project)
    }

    /// The project's settings.
    ///
    /// # Errors
    /// Refused with 401 and 403 for the token or the account, 404 for the project.
    pub async fn project(&self) -> Result<PagesProject, ClientError> {
        let answer = self.vendor.answer(self.vendor.get(&self.path(""))).await?;
        let envelope: Envelope<PagesProject> = answer.json()?;
        envelope.result.filter(|_| envelope.success).ok_or_else(|| answer.unexpected("no success and no result"))
    }

    /// The newest production deployments, newest first, 200 or more where there are as many.
    ///
    /// # Errors
    /// As [`PagesClient::project`].
    pub async fn deployments(&self) -> Result<Vec<PagesDeployment>, ClientError> {
        let url = |page: usize| self.url(&format!("/deployments?env=production&page={page}"));
        let read = Cell::new(0);
        let mut all = self
            .vendor
            .pages(url(1), |answer, page| {
                let envelope: Envelope<Vec<Value>> = answer.json()?;
                let more = envelope.result.filter(|_| envelope.success);
                let more = more.ok_or_else(|| answer.unexpected("no success and no result"))?;
                read.set(read.get() + more.len());
                let Info { total_pages, total_count } = envelope.result_info;
                // Without either, the list ends where a page is empty.
                let is_last = more.is_empty()
                    || read.get() >= ENOUGH
                    || total_count.is_some_and(|total| read.get() >= total)
                    || total_count.is_none() && total_pages.is_some_and(|total| page >= total);
                let more = more.into_iter().map(|entry| serde_json::from_value(entry).unwrap_or_default()).collect();
                Ok((more, (!is_last).then(|| url(page + 1))))
            })
            .await?;
        // A server that knows no pages gives the same one again.
        let mut seen = BTreeSet::new();
        all.retain(|it: &PagesDeployment| it.id.is_empty() || seen.insert(it.id.clone()));
        all.retain(|it| it.environment.as_deref().is_none_or(|environment| environment == "production"));
        // One without a time stays where the vendor put it: before the next one that has a time.
        if all.iter().all(|deployment| deployment.created_on.is_some()) {
            all.sort_by_key(|deployment| std::cmp::Reverse(deployment.created_on));
        }
        Ok(all)
    }
}
