//! GitHub's API, as far as it reads one repository. Shapes: its OpenAPI description.

use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{
    ClientError,
    lenient::lenient,
    vendor::{Vendor, next_page},
};

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
    #[serde(default, deserialize_with = "lenient")]
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
    #[serde(default, deserialize_with = "lenient")]
    pub title: String,
    /// None of an account that was deleted.
    #[serde(default, deserialize_with = "lenient")]
    user: Option<User>,
    /// When it was merged; none of one that is open or was closed.
    #[serde(default, deserialize_with = "lenient")]
    pub merged_at: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    head: Head,
}

/// The end of a pull request's branch.
#[derive(Debug, Clone, Default, Deserialize)]
struct Head {
    #[serde(default, deserialize_with = "lenient")]
    sha: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct User {
    login: String,
    /// `User`, `Bot`, `Organization`, …
    #[serde(default, rename = "type", deserialize_with = "lenient")]
    kind: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Review {
    #[serde(default, deserialize_with = "lenient")]
    user: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    state: String,
    /// The commit that was looked at.
    #[serde(default, deserialize_with = "lenient")]
    commit_id: Option<String>,
    /// What the reviewer is to the repository.
    #[serde(default, deserialize_with = "lenient")]
    author_association: String,
}

/// Who may speak for a repository.
const OF_THE_TEAM: [&str; 3] = ["OWNER", "MEMBER", "COLLABORATOR"];

impl Review {
    /// Why an approval does not count; none where it does.
    fn flaw(&self, user: &User, pull: &PullRequest) -> Option<String> {
        let login = &user.login;
        let is_bot = user.kind.as_deref().is_some_and(|kind| kind != "User") || login.ends_with("[bot]");
        match () {
            () if is_bot => Some(format!("{login} is not a person")),
            () if !self.is_of_the_team() => Some(format!("{login} is not of the team ({})", self.author_association)),
            () if pull.head.sha.is_empty() || self.commit_id.as_deref() != Some(pull.head.sha.as_str()) => {
                Some(format!("{login} approved an earlier commit"))
            }
            () => None,
        }
    }

    fn is_of_the_team(&self) -> bool {
        OF_THE_TEAM.contains(&self.author_association.as_str())
    }
}

impl GithubClient {
    /// Asks the API below `base` about a repository, `owner/name`.
    pub fn new(http: reqwest::Client, base: Url, token: SecretString, repository: String) -> Self {
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
    /// that of the author, of a bot, of somebody from outside, and of an earlier commit is none.
    ///
    /// # Errors
    /// As [`GithubClient::open_issues`].
    pub async fn objection(&self, pull: &PullRequest) -> Result<Option<String>, ClientError> {
        let reviews: Vec<Review> = self.list(&format!("pulls/{}/reviews", pull.number)).await?;
        let author = pull.user.as_ref().map(|user| user.login.as_str());
        let mut last: Vec<(User, Review)> = Vec::new();
        for mut review in reviews {
            // Nobody knows whose the verdict of a deleted account is.
            let Some(user) = review.user.take() else { continue };
            if author.is_some_and(|author| author.eq_ignore_ascii_case(&user.login)) {
                continue;
            }
            if matches!(review.state.as_str(), "APPROVED" | "CHANGES_REQUESTED" | "DISMISSED") {
                last.retain(|(earlier, _)| earlier.login != user.login);
                last.push((user, review));
            }
        }
        let with = |wanted: &'static str| last.iter().filter(move |(_, review)| review.state == wanted);
        if let Some((user, _)) = with("CHANGES_REQUESTED").find(|(_, review)| review.is_of_the_team()) {
            return Ok(Some(format!("{} asked for changes", user.login)));
        }
        let flaws: Vec<_> = with("APPROVED").map(|(user, review)| review.flaw(user, pull)).collect();
        if flaws.iter().any(Option::is_none) {
            return Ok(None);
        }
        let nobody = match author {
            Some(author) => format!("nobody but {author} approved it"),
            None => "nobody approved it".to_owned(),
        };
        let flaws: Vec<_> = flaws.into_iter().flatten().collect();
        Ok(Some(if flaws.is_empty() {
            nobody
        } else {
            format!("nobody of the team approved it: {}", flaws.join(", "))
        }))
    }

    async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ClientError> {
        self.vendor.pages(self.url(path), |answer, _| Ok((answer.json()?, next_page(answer)))).await
    }
}
