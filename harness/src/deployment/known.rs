//! What is configured of a target, for commands that come before its contract.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Error, settings::Settings};
use crate::{network, target::Target};

/// What is known of a deployment before anybody knows what it promises.
#[derive(Debug)]
pub struct Known {
    /// The front end.
    pub site: Option<Url>,
    /// The API, where it is named.
    pub api: Option<Url>,
    /// Who can sign in: the names that their variables carry, e-mail addresses and passwords.
    pub personas: Vec<(String, String, SecretString)>,
    /// The database, as `postgres`.
    pub database: Option<SecretString>,
}

/// What the environment and the files of settings say of a target. From now on this process finds its hosts.
///
/// # Errors
/// When they cannot be read.
pub fn known(target: Target) -> Result<Known, Error> {
    let settings = Settings::read_as(target)?;
    settings.elsewhere()?.into_iter().for_each(network::lead);
    let site = settings.url("E2E_BASE_URL")?.or_else(|| target.default_site());
    let api = settings.url("VITE_SUPABASE_URL")?;
    let database = settings.find("SUPABASE_DB_URL").map(|setting| setting.value.into());
    Ok(Known { site, api, personas: settings.personas(), database })
}

/// A secret, for whom it is.
pub fn revealed(secret: &SecretString) -> &str {
    secret.expose_secret()
}
