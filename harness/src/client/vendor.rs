//! What the vendors' APIs have in common: a token, JSON, and a limit on how often one may ask.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{RequestBuilder, StatusCode, header::DATE};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::{ClientError, error::Answer};
use crate::limits::WAIT_AS_ASKED;

/// Lists are read to their end; an API that never ends one is reported.
const MOST_PAGES: usize = 50;

/// One vendor's API, with the operators' token.
#[derive(Debug, Clone)]
pub(super) struct Vendor {
    http: reqwest::Client,
    base: Url,
    token: SecretString,
}

/// An answer, and when it was given by the vendor's clock.
#[derive(Debug, Clone)]
pub struct Dated<T> {
    /// What was asked for.
    pub value: T,
    /// The answer's `date`; the clock here where it has none.
    pub at: Timestamp,
}

impl Vendor {
    pub fn new(http: reqwest::Client, base: Url, token: SecretString) -> Self {
        Self { http, base, token }
    }

    /// The URL of a path below the API's base.
    pub fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base.as_str().trim_end_matches('/'))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    /// Sends a request that changes nothing. A limit is waited out as the vendor says, once.
    pub async fn answer(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let request = request.bearer_auth(self.token.expose_secret()).header("accept", "application/json");
        let again = request.try_clone();
        match (Answer::to(&self.http, request).await, again) {
            (Err(ClientError::Refused(refusal)), Some(again)) if refusal.status == StatusCode::TOO_MANY_REQUESTS => {
                let wait = refusal.retry_after.map(Duration::from_secs).filter(|wait| *wait <= WAIT_AS_ASKED);
                let Some(wait) = wait else { return Err(ClientError::Refused(refusal)) };
                tokio::time::sleep(wait).await;
                Answer::to(&self.http, again).await
            }
            (answer, _) => answer,
        }
    }

    /// Asks for one JSON document.
    pub async fn dated<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<Dated<T>, ClientError> {
        let answer = self.answer(request).await?;
        let date = answer.headers.get(DATE).and_then(|date| jiff::fmt::rfc2822::parse(date.to_str().ok()?).ok());
        Ok(Dated { value: answer.json()?, at: date.map_or_else(Timestamp::now, |date| date.timestamp()) })
    }

    /// Asks for the pages of a list until `next` names none.
    pub async fn pages<T>(
        &self,
        first: String,
        read: impl Fn(&Answer, usize) -> Result<(Vec<T>, Option<String>), ClientError>,
    ) -> Result<Vec<T>, ClientError> {
        let (mut all, mut url) = (Vec::new(), first);
        for page in 1..=MOST_PAGES {
            let answer = self.answer(self.http.get(&url)).await?;
            let (more, next) = read(&answer, page)?;
            all.extend(more);
            match next {
                Some(next) if page == MOST_PAGES => {
                    return Err(answer.unexpected(format!("the list has more than {MOST_PAGES} pages: {next}")));
                }
                Some(next) => url = next,
                None => break,
            }
        }
        Ok(all)
    }
}
