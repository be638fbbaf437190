//! Members' data stays out of what a run keeps where members' money is: what is on screen keeps its shape and loses its
//! letters, but for texts that the contract names.

use std::{
    collections::BTreeSet,
    env, fmt,
    str::FromStr,
    sync::{Arc, LazyLock},
};

use regex::{Captures, Regex};
use scraper::{Html, Node};
use serde::{Deserialize, Serialize};

use crate::target::Target;

/// Names the detail that evidence is kept in, for the suites of a run.
const VARIABLE: &str = "HARNESS_EVIDENCE";

/// How much of what was seen is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// As it was seen, without secrets.
    Full,
    /// Without members' data as well: screens blurred, texts and bodies masked.
    Masked,
}

impl Detail {
    /// What was asked for (`HARNESS_EVIDENCE`), or else what the target wants: members' data is masked where members'
    /// money is. A word that is neither is taken for the stricter one.
    pub(crate) fn of(target: Option<Target>) -> Self {
        match env::var(VARIABLE).ok().filter(|word| !word.is_empty()) {
            Some(word) => word.parse().unwrap_or(Self::Masked),
            None if matches!(target, Some(Target::Production | Target::Unnamed)) => Self::Masked,
            None => Self::Full,
        }
    }

    /// The variable by which the processes of a run learn of it.
    pub fn variable(self) -> (&'static str, String) {
        (VARIABLE, self.to_string())
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Full => "full",
            Self::Masked => "masked",
        })
    }
}

impl FromStr for Detail {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let both = [Self::Full, Self::Masked];
        both.into_iter().find(|detail| detail.to_string() == word).ok_or_else(|| "known words: full, masked".to_owned())
    }
}

/// Masks members' data in texts and pages.
#[derive(Debug)]
pub(crate) struct Privacy {
    /// What may stay; none where everything may.
    may_stay: Option<Arc<Stays>>,
}

/// Texts that say nothing of anybody.
#[derive(Debug)]
struct Stays {
    /// The contract's own phrases, the longest first.
    phrases: Regex,
    /// Words of them that begin with a capital.
    words: BTreeSet<String>,
}

/// Shorter phrases are parts of anything.
const SHORTEST: usize = 3;

/// A telephone number, an account's, an identity's: nine digits or more, perhaps in groups.
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\+?\d(?:[ .()-]{0,2}\d){8,}").expect("a constant that is a pattern"));

static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\w.+%-]+@(?:[\w-]+\.)+\w{2,}").expect("a constant that is a pattern"));

/// A text in quotes, as `{:?}` and JSON write it.
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""((?:[^"\\\n]|\\.)+)""#).expect("a constant that is a pattern"));

/// A value of PostgreSQL's details: `Key (phone)=(…) already exists`.
static KEY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\)=\(([^)]*)\)").expect("a constant that is a pattern"));

/// Two words or more that begin with a capital: somebody's name, unless it is a phrase of the contract.
static NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’.-]*)+").expect("a constant that is a pattern"));

/// Words with a capital of which the vendors, HTTP and this project make names.
const OURS: [&str; 44] = [
    "Actions",
    "Allowed",
    "API",
    "Bad",
    "Cloudflare",
    "Conflict",
    "Content",
    "DELETE",
    "Edge",
    "Entity",
    "Error",
    "Forbidden",
    "Found",
    "Function",
    "Functions",
    "Gateway",
    "GET",
    "GitHub",
    "HTTP",
    "Internal",
    "Level",
    "Management",
    "Many",
    "Method",
    "Not",
    "Pages",
    "PATCH",
    "Payload",
    "Policy",
    "POST",
    "PUT",
    "Request",
    "Requests",
    "REST",
    "Security",
    "Server",
    "Service",
    "Supabase",
    "Timeout",
    "Too",
    "Type",
    "Unauthorized",
    "Unavailable",
    "Unprocessable",
];

impl Privacy {
    /// Of evidence in this detail; where members' data is masked, `phrases` may stay and what matches `patterns`.
    pub fn of<'p>(detail: Detail, phrases: &BTreeSet<String>, patterns: impl Iterator<Item = &'p str>) -> Self {
        Self { may_stay: (detail == Detail::Masked).then(|| Arc::new(Stays::of(phrases, patterns))) }
    }

    /// Whether everything may stay.
    pub fn is_open(&self) -> bool {
        self.may_stay.is_none()
    }

    /// A text of our own in which something of the portal's stands.
    pub fn reported(&self, text: &str) -> String {
        self.may_stay.as_ref().map_or_else(|| text.to_owned(), |stays| stays.reported(text))
    }

    /// A page, as HTML.
    pub fn page(&self, html: &str) -> String {
        self.may_stay.as_ref().map_or_else(|| html.to_owned(), |stays| stays.page(html))
    }
}

impl Stays {
    fn of<'p>(phrases: &BTreeSet<String>, patterns: impl Iterator<Item = &'p str>) -> Self {
        let mut phrases: Vec<&str> =
            phrases.iter().map(String::as_str).filter(|phrase| phrase.chars().count() >= SHORTEST).collect();
        phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
        let literal = phrases.iter().map(|phrase| {
            let edge = |letter: Option<char>| if letter.is_some_and(char::is_alphanumeric) { r"\b" } else { "" };
            format!("{}{}{}", edge(phrase.chars().next()), regex::escape(phrase), edge(phrase.chars().next_back()))
        });
        let patterns = patterns.map(|pattern| format!("(?:{pattern})"));
        let all: Vec<_> = patterns.chain(literal).collect();
        // Each of them is a pattern, so that only their size could be too much; then nothing stays.
        let nothing = || Regex::new(r"[^\s\S]").expect("a constant that is a pattern");
        let words = phrases.iter().flat_map(|phrase| phrase.split_whitespace()).map(str::to_owned).collect();
        Self { phrases: Regex::new(&all.join("|")).unwrap_or_else(|_| nothing()), words }
    }

    fn shown(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut done = 0;
        for stays in self.phrases.find_iter(text) {
            masked.extend(text[done..stays.start()].chars().map(mask));
            masked += stays.as_str();
            done = stays.end();
        }
        masked.extend(text[done..].chars().map(mask));
        masked
    }

    fn reported(&self, text: &str) -> String {
        let text = QUOTED.replace_all(text, |quoted: &Captures<'_>| format!("\"{}\"", self.shown(&quoted[1])));
        let text = KEY.replace_all(&text, |key: &Captures<'_>| format!(")=({})", masked(&key[1])));
        let text = EMAIL.replace_all(&text, |email: &Captures<'_>| {
            let (name, host) = email[0].split_once('@').unwrap_or_default();
            format!("{}@{host}", masked(name))
        });
        let name = NAME.replace_all(&text, |name: &Captures<'_>| {
            let is_known = |word: &str| self.words.contains(word) || OURS.contains(&word);
            if name[0].split(' ').all(is_known) { name[0].to_owned() } else { self.shown(&name[0]) }
        });
        numbers_masked(&name)
    }

    fn page(&self, html: &str) -> String {
        let mut page = Html::parse_document(html);
        let is_style = |node: &Node| node.as_element().is_some_and(|element| element.name() == "style");
        let nodes = page.tree.nodes().map(|node| (node.id(), node.parent().is_some_and(|node| is_style(node.value()))));
        let ids: Vec<_> = nodes.collect();
        for (id, is_style) in ids {
            let Some(mut node) = page.tree.get_mut(id) else { continue };
            match node.value() {
                Node::Text(text) if !is_style => text.text = self.shown(&text.text).as_str().into(),
                Node::Comment(comment) => comment.comment = self.shown(&comment.comment).as_str().into(),
                Node::Element(element) => {
                    for (name, value) in &mut element.attrs {
                        *value = self.attribute(&name.local, value).as_str().into();
                    }
                }
                _ => {}
            }
        }
        page.html()
    }

    fn attribute(&self, name: &str, value: &str) -> String {
        match name {
            "href" | "src" | "action" | "poster" => {
                let end = value.find(['?', '#']).unwrap_or(value.len());
                if value.starts_with("data:") { "data:".to_owned() } else { numbers_masked(&value[..end]) }
            }
            _ if STRUCTURE.contains(&name) || value.is_empty() => value.to_owned(),
            _ => self.shown(value),
        }
    }
}

/// Attributes that say how a page is built, and nothing of what is in it.
const STRUCTURE: [&str; 24] = [
    "aria-busy",
    "aria-expanded",
    "aria-hidden",
    "aria-live",
    "aria-selected",
    "charset",
    "class",
    "colspan",
    "crossorigin",
    "d",
    "dir",
    "disabled",
    "fill",
    "height",
    "lang",
    "media",
    "rel",
    "role",
    "rowspan",
    "style",
    "tabindex",
    "type",
    "viewBox",
    "width",
];

/// A letter or a digit of nobody's.
fn mask(letter: char) -> char {
    match letter {
        letter if letter.is_uppercase() => 'X',
        letter if letter.is_alphabetic() => 'x',
        letter if letter.is_numeric() => '0',
        letter => letter,
    }
}

fn masked(text: &str) -> String {
    text.chars().map(mask).collect()
}

/// Numbers of somebody; those within a name of letters and digits are ids, and those that begin as a day does are times.
fn numbers_masked(text: &str) -> String {
    let is_part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let masked_if_own = |found: regex::Match<'_>| {
        let (before, after) = (text[..found.start()].chars().next_back(), text[found.end()..].chars().next());
        let number = found.as_str();
        if is_part(before) || is_part(after) || is_time(number) { number.to_owned() } else { masked(number) }
    };
    let mut whole = String::with_capacity(text.len());
    let mut done = 0;
    for found in NUMBER.find_iter(text) {
        whole += &text[done..found.start()];
        whole += &masked_if_own(found);
        done = found.end();
    }
    whole + &text[done..]
}

fn is_time(number: &str) -> bool {
    let bytes = number.as_bytes();
    bytes.starts_with(b"20") && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;

    fn in_detail(detail: Detail) -> Privacy {
        let contract = Contract::sacco_plus().unwrap();
        Privacy::of(detail, contract.phrases(), contract.may_stay())
    }

    fn privacy() -> Privacy {
        in_detail(Detail::Masked)
    }

    #[test]
    fn production_is_masked_unless_somebody_asks_for_more() {
        for (target, detail) in [
            (Some(Target::Production), Detail::Masked),
            (Some(Target::Unnamed), Detail::Masked),
            (Some(Target::Staging), Detail::Full),
            (Some(Target::Embedded), Detail::Full),
            (None, Detail::Full),
        ] {
            assert_eq!(Detail::of(target), detail, "{target:?}");
        }
        assert_eq!(("full".parse(), "masked".parse()), (Ok(Detail::Full), Ok(Detail::Masked)));
        assert_eq!("none".parse::<Detail>(), Err("known words: full, masked".to_owned()));
    }

    #[test]
    fn what_is_on_screen_keeps_its_shape_and_what_the_contract_names() {
        let privacy = privacy();
        let shown = |text: &str| privacy.may_stay.as_ref().unwrap().shown(text);
        assert_eq!(shown("Mukamana Jean-Claude, 0788 123 456"), "Xxxxxxxx Xxxx-Xxxxxx, 0000 000 000");
        assert_eq!(shown("Member Management"), "Member Management");
        assert_eq!(shown("12 transactions loaded"), "00 transactions loaded");
        assert_eq!(shown("Émile ウォ"), "Xxxxx xx");
    }

    #[test]
    fn of_our_own_texts_only_names_and_numbers_go() {
        let privacy = privacy();
        for (text, reported) in [
            (
                "GET https://api.example/rest/v1/members answered 500",
                "GET https://api.example/rest/v1/members answered 500",
            ),
            (
                "at 2026-01-31 16:30:00 the row a0000000-0000-4000-8000-000000000001",
                "at 2026-01-31 16:30:00 the row a0000000-0000-4000-8000-000000000001",
            ),
            (
                "POST https://api.example/x answered 400 Bad Request: no",
                "POST https://api.example/x answered 400 Bad Request: no",
            ),
            ("called +250 788 123 456 twice", "called +000 000 000 000 twice"),
            ("Key (phone)=(0788123456) already exists.", "Key (phone)=(0000000000) already exists."),
            ("Key (full_name)=(uwase) already exists.", "Key (full_name)=(xxxxx) already exists."),
            ("jean.m@sacco.rw is taken", "xxxx.x@sacco.rw is taken"),
            ("Member Jean Mukamana is suspended", "Member Xxxx Xxxxxxxx is suspended"),
            (
                r#"a page titled "SACCO+ Admin Portal" that begins "Members Uwase 0788""#,
                r#"a page titled "SACCO+ Admin Portal" that begins "Members Xxxxx 0000""#,
            ),
            (r#"{"name":"Uwase"}"#, r#"{"xxxx":"Xxxxx"}"#),
        ] {
            assert_eq!(privacy.reported(text), reported);
        }
    }

    #[test]
    fn a_page_keeps_its_elements_and_loses_its_texts() {
        let html = r#"<html lang="en"><head><title>SACCO+ Admin Portal</title><style>td { color: red }</style></head><body>
            <!-- Uwase --><h2 class="title">Member Management</h2><input value="Uwase" type="search" placeholder="0788123456">
            <a href="/members/0788123456?name=Uwase" data-name="Uwase">Uwase</a><script>const member = "Uwase 0788123456";</script>
            </body></html>"#;
        let page = privacy().page(html);
        assert!(!page.contains("Uwase") && !page.contains("0788"), "{page}");
        for kept in [
            "Member Management",
            "SACCO+ Admin Portal",
            "td { color: red }",
            r#"class="title""#,
            r#"href="/members/0000000000""#,
        ] {
            assert!(page.contains(kept), "{kept} in {page}");
        }
    }

    #[test]
    fn in_full_detail_everything_stays() {
        let privacy = in_detail(Detail::Full);
        let text = r#"<p title="Uwase">0788123456</p>"#;
        assert_eq!((privacy.page(text), privacy.reported(text)), (text.into(), text.into()));
    }
}
