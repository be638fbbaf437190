//! The scripts behind the document, found by following their imports, and what is baked into them.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;
use reqwest::StatusCode;
use tokio::task::JoinSet;
use url::Url;

use super::{Document, Fetched, Site};
use crate::{
    client::Claims,
    failure::{Failure, Verdict},
    limits::{BUNDLE_BYTES, BUNDLE_SCRIPTS},
};

/// Scripts that are asked for at once: so many bodies are held that nobody knows the size of yet.
const AT_ONCE: usize = 4;

/// Static and dynamic imports, and the relative chunk names that Vite lists for preloading.
static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"(?:\bimport\s*\(?\s*|\bfrom\s*)["'`]((?:/|\./|\.\./)[^"'`$\s]+?\.m?js)["'`]|["'`](assets/[\w./-]+?\.js)["'`]"#,
    )
});
static JWT: LazyLock<Regex> = LazyLock::new(|| regex(r"eyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]{10,}"));
static PUBLISHABLE: LazyLock<Regex> = LazyLock::new(|| regex(r"sb_publishable_[\w-]{10,}"));
/// What an app tells supabase-js to keep its session under.
static STORAGE_KEY: LazyLock<Regex> = LazyLock::new(|| regex(r#"\bstorageKey\s*:\s*["'`]([\w.:/-]+)["'`]"#));
static HOSTED: LazyLock<Regex> = LazyLock::new(|| regex(r"https://[a-z0-9]{10,}\.supabase\.(?:co|in)"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant that is a pattern")
}

/// What the key ends with that supabase-js keeps a session under.
const USUAL_KEY: &str = "-auth-token";

/// What apps call that keep a session elsewhere than in `localStorage`, and supabase-js, which lets them.
const ELSEWHERE: [&str; 4] = ["sessionStorage", "indexedDB", "document.cookie", "persistSession"];

/// All scripts of an app.
#[derive(Debug, Clone)]
pub struct Bundle {
    scripts: Vec<Fetched>,
    broken: Vec<Fetched>,
}

/// A key found in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The script.
    pub script: Url,
    /// The key itself.
    pub text: String,
    /// `role` of a JWT; `anon` for a publishable key, which is not one.
    pub role: String,
    /// `ref` of a JWT: the project that it was made for.
    pub project: Option<String>,
}

impl Bundle {
    /// Where the app says that its session is kept, instead of where supabase-js keeps it by itself.
    pub fn storage_keys(&self) -> BTreeSet<String> {
        let found = |script| STORAGE_KEY.captures_iter(script).map(|found| found[1].to_owned());
        self.scripts.iter().flat_map(|script| found(script.body.as_str())).collect()
    }

    /// Whether the app could keep its session anywhere else than under a key that is known: it names such a place, or no
    /// such key.
    pub(crate) fn may_keep_sessions_elsewhere(&self) -> bool {
        let names = |place: &&str| self.scripts.iter().any(|script| script.body.contains(place));
        ELSEWHERE.iter().any(names) || !names(&USUAL_KEY) && self.storage_keys().is_empty()
    }

    pub(super) async fn of(site: &Site, document: &Document) -> Verdict<Self> {
        let mut bundle = Self { scripts: Vec::new(), broken: Vec::new() };
        let own = |url: &Url| url.origin() == document.fetched.url.origin();
        let mut next: Vec<Url> = document
            .assets
            .iter()
            .filter(|asset| asset.is_script() && own(&asset.url))
            .map(|asset| asset.url.clone())
            .collect();
        let mut known: BTreeSet<Url> = next.iter().cloned().collect();
        while !next.is_empty() {
            let mut answers = JoinSet::new();
            for url in next.drain(..next.len().min(AT_ONCE)) {
                let site = site.without_bundle();
                answers.spawn(async move { site.get(url).await });
            }
            for answer in answers.join_all().await {
                let script = answer?;
                if script.status != StatusCode::OK || !script.content_type().ends_with("javascript") {
                    bundle.broken.push(script);
                    continue;
                }
                for url in imports(&script, site) {
                    if known.insert(url.clone()) {
                        next.push(url);
                    }
                }
                bundle.scripts.push(script);
            }
            let bytes: usize = bundle.scripts.iter().map(|script| script.body.len()).sum();
            if known.len() > BUNDLE_SCRIPTS || bytes > BUNDLE_BYTES {
                return Err(Failure::undecided("the bundle can be read")
                    .expected(format!("at most {BUNDLE_SCRIPTS} scripts of {} MB together", BUNDLE_BYTES / 1_000_000))
                    .seen(format!("{} scripts and {} MB, and more", known.len(), bytes / 1_000_000)));
            }
        }
        bundle.scripts.sort_by(|one, other| one.url.cmp(&other.url));
        bundle.broken.sort_by(|one, other| one.url.cmp(&other.url));
        Ok(bundle)
    }

    /// The scripts that could be read, by URL. Never empty: an app without scripts holds no promise.
    ///
    /// # Errors
    /// Failed when there is none.
    pub fn scripts(&self) -> Verdict<&[Fetched]> {
        if self.scripts.is_empty() {
            let seen: Vec<_> =
                self.broken.iter().map(|script| format!("{}: {}", script.url.path(), script.summary())).collect();
            return Err(Failure::failed("the bundle can be read")
                .expected("at least one script, 200 with a JavaScript content type")
                .seen(if seen.is_empty() {
                    "the document names no script of its own".to_owned()
                } else {
                    seen.join("\n")
                }));
        }
        Ok(&self.scripts)
    }

    /// Scripts that are named and do not answer as scripts.
    pub fn broken(&self) -> &[Fetched] {
        &self.broken
    }

    /// The keys of Supabase projects in it.
    ///
    /// # Errors
    /// As [`Bundle::scripts`].
    pub fn tokens(&self) -> Verdict<Vec<Token>> {
        Ok(self.scripts()?.iter().flat_map(tokens).collect())
    }

    /// The hosted Supabase projects that it names, as URLs.
    ///
    /// # Errors
    /// As [`Bundle::scripts`].
    pub fn hosted_projects(&self) -> Verdict<BTreeSet<String>> {
        Ok(self
            .scripts()?
            .iter()
            .flat_map(|script| HOSTED.find_iter(&script.body))
            .map(|found| found.as_str().to_owned())
            .collect())
    }
}

fn imports(script: &Fetched, site: &Site) -> Vec<Url> {
    let found = IMPORT.captures_iter(&script.body).filter_map(|captures| match (captures.get(1), captures.get(2)) {
        (Some(specifier), _) => script.url.join(specifier.as_str()).ok(),
        (_, Some(chunk)) => Some(site.url(&format!("/{}", chunk.as_str()))),
        _ => None,
    });
    found.filter(|url| url.origin() == script.url.origin()).collect()
}

fn tokens(script: &Fetched) -> Vec<Token> {
    let token = |text: &str, role: &str, project: Option<&str>| Token {
        script: script.url.clone(),
        text: text.to_owned(),
        role: role.to_owned(),
        project: project.map(str::to_owned),
    };
    let jwts = JWT.captures_iter(&script.body).filter_map(|captures| {
        let claims = Claims::of(&captures[0])?;
        Some(token(&captures[0], claims.role.as_deref()?, claims.project.as_deref()))
    });
    let publishable = PUBLISHABLE.find_iter(&script.body).map(|found| token(found.as_str(), "anon", None));
    jwts.chain(publishable).collect()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use reqwest::header::HeaderMap;

    use super::*;

    fn script(body: &str) -> Fetched {
        let url = "https://your-domain.com/assets/main-1.js".parse().unwrap();
        Fetched { url, status: StatusCode::OK, headers: HeaderMap::new(), body: body.to_owned() }
    }

    #[test]
    fn imports_of_every_kind_are_followed() {
        let body = r#"import{a}from"./dom-1.js";import "/assets/boot-2.js";const v=()=>import("./views/reports-3.js");
            const deps=["assets/settings-4.js","assets/app.css"];const not="./data.json";import(`./${x}.js`);"#;
        let site = Site::new("https://your-domain.com".parse().unwrap(), "Portal", reqwest_client());
        let paths: Vec<_> = imports(&script(body), &site).iter().map(|url| url.path().to_owned()).collect();
        assert_eq!(
            paths,
            ["/assets/dom-1.js", "/assets/boot-2.js", "/assets/views/reports-3.js", "/assets/settings-4.js"]
        );
    }

    #[test]
    fn a_storage_key_of_the_apps_own_is_found() {
        let script = script(
            r#"createClient(u,k,{auth:{storageKey:"sb-auth-token",persistSession:!0}});const o={storageKey:key}"#,
        );
        let bundle = Bundle { scripts: vec![script], broken: Vec::new() };
        assert_eq!(Vec::from_iter(bundle.storage_keys()), ["sb-auth-token"]);
    }

    #[test]
    fn tokens_tell_their_role_and_project() {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"iss":"supabase","ref":"abc","role":"service_role"}"#);
        let found = tokens(&script(&format!(
            "const k=\"eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl\",p=\"sb_publishable_0123456789ab\""
        )));
        let shown: Vec<_> = found.iter().map(|token| (token.role.as_str(), token.project.as_deref())).collect();
        assert_eq!(shown, [("service_role", Some("abc")), ("anon", None)]);
    }

    fn reqwest_client() -> reqwest::Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::new()
    }
}
