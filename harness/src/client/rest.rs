//! `/rest/v1`: rows and calls, as PostgREST offers them. Reading only; what changes rows is not here.

use reqwest::{RequestBuilder, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{ClientError, Session, error::Answer};

/// A client of one project's database API, acting as one user.
#[derive(Debug, Clone)]
pub struct RestClient {
    http: reqwest::Client,
    api: Url,
    anon_key: String,
    token: SecretString,
}

impl RestClient {
    pub(crate) fn new(http: reqwest::Client, api: Url, anon_key: String) -> Self {
        let token = anon_key.clone().into();
        Self { http, api, anon_key, token }
    }

    /// The same project as a signed-in user.
    pub fn signed_in(self, session: &Session) -> Self {
        Self { token: session.access_token.clone(), ..self }
    }

    /// Rows of a table or view; `query` in PostgREST's words (`select`, filters, `order`, `limit`).
    ///
    /// # Errors
    /// Refused with PostgREST's or PostgreSQL's code.
    pub async fn select(&self, relation: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, ClientError> {
        self.send(self.http.get(self.url(relation)).query(query)).await?.json()
    }

    /// How many rows of a table or view this user sees, exactly. Fetches none.
    ///
    /// # Errors
    /// As [`RestClient::select`]; unexpected when the answer has no exact count.
    pub async fn count(&self, relation: &str, query: &[(&str, &str)]) -> Result<u64, ClientError> {
        let request = self.http.head(self.url(relation)).query(query).header("prefer", "count=exact");
        let answer = self.send(request).await?;
        let range = answer.headers.get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
        let total = range.and_then(|range| range.rsplit('/').next()).and_then(|total| total.parse().ok());
        total.ok_or_else(|| answer.unexpected(format!("no exact count in content-range {range:?}")))
    }

    /// Calls a function that only reads, over GET: PostgREST runs it in a read-only transaction.
    ///
    /// # Errors
    /// Refused with `PGRST202` for a wrong name or argument, 405 when the function writes.
    pub async fn call_read_only(&self, function: &str, arguments: &[(&str, &str)]) -> Result<Value, ClientError> {
        self.send(self.http.get(self.url(&format!("rpc/{function}"))).query(arguments)).await?.json()
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let request = request.header("apikey", &self.anon_key).bearer_auth(self.token.expose_secret());
        Answer::to(&self.http, request).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}/rest/v1/{path}", self.api.as_str().trim_end_matches('/'))
    }
}
