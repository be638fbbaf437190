//! What is under test: one running portal with its Supabase project, and who may sign in there.
//!
//! [`Deployment::open`] turns configuration into a deployment that answers, or into one error that says what to do.

mod error;
mod identity;
mod known;
mod local;
mod needs;
mod release;
mod settings;
mod stack;
mod tenant;
mod writes;

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell};
use url::Url;

use crate::{
    bounded,
    client::{AuthClient, Claims, ClientError, Patience, RestClient, Session, SmsIngest},
    contract::{Contract, RowsOf},
    failure::{Failure, Verdict},
    limits, network,
    redaction::{self, Redactor},
    seen,
    site::{Site, Trouble},
    target::Target,
};
pub use error::Error;
pub(crate) use identity::Identity;
pub use known::{Known, known, revealed};
pub use local::Problem as LocalProblem;
pub use needs::{Missing, missing_variables};
pub use release::{BuildFiles, Released};
use settings::Settings;
pub(crate) use settings::know_secrets_of_environment;
pub use settings::settings_file;
pub use stack::Stack;
pub(crate) use tenant::RUN;
pub use tenant::{MADE_BY_CHECKS, Person, Tenant};
pub use writes::Writes;

/// How far the clock here may be from the server's: tokens run out, and "today" changes, by both.
const MOST_SKEW: i64 = 30;

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
    tenants: tenant::Tenants,
    made: tenant::AllMade,
    counterpart: OnceCell<Verdict<Box<Deployment>>>,
    #[cfg(feature = "embedded")]
    embedded: Option<portal::Portal>,
}

/// The Supabase project of a deployment.
#[derive(Debug, Clone)]
pub struct Api {
    /// The URL, as `VITE_SUPABASE_URL` holds it.
    pub url: Url,
    /// The public key, as `VITE_SUPABASE_ANON_KEY` holds it.
    pub anon_key: String,
}

impl Api {
    /// What the URLs of requests for data begin with.
    pub fn data(&self) -> String {
        format!("{}/rest/v1/", self.url.as_str().trim_end_matches('/'))
    }
}

impl Deployment {
    /// Opens the deployment that the environment and `harness.toml` name; the embedded portal when they name none.
    ///
    /// # Errors
    /// One [`Error`] for whatever is wrong with the configuration or keeps the portal from answering at all.
    pub async fn open() -> Result<Self, Error> {
        Self::open_with(Settings::read()?).await
    }

    /// Opens a named deployment, as [`Deployment::open`] does where `HARNESS_TARGET` names it. Nobody removes for its
    /// opener what is made in it: [`Deployment::tidy`] does.
    ///
    /// # Errors
    /// As [`Deployment::open`]; [`Target::Unnamed`] is no name.
    pub async fn open_as(target: Target) -> Result<Self, Error> {
        Self::open_with(Settings::read_as(target)?).await
    }

    /// The target that the environment names: what [`Deployment::open`] opens.
    ///
    /// # Errors
    /// When the environment names none that there is, or `harness.toml` cannot be read.
    pub fn configured_target() -> Result<Target, Error> {
        Settings::read()?.target()
    }

    async fn open_with(settings: Settings) -> Result<Self, Error> {
        let target = settings.target()?;
        let contract = promised(&settings)?;
        if target == Target::Embedded {
            return Box::pin(Self::open_embedded(settings, contract)).await;
        }
        settings.elsewhere()?.into_iter().for_each(network::lead);
        let http = http_client()?;
        let site = settings
            .url("E2E_BASE_URL")?
            .or_else(|| target.default_site())
            .ok_or_else(|| settings.missing("E2E_BASE_URL"))?;
        let url = settings.url("VITE_SUPABASE_URL")?.or_else(|| target.default_api());
        let anon_key = settings.find("VITE_SUPABASE_ANON_KEY").map(|setting| setting.value);
        let api = url.zip(anon_key).map(|(url, anon_key)| Api { url, anon_key });
        two_institutions(&settings)?;
        own_service_key(&settings, api.as_ref())?;
        let site = front_end(site, &contract, http.clone());
        reach(&site).await?;
        Ok(Self {
            target,
            site,
            api,
            contract,
            settings,
            http,
            sessions: Mutex::default(),
            tenants: Mutex::default(),
            made: tenant::AllMade::default(),
            counterpart: OnceCell::new(),
            #[cfg(feature = "embedded")]
            embedded: None,
        })
    }

    /// A second embedded portal, without faults.
    #[cfg(feature = "embedded")]
    async fn open_sound() -> Verdict<Self> {
        let opened = async {
            let settings = Settings::read_as(Target::Embedded)?;
            let contract = promised(&settings)?;
            Self::embedded(portal::Builder::sound_from_env()?, settings, contract).await
        };
        opened
            .await
            .map_err(|error: Error| Failure::not_run("a second portal cannot be started").seen(error.to_string()))
    }

    #[cfg(feature = "embedded")]
    async fn open_embedded(settings: Settings, contract: Contract) -> Result<Self, Error> {
        Self::embedded(portal::Builder::from_env()?, settings, contract).await
    }

    #[cfg(feature = "embedded")]
    async fn embedded(builder: portal::Builder, settings: Settings, contract: Contract) -> Result<Self, Error> {
        let portal = Box::pin(builder.for_suites().start()).await?;
        if let Some(alias) = portal.alias() {
            network::lead(network::Elsewhere {
                host: alias.host.clone(),
                address: alias.address,
                fingerprint: alias.fingerprint.clone(),
                certificate: reqwest::Certificate::from_pem(alias.certificate.as_bytes()).map_err(Error::Http)?,
            });
        }
        let http = http_client()?;
        if let Ok(postgres) = portal::postgres::locate() {
            seen::note(|seen| {
                seen.database = Some(postgres.version.trim_start_matches("postgres (").replacen(") ", " ", 1))
            });
        }
        let api = Api { url: portal.api_url().clone(), anon_key: portal.anon_key().to_owned() };
        Ok(Self {
            target: Target::Embedded,
            site: front_end(portal.site_url().clone(), &contract, http.clone()),
            api: Some(api),
            contract,
            settings,
            http,
            sessions: Mutex::default(),
            tenants: Mutex::default(),
            made: tenant::AllMade::default(),
            counterpart: OnceCell::new(),
            embedded: Some(portal),
        })
    }

    #[cfg(not(feature = "embedded"))]
    async fn open_embedded(_: Settings, _: Contract) -> Result<Self, Error> {
        Err(Error::NoEmbeddedPortal)
    }

    /// The name.
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

    /// The Supabase project.
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

    /// The database's client with the service's key: it sees every row.
    ///
    /// # Errors
    /// As [`Deployment::api`]; not run where the key is not given.
    pub fn service(&self) -> Verdict<RestClient> {
        Ok(self.rest()?.service(&self.service_key()?))
    }

    /// The client of the endpoint that a gateway's devices report to, with its key.
    ///
    /// # Errors
    /// As [`Deployment::api`]; not run where the key is not given.
    pub fn sms_ingest(&self) -> Verdict<SmsIngest> {
        self.ingest(Some(self.ingest_key()?))
    }

    /// The same without the key: it can be asked, and refuses.
    ///
    /// # Errors
    /// As [`Deployment::api`].
    pub fn sms_ingest_without_key(&self) -> Verdict<SmsIngest> {
        self.ingest(None)
    }

    fn ingest(&self, key: Option<SecretString>) -> Verdict<SmsIngest> {
        let sms = self.contract.sms()?;
        self.endpoint(&sms.function, &sms.key_header, key)
    }

    /// An edge function, with the header that its key goes into.
    fn endpoint(&self, function: &str, header: &str, key: Option<SecretString>) -> Verdict<SmsIngest> {
        let url = format!("{}/functions/v1/{function}", self.api()?.url.as_str().trim_end_matches('/'));
        let claim = || Failure::undecided(format!("the edge function {function} can be asked"));
        let url = url.parse().map_err(|_| claim().expected("a URL").seen(url))?;
        SmsIngest::new(url, header, key).map_err(|error| claim().seen(error.to_string()))
    }

    fn ingest_key(&self) -> Verdict<SecretString> {
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded {
            return Ok(portal.ingest_key().into());
        }
        match self.settings.find("INGEST_API_KEY") {
            Some(key) => Ok(key.value.into()),
            None => Err(Failure::not_run("no ingest key for this deployment: no message can be sent to it")
                .expected("INGEST_API_KEY in the environment or in harness.toml")
                .seen("not set")
                .at(self.settings.looked_in())
                .advice("export it with the value that the edge functions have")
                .shared()),
        }
    }

    fn service_key(&self) -> Verdict<SecretString> {
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded {
            return Ok(portal.operators_service_key().into());
        }
        match self.settings.find("SUPABASE_SERVICE_ROLE_KEY") {
            Some(key) => Ok(key.value.into()),
            None => Err(Failure::not_run(
                "no service-role key for this deployment: what is on screen cannot be compared with all rows",
            )
            .expected("SUPABASE_SERVICE_ROLE_KEY in the environment or in harness.toml")
            .seen("not set")
            .at(self.settings.looked_in())
            .advice("export it for this run only; nothing is written with it unless the deployment allows writes")
            .shared()),
        }
    }

    /// Whether the project takes the service's key: asks for what only that key may see.
    ///
    /// # Errors
    /// As [`Deployment::service`].
    pub async fn service_key_is_accepted(&self) -> Verdict<Result<(), ClientError>> {
        let key = self.service_key()?;
        Ok(self.auth()?.users(&key, 1).await.map(drop))
    }

    /// An edge function, to be asked with bodies that it can store nothing of.
    ///
    /// # Errors
    /// As [`Deployment::api`].
    pub fn function(&self, name: &str) -> Verdict<SmsIngest> {
        self.endpoint(name, "", None)
    }

    /// The endpoint with the key before the last rotation.
    ///
    /// # Errors
    /// As [`Deployment::api`]; not run where that key is not given.
    pub fn sms_ingest_with_previous_key(&self) -> Verdict<SmsIngest> {
        let key = self.settings.find("INGEST_API_KEY_PREVIOUS").ok_or_else(|| {
            Failure::not_run(
                "the ingest key before the last rotation is not known: whether it was revoked cannot be seen",
            )
            .expected("INGEST_API_KEY_PREVIOUS in the environment or in harness.toml")
            .seen("not set")
            .at(self.settings.looked_in())
            .advice("export it with the key that was rotated out, for this run only")
        })?;
        self.ingest(Some(key.value.into()))
    }

    /// Gives the endpoint of the embedded portal another key: [`Deployment::sms_ingest`] has it from then on.
    ///
    /// # Errors
    /// Not run on any other deployment, whose keys are its operators'.
    pub fn rotate_ingest_key(&self, _: &Writes<'_>) -> Verdict {
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded {
            portal.rotate_ingest_key();
            return Ok(());
        }
        Err(Failure::not_run("nobody but its operators rotates the keys of a deployment"))
    }

    /// PostgreSQL behind the deployment, as a role that may play every user; `claim` says what was not tried where it
    /// cannot be had.
    ///
    /// # Errors
    /// Not run on production, where nothing is tried that locks tables, and where no URL is given.
    pub fn database(&self, claim: &str) -> Verdict<SecretString> {
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded {
            return Ok(portal.database_url().to_owned().into());
        }
        if matches!(self.target, Target::Production | Target::Unnamed) {
            return Err(Failure::not_run(claim)
                .expected("a deployment other than production: what is tried in the database locks tables")
                .seen(self.target.to_string())
                .advice("run it against staging, which has the same migrations: HARNESS_TARGET=staging")
                .shared());
        }
        match self.settings.find("SUPABASE_DB_URL") {
            Some(url) => Ok(url.value.into()),
            None => Err(Failure::not_run(claim)
                .expected("SUPABASE_DB_URL in the environment or in harness.toml")
                .seen("not set")
                .at(self.settings.looked_in())
                .advice("export it with the direct connection (port 5432) of the role postgres, for this run only")
                .shared()),
        }
    }

    /// Whether it is this project's own portal, by its own contract: of that one, rights and schema were approved.
    pub fn is_ours(&self) -> bool {
        self.target == Target::Embedded && self.settings.find("HARNESS_CONTRACT").is_none()
    }

    /// Id of the institution with this letter.
    ///
    /// # Errors
    /// Not run where it is not given.
    pub fn institution(&self, letter: &str) -> Verdict<String> {
        #[cfg(feature = "embedded")]
        if let Some(id) = self.embedded.as_ref().and_then(|portal| portal.institutions().get(letter)) {
            return Ok(id.to_string());
        }
        let name = format!("E2E_INSTITUTION_{letter}_ID");
        match self.settings.find(&name) {
            Some(id) => Ok(id.value),
            None => Err(Failure::not_run(format!("institution {letter} is not known"))
                .expected(format!("{name} in the environment or in harness.toml"))
                .seen("not set")
                .at(self.settings.looked_in())
                .advice(format!("export {name} with the id of the tenant of the personas _{letter}"))
                .shared()),
        }
    }

    /// Id of whom a persona's rows belong to: of the institution, or of the persona where rows are users'. Nothing for
    /// somebody who sees the rows of all.
    ///
    /// # Errors
    /// Not run where the institution or the account is not given; where rows are users', as [`Deployment::session`].
    pub async fn owner_of(&self, persona: &str) -> Verdict<Option<String>> {
        let rows_of = self.contract.data().map(|data| data.rows_of).unwrap_or_default();
        match (rows_of, self.contract.owner_of(persona)) {
            (_, None) => Ok(None),
            (RowsOf::Institutions, Some(letter)) => self.institution(letter).map(Some),
            (RowsOf::Users, Some(persona)) => {
                let session = self.session(persona).await?;
                let id = session.user["id"].as_str().map(str::to_owned);
                let unnamed = || Failure::undecided(format!("the session of {persona} says whose it is")).seen("no id");
                id.ok_or_else(unnamed).map(Some)
            }
        }
    }

    /// The persona's session, signed in once per process and shared: the auth server limits sign-ins per address.
    ///
    /// # Errors
    /// Not run where no account is given, undecided where the given one is refused or the auth server cannot be asked;
    /// failed where that is broken.
    pub async fn session(&self, persona: &str) -> Result<Session, Failure> {
        let cell = Arc::clone(self.sessions.lock().await.entry(persona.to_owned()).or_default());
        // A refusal is kept too: asking again would be refused again, and counts against the limit.
        cell.get_or_init(async || self.new_session(persona).await).await.clone()
    }

    /// A session of the persona that nobody shares.
    ///
    /// # Errors
    /// As [`Deployment::session`].
    pub async fn new_session(&self, persona: &str) -> Result<Session, Failure> {
        let (email, password) = self.credentials(persona)?;
        let claim = format!("the test account {persona} can sign in");
        Self::admit(&self.auth()?, &email, &password).await.map_err(|error| match &error {
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
            _ => error.failure(claim).expected("200 with a session").shared(),
        })
    }

    /// Signs in. A limit is waited out: Auth never says for how long, and has room for one more every two seconds.
    async fn admit(auth: &AuthClient, email: &str, password: &SecretString) -> Result<Session, ClientError> {
        let mut patience = Patience::default();
        loop {
            match auth.sign_in(email, password).await {
                Err(ClientError::Refused(refusal)) if refusal.is_limit => match patience.wait(refusal.retry_after) {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(ClientError::Refused(refusal)),
                },
                answer => return answer,
            }
        }
    }

    /// E-mail address and password of a persona, for checks that sign in through the login view.
    ///
    /// # Errors
    /// Not run, naming the variables that are missing.
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
            return Err(Failure::not_run(format!("no credentials for {persona}"))
                .expected(format!("{missing} in the environment or in harness.toml"))
                .seen("not set")
                .at(self.settings.looked_in())
                .advice(format!("export {missing}, or leave out the checks that sign in: -- --skip signed_in"))
                .shared());
        };
        Ok((email.value, password.value.into()))
    }

    /// The embedded portal's database as its superuser, for who wants to break it; none of any other deployment.
    #[cfg(feature = "embedded")]
    pub fn database_url(&self) -> Option<&str> {
        self.embedded.as_ref().map(portal::Portal::database_url)
    }

    /// A token with these claims and the project's own signature, where its key is at hand: on the embedded portal.
    pub fn signed(&self, claims: &serde_json::Value) -> Option<String> {
        #[cfg(feature = "embedded")]
        return self.embedded.as_ref().map(|portal| portal.sign(claims));
        #[cfg(not(feature = "embedded"))]
        None
    }

    /// A text without the secrets of this deployment, for whoever writes what it answered.
    pub async fn cleaned(&self, text: &str) -> String {
        self.redactor().await.clean(text)
    }

    /// What takes this deployment's secrets, and all others that the process knows, out of texts.
    pub(crate) async fn redactor(&self) -> Arc<Redactor> {
        let mut public = self.settings.public();
        public.push(self.site.url("/").into());
        public.extend(self.api.iter().flat_map(|api| [api.url.to_string(), api.anon_key.clone()]));
        redaction::know(self.secrets().await, public);
        redaction::redactor()
    }

    /// Values that may appear in no output.
    async fn secrets(&self) -> Vec<String> {
        let mut secrets = self.settings.secrets();
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded {
            secrets.extend([portal.service_role_key(), portal.platform_token()].map(str::to_owned));
            secrets.push(portal.operators_service_key());
            secrets.push(portal.ingest_key());
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

fn promised(settings: &Settings) -> Result<Contract, Error> {
    Ok(match settings.find("HARNESS_CONTRACT") {
        Some(setting) => Contract::read(&settings.path(&setting))?,
        None => Contract::sacco_plus()?,
    })
}

fn http_client() -> Result<reqwest::Client, Error> {
    network::http()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits::CONNECT)
        .timeout(limits::REQUEST)
        .user_agent(concat!("release-harness/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(Error::Http)
}

fn front_end(base: Url, contract: &Contract, http: reqwest::Client) -> Site {
    let site = Site::new(base, &contract.portal.title, http);
    match contract.portal.largest_file_mb {
        Some(megabytes) => site.with_files_of(megabytes.saturating_mul(1_000_000)),
        None => site,
    }
}

/// Asks a remote portal once, so that a dead host is one error and not one per check.
async fn reach(site: &Site) -> Result<(), Error> {
    let root = site.url("/");
    match site.fetch(root.clone()).await {
        Ok(answer) => same_time(&root, &answer.headers),
        Err(Trouble::Kept(obstacle)) => Err(Error::Obstacle(obstacle)),
        Err(Trouble::Unread(bounded::Error::Broken(source))) => Err(Error::unreachable(root, source)),
        Err(Trouble::Unread(why @ bounded::Error::TooLarge { .. })) => {
            Err(Error::Unreadable { site: root, why: why.to_string() })
        }
        Err(Trouble::Unread(why @ bounded::Error::NoConnection { .. })) => {
            Err(Error::Unreachable { site: root, why: why.to_string() })
        }
        Err(Trouble::Unread(why)) => Err(Error::NoAnswer { site: root, why: why.to_string() }),
    }
}

fn same_time(site: &Url, headers: &HeaderMap) -> Result<(), Error> {
    let date = headers.get(DATE).and_then(|date| jiff::fmt::rfc2822::parse(date.to_str().ok()?).ok());
    let ahead = date.map_or(0, |date| Timestamp::now().as_second() - date.timestamp().as_second());
    if ahead.abs() <= MOST_SKEW {
        return Ok(());
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    Err(Error::ClockSkew { site: site.clone(), seconds: ahead.abs(), direction })
}

fn two_institutions(settings: &Settings) -> Result<(), Error> {
    let id = |letter: &str| settings.find(&format!("E2E_INSTITUTION_{letter}_ID")).map(|setting| setting.value);
    match (id("A"), id("B")) {
        (Some(a), Some(b)) if a.eq_ignore_ascii_case(&b) => Err(Error::SameInstitutions { id: a }),
        _ => Ok(()),
    }
}

/// Checked before use: a key of another project would be sent to this one. Keys of the newer kind carry no claims.
fn own_service_key(settings: &Settings, api: Option<&Api>) -> Result<(), Error> {
    let key = settings.find("SUPABASE_SERVICE_ROLE_KEY").and_then(|key| Claims::of(&key.value));
    let (Some(key), Some(api)) = (key, api) else { return Ok(()) };
    let shown = |claims: &Claims| {
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "(not given)".to_owned());
        format!("project {} by {} with the role {}", or(&claims.project), or(&claims.iss), or(&claims.role))
    };
    let public = Claims::of(&api.anon_key);
    let expected = Claims {
        role: Some("service_role".to_owned()),
        iss: public.as_ref().map_or_else(|| key.iss.clone(), |public| public.iss.clone()),
        project: match &public {
            Some(public) => public.project.clone(),
            None if api.is_hosted() => Some(api.project()),
            None => key.project.clone(),
        },
        ..key.clone()
    };
    if key == expected {
        return Ok(());
    }
    Err(Error::ForeignServiceKey { given: shown(&key), expected: shown(&expected) })
}

#[cfg(test)]
mod tests;
