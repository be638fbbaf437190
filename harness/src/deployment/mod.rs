//! What is under test: one running portal with its Supabase project, and who may sign in there.
//!
//! [`Deployment::open`] turns configuration into a deployment that answers, or into one error that says what to do.

mod error;
mod settings;
mod target;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell};
use url::Url;

use crate::{
    client::{AuthClient, ClientError, RestClient, Session},
    contract::Contract,
    failure::{Failure, Verdict},
    site::Site,
};
pub use error::Error;
use settings::Settings;
pub use target::Target;

/// A running portal.
#[derive(Debug)]
pub struct Deployment {
    target: Target,
    site: Site,
    api: Option<Api>,
    contract: Contract,
    settings: Settings,
    http: reqwest::Client,
    sessions: Mutex<HashMap<String, Arc<OnceCell<Verdict<Session>>>>>,
    #[cfg(feature = "embedded")]
    embedded: Option<portal::Portal>,
}

/// The Supabase project of a deployment.
#[derive(Debug, Clone)]
pub struct Api {
    /// Its URL, as `VITE_SUPABASE_URL` holds it.
    pub url: Url,
    /// Its public key, as `VITE_SUPABASE_ANON_KEY` holds it.
    pub anon_key: String,
}

impl Deployment {
    /// Opens the deployment that the environment and `harness.toml` name; the embedded portal when they name none.
    ///
    /// # Errors
    /// One [`Error`] for whatever is wrong with the configuration or keeps the portal from answering at all.
    pub async fn open() -> Result<Self, Error> {
        Self::open_with(Settings::read()?).await
    }

    async fn open_with(settings: Settings) -> Result<Self, Error> {
        let target = settings.target()?;
        let contract = match settings.find("HARNESS_CONTRACT") {
            Some(setting) => Contract::read(&settings.path(&setting))?,
            None => Contract::sacco_plus()?,
        };
        let http = http_client()?;
        if target == Target::Embedded {
            return Self::open_embedded(settings, contract, http).await;
        }
        let site = settings
            .url("E2E_BASE_URL")?
            .or_else(|| target.default_site())
            .ok_or_else(|| settings.missing("E2E_BASE_URL"))?;
        let url = settings.url("VITE_SUPABASE_URL")?.or_else(|| target.default_api());
        let anon_key = settings.find("VITE_SUPABASE_ANON_KEY").map(|setting| setting.value);
        let api = url.zip(anon_key).map(|(url, anon_key)| Api { url, anon_key });
        reach(&http, &site).await?;
        Ok(Self {
            target,
            site: Site::new(site, http.clone()),
            api,
            contract,
            settings,
            http,
            sessions: Mutex::default(),
            #[cfg(feature = "embedded")]
            embedded: None,
        })
    }

    #[cfg(feature = "embedded")]
    async fn open_embedded(settings: Settings, contract: Contract, http: reqwest::Client) -> Result<Self, Error> {
        let portal = portal::Builder::from_env()?.start().await?;
        let api = Api { url: portal.api_url().clone(), anon_key: portal.anon_key().to_owned() };
        Ok(Self {
            target: Target::Embedded,
            site: Site::new(portal.site_url().clone(), http.clone()),
            api: Some(api),
            contract,
            settings,
            http,
            sessions: Mutex::default(),
            embedded: Some(portal),
        })
    }

    #[cfg(not(feature = "embedded"))]
    async fn open_embedded(_: Settings, _: Contract, _: reqwest::Client) -> Result<Self, Error> {
        Err(Error::NoEmbeddedPortal)
    }

    /// Its name.
    pub fn target(&self) -> Target {
        self.target
    }

    /// What it promises.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The front end as a client without a browser sees it.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Its Supabase project.
    ///
    /// # Errors
    /// Undecided, naming the variables that are missing.
    pub fn api(&self) -> Result<&Api, Failure> {
        self.api.as_ref().ok_or_else(|| {
            let missing = self.settings.names_missing(&["VITE_SUPABASE_URL", "VITE_SUPABASE_ANON_KEY"]);
            Failure::undecided("the deployment's Supabase project is known")
                .expected(format!("{missing} in the environment or in harness.toml"))
                .seen("not set")
                .at(self.settings.looked_in())
                .advice(format!("export {missing} with the values that the build was made with"))
                .shared()
        })
    }

    /// The auth server's client.
    ///
    /// # Errors
    /// As [`Deployment::api`].
    pub fn auth(&self) -> Result<AuthClient, Failure> {
        let api = self.api()?;
        Ok(AuthClient::new(self.http.clone(), api.url.clone(), api.anon_key.clone()))
    }

    /// The database's client, as somebody who is not signed in.
    ///
    /// # Errors
    /// As [`Deployment::api`].
    pub fn rest(&self) -> Result<RestClient, Failure> {
        let api = self.api()?;
        Ok(RestClient::new(self.http.clone(), api.url.clone(), api.anon_key.clone()))
    }

    /// The persona's session, signed in once per process and shared: the auth server limits sign-ins per address.
    ///
    /// # Errors
    /// Undecided where no account is given or the given one is refused; failed where the auth server is broken.
    pub async fn session(&self, persona: &str) -> Result<Session, Failure> {
        let cell = Arc::clone(self.sessions.lock().await.entry(persona.to_owned()).or_default());
        // A refusal is kept too: asking again would be refused again, and counts against the limit.
        cell.get_or_init(async || self.sign_in(persona).await).await.clone()
    }

    async fn sign_in(&self, persona: &str) -> Result<Session, Failure> {
        let (email, password) = self.credentials(persona)?;
        let claim = format!("the test account {persona} can sign in");
        self.auth()?.sign_in(&email, &password).await.map_err(|error| match &error {
            ClientError::Refused(refusal) if refusal.code.as_deref() == Some("invalid_credentials") => {
                Failure::undecided(claim)
                    .expected("a session for the e-mail address and password that are configured")
                    .seen(error.to_string())
                    .advice(format!(
                        "correct E2E_{persona}_EMAIL and E2E_{persona}_PASSWORD ({})",
                        self.settings.looked_in()
                    ))
                    .shared()
            }
            _ => Failure::failed(claim).expected("200 with a session").seen(error.to_string()).shared(),
        })
    }

    /// E-mail address and password of a persona, for checks that sign in through the login view.
    ///
    /// # Errors
    /// Undecided, naming the variables that are missing.
    pub fn credentials(&self, persona: &str) -> Result<(String, SecretString), Failure> {
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded
            && let Some(account) = portal.accounts().iter().find(|account| account.persona == persona)
        {
            return Ok((account.email.clone(), account.password.clone().into()));
        }
        let names = [format!("E2E_{persona}_EMAIL"), format!("E2E_{persona}_PASSWORD")];
        let found = self.settings.find(&names[0]).zip(self.settings.find(&names[1]));
        let Some((email, password)) = found else {
            let missing = self.settings.names_missing(&[names[0].as_str(), names[1].as_str()]);
            return Err(Failure::undecided(format!("the persona {persona} has an account on this deployment"))
                .expected(format!("{missing} in the environment or in harness.toml"))
                .seen("not set")
                .at(self.settings.looked_in())
                .advice(format!("export {missing}, or leave these checks out: -- --skip signed_in"))
                .shared());
        };
        Ok((email.value, password.value.into()))
    }

    /// Values that may appear in no output.
    pub(crate) async fn secrets(&self) -> Vec<String> {
        let mut secrets = self.settings.secrets();
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded {
            secrets.extend([portal.service_role_key().to_owned(), portal.ingest_key().to_owned()]);
            secrets.extend(portal.accounts().iter().map(|account| account.password.clone()));
        }
        for cell in self.sessions.lock().await.values() {
            if let Some(Ok(session)) = cell.get() {
                secrets.push(session.access_token.expose_secret().to_owned());
                secrets.push(session.refresh_token.expose_secret().to_owned());
            }
        }
        secrets
    }
}

fn http_client() -> Result<reqwest::Client, Error> {
    // Two crates bring a rustls of their own features; without one provider chosen the first TLS client panics.
    // An error only says that one was installed before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(30))
        .user_agent(concat!("release-harness/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(Error::Http)
}

/// Asks a remote portal once, so that a dead host is one error and not one per check.
async fn reach(http: &reqwest::Client, site: &Url) -> Result<(), Error> {
    match http.get(site.clone()).send().await {
        Ok(answer) if matches!(answer.status().as_u16(), 502..=504 | 520..=530) => {
            Err(Error::Gateway { site: site.clone(), status: answer.status() })
        }
        Ok(_) => Ok(()),
        Err(source) => Err(Error::unreachable(site.clone(), source)),
    }
}

/// The workspace's root or, where the tests run from an archive, the current folder.
fn root() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    workspace.canonicalize().unwrap_or_else(|_| PathBuf::from("."))
}
