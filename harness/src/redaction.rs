//! Secrets never reach output or evidence: known values are replaced in every spelling that a log, a URL, a page or an
//! error gives them, and so is whatever looks like a token.

use std::{
    collections::BTreeSet,
    fmt::Write,
    sync::{LazyLock, OnceLock},
};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use regex::Regex;

static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"eyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]+|\bsb_secret_[\w-]+|\bsbp_[a-f0-9]+|\bsk-[\w-]{20,}|\bAIza[\w-]{30,}",
    )
    .expect("a constant that is a pattern")
});

/// What a session's JSON, form or query names as a token, in any escaping.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"((?:access|refresh|provider|provider_refresh|id)_token(?:\\*["'])?(?:\s*[:=]\s*|%22%3A)(?:\\*["']|%22)?)([^"'\\&\s,}%]{6,})"#)
        .expect("a constant that is a pattern")
});

const MASK: &str = "[secret]";

/// Shorter ones would blot out ordinary words, and protect nothing.
const SHORTEST: usize = 6;

/// Replaces secrets in texts.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    secrets: BTreeSet<String>,
    /// Made when the first text is cleaned: most checks pass and leave none.
    spellings: OnceLock<Vec<Spelling>>,
}

/// A way in which secrets are written.
#[derive(Debug)]
enum Spelling {
    /// The same everywhere: no notation escapes what is in it.
    Plain(String),
    /// With characters that URLs, JSON, HTML and debug output write each in their own way.
    Escaped(Regex),
}

impl Redactor {
    /// Knows `secrets`.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST).collect();
        Self { secrets, ..Self::default() }
    }

    /// The text without secrets.
    pub fn clean(&self, text: &str) -> String {
        let spellings = self.spellings.get_or_init(|| spellings(&self.secrets));
        let text = spellings.iter().fold(text.to_owned(), |text, spelling| match spelling {
            Spelling::Plain(value) => text.replace(value.as_str(), MASK),
            Spelling::Escaped(pattern) => pattern.replace_all(&text, MASK).into_owned(),
        });
        let text = NAMED.replace_all(&text, "${1}[secret]");
        TOKEN.replace_all(&text, MASK).into_owned()
    }
}

/// A secret that is part of another one goes after it.
fn spellings(secrets: &BTreeSet<String>) -> Vec<Spelling> {
    let mut sorted: Vec<_> = secrets.iter().collect();
    sorted.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let own = sorted.iter().filter_map(|secret| match secret.chars().all(is_plain) {
        true => Some(Spelling::Plain((*secret).clone())),
        false => Regex::new(&secret.chars().map(escaped).collect::<String>()).ok().map(Spelling::Escaped),
    });
    own.chain(sorted.iter().flat_map(|secret| in_base64(secret.as_bytes()))).collect()
}

/// Letters that every notation leaves as they are.
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-._~".contains(letter)
}

/// A pattern of all that one letter of a secret is written as.
fn escaped(letter: char) -> String {
    if is_plain(letter) {
        return regex::escape(letter.encode_utf8(&mut [0; 4]));
    }
    let code = u32::from(letter);
    let mut in_url = String::new();
    for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
        let _ = write!(in_url, "%{byte:02x}");
    }
    let mut in_json = String::new();
    for unit in letter.encode_utf16(&mut [0; 2]) {
        let _ = write!(in_json, r"\\u{unit:04x}");
    }
    let more = match letter {
        ' ' => r"|\+",
        '"' => r"|&quot;",
        '&' => r"|&amp;",
        '<' => r"|&lt;",
        '>' => r"|&gt;",
        '\'' => r"|&apos;",
        '\n' => r"|\\n",
        '\t' => r"|\\t",
        _ => "",
    };
    // Backslashes first: what is a string in a string has several before each letter that needs one.
    format!(
        r"\\*(?:{}|(?i:{in_url}|{in_json}|\\u\{{{code:x}\}}|&#x0*{code:x};|&#0*{code};){more})",
        regex::escape(letter.encode_utf8(&mut [0; 4]))
    )
}

/// The secret in base64 wherever it stands in what was encoded: the letters at its ends hold bits of its neighbours too.
fn in_base64(secret: &[u8]) -> impl Iterator<Item = Spelling> {
    (0..3).flat_map(move |before| {
        let mut bytes = vec![0; before];
        bytes.extend(secret);
        let encoded = BASE64_STANDARD_NO_PAD.encode(&bytes);
        let end = encoded.len() - usize::from(bytes.len() % 3 != 0);
        let own = &encoded[[0, 2, 3][before]..end];
        let letters: String = own
            .chars()
            .map(|letter| match letter {
                '+' => r"(?:[+-]|%2[bB])".to_owned(),
                '/' => r"(?:\\*/|_|%2[fF])".to_owned(),
                letter => letter.to_string(),
            })
            .collect();
        let neighbour = "[A-Za-z0-9+/_-]?";
        let first = if before == 0 { "" } else { neighbour };
        Regex::new(&format!("{first}{letters}{neighbour}(?:=|%3[dD]){{0,2}}")).ok().map(Spelling::Escaped)
    })
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    const SECRET: &str = "pa\"ss/wörd <&'+ €\\😀";

    fn assert_clean(secret: &str, form: &str) {
        let cleaned = Redactor::new([secret.to_owned()]).clean(&format!("<{form}>"));
        assert_eq!(cleaned, "<[secret]>", "{form}");
    }

    #[test]
    fn a_secret_is_masked_in_every_spelling_of_it() {
        let json = serde_json::to_string(SECRET).unwrap();
        let twice = serde_json::to_string(&json).unwrap();
        let html = SECRET.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\'', "&#39;");
        let url: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        let debug = format!("{SECRET:?}");
        for form in [
            SECRET,
            json.trim_matches('"'),
            twice.trim_start_matches(r#""\""#).trim_end_matches(r#"\"""#),
            debug.trim_matches('"'),
            r#"pa\"ss\/w\u00f6rd \u003c\u0026'+ \u20AC\\\ud83d\ude00"#,
            &html,
            &url,
            &url.to_lowercase(),
            &url.replace('+', "%20"),
            &SECRET.replace('/', "\\/"),
        ] {
            assert_clean(SECRET, form);
        }
    }

    #[test]
    fn a_secret_is_masked_in_base64_wherever_it_stands_there() {
        for secret in [SECRET, "0123456789abcdef", "a-password-of-ours>>>???"] {
            for (before, after) in [("", ""), ("a", ""), ("ab", "c"), ("user:", ""), ("{\"key\":\"", "\"}")] {
                let all = format!("{before}{secret}{after}");
                for form in [BASE64_STANDARD.encode(&all), BASE64_URL_SAFE_NO_PAD.encode(&all)] {
                    let cleaned = Redactor::new([secret.to_owned()]).clean(&form);
                    assert!(cleaned.contains(MASK), "{form}");
                    assert!(cleaned.len() <= before.len() * 2 + MASK.len() + after.len() * 2 + 4, "{form}: {cleaned}");
                }
            }
        }
    }

    #[test]
    fn a_secret_within_a_longer_one_leaves_nothing_of_it() {
        let redactor = Redactor::new(["hunter2!".to_owned(), "postgres://postgres:hunter2!@host".to_owned()]);
        assert_eq!(redactor.clean("at postgres://postgres:hunter2!@host: hunter2!"), "at [secret]: [secret]");
    }

    #[test]
    fn a_token_is_masked_by_its_name() {
        let clean = |text: &str| Redactor::default().clean(text);
        assert_eq!(
            clean(r#"{"refresh_token":"v7qk2m9xzp","expires_in":3600}"#),
            r#"{"refresh_token":"[secret]","expires_in":3600}"#
        );
        assert_eq!(clean(r#"{\"refresh_token\":\"v7qk2m9xzp\"}"#), r#"{\"refresh_token\":\"[secret]\"}"#);
        assert_eq!(clean("#access_token=abcdefgh&type=x"), "#access_token=[secret]&type=x");
        assert_eq!(clean("grant_type=refresh_token"), "grant_type=refresh_token");
    }

    #[test]
    fn what_looks_like_a_token_is_masked_without_being_known() {
        let cleaned =
            Redactor::default().clean("key eyJhbGciOi.eyJzdWIiOi.c2ln and sb_secret_abc, not sb_publishable_abc");
        assert_eq!(cleaned, "key [secret] and [secret], not sb_publishable_abc");
    }
}
