//! An HTML document: what it is called and what it loads.

use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::Fetched;

/// A parsed document.
#[derive(Debug, Clone)]
pub struct Document {
    /// Where it came from, with its headers.
    pub fetched: Fetched,
    /// Text of `<title>`.
    pub title: String,
    /// `lang` of `<html>`.
    pub language: String,
    /// What it loads, in its order.
    pub assets: Vec<Asset>,
}

/// Something that a document loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The element, as written.
    pub element: String,
    /// Where it is.
    pub url: Url,
    /// The content types that a browser takes for it; one that ends with `/` stands for a family.
    pub types: &'static [&'static str],
}

const SCRIPT: &[&str] = &["text/javascript", "application/javascript"];
const MANIFEST: &[&str] = &["application/manifest+json", "application/json"];

impl Asset {
    /// Whether a browser takes `content_type` for it.
    pub fn may_be(&self, content_type: &str) -> bool {
        self.types
            .iter()
            .any(|accepted| *accepted == content_type || accepted.ends_with('/') && content_type.starts_with(accepted))
    }

    /// Whether it is run.
    pub fn is_script(&self) -> bool {
        self.types == SCRIPT
    }

    fn of(element: ElementRef<'_>, base: &Url) -> Option<Self> {
        let value = element.value();
        let (address, types): (_, &[&str]) = match (value.name(), value.attr("rel").unwrap_or_default()) {
            ("script", _) => (value.attr("src")?, SCRIPT),
            ("link", "stylesheet") => (value.attr("href")?, &["text/css"]),
            ("link", "modulepreload") => (value.attr("href")?, SCRIPT),
            ("link", "manifest") => (value.attr("href")?, MANIFEST),
            ("link", rel) if rel.split(' ').any(|rel| rel.ends_with("icon")) => (value.attr("href")?, &["image/"]),
            ("link", "preload") => (value.attr("href")?, preloaded(value.attr("as").unwrap_or_default())),
            _ => return None,
        };
        Some(Self { element: element.html(), url: base.join(address).ok()?, types })
    }
}

fn preloaded(kind: &str) -> &'static [&'static str] {
    match kind {
        "script" => SCRIPT,
        "style" => &["text/css"],
        "font" => &["font/", "application/font-"],
        "image" => &["image/"],
        _ => &["application/", "text/", "image/", "font/", "audio/", "video/"],
    }
}

impl Document {
    pub(super) fn of(fetched: &Fetched) -> Self {
        let html = Html::parse_document(&fetched.body);
        let elements = |selector: &str| match Selector::parse(selector) {
            Ok(selector) => html.select(&selector).collect(),
            Err(_) => Vec::new(),
        };
        let title = elements("head > title").first().map(|title| title.text().collect::<String>().trim().to_owned());
        Self {
            title: title.unwrap_or_default(),
            language: html.root_element().attr("lang").unwrap_or_default().to_owned(),
            assets: elements("script[src], link[rel][href]")
                .into_iter()
                .filter_map(|element| Asset::of(element, &fetched.url))
                // What stands in the document itself is not loaded.
                .filter(|asset| asset.url.scheme() != "data")
                .collect(),
            fetched: fetched.clone(),
        }
    }

    /// Whether a CSS selector matches in it.
    pub fn has(&self, selector: &str) -> bool {
        Selector::parse(selector)
            .is_ok_and(|selector| Html::parse_document(&self.fetched.body).select(&selector).next().is_some())
    }

    /// Whether both start the same app: the same title and the same scripts and styles. The rest may differ, since
    /// hosts put scripts of their own with changing tokens into what they serve.
    pub fn starts_the_same_app_as(&self, other: &Document) -> bool {
        let start = |document: &Document| -> Vec<Url> {
            let own = document.assets.iter().filter(|asset| asset.url.origin() == document.fetched.url.origin());
            own.filter(|asset| asset.types == SCRIPT || asset.types == ["text/css"])
                .map(|asset| asset.url.clone())
                .collect()
        };
        self.title == other.title && start(self) == start(other) && !start(self).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, header::HeaderMap};

    use super::*;

    fn document(body: &str) -> Document {
        let url = "https://your-domain.com/groups".parse().unwrap();
        Document::of(&Fetched { url, status: StatusCode::OK, headers: HeaderMap::new(), body: body.to_owned() })
    }

    const APP: &str = r#"<!doctype html><html lang="en"><head><title> SACCO+ </title>
        <link rel="stylesheet" href="/assets/app-1.css"><link rel="shortcut icon" href="favicon.ico">
        <link rel="mask-icon" href="data:image/svg+xml,">
        <link rel="manifest" href="/manifest.webmanifest"><link rel="preconnect" href="https://api.example">
        <script type="module" src="/assets/main-1.js"></script></head><body></body></html>"#;

    #[test]
    fn a_document_says_what_it_loads() {
        let document = document(APP);
        assert_eq!((document.title.as_str(), document.language.as_str()), ("SACCO+", "en"));
        let paths: Vec<_> = document.assets.iter().map(|asset| asset.url.path()).collect();
        assert_eq!(paths, ["/assets/app-1.css", "/favicon.ico", "/manifest.webmanifest", "/assets/main-1.js"]);
        assert!(document.has("script[type=module][src]") && !document.has("link[rel=modulepreload]"));
    }

    #[test]
    fn a_type_is_taken_as_a_browser_takes_it() {
        let document = document(APP);
        let [style, icon, manifest, script] = &document.assets[..] else { panic!("four assets") };
        assert!(style.may_be("text/css") && !style.may_be("text/html"));
        assert!(icon.may_be("image/svg+xml") && !icon.may_be("text/html"));
        assert!(manifest.may_be("application/manifest+json") && !manifest.may_be("text/html"));
        assert!(script.may_be("text/javascript") && !script.may_be("text/html"));
    }

    #[test]
    fn another_page_is_not_the_app() {
        assert!(document(APP).starts_the_same_app_as(&document(&APP.replace("<body>", "<body><!-- injected -->"))));
        assert!(!document(APP).starts_the_same_app_as(&document(&APP.replace("main-1", "main-2"))));
        let empty = "<!doctype html><title>SACCO+</title>";
        assert!(!document(empty).starts_the_same_app_as(&document(empty)), "two pages that start nothing are no app");
    }
}
