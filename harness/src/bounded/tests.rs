//! Servers whose answers have no end: every client gives up, and takes no more than its limit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use insta::assert_snapshot;
use rstest::rstest;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, path},
};

use crate::{
    client::{AuthClient, SmsIngest, Unstorable},
    limits,
    site::Site,
};

#[derive(Debug, Clone, Copy)]
enum Body {
    Endless,
    Dripping,
    /// The length is stated, and true.
    Large,
}

/// A server that answers every request so, and the most bytes that one of its clients took.
async fn server(body: Body) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let most = Arc::new(AtomicUsize::new(0));
    let counter = most.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection, body, counter.clone()));
        }
    });
    (url, most)
}

/// Until the client hangs up.
async fn answer(mut connection: TcpStream, body: Body, most: Arc<AtomicUsize>) -> std::io::Result<()> {
    let _ = connection.read(&mut [0; 4096]).await?;
    let length = if let Body::Large = body { "content-length: 100000000\r\n" } else { "" };
    connection.write_all(format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{length}\r\n").as_bytes()).await?;
    let mut taken = 0;
    loop {
        taken += match body {
            Body::Dripping => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                connection.write(b" ").await?
            }
            Body::Endless | Body::Large => connection.write(&[b' '; 65_536]).await?,
        };
        most.fetch_max(taken, Ordering::Relaxed);
    }
}

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(Duration::from_secs(2)).build().unwrap()
}

#[rstest]
#[case::endless(Body::Endless)]
#[case::dripping(Body::Dripping)]
#[case::large(Body::Large)]
#[tokio::test]
async fn every_client_gives_up_in_time(#[case] body: Body) {
    let (url, most) = server(body).await;
    let site = Site::new(url.clone(), "Portal", http());
    let document = site.document("/").await.unwrap_err();
    let settings = AuthClient::new(http(), url.clone(), "key".to_owned()).settings().await.unwrap_err();
    let mut shown = vec![document.to_string(), settings.to_string()];
    // Its time limit is its own, and too long for a test.
    if !matches!(body, Body::Dripping) {
        let ingest = SmsIngest::new(url.clone(), "x-api-key", None).unwrap();
        shown.push(ingest.probe(reqwest::Method::POST, &[], &Unstorable::empty()).await.to_string());
    }
    // The sockets on both sides hold some more.
    let most = most.load(Ordering::Relaxed);
    assert!(most < limits::BODY_BYTES + 20_000_000, "{most} bytes");
    let name = format!("{body:?}").to_lowercase();
    insta::with_settings!({ snapshot_path => "../../../snapshots/harness", prepend_module_to_snapshot => false }, {
        assert_snapshot!(format!("body_{name}"), shown.join("\n\n").replace(url.as_str(), "https://your-domain.com/"));
    });
}

/// What the contract allows is what is read.
#[tokio::test]
async fn a_portal_may_have_larger_files() {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_raw(vec![b' '; 21_000_000], "text/html");
    Mock::given(any()).respond_with(page).mount(&server).await;
    let site = |most| Site::new(server.uri().parse().unwrap(), "Portal", http()).with_files_of(most);
    assert!(site(22_000_000).document("/").await.is_ok());
    let failure = site(limits::BODY_BYTES).document("/").await.unwrap_err();
    assert_eq!(failure.get("seen"), Some("the body is larger than 20 MB, and the rest of it was not read"));
}

/// As many scripts as a document can name, each of a size that is allowed.
#[tokio::test]
async fn a_bundle_is_bounded_as_a_whole() {
    let scripts: String = (0..100).map(|number| format!("<script src='/{number}.js'></script>")).collect();
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_raw(scripts, "text/html");
    let script = ResponseTemplate::new(200).set_body_raw(vec![b' '; 4_000_000], "text/javascript");
    Mock::given(path("/")).respond_with(page).mount(&server).await;
    Mock::given(any()).respond_with(script).mount(&server).await;
    let site = Site::new(server.uri().parse().unwrap(), "Portal", http());
    assert_snapshot!(site.bundle().await.unwrap_err(), @"
    undecided  the bundle can be read
      expected  at most 2000 scripts of 60 MB together
      seen      100 scripts and 64 MB, and more
    ");
}
