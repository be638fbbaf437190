//! `/rest/v1`: rows and calls, as PostgREST offers them. What may change a row takes a [`Permission`].

use reqwest::{RequestBuilder, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{ClientError, Session, error::Answer};
use crate::permission::Permission;

/// Rows asked for at once.
const PAGE: u64 = 1000;

/// A client of one project's database API, acting as one user.
///
/// Reading is free; changing needs the deployment's permission:
///
/// ```compile_fail,E0061
/// # async fn example(rest: harness::RestClient) {
/// rest.update("transactions", &[("id", "eq.1")], &serde_json::json!({ "amount": 1 })).await;
/// # }
/// ```
/// and only a deployment gives that:
///
/// ```compile_fail,E0451
/// # fn example() -> harness::Permission {
/// harness::Permission { _given: () }
/// # }
/// ```
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

    /// The same project with the service's key: it sees and, with a [`Permission`], changes everything.
    pub(crate) fn service(self, key: &SecretString) -> Self {
        Self { token: key.clone(), anon_key: key.expose_secret().to_owned(), ..self }
    }

    /// Rows of a table or view; `query` in PostgREST's words (`select`, filters, `order`, `limit`).
    ///
    /// # Errors
    /// Refused with PostgREST's or PostgreSQL's code.
    pub async fn select(&self, relation: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, ClientError> {
        self.send(self.http.get(self.url(relation)).query(query)).await?.json()
    }

    /// All rows of a table or view, however many; read page by page in the order of `order`.
    ///
    /// # Errors
    /// As [`RestClient::select`].
    pub async fn all(&self, relation: &str, order: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, ClientError> {
        let mut rows = Vec::new();
        self.pages(relation, order, query, |page| rows.extend(page)).await?;
        Ok(rows)
    }

    /// Hands all rows of a table or view to `each`, a page at a time, so that they are never held all at once. A row
    /// is seen once if `order` is a column without equal values and nobody changes the relation meanwhile.
    ///
    /// # Errors
    /// As [`RestClient::select`]; `each` may have seen rows by then.
    pub async fn pages(
        &self,
        relation: &str,
        order: &str,
        query: &[(&str, &str)],
        mut each: impl FnMut(Vec<Value>),
    ) -> Result<(), ClientError> {
        let mut seen = 0;
        loop {
            let (limit, offset) = (PAGE.to_string(), seen.to_string());
            let page = [("order", order), ("limit", &limit), ("offset", &offset)];
            let rows = self.select(relation, &[query, &page].concat()).await?;
            // A server may give fewer rows than were asked for; only an empty page is the end.
            if rows.is_empty() {
                return Ok(());
            }
            seen += rows.len();
            each(rows);
        }
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

    /// Inserts a row and answers with it, as far as this user sees it.
    ///
    /// # Errors
    /// Refused with PostgREST's or PostgreSQL's code.
    pub async fn insert(&self, _: &Permission, relation: &str, row: &Value) -> Result<Value, ClientError> {
        let request = self.http.post(self.url(relation)).header("prefer", "return=representation").json(row);
        let rows: Vec<Value> = self.send(request).await?.json()?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    /// Changes the rows that `query` selects. The answer does not show what was changed: read it as somebody who
    /// sees it.
    ///
    /// # Errors
    /// Refused with PostgREST's or PostgreSQL's code.
    pub async fn update(
        &self,
        _: &Permission,
        relation: &str,
        query: &[(&str, &str)],
        values: &Value,
    ) -> Result<(), ClientError> {
        self.send(self.http.patch(self.url(relation)).query(query).json(values)).await.map(drop)
    }

    /// Deletes the rows that `query` selects; as with [`RestClient::update`], the answer does not say which.
    ///
    /// # Errors
    /// Refused with PostgREST's or PostgreSQL's code.
    pub async fn delete(&self, _: &Permission, relation: &str, query: &[(&str, &str)]) -> Result<(), ClientError> {
        self.send(self.http.delete(self.url(relation)).query(query)).await.map(drop)
    }

    /// Calls a function.
    ///
    /// # Errors
    /// Refused with the function's or PostgREST's code; `PGRST202` for a wrong name or argument.
    pub async fn call(&self, _: &Permission, function: &str, arguments: &Value) -> Result<Value, ClientError> {
        self.send(self.http.post(self.url(&format!("rpc/{function}"))).json(arguments)).await?.json()
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let request = request.header("apikey", &self.anon_key).bearer_auth(self.token.expose_secret());
        Answer::to(&self.http, request).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}/rest/v1/{path}", self.api.as_str().trim_end_matches('/'))
    }
}
