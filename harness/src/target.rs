//! The names of the deployments that there are.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;

/// Which deployment to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The portal of `fixtures/portal`, started by the test process.
    Embedded,
    /// The Supabase CLI's stack and the front end's development server.
    Local,
    /// The team's staging deployment.
    Staging,
    /// The deployment that members' money is in.
    Production,
    /// `E2E_BASE_URL` alone, as in the runbook's appendix: treated as strictly as production.
    Unnamed,
}

impl Target {
    /// The targets that have a name.
    pub const NAMED: [Target; 4] = [Target::Embedded, Target::Local, Target::Staging, Target::Production];

    /// Where its front end is when nothing else is said.
    pub(crate) fn default_site(self) -> Option<Url> {
        (self == Target::Local).then(|| Url::parse("http://localhost:5173").ok()).flatten()
    }

    /// Where its Supabase project is when nothing else is said (`supabase start`).
    pub(crate) fn default_api(self) -> Option<Url> {
        (self == Target::Local).then(|| Url::parse("http://127.0.0.1:54321").ok()).flatten()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Target::Embedded => "embedded",
            Target::Local => "local",
            Target::Staging => "staging",
            Target::Production => "production",
            Target::Unnamed => "unnamed",
        })
    }
}

impl FromStr for Target {
    type Err = String;

    /// The error names the targets that there are.
    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Self::NAMED.map(|target| target.to_string()).join(", ");
        Self::NAMED
            .into_iter()
            .find(|target| target.to_string() == name)
            .ok_or_else(|| format!("known targets: {}", known()))
    }
}
