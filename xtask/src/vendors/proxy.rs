//! What stands between our clients and the embedded platform: keeps what was asked and answered, and answers in the platform's
//! place where it is told to.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::calls::Call;
use crate::Error;

/// A request with its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub answer: Value,
}

impl Exchange {
    /// Whether it is the request of a call.
    pub fn is_of(&self, call: Call) -> bool {
        let (method, parts) = call.path();
        let own: Vec<_> = self.path.trim_end_matches('/').split('/').skip(1).collect();
        let same = |(own, part): (&&str, &Option<&str>)| part.is_none_or(|part| part == *own);
        self.method == method && own.len() == parts.len() && own.iter().zip(&parts).all(same)
    }
}

#[derive(Debug, Default)]
struct Inner {
    exchanges: Mutex<Vec<Exchange>>,
    instead: Mutex<Option<Value>>,
}

/// The proxy; it ends with the process.
#[derive(Debug)]
pub struct Proxy {
    inner: Arc<Inner>,
    url: Url,
}

impl Proxy {
    /// Starts one before `platform`.
    pub async fn before(platform: &Url) -> Result<Self, Error> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?).parse()?;
        let inner = Arc::<Inner>::default();
        let state = (Arc::clone(&inner), platform.clone(), reqwest::Client::new());
        let router = Router::new().fallback(forward).with_state(state);
        tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { inner, url })
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What was asked since the last time; from now on the platform answers again.
    pub fn take(&self) -> Vec<Exchange> {
        *self.inner.instead.lock().unwrap_or_else(PoisonError::into_inner) = None;
        std::mem::take(&mut *self.inner.exchanges.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers with this in the platform's place, on the first page of a list.
    pub fn answer_with(&self, answer: Value) {
        *self.inner.instead.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
}

type Stage = (Arc<Inner>, Url, reqwest::Client);

async fn forward(
    State((inner, platform, http)): State<Stage>,
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let instead = inner.instead.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(answer) = instead {
        let is_first = query.get("page").is_none_or(|page| page == "1");
        let nothing = if answer.is_array() { json!([]) } else { json!({"success": true, "result": []}) };
        return answered(StatusCode::OK, HeaderMap::new(), if is_first { answer } else { nothing });
    }
    let to = format!("{}{uri}", platform.as_str().trim_end_matches('/'));
    let mut request = http.request(method.clone(), to).body(body);
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT] {
        if let Some(value) = headers.get(&name) {
            request = request.header(name, value);
        }
    }
    let Ok(answer) = request.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, link) = (answer.status(), answer.headers().get(header::LINK).cloned());
    let body: Value = answer.json().await.unwrap_or_default();
    let exchange = Exchange { method: method.to_string(), path: uri.path().to_owned(), query, answer: body.clone() };
    inner.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    let link: Option<HeaderValue> = link;
    answered(status, link.map(|link| (header::LINK, link)).into_iter().collect(), body)
}

fn answered(status: StatusCode, mut headers: HeaderMap, body: Value) -> Response {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (status, headers, body.to_string()).into_response()
}
