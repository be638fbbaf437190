//! The server: raw bytes over TCP, since no web framework behaves so.

use std::{io, path::Path, sync::Arc, time::Duration};

use h2::server::handshake;
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use url::Url;

use super::{
    behaviour::{Behaviour, Does},
    certificates::{Authority, Certificate},
};

/// The portal's own login view.
const VIEW: &str =
    "<h1>SACCO+</h1><form><input type=email><input type=password><button type=submit>Sign In</button></form>";

/// Another site.
const ELSEWHERE: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<title>Elsewhere</title><h1>Another site</h1>";

/// A server that behaves so. It ends with the test's runtime.
pub struct Server {
    pub url: Url,
    /// Another site.
    pub elsewhere: Url,
    /// The certificate of the authority that its visitors are to trust.
    pub authority: NamedTempFile,
}

impl Server {
    pub async fn start(behaviour: &'static Behaviour) -> Self {
        let (authority, file) = (Authority::new(), NamedTempFile::new().unwrap());
        std::fs::write(file.path(), authority.pem()).unwrap();
        let tls = match behaviour.does {
            Does::Tls(certificate) => Some(authority.server(certificate, "http/1.1")),
            Does::OnlyHttp2 => Some(authority.server(Certificate::Good, "h2")),
            _ => None,
        };
        let elsewhere = listen("http", None, Answer { does: Does::Answers(ELSEWHERE), elsewhere: String::new() }).await;
        let answer = Answer { does: behaviour.does, elsewhere: elsewhere.to_string() };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = listen(scheme, tls.map(TlsAcceptor::from), answer).await;
        Self { url, elsewhere, authority: file }
    }
}

async fn listen(scheme: &str, tls: Option<TlsAcceptor>, answer: Answer) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let (answer, tls) = (Arc::clone(&answer), tls.clone());
            // A visitor that hangs up is no trouble of the server.
            tokio::spawn(async move {
                let _ = match tls {
                    Some(tls) => answer.over_tls(tls, connection).await,
                    None => answer.over_tcp(connection).await,
                };
            });
        }
    });
    url
}

/// What is answered to whom.
struct Answer {
    does: Does,
    elsewhere: String,
}

impl Answer {
    async fn over_tls(&self, tls: TlsAcceptor, connection: TcpStream) -> io::Result<()> {
        let connection = tls.accept(connection).await?;
        if !matches!(self.does, Does::OnlyHttp2) {
            return self.serve(connection).await.map(drop);
        }
        let mut connection = handshake(connection).await.map_err(io::Error::other)?;
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            let (kind, body) = file(request.uri().path());
            let head = http::Response::builder().header("content-type", kind).body(()).unwrap();
            let mut stream = respond.send_response(head, false).map_err(io::Error::other)?;
            stream.send_data(body.into(), true).map_err(io::Error::other)?;
        }
        Ok(())
    }

    async fn over_tcp(&self, connection: TcpStream) -> io::Result<()> {
        let connection = self.serve(connection).await?;
        if matches!(self.does, Does::ResetsInBody) {
            // What is closed with bytes that nobody read, or without waiting for what was sent, is reset.
            connection.set_zero_linger()?;
        }
        Ok(())
    }

    /// Reads one request and answers it; the end of the connection is the end of the answer.
    async fn serve<C: AsyncRead + AsyncWrite + Unpin>(&self, mut connection: C) -> io::Result<C> {
        let mut request = Vec::new();
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut part = [0; 4096];
            match connection.read(&mut part).await? {
                0 => return Ok(connection),
                read => request.extend_from_slice(&part[..read]),
            }
        }
        let request = String::from_utf8_lossy(&request).into_owned();
        let path = request.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
        let is_browser = request.to_ascii_lowercase().contains("user-agent: mozilla");
        match path.as_str() {
            "/silence" => silence().await,
            "/" => self.root(&mut connection, is_browser).await?,
            path if matches!(self.does, Does::RedirectsOn) && path.starts_with("/on/") => {
                self.root(&mut connection, is_browser).await?;
            }
            path => {
                let (kind, body) = file(path);
                well(&mut connection, kind, &body).await?;
            }
        }
        connection.flush().await?;
        Ok(connection)
    }

    async fn root<C: AsyncWrite + Unpin>(&self, to: &mut C, is_browser: bool) -> io::Result<()> {
        match self.does {
            Does::Answers(bytes) => to.write_all(bytes.as_bytes()).await,
            Does::Bytes(bytes) => to.write_all(bytes).await,
            Does::AnswersBrowsers(bytes) if is_browser => to.write_all(bytes.as_bytes()).await,
            Does::AnswersBrowsers(_) | Does::Tls(_) | Does::OnlyHttp2 => well(to, "text/html", &document("")).await,
            Does::Page(head) => {
                let head = head.replace("ELSEWHERE", &format!("'{}'", self.elsewhere));
                well(to, "text/html", &document(&head)).await
            }
            Does::Endlessly { head, part, every_ms } => {
                to.write_all(head.as_bytes()).await?;
                loop {
                    to.write_all(part).await?;
                    // The pace of a server that drips.
                    tokio::time::sleep(Duration::from_millis(every_ms)).await;
                }
            }
            Does::Large(bytes) => well(to, "text/html", &" ".repeat(bytes)).await,
            Does::Scripts(count) => {
                let scripts: String = (0..count).map(|number| format!("<script src=/{number}.js></script>")).collect();
                well(to, "text/html", &document(&scripts)).await
            }
            Does::Header(bytes) => {
                let head = format!("HTTP/1.1 200 OK\r\nx-large: {}\r\n\r\n", "x".repeat(bytes));
                to.write_all(head.as_bytes()).await
            }
            Does::RedirectsOn => {
                let next = uuid::Uuid::new_v4();
                let head = format!("HTTP/1.1 302 Found\r\nlocation: /on/{next}\r\ncontent-length: 0\r\n\r\n");
                to.write_all(head.as_bytes()).await
            }
            Does::ResetsInBody => {
                to.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5000\r\n\r\n<!doctype")
                    .await
            }
            Does::IsSilent => {
                silence().await;
                Ok(())
            }
        }
    }
}

/// Until the visitor gives up.
async fn silence() {
    std::future::pending().await
}

async fn well<C: AsyncWrite + Unpin>(to: &mut C, kind: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    to.write_all(head.as_bytes()).await?;
    to.write_all(body.as_bytes()).await
}

/// The portal's document, with this in its head.
fn document(head: &str) -> String {
    format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>SACCO+ Admin Portal</title><link rel=icon href='data:,'>\
         <script type=module src=/assets/main.js></script>{head}</head><body>{VIEW}</body></html>"
    )
}

/// A file that is well, by the kind of its path.
fn file(path: &str) -> (&'static str, String) {
    let hijack = "addEventListener('install', () => skipWaiting());
        addEventListener('activate', (event) => event.waitUntil(clients.claim()));
        addEventListener('fetch', (event) => event.respondWith(new Response('<title>Prize</title><h1>You have won</h1>', { headers: { 'content-type': 'text/html' } })));";
    match Path::new(path).extension().and_then(|kind| kind.to_str()) {
        Some("js") if path == "/hijack.js" => ("text/javascript", hijack.to_owned()),
        Some("js") => ("text/javascript", "export {};".to_owned()),
        _ => ("text/html", document("")),
    }
}
