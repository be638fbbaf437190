//! GitHub's API, as far as it reads one repository. Shapes: its REST reference.

use reqwest::header::LINK;
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{ClientError, error::Answer, vendor::Vendor};

/// A client of one repository.
#[derive(Debug, Clone)]
pub struct GithubClient {
    vendor: Vendor,
    repository: String,
}

/// An open issue.
#[derive(Debug, Clone, Deserialize)]
pub struct Issue {
    /// The number.
    pub number: u64,
    /// The title.
    pub title: String,
    /// GitHub lists pull requests as issues, too.
    #[serde(default)]
    pull_request: Option<serde::de::IgnoredAny>,
}

/// A pull request.
#[derive(Debug, Clone, Deserialize)]
pub struct PullRequest {
    /// The number.
    pub number: u64,
    /// The title.
    pub title: String,
    user: User,
    /// When it was merged; none of one that is open or was closed.
    pub merged_at: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct User {
    login: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Review {
    user: Option<User>,
    state: String,
}

impl GithubClient {
    /// `repository` is `owner/name`.
    pub(crate) fn new(http: reqwest::Client, base: Url, token: SecretString, repository: String) -> Self {
        Self { vendor: Vendor::new(http, base, token), repository }
    }

    /// Where it asks: for failure texts.
    pub fn url(&self, path: &str) -> String {
        self.vendor.url(&format!("repos/{}/{path}", self.repository))
    }

    /// Open issues with a label.
    ///
    /// # Errors
    /// Refused with 401 and 403 for the token, 404 for the repository.
    pub async fn open_issues(&self, label: &str) -> Result<Vec<Issue>, ClientError> {
        let label: String = url::form_urlencoded::byte_serialize(label.as_bytes()).collect();
        let issues: Vec<Issue> = self.list(&format!("issues?state=open&labels={label}")).await?;
        Ok(issues.into_iter().filter(|issue| issue.pull_request.is_none()).collect())
    }

    /// The merged pull requests that brought a commit.
    ///
    /// # Errors
    /// As [`GithubClient::open_issues`].
    pub async fn pulls_of(&self, commit: &str) -> Result<Vec<PullRequest>, ClientError> {
        let pulls: Vec<PullRequest> = self.list(&format!("commits/{commit}/pulls")).await?;
        Ok(pulls.into_iter().filter(|pull| pull.merged_at.is_some()).collect())
    }

    /// Why a pull request does not count as approved; none where it does. Of each reviewer the last verdict counts, and
    /// the author's is none.
    ///
    /// # Errors
    /// As [`GithubClient::open_issues`].
    pub async fn objection(&self, pull: &PullRequest) -> Result<Option<String>, ClientError> {
        let reviews: Vec<Review> = self.list(&format!("pulls/{}/reviews", pull.number)).await?;
        let mut last: Vec<(String, String)> = Vec::new();
        for Review { user, state } in reviews {
            let Some(user) = user.filter(|user| user.login != pull.user.login) else { continue };
            if matches!(state.as_str(), "APPROVED" | "CHANGES_REQUESTED" | "DISMISSED") {
                last.retain(|(login, _)| *login != user.login);
                last.push((user.login, state));
            }
        }
        let with = |wanted: &str| last.iter().find(|(_, state)| state == wanted);
        Ok(match (with("CHANGES_REQUESTED"), with("APPROVED")) {
            (Some((login, _)), _) => Some(format!("{login} asked for changes")),
            (None, None) => Some(format!("nobody but {} approved it", pull.user.login)),
            (None, Some(_)) => None,
        })
    }

    async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ClientError> {
        self.vendor.pages(self.url(path), |answer, _| Ok((answer.json()?, self.next(answer)))).await
    }

    /// Where the next page is, by the header `link`. Only on the same host: the token goes there.
    fn next(&self, answer: &Answer) -> Option<String> {
        let links = answer.headers.get(LINK)?.to_str().ok()?;
        let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
        let next = answer.url.join(next.split_once('<')?.1.split_once('>')?.0).ok()?;
        (next.origin() == answer.url.origin()).then(|| next.into())
    }
}
