//! `/auth/v1`: sign-in, refresh, the user, sign-out. Shapes: supabase/auth's OpenAPI, see the tests.

use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::{ClientError, PublishedKeys, error::Answer};
use crate::{permission::Permission, redaction};

/// A client of one project's auth server.
#[derive(Debug, Clone)]
pub struct AuthClient {
    http: reqwest::Client,
    api: Url,
    anon_key: String,
}

/// A signed-in user's tokens.
#[derive(Debug, Clone, Deserialize)]
pub struct Session {
    /// A JWT, presented as `Authorization: Bearer`.
    pub access_token: SecretString,
    /// Exchanged once for the next session.
    pub refresh_token: SecretString,
    /// Seconds from the answer on.
    pub expires_in: i64,
    /// Seconds since 1970, UTC.
    pub expires_at: i64,
    /// As the auth server sent it: `id`, `email`, `user_metadata`, …
    pub user: Value,
    /// What it was given for, where that was a password.
    #[serde(skip)]
    pub(crate) credentials: Option<Credentials>,
}

/// What somebody signs in with.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub email: String,
    pub password: SecretString,
}

impl Session {
    /// The same with another access token, which nobody is given for a password.
    #[must_use]
    pub fn with_access_token(&self, token: impl Into<SecretString>) -> Self {
        Self { access_token: token.into(), credentials: None, ..self.clone() }
    }

    /// The JSON that supabase-js keeps in `localStorage`.
    pub fn stored(&self) -> Value {
        json!({
            "access_token": self.access_token.expose_secret(),
            "refresh_token": self.refresh_token.expose_secret(),
            "expires_in": self.expires_in,
            "expires_at": self.expires_at,
            "token_type": "bearer",
            "user": self.user,
        })
    }

    /// The `localStorage` key that supabase-js keeps it under: `sb-<first label of the project's host>-auth-token`.
    pub fn storage_key(api: &Url) -> String {
        format!("sb-{}-auth-token", api.host_str().unwrap_or_default().split('.').next().unwrap_or_default())
    }
}

/// Whether a key is a JWT, as legacy keys are.
pub(super) fn is_token(key: &str) -> bool {
    !key.starts_with("sb_")
}

impl AuthClient {
    pub(crate) fn new(http: reqwest::Client, api: Url, anon_key: String) -> Self {
        Self { http, api, anon_key }
    }

    /// Signs in by e-mail address and password.
    ///
    /// # Errors
    /// Refused with code `invalid_credentials` (also for an unknown user), `user_banned`, `over_request_rate_limit`.
    pub async fn sign_in(&self, email: &str, password: &SecretString) -> Result<Session, ClientError> {
        let given = json!({ "email": email, "password": password.expose_secret() });
        let credentials = Credentials { email: email.to_owned(), password: password.clone() };
        Ok(Session { credentials: Some(credentials), ..self.token("password", given).await? })
    }

    /// Exchanges a refresh token for the next session.
    ///
    /// # Errors
    /// Refused with code `refresh_token_not_found`, `refresh_token_already_used`, `session_expired`.
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<Session, ClientError> {
        self.token("refresh_token", json!({ "refresh_token": refresh_token.expose_secret() })).await
    }

    /// The user that the auth server takes the session for.
    ///
    /// # Errors
    /// Refused with code `bad_jwt`, `session_not_found`, `user_not_found`, `user_banned`.
    pub async fn user(&self, session: &Session) -> Result<Value, ClientError> {
        self.send(self.http.get(self.url("user")).bearer_auth(session.access_token.expose_secret())).await?.json()
    }

    /// Ends this session (`scope=local`).
    ///
    /// # Errors
    /// Refused with code `session_not_found` when it has ended already.
    pub async fn sign_out(&self, session: &Session) -> Result<(), ClientError> {
        self.sign_out_of(session, "local").await
    }

    /// Ends sessions of this one's user: `local`, `others` or `global`.
    ///
    /// # Errors
    /// As [`AuthClient::sign_out`].
    pub async fn sign_out_of(&self, session: &Session, scope: &str) -> Result<(), ClientError> {
        let request = self.http.post(self.url("logout")).query(&[("scope", scope)]);
        let answer = self.send(request.bearer_auth(session.access_token.expose_secret())).await?;
        if answer.status == StatusCode::NO_CONTENT { Ok(()) } else { Err(answer.unexpected("204 was expected")) }
    }

    /// Makes a confirmed user, with what triggers on new users read of them, and answers with their id; needs the
    /// service's key.
    ///
    /// # Errors
    /// Refused with code `email_exists`, `not_admin`.
    pub async fn create_user(
        &self,
        _: &Permission,
        service_key: &SecretString,
        email: &str,
        password: &SecretString,
        metadata: &Map<String, Value>,
    ) -> Result<String, ClientError> {
        redaction::know([password.expose_secret().to_owned()], []);
        let mut body = json!({ "email": email, "password": password.expose_secret(), "email_confirm": true });
        if !metadata.is_empty() {
            body["user_metadata"] = metadata.clone().into();
        }
        self.make_user(service_key, &body).await
    }

    /// Creates a user whose address nobody has confirmed, and returns their id; needs the service's key.
    ///
    /// # Errors
    /// As [`AuthClient::create_user`].
    pub async fn create_unconfirmed(
        &self,
        _: &Permission,
        service_key: &SecretString,
        email: &str,
        password: &SecretString,
    ) -> Result<String, ClientError> {
        redaction::know([password.expose_secret().to_owned()], []);
        let body = json!({ "email": email, "password": password.expose_secret(), "email_confirm": false });
        self.make_user(service_key, &body).await
    }

    async fn make_user(&self, service_key: &SecretString, body: &Value) -> Result<String, ClientError> {
        let answer = self.send_as_service(self.http.post(self.url("admin/users")).json(body), service_key).await?;
        let user: Value = answer.json()?;
        user["id"].as_str().map(str::to_owned).ok_or_else(|| answer.unexpected("a user without id"))
    }

    /// Users as the service's key sees them, newest pages last: `id`, `email`, `created_at`, …
    ///
    /// # Errors
    /// Refused with code `not_admin`.
    pub async fn users(&self, service_key: &SecretString, page: u32) -> Result<Vec<Value>, ClientError> {
        let page = [("page", page.to_string()), ("per_page", "200".to_owned())];
        let request = self.http.get(self.url("admin/users")).query(&page);
        let mut answer: Value = self.send_as_service(request, service_key).await?.json()?;
        Ok(serde_json::from_value(answer["users"].take()).unwrap_or_default())
    }

    /// Deletes a user; needs the service's key.
    ///
    /// # Errors
    /// Refused with code `user_not_found`, `not_admin`.
    pub async fn delete_user(&self, _: &Permission, service_key: &SecretString, id: &str) -> Result<(), ClientError> {
        self.send_as_service(self.http.delete(self.url(&format!("admin/users/{id}"))), service_key).await.map(drop)
    }

    /// Sets a user's password and what triggers and apps read of them; needs the service's key.
    ///
    /// # Errors
    /// Refused with code `user_not_found`, `weak_password`, `not_admin`.
    pub async fn set_user(
        &self,
        _: &Permission,
        service_key: &SecretString,
        id: &str,
        password: &SecretString,
        metadata: &Map<String, Value>,
    ) -> Result<(), ClientError> {
        let body = json!({ "password": password.expose_secret(), "user_metadata": metadata, "email_confirm": true });
        let request = self.http.put(self.url(&format!("admin/users/{id}"))).json(&body);
        self.send_as_service(request, service_key).await.map(drop)
    }

    /// Bans a user for a day; needs the service's key.
    ///
    /// # Errors
    /// Refused with code `user_not_found`, `not_admin`.
    pub async fn ban_user(&self, _: &Permission, service_key: &SecretString, id: &str) -> Result<(), ClientError> {
        let request = self.http.put(self.url(&format!("admin/users/{id}"))).json(&json!({ "ban_duration": "24h" }));
        self.send_as_service(request, service_key).await.map(drop)
    }

    /// Asks for an account with a password that no auth server takes, so that none is made: the code of the refusal.
    ///
    /// # Errors
    /// Unexpected when an account was made all the same.
    pub async fn ask_to_sign_up(&self, email: &str) -> Result<Option<String>, ClientError> {
        let request = self.http.post(self.url("signup")).json(&json!({ "email": email, "password": "" }));
        match self.send(request).await {
            Err(ClientError::Refused(refusal)) => Ok(refusal.code),
            Err(error) => Err(error),
            Ok(answer) => Err(answer.unexpected("an account without a password")),
        }
    }

    /// The project's public settings; any accepted public key may read them.
    ///
    /// # Errors
    /// Refused with 401 for a key of another project.
    pub async fn settings(&self) -> Result<Value, ClientError> {
        self.send(self.http.get(self.url("settings"))).await?.json()
    }

    /// The keys that users' tokens are checked by, without asking the project.
    ///
    /// # Errors
    /// Unexpected where they cannot be read.
    pub async fn published_keys(&self) -> Result<PublishedKeys, ClientError> {
        self.send(self.http.get(self.published_keys_url())).await?.json()
    }

    /// Where they are.
    pub fn published_keys_url(&self) -> String {
        self.url(".well-known/jwks.json")
    }

    /// The same project asked with another public key.
    pub fn with_key(&self, anon_key: impl Into<String>) -> Self {
        Self { anon_key: anon_key.into(), ..self.clone() }
    }

    async fn token(&self, grant: &str, body: Value) -> Result<Session, ClientError> {
        let request = self.http.post(self.url("token")).query(&[("grant_type", grant)]).json(&body);
        let session: Session = self.send(request).await?.json()?;
        redaction::know([&session.access_token, &session.refresh_token].map(|it| it.expose_secret().to_owned()), []);
        Ok(session)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        Answer::to(&self.http, request.header("apikey", &self.anon_key)).await
    }

    async fn send_as_service(&self, request: RequestBuilder, key: &SecretString) -> Result<Answer, ClientError> {
        let request = request.header("apikey", key.expose_secret());
        // A newer key is no token, and stands alone.
        let request = if is_token(key.expose_secret()) { request.bearer_auth(key.expose_secret()) } else { request };
        Answer::to(&self.http, request).await
    }

    fn url(&self, name: &str) -> String {
        format!("{}/auth/v1/{name}", self.api.as_str().trim_end_matches('/'))
    }
}
