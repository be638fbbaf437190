//! How this process finds hosts: as the system does, but for those that are served elsewhere. The embedded portal serves
//! `https://<ref>.supabase.co` on this machine when a build has that baked in; nothing leaves the machine then.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use reqwest::{Certificate, ClientBuilder};
use url::Url;

/// A host that is served elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Elsewhere {
    pub host: String,
    pub address: SocketAddr,
    /// SHA-256 of its certificate's public key in base64, for browsers.
    pub fingerprint: String,
    pub certificate: Certificate,
}

/// Of whatever deployments this process has opened.
static ELSEWHERE: Mutex<Vec<Elsewhere>> = Mutex::new(Vec::new());

/// Two crates bring a rustls of their own features; without one provider chosen the first TLS client panics.
pub(crate) fn choose_tls() {
    // An error only says that one was chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// From now on clients and browsers of this process find the host there.
pub(crate) fn lead(elsewhere: Elsewhere) {
    let mut all = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|known| known.host != elsewhere.host);
    all.push(elsewhere);
}

fn all() -> Vec<Elsewhere> {
    ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A client that finds the hosts of the deployment under test.
pub fn http() -> ClientBuilder {
    choose_tls();
    let lead = |client: ClientBuilder, elsewhere: Elsewhere| {
        client.resolve(&elsewhere.host, elsewhere.address).add_root_certificate(elsewhere.certificate)
    };
    all().into_iter().fold(reqwest::Client::builder(), lead)
}

/// Whether a URL leads to this machine.
pub fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_led_here = |one: &Elsewhere| one.host == host && one.address.ip().is_loopback();
    host == "localhost" || host == "[::1]" || host.starts_with("127.") || all().iter().any(is_led_here)
}

/// What makes a browser find them.
pub(crate) fn browser_options() -> Vec<String> {
    let all = all();
    if all.is_empty() {
        return Vec::new();
    }
    let rules: Vec<_> = all.iter().map(|one| format!("MAP {}:443 {}", one.host, one.address)).collect();
    let fingerprints: Vec<_> = all.iter().map(|one| one.fingerprint.as_str()).collect();
    vec![
        format!("--host-resolver-rules={}", rules.join(", ")),
        format!("--ignore-certificate-errors-spki-list={}", fingerprints.join(",")),
    ]
}
