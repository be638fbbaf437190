//! The front end as a client without a browser sees it: the document, what it names, and the bundle behind it.

mod bundle;
mod document;

use reqwest::{StatusCode, header::HeaderMap};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use url::Url;

pub use bundle::{Bundle, Token};
pub use document::{Asset, Document};

use crate::{
    bounded,
    failure::{Failure, Verdict},
    limits,
    obstacle::Obstacle,
};

/// One front end.
#[derive(Debug)]
pub struct Site {
    base: Url,
    /// Of the portal's document: what else answers in its place is not the portal.
    title: String,
    http: reqwest::Client,
    /// Bytes of one body.
    most: usize,
    bundle: OnceCell<Bundle>,
}

/// An answer of the front end's server, read to its end. Redirects are not followed.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// What was asked for.
    pub url: Url,
    /// The answer's status.
    pub status: StatusCode,
    /// The answer's headers.
    pub headers: HeaderMap,
    /// The answer's body; bytes that are no UTF-8 are replaced.
    pub body: String,
}

/// Why there is nothing that the portal answered.
#[derive(Debug)]
pub(crate) enum Trouble {
    Unread(bounded::Error),
    Kept(Obstacle),
}

impl From<bounded::Error> for Trouble {
    fn from(error: bounded::Error) -> Self {
        Self::Unread(error)
    }
}

impl Fetched {
    /// SHA-256 of the body, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        Sha256::digest(self.body.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A document as a page holds it.
    pub(crate) fn in_page(url: Url, html: String) -> Self {
        Self { url, status: StatusCode::OK, headers: HeaderMap::new(), body: html }
    }

    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The content type without its parameters, in lower case.
    pub fn content_type(&self) -> String {
        self.header("content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body as a document, whatever its type.
    pub fn document(&self) -> Document {
        Document::of(self)
    }

    /// Status, content type, title of a document, size: what a failure text shows of an answer.
    pub fn summary(&self) -> String {
        let content_type = self.content_type();
        let title =
            if content_type == "text/html" { format!(" titled {:?}", self.document().title) } else { String::new() };
        let location = match self.header("location") {
            "" => String::new(),
            location => format!(" to {location}"),
        };
        let encoding = match self.header("content-encoding") {
            "" => String::new(),
            encoding => format!(", called {encoding} though nobody asked for that"),
        };
        let kind = if content_type.is_empty() { "no content type" } else { &content_type };
        format!("{}{location}, {kind}{title}{encoding}, {} bytes", self.status, self.body.len())
    }
}

impl Site {
    pub(crate) fn new(base: Url, title: impl Into<String>, http: reqwest::Client) -> Self {
        Self { base, title: title.into(), http, most: limits::BODY_BYTES, bundle: OnceCell::new() }
    }

    /// The same for a portal with files of another size.
    pub(crate) fn with_files_of(self, most: usize) -> Self {
        Self { most, ..self }
    }

    fn without_bundle(&self) -> Self {
        Self::new(self.base.clone(), self.title.clone(), self.http.clone()).with_files_of(self.most)
    }

    /// The URL of a path; `/#/members` is a view of an app that keeps its views behind a hash.
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let (path, view) = path.split_once('#').map_or((path, None), |(path, view)| (path, Some(view)));
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_fragment(view);
        url
    }

    /// Asks for a URL, as a browser would for a document or an asset.
    ///
    /// # Errors
    /// Failed when there is no answer; undecided when it is not the portal that answers, or its answer has no end.
    pub async fn get(&self, url: Url) -> Verdict<Fetched> {
        self.fetch(url.clone()).await.map_err(|trouble| match trouble {
            Trouble::Kept(obstacle) => obstacle.failure().at(url.as_str()),
            Trouble::Unread(error @ bounded::Error::TooLarge { .. }) => {
                Failure::undecided("the portal's answer can be read to its end")
                    .seen(error.to_string())
                    .at(url.as_str())
                    .advice("open the address in a browser: is this a file of the portal? A larger limit is largest_file_mb in [portal] of the contract")
            }
            Trouble::Unread(error) => Failure::failed("the portal answers")
                .expected(format!("a complete answer to GET {url}"))
                .seen(error.to_string())
                .at(url.as_str()),
        })
    }

    /// The same for whoever opens the deployment.
    pub(crate) async fn fetch(&self, url: Url) -> Result<Fetched, Trouble> {
        let request = self.http.get(url.clone()).header("accept", "text/html,*/*").build();
        let request = request.map_err(|error| bounded::Error::Broken(error.without_url()))?;
        let bounded::Answer { status, headers, body } = bounded::answer(&self.http, request, self.most).await?;
        match Obstacle::in_place_of(&self.title, &url, status, &headers, &body) {
            Some(obstacle) => Err(Trouble::Kept(obstacle)),
            None => Ok(Fetched { url, status, headers, body }),
        }
    }

    /// The document at a path: an answer of 200 with HTML.
    ///
    /// # Errors
    /// Failed for any other answer.
    pub async fn document(&self, path: &str) -> Verdict<Document> {
        let fetched = self.get(self.url(path)).await?;
        if fetched.status == StatusCode::OK && fetched.content_type() == "text/html" {
            return Ok(fetched.document());
        }
        Err(Failure::failed(format!("{path} answers with a document"))
            .expected("200, text/html")
            .seen(fetched.summary())
            .at(fetched.url.as_str()))
    }

    /// All scripts that the app can load, fetched once per process.
    ///
    /// # Errors
    /// Failed when the document or one of the scripts it names cannot be read.
    pub async fn bundle(&self) -> Verdict<&Bundle> {
        self.bundle.get_or_try_init(async || Bundle::of(self, &self.document("/").await?).await).await
    }
}
/// The path of an address, with the view behind its hash, if it has one.
pub fn path_of(url: &Url) -> String {
    match url.fragment().filter(|view| view.starts_with('/')) {
        Some(view) => format!("{}#{view}", url.path()),
        None => url.path().to_owned(),
    }
}
