//! Those who try: users of every kind, with the role and the claims that the API gives to their requests.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::sql::setting;

/// What says whose request it is.
const SETTINGS: [&str; 6] = [
    "request.jwt.claims",
    "request.jwt.claim.sub",
    "request.jwt.claim.role",
    "request.jwt.claim.email",
    "request.method",
    "request.headers",
];

/// Somebody who makes requests.
#[derive(Debug, Clone)]
pub struct Actor {
    /// How findings call them: a role's name, `anonymous`, `newcomer`, `claimant`, `deactivated`, …
    pub name: String,
    pub kind: Kind,
    /// The user's id; none of anonymous callers.
    pub user: Option<String>,
    /// Their role in their tenant.
    pub role: Option<String>,
    /// Their tenant, as an index of the world's.
    pub tenant: Option<usize>,
    /// The request's claims.
    pub claims: Value,
    /// Its headers, as JSON.
    pub headers: String,
}

/// What somebody is to the tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Without an account.
    Anonymous,
    /// Has just signed up, belongs nowhere.
    Newcomer,
    /// A member who is one.
    Member,
    /// A member who may only read.
    Reader,
    /// A member who is one no more.
    Dead,
    /// A member of a closed tenant.
    Closed,
    /// May see and change everything.
    Platform,
    /// The project's own server, with the service's key.
    Backend,
}

impl Kind {
    /// Whether somebody belongs to no tenant that works, so that nothing of any is theirs.
    pub fn is_outside(self) -> bool {
        matches!(self, Self::Anonymous | Self::Newcomer | Self::Dead | Self::Closed)
    }
}

impl Actor {
    /// A signed-in user with the claims that Supabase's auth server gives.
    pub fn user(name: &str, kind: Kind, user: &str, email: &str) -> Self {
        let claims = json!({
            "iss": "supabase", "sub": user, "aud": "authenticated", "role": "authenticated", "email": email, "phone": "",
            "app_metadata": {"provider": "email", "providers": ["email"]}, "user_metadata": {}, "aal": "aal1",
            "amr": [{"method": "password", "timestamp": 1_767_225_600}], "is_anonymous": false,
            "session_id": "00000000-0000-4000-8000-00005e551017",
        });
        Self {
            name: name.to_owned(),
            kind,
            user: Some(user.to_owned()),
            role: None,
            tenant: None,
            claims,
            headers: "{}".to_owned(),
        }
    }

    /// Who sends the public key and nothing else.
    pub fn anonymous() -> Self {
        Self {
            name: "anonymous".to_owned(),
            kind: Kind::Anonymous,
            user: None,
            role: None,
            tenant: None,
            claims: json!({"iss": "supabase", "role": "anon"}),
            headers: "{}".to_owned(),
        }
    }

    /// Who has the service's key.
    pub fn backend() -> Self {
        let claims = json!({"iss": "supabase", "role": "service_role"});
        Self { name: "the backend".to_owned(), kind: Kind::Backend, claims, ..Self::anonymous() }
    }

    /// Puts a value into the claims.
    pub fn claim(&mut self, path: &[String], value: Value) {
        let Some((last, path)) = path.split_last() else { return };
        let mut place = &mut self.claims;
        for step in path {
            if !place[step].is_object() {
                place[step] = Value::Object(Map::new());
            }
            place = &mut place[step];
        }
        place[last] = value;
    }

    /// The database role of their requests.
    pub fn db_role(&self) -> &'static str {
        match self.kind {
            Kind::Anonymous => "anon",
            Kind::Backend => "service_role",
            _ => "authenticated",
        }
    }

    /// The statements that make the transaction theirs.
    pub fn become_sql(&self) -> [String; 2] {
        [self.take_role(), format!("select {}", self.settings())]
    }

    /// The statement that gives the transaction their role.
    pub fn take_role(&self) -> String {
        format!("set local role {}", self.db_role())
    }

    /// Both as one statement.
    pub fn become_in_one(&self) -> String {
        format!("select {}, {}", self.settings(), setting("role", self.db_role()))
    }

    /// The statement after which the transaction is no request.
    pub fn become_nobody() -> String {
        format!("select {}", SETTINGS.map(|name| setting(name, "")).join(", "))
    }

    fn settings(&self) -> String {
        let text = |name: &str| self.claims[name].as_str().unwrap_or_default();
        let claims = self.claims.to_string();
        let values = [&claims, text("sub"), text("role"), text("email"), "POST", &self.headers];
        let settings = SETTINGS.iter().zip(values).map(|(name, value)| setting(name, value));
        settings.collect::<Vec<_>>().join(", ")
    }
}
