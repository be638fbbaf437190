//! What a JWT says of itself, read without its signature: whether it is true is the server's to say.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;

/// Claims of a Supabase key or access token. Shapes: supabase.com/docs/guides/auth/jwt-fields.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Claims {
    /// `anon`, `authenticated`, `service_role`.
    pub role: Option<String>,
    /// Who issued it: the project's auth server, `supabase` in keys.
    pub iss: Option<String>,
    /// Of a key: its project.
    #[serde(rename = "ref")]
    pub project: Option<String>,
    /// Of an access token: the user's id.
    pub sub: Option<String>,
    /// Of an access token: the session's id.
    pub session_id: Option<String>,
    /// When it runs out, in seconds since 1970, UTC.
    pub exp: Option<i64>,
}

impl Claims {
    /// The claims of a JWT; nothing for what is none, such as a key of the newer kind (`sb_secret_…`).
    pub fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, claims) = (parts.next()?, parts.next()?);
        parts.next()?;
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_its_project_and_other_texts_tell_nothing() {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"iss":"supabase","ref":"abc","role":"service_role","exp":9}"#);
        let key = Claims::of(&format!("e30.{claims}.c2ln")).unwrap();
        assert_eq!(
            (key.project.as_deref(), key.role.as_deref(), key.exp),
            (Some("abc"), Some("service_role"), Some(9))
        );
        for text in ["", "sb_secret_abc", "a.b", "a.b.c", "e30.e30"] {
            assert_eq!(Claims::of(text), None, "{text}");
        }
    }
}
