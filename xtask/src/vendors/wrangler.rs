//! The embedded site against the real wrangler: the same folders, the same requests, the same answers.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use portal::Portal;
use reqwest::redirect::Policy;
use serde::Deserialize;

use crate::{Error, print, say, table::table};

/// A folder with the rules that Pages reads, and what is asked of it.
struct Folder {
    name: &'static str,
    files: &'static [&'static str],
    redirects: &'static str,
    headers: &'static str,
    paths: &'static [&'static str],
}

const FOLDERS: [Folder; 2] = [
    Folder {
        name: "a single-page app",
        files: &["index.html", "about.html", "assets/a.js", "sw.js", "manifest.webmanifest", "docs/index.html"],
        redirects: "/* /index.html 200\n/home /about 301\n/app/* /index.html 302\n/as/* /assets/:splat 200\n",
        headers: "/*\n  X-Frame-Options: DENY\n  Cache-Control: no-cache\n/assets/*\n  ! Cache-Control\n  Cache-Control: immutable\n",
        paths: &[
            "/",
            "/index.html",
            "/deep/link",
            "/home",
            "/home?x=1",
            "/app/x",
            "/as/a.js",
            "/as/none.js",
            "/about",
            "/about.html",
            "/about/",
            "/docs",
            "/docs/",
            "/docs/index",
            "/docs/index.html",
            "/docs/none",
            "/assets/a.js",
            "/assets/none.js",
            "/sw.js",
            "/manifest.webmanifest",
            "//",
            "/ABOUT",
        ],
    },
    Folder {
        name: "pages of their own",
        files: &[
            "index.html",
            "about.html",
            "docs/index.html",
            "docs/404.html",
            "404.html",
            "deep/er/page.html",
            "assets/a.js",
            "assets/style.css",
            "data.json",
            "icon.svg",
            "robots.txt",
            "with space.html",
        ],
        redirects: "# comment\n/old /new 301\n/about /elsewhere 302\n/blog/* /articles/:splat\n\
            /user/:id/posts /posts?by=:id 307\n/docs/x/* https://docs.example.com/:splat 308 # moved\n/bad /x 418\n\
            /proxy https://other.example/ 200\n/old /twice 301\n/rewritten /about.html 200\n/rewrite/* /assets/:splat 200\n\
            /missing-target /nowhere.html 200\n/query /to?a=1 301\n/fragment /to#part 302\n/see /see-other 303\n\
            /two /three four 301\n/many /a 301 extra\nrelative /x\n/no-slash x 301\n/ab*cd /wild/:splat\n\
            /a/:b/c/:b /dup\n/gone /there \n",
        headers: "X-Lost: none\n/*\n  X-A: one\n  Cache-Control: no-cache\n/assets/*\n  ! Cache-Control\n\
            \x20 Cache-Control: public, max-age=31536000, immutable\n  X-A: two\n  X-File: :splat\n/docs/:page\n\
            \x20 X-Page: :page\n# comment\n/about\n  X-About: yes\n  X-Empty:\n  X-Colon: a:b:c\n  ! X-A\n\
            https://example.com/*\n  X-Host: other\n/data.json\n  Content-Type: application/vnd.own+json\n\
            \x20 Access-Control-Allow-Origin: https://only.example\n  ! Referrer-Policy\n",
        paths: &[
            "/",
            "/index.html",
            "/index",
            "/old",
            "/old?x=1",
            "/about",
            "/about?x",
            "/about.html",
            "/about/",
            "/blog/2026/may",
            "/blog/",
            "/blog",
            "/user/7/posts",
            "/user/7/posts?z=1",
            "/docs/x/y/z?q=2",
            "/bad",
            "/proxy",
            "/rewritten",
            "/rewrite/a.js",
            "/rewrite/none",
            "/missing-target",
            "/query?b=2",
            "/fragment",
            "/see",
            "/two",
            "/many",
            "/no-slash",
            "/abXYcd",
            "/a/1/c/1",
            "/gone",
            "/docs",
            "/docs/",
            "/docs/index.html",
            "/docs/index",
            "/docs/none",
            "/docs/deeper/none",
            "/deep/er/page",
            "/deep/er/page.html",
            "/deep/er/page/",
            "/deep/er",
            "/none.js",
            "/assets/a.js",
            "/assets/style.css",
            "/assets/none.js",
            "/data.json",
            "/data",
            "/icon.svg",
            "/robots.txt",
            "/with%20space",
            "/404",
            "/404.html",
            "/docs/404",
            "//about",
        ],
    },
];

/// Headers that say how an answer is to be taken; `x-` are those of the folders' own rules.
const HEADERS: [&str; 6] = [
    "access-control-allow-origin",
    "cache-control",
    "content-type",
    "location",
    "referrer-policy",
    "x-content-type-options",
];

/// What wrangler adds by itself.
const OF_ITS_OWN: &str = "x-server-env";

#[derive(Debug, Deserialize)]
struct Answer {
    path: String,
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

/// What differs between the embedded site and wrangler, whose packages are in `installed`.
///
/// # Errors
/// When either of them does not serve.
pub async fn compare(installed: &Path) -> Result<Vec<String>, Error> {
    let http = reqwest::Client::builder().redirect(Policy::none()).build()?;
    let mut failures = Vec::new();
    let mut rows = table(&["folder of wrangler pages dev", "requests", "verdict"]);
    for folder in &FOLDERS {
        let site = tempfile::tempdir()?;
        folder.write(site.path())?;
        let theirs = folder.by_wrangler(installed, site.path())?;
        let portal = Portal::builder().dist(site.path()).start().await?;
        let mut wrong = Vec::new();
        for answer in &theirs {
            let ours = asked(&http, portal.site_url().as_str(), &answer.path).await?;
            wrong.extend(
                differences(answer, &ours).into_iter().map(|it| format!("{}, {}: {it}", folder.name, answer.path)),
            );
        }
        if theirs.len() != folder.paths.len() {
            wrong.push(format!("{}: wrangler answered {} of {}", folder.name, theirs.len(), folder.paths.len()));
        }
        let verdict = if wrong.is_empty() { "passed" } else { "FAILED" };
        rows.add_row([folder.name, &theirs.len().to_string(), verdict]);
        failures.extend(wrong);
    }
    print(&rows.to_string());
    failures.iter().for_each(|failure| say(failure));
    Ok(failures)
}

impl Folder {
    fn write(&self, to: &Path) -> Result<(), Error> {
        let rules = [("_redirects", self.redirects.to_owned()), ("_headers", self.headers.to_owned())];
        let files = self.files.iter().map(|file| (*file, format!("of {file}")));
        for (name, text) in files.chain(rules) {
            let path = to.join(name);
            fs::create_dir_all(path.parent().unwrap_or(to))?;
            fs::write(path, text)?;
        }
        Ok(())
    }

    fn by_wrangler(&self, installed: &Path, site: &Path) -> Result<Vec<Answer>, Error> {
        let mut node = Command::new("node")
            .arg("pages.mjs")
            .arg(site)
            .current_dir(installed)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = node.stdin.take() {
            input.write_all(self.paths.join("\n").as_bytes())?;
        }
        let output = node.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("pages.mjs: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        String::from_utf8(output.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }
}

async fn asked(http: &reqwest::Client, site: &str, path: &str) -> Result<Answer, Error> {
    let answer = http.get(format!("{}{path}", site.trim_end_matches('/'))).send().await?;
    let of = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let (status, headers) = (answer.status().as_u16(), answer.headers().iter().map(of).collect());
    Ok(Answer { path: path.to_owned(), status, headers, body: answer.text().await? })
}

fn differences(theirs: &Answer, ours: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut compare = |what: &str, theirs: &str, ours: &str| {
        if theirs != ours {
            wrong.push(format!("{what} is {theirs:?} of wrangler, {ours:?} of the embedded site"));
        }
    };
    compare("status", &theirs.status.to_string(), &ours.status.to_string());
    compare("body", &theirs.body, &ours.body);
    let own =
        theirs.headers.keys().chain(ours.headers.keys()).filter(|name| name.starts_with("x-") && *name != OF_ITS_OWN);
    let names: std::collections::BTreeSet<&str> = own.map(String::as_str).chain(HEADERS).collect();
    for name in names {
        let of = |answer: &'_ Answer| answer.headers.get(name).cloned().unwrap_or_default();
        compare(name, &of(theirs), &of(ours));
    }
    wrong
}
