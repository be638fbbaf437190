//! Secrets never reach output or evidence: known values are replaced, and whatever looks like a token.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use regex::Regex;

static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"eyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]+|\bsb_secret_[\w-]+|\bsbp_[a-f0-9]+|\bsk-[\w-]{20,}|\bAIza[\w-]{30,}",
    )
    .expect("a constant that is a pattern")
});

const MASK: &str = "[secret]";

/// Replaces secrets in texts.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    values: Vec<String>,
}

impl Redactor {
    /// Knows `secrets` and the forms that they take in URLs, JSON and Basic authentication.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<_> = secrets
            .into_iter()
            // Shorter ones would blot out ordinary words, and protect nothing.
            .filter(|secret| secret.len() >= 6)
            .flat_map(|secret| {
                let json = serde_json::Value::from(secret.as_str()).to_string();
                let url = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
                [json.trim_matches('"').to_owned(), url, BASE64_STANDARD.encode(&secret), secret]
            })
            .collect();
        // A secret that begins with another one must go first.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self { values }
    }

    /// The text without secrets.
    pub fn clean(&self, text: &str) -> String {
        let text = self.values.iter().fold(text.to_owned(), |text, value| text.replace(value.as_str(), MASK));
        TOKEN.replace_all(&text, MASK).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_form_that_it_takes() {
        let redactor = Redactor::new(["pa\"ss wörd".to_owned()]);
        let url: String = url::form_urlencoded::byte_serialize("pa\"ss wörd".as_bytes()).collect();
        for form in ["pa\"ss wörd", r#"pa\"ss wörd"#, &url, &BASE64_STANDARD.encode("pa\"ss wörd")] {
            assert_eq!(redactor.clean(&format!("<{form}>")), "<[secret]>");
        }
    }

    #[test]
    fn what_looks_like_a_token_is_masked_without_being_known() {
        let cleaned =
            Redactor::default().clean("key eyJhbGciOi.eyJzdWIiOi.c2ln and sb_secret_abc, not sb_publishable_abc");
        assert_eq!(cleaned, "key [secret] and [secret], not sb_publishable_abc");
    }
}
