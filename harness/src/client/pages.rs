//! Cloudflare's API for Pages, as far as it reads. Shapes: its API reference.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::{ClientError, vendor::Vendor};

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
    #[serde(default)]
    deployment_configs: Configurations,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Configurations {
    #[serde(default)]
    production: Configuration,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Configuration {
    #[serde(default)]
    env_vars: Option<BTreeMap<String, Option<Variable>>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Variable {
    /// None of a secret.
    #[serde(default)]
    value: Option<String>,
}

impl PagesProject {
    /// The variables of production builds; secrets without their value.
    pub fn variables(&self) -> BTreeMap<&str, Option<&str>> {
        let variables = self.deployment_configs.production.env_vars.iter().flatten();
        variables
            .map(|(name, variable)| (name.as_str(), variable.as_ref().and_then(|it| it.value.as_deref())))
            .collect()
    }
}

/// A deployment of the site.
#[derive(Debug, Clone, Deserialize)]
pub struct PagesDeployment {
    /// The beginning of its id, as the dashboard shows it.
    pub short_id: String,
    /// The permanent address.
    pub url: Url,
    /// When it was begun.
    pub created_on: Timestamp,
    deployment_trigger: Trigger,
    /// How far it got.
    pub latest_stage: Stage,
}

#[derive(Debug, Clone, Deserialize)]
struct Trigger {
    metadata: Metadata,
}

#[derive(Debug, Clone, Deserialize)]
struct Metadata {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    commit_hash: String,
}

/// A stage of a deployment.
#[derive(Debug, Clone, Deserialize)]
pub struct Stage {
    /// `queued`, `initialize`, `clone_repo`, `build`, `deploy`.
    pub name: String,
    /// `success`, `active`, `failure`, `canceled`, `idle`.
    pub status: String,
}

impl PagesDeployment {
    /// Whether it was published.
    pub fn is_live(&self) -> bool {
        self.latest_stage.name == "deploy" && self.latest_stage.status == "success"
    }

    /// The commit that it was built of.
    pub fn commit(&self) -> &str {
        &self.deployment_trigger.metadata.commit_hash
    }

    /// The branch of that commit.
    pub fn branch(&self) -> &str {
        &self.deployment_trigger.metadata.branch
    }
}

impl std::fmt::Display for PagesDeployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Stage { name, status } = &self.latest_stage;
        let commit = self.commit().get(..12).unwrap_or(self.commit());
        write!(f, "{} of {commit} ({}): {name} {status}, {}", self.short_id, self.branch(), self.created_on)
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    result: Option<T>,
    #[serde(default)]
    result_info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    total_pages: usize,
}

impl PagesClient {
    pub(crate) fn new(http: reqwest::Client, base: Url, token: SecretString, account: String, project: String) -> Self {
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

    /// The production deployments, newest first.
    ///
    /// # Errors
    /// As [`PagesClient::project`].
    pub async fn deployments(&self) -> Result<Vec<PagesDeployment>, ClientError> {
        let url = |page: usize| self.url(&format!("/deployments?env=production&page={page}"));
        let mut all = self
            .vendor
            .pages(url(1), |answer, page| {
                let envelope: Envelope<Vec<PagesDeployment>> = answer.json()?;
                let more = envelope.result.filter(|_| envelope.success);
                let more = more.ok_or_else(|| answer.unexpected("no success and no result"))?;
                let is_last = envelope.result_info.is_none_or(|info| page >= info.total_pages);
                Ok((more, (!is_last).then(|| url(page + 1))))
            })
            .await?;
        all.sort_by_key(|deployment| std::cmp::Reverse(deployment.created_on));
        Ok(all)
    }
}
