//! Servers whose answers have no end: every client gives up in seconds, and holds little of them.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use rstest::rstest;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};
use url::Url;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, path},
};

use crate::{
    client::{AuthClient, SmsIngest, Unstorable},
    site::Site,
};

/// Memory is the whole process's: what is measured is not measured beside what needs much.
static ALONE: Mutex<()> = Mutex::const_new(());

#[derive(Debug, Clone, Copy)]
enum Body {
    Endless,
    Dripping,
    /// Its length is stated, and true.
    Large,
}

/// A server that answers every request so.
async fn server(body: Body) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection, body));
        }
    });
    url
}

/// Until the client hangs up.
async fn answer(mut connection: TcpStream, body: Body) -> std::io::Result<()> {
    let _ = connection.read(&mut [0; 4096]).await?;
    let length = if let Body::Large = body { "content-length: 100000000\r\n" } else { "" };
    connection.write_all(format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{length}\r\n").as_bytes()).await?;
    for _ in 0.. {
        match body {
            Body::Dripping => {
                connection.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Body::Endless | Body::Large => connection.write_all(&[b' '; 65_536]).await?,
        }
    }
    Ok(())
}

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(Duration::from_secs(2)).build().unwrap()
}

/// The most memory that this process has had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[rstest]
#[case::endless(Body::Endless)]
#[case::dripping(Body::Dripping)]
#[case::large(Body::Large)]
#[tokio::test]
async fn every_client_gives_up_in_time(#[case] body: Body) {
    let _alone = ALONE.lock().await;
    let (url, start, before) = (server(body).await, Instant::now(), peak());
    let site = Site::new(url.clone(), "Portal", http());
    let document = site.document("/").await.unwrap_err();
    let settings = AuthClient::new(http(), url.clone(), "key".to_owned()).settings().await.unwrap_err();
    let mut told = vec![document.to_string(), settings.to_string()];
    // Its time limit is its own, and too long for a test.
    if !matches!(body, Body::Dripping) {
        let ingest = SmsIngest::new(url.clone(), "x-api-key", None).unwrap();
        told.push(ingest.probe(reqwest::Method::POST, &[], &Unstorable::empty()).await.to_string());
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(peak() - before < 100_000_000, "{} bytes", peak() - before);
    let name = format!("{body:?}").to_lowercase();
    insta::with_settings!({ snapshot_path => "../../../snapshots/harness", prepend_module_to_snapshot => false }, {
        assert_snapshot!(format!("body_{name}"), told.join("\n\n").replace(url.as_str(), "https://your-domain.com/"));
    });
}

/// As many scripts as a document can name, each of a size that is allowed.
#[tokio::test]
async fn a_bundle_is_bounded_as_a_whole() {
    let _alone = ALONE.lock().await;
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
