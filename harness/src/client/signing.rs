//! Who signed a user's token: the project's secret, or a key whose public half it publishes (`/auth/v1/.well-known/jwks.json`).

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::Jwk};
use serde::Deserialize;
use serde_json::Value;

/// The keys that a project publishes.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PublishedKeys {
    /// One of a kind that nobody knows yet is no reason to lose the others.
    #[serde(default)]
    keys: Vec<Value>,
}

/// Who signed a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedBy {
    /// The project's secret (HS256), which only the project can check.
    Secret,
    /// A published key, named by its `kid`: the signature is right.
    Published(String),
    /// A key that is not published, named by its `kid`, if it has one.
    Unpublished(String),
    /// Not by the published key that its `kid` names.
    Forged(String),
    /// By an algorithm that nobody knows yet, or it is no token.
    Unknown,
}

impl PublishedKeys {
    /// The `kid` of each.
    pub fn ids(&self) -> Vec<&str> {
        self.keys.iter().filter_map(|key| key["kid"].as_str()).collect()
    }

    /// Who signed this token. Whether it has run out does not matter.
    pub fn signer_of(&self, token: &str) -> SignedBy {
        let Ok(header) = decode_header(token) else { return SignedBy::Unknown };
        if matches!(header.alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
            return SignedBy::Secret;
        }
        let id = header.kid.unwrap_or_default();
        let Some(key) = self.keys.iter().find(|key| key["kid"] == id.as_str()) else {
            return SignedBy::Unpublished(id);
        };
        let key = serde_json::from_value::<Jwk>(key.clone()).ok().and_then(|key| DecodingKey::from_jwk(&key).ok());
        let Some(key) = key else { return SignedBy::Unknown };
        let mut rules = Validation::new(header.alg);
        (rules.validate_exp, rules.validate_aud) = (false, false);
        rules.required_spec_claims.clear();
        match decode::<Value>(token, &key, &rules) {
            Ok(_) => SignedBy::Published(id),
            Err(_) => SignedBy::Forged(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    /// RFC 7515, appendix A.3: a token signed with ES256, and its key.
    const PAYLOAD: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    fn published(id: &str) -> PublishedKeys {
        let key = json!({
            "kty": "EC", "crv": "P-256", "kid": id, "alg": "ES256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        serde_json::from_value(json!({"keys": [{"kty": "of next year", "kid": "later"}, key]})).unwrap()
    }

    #[test]
    fn a_published_key_is_told_from_one_that_is_not_and_from_a_forgery() {
        // The token of the RFC has no `kid`.
        let token = format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.{SIGNATURE}");
        assert_eq!(published("").signer_of(&token), SignedBy::Published(String::new()));
        assert_eq!(published("other").signer_of(&token), SignedBy::Unpublished(String::new()));
        let forged = token.replace("eyJpc3MiOiJqb2Ui", "eyJpc3MiOiJqb2Yi");
        assert_eq!(published("").signer_of(&forged), SignedBy::Forged(String::new()));
        assert_eq!(published("a").ids(), ["later", "a"]);
    }

    #[test]
    fn other_algorithms_and_texts_are_no_published_key() {
        let token = |header: &str| format!("{}.{PAYLOAD}.{SIGNATURE}", BASE64_URL_SAFE_NO_PAD.encode(header));
        let keys = published("a");
        assert_eq!(keys.signer_of(&token(r#"{"alg":"HS256","typ":"JWT"}"#)), SignedBy::Secret);
        assert_eq!(keys.signer_of(&token(r#"{"alg":"ES256","kid":"later"}"#)), SignedBy::Unknown);
        assert_eq!(keys.signer_of(&token(r#"{"alg":"ML-DSA-44","kid":"a"}"#)), SignedBy::Unknown);
        for text in ["", "sb_secret_abc", "a.b.c"] {
            assert_eq!(keys.signer_of(text), SignedBy::Unknown, "{text}");
        }
    }
}
