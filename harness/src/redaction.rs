//! Secrets never reach output or evidence: known values are replaced in every spelling that a log, a URL, a page or an
//! error gives them, whole and in part, and so is whatever looks like a token.
//!
//! What is known is known to the whole process ([`know`]): a panic and a configuration's error come before there is a
//! deployment that could be asked.

mod parts;
mod unescaped;

use std::{
    collections::BTreeSet,
    fmt::Write,
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use regex::{Captures, Regex};
use serde_json::Value;

use parts::Parts;

/// Shapes of today's tokens: JSON web tokens, Supabase's keys and access tokens, GitHub's, Cloudflare's, Sentry's, and
/// those of services that portals call.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"eyJ[\w-]{5,}\.eyJ[\w-]{5,}(?:\.[\w-]*)?",
        r"|\bsb_(?:secret|publishable)_[\w-]+|\bsbp_\w{8,}",
        r"|\bgh[opusr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}",
        r"|\bcf(?:k|ut|at)_[A-Za-z0-9]{16,}",
        r"|\bsntry[su]_[\w+/=-]{16,}",
        r"|\bsk-[\w-]{20,}|\bAIza[\w-]{30,}",
    ))
    .expect("a constant that is a pattern")
});

/// What a session's JSON, form or query names as a token, in any escaping.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"((?:access|refresh|provider|provider_refresh|id)_token(?:\\*["'])?(?:\s*[:=]\s*|%22%3A)(?:\\*["']|%22)?)([^"'\\&\s,}%]{6,})"#)
        .expect("a constant that is a pattern")
});

/// What stands after the word by which a request shows who asks.
static SHOWN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b((?:bearer|basic) )([A-Za-z0-9._~+/-]{8,}=*)").expect("a constant that is a pattern")
});

const MASK: &str = "[secret]";

/// Shorter ones would blot out ordinary words, and protect nothing.
const SHORTEST: usize = 6;

/// What this process knows.
static KNOWN: Mutex<Known> = Mutex::new(Known { secrets: BTreeSet::new(), public: BTreeSet::new(), redactor: None });

struct Known {
    secrets: BTreeSet<String>,
    public: BTreeSet<String>,
    /// Of all of them, until there is one more.
    redactor: Option<Arc<Redactor>>,
}

/// Lets the process know secrets, and texts that everybody may read whatever they have in common with a secret.
pub(crate) fn know(secrets: impl IntoIterator<Item = String>, public: impl IntoIterator<Item = String>) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = (known.secrets.len(), known.public.len());
    known.secrets.extend(secrets);
    known.public.extend(public);
    if before != (known.secrets.len(), known.public.len()) {
        known.redactor = None;
    }
}

/// The redactor of all that the process knows.
pub(crate) fn redactor() -> Arc<Redactor> {
    let mut guard = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = &mut *guard;
    let made =
        known.redactor.get_or_insert_with(|| Arc::new(Redactor::new(known.secrets.clone(), known.public.clone())));
    Arc::clone(made)
}

/// The tokens in what a browser keeps or an auth server answers: JSON, JSON in a text, JSON in base64, cookies.
pub(crate) fn tokens_in(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    add_tokens(value, false, &mut found);
    found
}

/// Words in the names of what is a token or a password.
const TELLING_NAMES: [&str; 6] = ["token", "secret", "password", "verifier", "cookie", "session"];

fn add_tokens(value: &Value, is_named: bool, found: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| add_tokens(value, is_named, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.to_lowercase();
                add_tokens(value, TELLING_NAMES.iter().any(|word| name.contains(word)), found);
            }
        }
        Value::String(text) => {
            let base64 = text.strip_prefix("base64-").and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
            let inner = serde_json::from_slice(base64.as_deref().unwrap_or(text.as_bytes()));
            match inner {
                Ok(inner @ (Value::Array(_) | Value::Object(_))) => add_tokens(&inner, false, found),
                _ if is_named => found.push(text.clone()),
                _ => {}
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces secrets in texts.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    secrets: BTreeSet<String>,
    public: BTreeSet<String>,
    /// Made when the first text is cleaned: most checks pass and leave none.
    made: OnceLock<(Vec<Spelling>, Parts)>,
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
    /// Knows `secrets`; what they have in common with `public` texts is no secret.
    pub fn new(secrets: impl IntoIterator<Item = String>, public: impl IntoIterator<Item = String>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST).collect();
        Self { secrets, public: public.into_iter().collect(), ..Self::default() }
    }

    /// The text without secrets.
    pub fn clean(&self, text: &str) -> String {
        let (spellings, parts) =
            self.made.get_or_init(|| (spellings(&self.secrets), Parts::of(&self.secrets, &self.public)));
        let text = spellings.iter().fold(text.to_owned(), |text, spelling| match spelling {
            Spelling::Plain(value) => text.replace(value.as_str(), MASK),
            Spelling::Escaped(pattern) => pattern.replace_all(&text, MASK).into_owned(),
        });
        let text = NAMED.replace_all(&text, "${1}[secret]");
        let text = TOKEN.replace_all(&text, MASK);
        let text =
            SHOWN.replace_all(&text, |shown: &Captures<'_>| match shown[2].contains(|it: char| it.is_ascii_digit()) {
                true => format!("{}{MASK}", &shown[1]),
                false => shown[0].to_owned(),
            });
        parts.masked(&text)
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
    use base64::prelude::BASE64_STANDARD;
    use serde_json::json;

    use super::*;

    const SECRET: &str = "pa\"ss/wörd <&'+ €\\😀";

    fn assert_clean(secret: &str, form: &str) {
        let cleaned = Redactor::new([secret.to_owned()], []).clean(&format!("<{form}>"));
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
                    let cleaned = Redactor::new([secret.to_owned()], []).clean(&form);
                    assert!(cleaned.contains(MASK), "{form}");
                    assert!(cleaned.len() <= before.len() * 2 + MASK.len() + after.len() * 2 + 4, "{form}: {cleaned}");
                }
            }
        }
    }

    #[test]
    fn a_secret_within_a_longer_one_leaves_nothing_of_it() {
        let redactor = Redactor::new(["hunter2!".to_owned(), "postgres://postgres:hunter2!@host".to_owned()], []);
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
        let random = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
        for token in [
            "eyJhbGciOi.eyJzdWIiOi.c2ln".to_owned(),
            "eyJhbGciOi.eyJzdWIiOi".to_owned(),
            "sb_secret_abc".to_owned(),
            "sb_publishable_abc".to_owned(),
            format!("sbp_{random}"),
            format!("sbp_v0_{random}"),
            format!("sbp_oauth_{random}"),
            format!("ghp_{random}"),
            format!("ghs_{random}"),
            format!("github_pat_11A_{random}"),
            format!("cfut_{random}0a1b2c3d"),
            format!("cfat_{random}0a1b2c3d"),
            format!("cfk_{random}0a1b2c3d"),
            format!("sntryu_{random}0a1b2c3d"),
            format!("sntrys_eyJpYXQiOjE2ODczMzY1NDMuNjk4NTksInVybCI6bnVsbH0=_{random}"),
        ] {
            assert_eq!(Redactor::default().clean(&format!("key {token}, not")), "key [secret], not", "{token}");
        }
        let clean = |text: &str| Redactor::default().clean(text);
        assert_eq!(clean("authorization: Bearer nOldToken-40_letters9"), "authorization: Bearer [secret]");
        assert_eq!(clean("Basic Y2hlY2tlcjpwdw=="), "Basic [secret]");
        for ordinary in
            ["a bearer authentication is needed", "basic principles", "sb_secret", "ghp_", "cf-ray: 8a1b2c3d4e"]
        {
            assert_eq!(clean(ordinary), ordinary);
        }
    }

    /// Keys as services make them: random letters and digits, hexadecimal digits, a JSON web token, a passphrase.
    const KEYS: [&str; 5] = [
        "Xk29vQpL7mWzR4tB8nYcD3sF6hJ1gA5u",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIiwicmVmIjoiYWJjZGVmIn0.kT9vX2mQz7LpR4wYb8NcD3sF6hJ1gA5uE0iO",
        "p/ss w\"rd &4 M0bile+M0ney!",
        "grüße-an-Ä9Ö8Ü7-alle",
    ];

    #[test]
    fn a_part_of_eight_letters_is_masked_wherever_it_is_from() {
        for key in KEYS {
            let redactor = Redactor::new([key.to_owned()], []);
            let letters: Vec<char> = key.chars().collect();
            // The head of a token says how it is signed; what is left of it is nobody's secret.
            let first = if key.starts_with("eyJ") { key.find('.').unwrap() + 1 } else { 0 };
            // Of a passphrase, words that are ordinary by themselves stay.
            for length in if key.contains([' ', 'ü']) { [16, 18, 20] } else { [8, 10, 20] } {
                for start in first..=letters.len().saturating_sub(length) {
                    let part: String = letters[start..start + length].iter().collect();
                    let cleaned = redactor.clean(&format!("before <{part}> after"));
                    assert!(cleaned.contains(MASK), "{part:?} of {key:?}: {cleaned}");
                    assert!(cleaned.starts_with("before <") && cleaned.ends_with("> after"), "{cleaned}");
                    assert!(cleaned.len() < "before <> after".len() + MASK.len() + 6, "{part:?}: {cleaned}");
                }
            }
        }
    }

    /// Escapes may be written in either case.
    fn in_lower_case(url: &str) -> String {
        let escape = Regex::new("%[0-9A-F]{2}").unwrap();
        escape.replace_all(url, |escape: &Captures<'_>| escape[0].to_lowercase()).into_owned()
    }

    #[test]
    fn a_part_is_masked_in_every_spelling_of_it() {
        for key in KEYS {
            let redactor = Redactor::new([key.to_owned()], []);
            let end = key.char_indices().nth_back(3).unwrap().0;
            let start = key.find('.').map_or(key.char_indices().nth(3).unwrap().0, |at| at + 1);
            let part = &key[start..end];
            let json = serde_json::to_string(part).unwrap();
            let twice = serde_json::to_string(&json).unwrap();
            let url: String = url::form_urlencoded::byte_serialize(part.as_bytes()).collect();
            let html = part.replace('&', "&amp;").replace('"', "&#34;");
            let mut forms =
                vec![json, twice, in_lower_case(&url), url.replace('%', "%25"), url, html, format!("{part:?}")];
            for before in ["", "a", "ab"] {
                forms.push(BASE64_STANDARD.encode(format!("{before}{part} and more")));
                forms.push(BASE64_URL_SAFE_NO_PAD.encode(format!("{before}{part} and more")));
            }
            for form in forms {
                let cleaned = redactor.clean(&form);
                let left = cleaned.replace(MASK, "");
                assert!(cleaned.contains(MASK) && left.len() <= form.len() / 3 + 16, "{form}: {cleaned}");
            }
        }
    }

    #[test]
    fn ordinary_texts_stay_whatever_words_a_secret_is_made_of() {
        let secrets = [
            "postgres-password-2026",
            "administrator",
            "Transactions2024!",
            "00000000-0000-4000-8000-00000000000a",
            "https-hooks-slack-com",
            KEYS[2],
        ];
        let public =
            ["https://api.example", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoiYW5vbiIsInJlZiI6ImFiY2RlZiJ9.x"];
        let redactor = Redactor::new(secrets.map(str::to_owned), public.map(str::to_owned));
        for text in [
            "FAILED  4.1.6  /reconciliation: Reconciliation tabs",
            "the role postgres of the database postgres; password authentication failed",
            "2026-01-31T00:00:00Z, 100,000 RWF, 0788 123 456",
            "administrative; Transactions Ledger; transactions loaded",
            "https://hooks.example/https-hooks",
            "institution a0000000-0000-4000-8000-000000000001",
            r#"{"message":"permission denied for table members","code":"42501"}"#,
            "%2F%2F%3A%3A %20%20%20%20 &amp;&amp;&lt;&gt; \\n\\t\\\"",
        ] {
            assert_eq!(redactor.clean(text), text);
        }
    }

    #[test]
    fn a_page_of_megabytes_is_cleaned_in_a_moment() {
        let redactor = Redactor::new((0..40).map(|at| format!("{at}{}", KEYS[0])), []);
        let row = "<tr><td class=\"name\">Somebody</td><td>1,000 &amp; more %20 \\n</td></tr>";
        let page = row.repeat(10_000);
        let began = std::time::Instant::now();
        assert_eq!(redactor.clean(&page), page);
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?} for {} bytes", began.elapsed(), page.len());
    }

    #[test]
    fn tokens_are_found_in_what_a_browser_keeps() {
        let session = json!({ "access_token": "a-1", "refresh_token": "r-1", "user": { "email": "a@example.com" } });
        let kept = json!({
            "local": { "sb-api-auth-token": session.to_string(), "theme": "dark" },
            "session": { "sb-api-auth-token-code-verifier": "v-1" },
            "cookies": [{ "cookie": format!("base64-{}", BASE64_URL_SAFE_NO_PAD.encode(session.to_string())) }, { "cookie": "c-1" }],
        });
        let mut found = tokens_in(&kept);
        found.sort();
        assert_eq!(found, ["a-1", "a-1", "c-1", "r-1", "r-1", "v-1"]);
    }

    #[test]
    fn what_the_process_knows_is_masked_from_then_on() {
        let key = "Zq81-known-to-n0body-before-Yx72";
        assert_eq!(redactor().clean(key), key);
        know([key.to_owned()], []);
        assert_eq!(redactor().clean(key), MASK);
    }
}
