//! Each question that our clients ask a vendor.

use harness::{ClientError, Contract, GithubClient, ManagementClient, PagesClient, PullRequest, SentryClient};
use jiff::SignedDuration;
use portal::Portal;
use serde_json::Value;
use url::Url;

use crate::Error;

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Functions,
    Secrets,
    Backups,
    RestSettings,
    Answers,
    Query,
    ApiKeys,
    LegacyKeys,
    SigningKeys,
    Project,
    Deployments,
    Issues,
    Pulls,
    Objection,
    Errors,
}

impl Call {
    pub const ALL: [Self; 15] = [
        Self::Functions,
        Self::Secrets,
        Self::Backups,
        Self::RestSettings,
        Self::Answers,
        Self::Query,
        Self::ApiKeys,
        Self::LegacyKeys,
        Self::SigningKeys,
        Self::Project,
        Self::Deployments,
        Self::Issues,
        Self::Pulls,
        Self::Objection,
        Self::Errors,
    ];

    /// As the vendor's description calls it: vendor, method, path.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::Functions => "supabase GET /functions",
            Self::Secrets => "supabase GET /secrets",
            Self::Backups => "supabase GET /database/backups",
            Self::RestSettings => "supabase GET /postgrest",
            Self::Answers => "supabase GET /analytics/endpoints/logs",
            Self::Query => "supabase POST /database/query/read-only",
            Self::ApiKeys => "supabase GET /api-keys",
            Self::LegacyKeys => "supabase GET /api-keys/legacy",
            Self::SigningKeys => "supabase GET /config/auth/signing-keys",
            Self::Project => "cloudflare GET /accounts/{account_id}/pages/projects/{project_name}",
            Self::Deployments => "cloudflare GET /accounts/{account_id}/pages/projects/{project_name}/deployments",
            Self::Issues => "github GET /repos/{owner}/{repo}/issues",
            Self::Pulls => "github GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls",
            Self::Objection => "github GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
            Self::Errors => "sentry GET /api/0/organizations/{organization_id_or_slug}/issues/",
        }
    }

    /// The method, and the parts of the path; none stands for a parameter.
    pub fn path(self) -> (&'static str, Vec<Option<&'static str>>) {
        let mut words = self.endpoint().split(' ');
        let (vendor, method, path) = (words.next(), words.next(), words.next().unwrap_or_default());
        let before = match vendor {
            Some("supabase") => "/v1/projects/{ref}",
            Some("cloudflare") => "/client/v4",
            _ => "",
        };
        let parts = before.split('/').skip(1).chain(path.trim_end_matches('/').split('/').skip(1));
        let parts = parts.map(|part| (!part.starts_with('{')).then_some(part)).collect();
        (method.unwrap_or_default(), parts)
    }
}

/// Our clients, behind the proxy.
pub struct Clients {
    management: ManagementClient,
    pages: PagesClient,
    github: GithubClient,
    sentry: SentryClient,
    commit: String,
    pull: PullRequest,
}

impl Clients {
    /// Clients of the portal's platform that ask `proxy`.
    pub async fn new(portal: &Portal, proxy: &Url) -> Result<Self, Error> {
        let (http, token) = (reqwest::Client::new(), || portal.platform_token().to_owned().into());
        let management = ManagementClient::new(http.clone(), proxy.clone(), token(), portal.project_ref().to_owned());
        let account = portal.cloudflare_account().to_owned();
        let pages = PagesClient::new(http.clone(), proxy.clone(), token(), account, "ibimina-gemini".to_owned());
        let contract = Contract::sacco_plus()?;
        let promise = contract.sentry().map_err(|failure| failure.to_string())?;
        let sentry = SentryClient::new(
            http.clone(),
            proxy.clone(),
            token(),
            promise.organization.clone(),
            promise.project,
            None,
        );
        let github = GithubClient::new(http, proxy.clone(), token(), "sacco/portal".to_owned());
        let commit = harness::Checkout::at(portal.checkout().await?)
            .and_then(|checkout| checkout.head())
            .map_err(|failure| failure.to_string())?
            .hash;
        let pull = github.pulls_of(&commit).await?.into_iter().next().ok_or("no pull request brought the release")?;
        // The first query of a log is answered with an error.
        management.answers(SignedDuration::from_hours(1)).await?;
        Ok(Self { management, pages, github, sentry, commit, pull })
    }

    /// What the client makes of the answer.
    pub async fn call(&self, call: Call) -> Result<String, ClientError> {
        let Self { management, pages, github, sentry, commit, pull } = self;
        Ok(match call {
            Call::Functions => format!("{:?}", management.functions().await?),
            Call::Secrets => format!("{:?}", management.secrets().await?),
            Call::Backups => format!("{:?}", management.backups().await?.value),
            Call::RestSettings => format!("{:?}", management.rest_settings().await?),
            Call::Answers => format!("{:?}", management.answers(SignedDuration::from_hours(1)).await?),
            Call::Query => format!("{:?}", management.query::<Value>("select 1 as one").await?),
            Call::ApiKeys => format!("{:?}", management.api_keys().await?),
            Call::LegacyKeys => format!("{:?}", management.legacy_keys_enabled().await?),
            Call::SigningKeys => format!("{:?}", management.signing_keys().await?),
            Call::Project => {
                let project = pages.project().await?;
                format!("{:?} {:?} {}", project.variables(), project.canonical(), project.production_branch)
            }
            Call::Deployments => format!("{:?}", pages.deployments().await?),
            Call::Issues => format!("{:?}", github.open_issues("documentation").await?),
            Call::Pulls => format!("{:?}", github.pulls_of(commit).await?),
            Call::Objection => format!("{:?}", github.objection(pull).await?),
            Call::Errors => format!("{:?}", sentry.unresolved(SignedDuration::from_hours(24)).await?),
        })
    }
}
