//! What the vendors' APIs have in common: a token, JSON, and a limit on how often one may ask.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{
    RequestBuilder,
    header::{DATE, LINK},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::{ClientError, error::Answer};
use crate::limits::WAIT_AS_ASKED;

/// Lists are read to their end, and an API that never ends one is reported.
const MOST_PAGES: usize = 50;

/// A repository may have been renamed more than once.
const MOST_HOPS: usize = 3;

/// How long limits are waited out: as the server says, else doubling from a second.
#[derive(Debug)]
pub(crate) struct Patience {
    left: Duration,
    next: Duration,
    guesses: u32,
}

/// How often a limit that says nothing is waited out.
const MOST_GUESSES: u32 = 3;

impl Default for Patience {
    fn default() -> Self {
        Self { left: WAIT_AS_ASKED, next: Duration::from_secs(1), guesses: 0 }
    }
}

impl Patience {
    /// How long to wait now, if there is that much left; `said` are the server's seconds.
    pub fn wait(&mut self, said: Option<u64>) -> Option<Duration> {
        let wait = said.map_or(self.next, Duration::from_secs);
        if said.is_none() {
            (self.next, self.guesses) = (self.next * 2, self.guesses + 1);
        }
        // One that is said to be over at once, and never is, has an end as well.
        self.left = self.left.checked_sub(wait.max(Duration::from_secs(1)))?;
        (self.guesses <= MOST_GUESSES).then_some(wait)
    }
}

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

    /// Sends a request that changes nothing. A limit is waited out as the vendor says, or doubling from a second where it
    /// says nothing; an address that has moved is followed on the vendor's own host.
    pub async fn answer(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let (mut request, mut hops) = (self.with_token(request), 0);
        let mut patience = Patience::default();
        loop {
            let again = request.try_clone();
            let (answer, Some(again)) = (Answer::to(&self.http, request).await, again) else {
                return Err(ClientError::no_answer("a request that cannot be sent again"));
            };
            request = match answer {
                Err(ClientError::Refused(refusal)) if refusal.is_limit => match patience.wait(refusal.retry_after) {
                    Some(wait) => {
                        tokio::time::sleep(wait).await;
                        again
                    }
                    None => return Err(ClientError::Refused(refusal)),
                },
                Ok(answer) if answer.status.is_redirection() && hops < MOST_HOPS => {
                    let Some(moved) = answer.moved_to() else { return Ok(answer) };
                    hops += 1;
                    self.with_token(self.http.get(moved))
                }
                answer => return answer,
            };
        }
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.token.expose_secret()).header("accept", "application/json")
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
            match next.filter(|next| *next != url) {
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

/// Where the next page of a list is, by the header `link`: none where Sentry says that it would be empty. Only on the same
/// host, since the token goes there.
pub(super) fn next_page(answer: &Answer) -> Option<String> {
    let links = answer.headers.get(LINK)?.to_str().ok()?;
    let next = links.split(',').find(|link| link.contains("rel=\"next\"") && !link.contains("results=\"false\""))?;
    let next = answer.url.join(next.split_once('<')?.1.split_once('>')?.0).ok()?;
    (next.origin() == answer.url.origin()).then(|| next.into())
}
