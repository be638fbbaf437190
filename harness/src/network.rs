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

/// What makes a browser find them, and `other` hosts that only this browser is to find elsewhere.
pub(crate) fn browser_options(other: Option<&Led>) -> Vec<String> {
    let known = all().into_iter().map(|one| Led::https(&one.host, one.address, one.fingerprint));
    let is_other = |led: &Led| other.is_none_or(|other| other.from != led.from);
    let led: Vec<_> = known.filter(is_other).chain(other.cloned()).collect();
    if led.is_empty() {
        return Vec::new();
    }
    let rules: Vec<_> = led.iter().map(|led| format!("MAP {} {}", led.from, led.to)).collect();
    let fingerprints: Vec<_> = led.iter().filter_map(|led| led.fingerprint.as_deref()).collect();
    let trusted = format!("--ignore-certificate-errors-spki-list={}", fingerprints.join(","));
    let mut options = vec![format!("--host-resolver-rules={}", rules.join(", "))];
    options.extend((!fingerprints.is_empty()).then_some(trusted));
    options
}

/// What a browser finds elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Led {
    /// Host and port, as pages ask for them.
    from: String,
    to: SocketAddr,
    /// SHA-256 of the certificate's public key in base64, where it is asked for by https.
    fingerprint: Option<String>,
}

impl Led {
    /// The origin of a URL, led to another address.
    pub fn of(url: &Url, to: SocketAddr, fingerprint: Option<String>) -> Self {
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        Self { from: format!("{host}:{port}"), to, fingerprint }
    }

    fn https(host: &str, to: SocketAddr, fingerprint: String) -> Self {
        Self { from: format!("{host}:443"), to, fingerprint: Some(fingerprint) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_of_its_own_finds_an_origin_elsewhere() {
        let led = |url: &str, fingerprint: Option<&str>| {
            let to = SocketAddr::from(([127, 0, 0, 1], 5000));
            browser_options(Some(&Led::of(&url.parse().unwrap(), to, fingerprint.map(str::to_owned))))
        };
        assert_eq!(led("http://127.0.0.1:54321/", None), ["--host-resolver-rules=MAP 127.0.0.1:54321 127.0.0.1:5000"]);
        assert_eq!(
            led("https://abc.supabase.co", Some("c2hh")),
            [
                "--host-resolver-rules=MAP abc.supabase.co:443 127.0.0.1:5000",
                "--ignore-certificate-errors-spki-list=c2hh",
            ]
        );
    }
}
