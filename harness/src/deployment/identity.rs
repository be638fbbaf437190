//! What is configured, as far as it can be said without asking anybody: for the manifest of a run.

use super::{Api, settings::Settings};
use crate::{
    contract::{Contract, Weakened},
    section::Section,
    target::Target,
};
use url::Url;

/// What is configured.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    /// The target; none where the configuration names none that there is.
    pub target: Option<Target>,
    /// URL of the front end, without credentials.
    pub site: Option<String>,
    /// The Supabase project.
    pub project: Option<String>,
    /// The commit that is to be live.
    pub release_commit: Option<String>,
    /// Whether somebody named the project that may be written to.
    pub writes_allowed: bool,
    /// Whether a key was rotated: the embedded portal does it by itself, elsewhere the one before is given.
    pub is_rotated: bool,
    /// Path of the contract, or that it is the one compiled in.
    pub contract_name: String,
    /// The text.
    pub contract: String,
    /// What it asks less of than the runbook.
    pub weakened: Vec<Weakened>,
    /// Parts that the portal has no use for.
    pub not_promised: Vec<Section>,
}

impl Identity {
    /// What the environment and `harness.toml` say of the target that they name, or of another one. The checks
    /// themselves report what is wrong with them.
    pub fn configured(target: Option<Target>) -> Self {
        let Ok(settings) = Settings::said(target) else { return Self::default() };
        let target = settings.target().ok();
        let (contract_name, contract) = match settings.find("HARNESS_CONTRACT") {
            Some(setting) => {
                let path = settings.path(&setting);
                (setting.value, std::fs::read_to_string(path).unwrap_or_default())
            }
            None => (Contract::BUILT_IN.to_owned(), Contract::built_in_text().to_owned()),
        };
        let read = Contract::parse(&contract, contract_name.as_ref()).ok();
        let url = |name: &str, default: Option<Url>| settings.url(name).ok().flatten().or(default);
        let is_remote = target != Some(Target::Embedded);
        let site = url("E2E_BASE_URL", target.and_then(Target::default_site)).filter(|_| is_remote);
        let api = url("VITE_SUPABASE_URL", target.and_then(Target::default_api)).filter(|_| is_remote);
        Self {
            target,
            site: site.map(|site| without_credentials(&site)),
            project: api.map(|url| Api { url, anon_key: String::new() }.project()),
            release_commit: settings.find("RELEASE_COMMIT").map(|setting| setting.value),
            is_rotated: !is_remote || settings.find("INGEST_API_KEY_PREVIOUS").is_some(),
            writes_allowed: settings.find("HARNESS_ALLOW_WRITES").is_some(),
            weakened: read.as_ref().map(Contract::weakened).unwrap_or_default(),
            not_promised: read.as_ref().map(Contract::not_promised).unwrap_or_default(),
            contract_name,
            contract,
        }
    }
}

/// User and password stand in nobody's evidence, and neither does a query.
fn without_credentials(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}
