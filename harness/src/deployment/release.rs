//! What a deployment's operators know: the vendors' APIs, the repository, the build.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::Timestamp;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Api, Deployment, settings::Settings};
use crate::{
    checkout::Checkout,
    client::{ClientError, GithubClient, ManagementClient, PagesClient, SentryClient},
    contract::Sentry,
    failure::{Failure, Verdict},
    rebuild,
    rehearsal::Rehearsal,
    restore::{Drill, Restored},
    target::Target,
};

/// Where the vendors' APIs are when nothing else is said.
const MANAGEMENT: (&str, &str) = ("SUPABASE_MANAGEMENT_URL", "https://api.supabase.com");
const CLOUDFLARE: (&str, &str) = ("CLOUDFLARE_API_URL", "https://api.cloudflare.com");
const GITHUB: (&str, &str) = ("GITHUB_API_URL", "https://api.github.com");
const SENTRY_API: (&str, &str) = ("SENTRY_URL", "https://sentry.io");

/// The output of a build, by path.
pub type BuildFiles = BTreeMap<String, Vec<u8>>;

/// The commit that is to be live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The hash.
    pub commit: String,
    /// When it was committed, where that is known.
    pub at: Option<Timestamp>,
}

impl Deployment {
    /// Supabase's Management API.
    ///
    /// # Errors
    /// As [`Deployment::api`]; not run where no token is given.
    pub fn management(&self) -> Verdict<ManagementClient> {
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded {
            let token = portal.platform_token().to_owned().into();
            let project = portal.project_ref().to_owned();
            return Ok(ManagementClient::new(self.http.clone(), portal.platform_url().clone(), token, project));
        }
        let token = self.operators("SUPABASE_ACCESS_TOKEN", "Supabase's Management API was not queried")?;
        let project = self
            .settings
            .find("SUPABASE_PROJECT_REF")
            .map_or_else(|| self.api().map(Api::project), |setting| Ok(setting.value))?;
        Ok(ManagementClient::new(self.http.clone(), self.vendor(MANAGEMENT)?, token, project))
    }

    /// Cloudflare's API for Pages.
    ///
    /// # Errors
    /// Not run where no token or no account is given.
    pub fn pages(&self) -> Verdict<PagesClient> {
        let project = self.contract.release()?.pages_project.clone();
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded {
            let (token, account) = (portal.platform_token().to_owned(), portal.cloudflare_account().to_owned());
            let base = portal.platform_url().clone();
            return Ok(PagesClient::new(self.http.clone(), base, token.into(), account, project));
        }
        let claim = "Cloudflare's API was not queried";
        let token = self.operators("CLOUDFLARE_API_TOKEN", claim)?;
        let account = self.operators_setting("CLOUDFLARE_ACCOUNT_ID", claim)?;
        Ok(PagesClient::new(self.http.clone(), self.vendor(CLOUDFLARE)?, token, account, project))
    }

    /// GitHub's API.
    ///
    /// # Errors
    /// Not run where no token or no repository is given.
    pub fn github(&self) -> Verdict<GithubClient> {
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded {
            let (token, base) = (portal.platform_token().to_owned(), portal.platform_url().clone());
            return Ok(GithubClient::new(self.http.clone(), base, token.into(), "sacco/portal".to_owned()));
        }
        let claim = "GitHub's API was not queried";
        let token = self.operators("GITHUB_TOKEN", claim)?;
        let repository = self.operators_setting("GITHUB_REPOSITORY", claim)?;
        let source = self.settings.find("RELEASE_SOURCE").map(|source| self.settings.path(&source));
        let cloned = source.and_then(|folder| Checkout::at(&folder).ok()?.origin());
        if let Some(cloned) = cloned.filter(|cloned| !cloned.eq_ignore_ascii_case(&repository)) {
            return Err(Failure::not_run(claim)
                .expected(format!("GITHUB_REPOSITORY={cloned}, which the release's working copy was cloned from"))
                .seen(format!("GITHUB_REPOSITORY={repository}"))
                .at(self.settings.find("GITHUB_REPOSITORY").map_or_else(String::new, |setting| setting.source))
                .advice(format!("GitHub Actions sets GITHUB_REPOSITORY to the repository whose workflow runs: write GITHUB_REPOSITORY = \"{cloned}\" into harness.toml, which counts there"))
                .shared());
        }
        Ok(GithubClient::new(self.http.clone(), self.vendor(GITHUB)?, token, repository))
    }

    /// Sentry's API, of the project that the contract names; of one environment where `SENTRY_ENVIRONMENT` names it.
    ///
    /// # Errors
    /// Not run where no token is given.
    pub fn sentry(&self) -> Verdict<SentryClient> {
        let Sentry { organization, project } = self.contract.sentry()?.clone();
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded {
            let (token, base) = (portal.platform_token().to_owned(), portal.platform_url().clone());
            return Ok(SentryClient::new(self.http.clone(), base, token.into(), organization, project, None));
        }
        let token = self.operators("SENTRY_AUTH_TOKEN", "Sentry's API was not queried")?;
        let environment = self.settings.find("SENTRY_ENVIRONMENT").map(|setting| setting.value);
        Ok(SentryClient::new(self.http.clone(), self.vendor(SENTRY_API)?, token, organization, project, environment))
    }

    /// What `look` makes of the ingest key that this run was given: a digest, a length. The key itself stays here.
    ///
    /// # Errors
    /// Not run where the key is not given.
    pub fn of_ingest_key<T>(&self, look: impl FnOnce(&str) -> T) -> Verdict<T> {
        Ok(look(self.ingest_key()?.expose_secret()))
    }

    /// The working copy that the release is made of.
    ///
    /// # Errors
    /// Not run where none is given; undecided where its history was cut off.
    pub async fn checkout(&self) -> Verdict<Checkout> {
        #[cfg(feature = "embedded")]
        if let Some(portal) = self.embedded.as_ref().filter(|portal| portal.is_of_this_project()) {
            let folder = portal.checkout().await;
            let folder = folder.map_err(|error| Failure::not_run("there is no repository").seen(error.to_string()))?;
            return Checkout::at(folder);
        }
        let folder = self.operators_setting("RELEASE_SOURCE", "the repository of the release is not known")?;
        Checkout::at(Path::new(&folder))
    }

    /// Rehearses migrations on a scratch database of this machine; no deployment is asked.
    ///
    /// # Errors
    /// Not run where there is no PostgreSQL; else as [`Rehearsal::run`].
    pub async fn rehearse(&self, rehearsal: &Rehearsal) -> Verdict<usize> {
        #[cfg(feature = "embedded")]
        {
            let scratch = portal::postgres::ScratchDatabase::start().await.map_err(|error| {
                Failure::not_run("nothing was rehearsed: there is no scratch database").seen(error.to_string())
            })?;
            rehearsal.run(&scratch.url().to_owned().into()).await
        }
        #[cfg(not(feature = "embedded"))]
        {
            let _ = rehearsal;
            Err(Failure::not_run("nothing was rehearsed: this build has no scratch database"))
        }
    }

    /// Restores a dump of the database at `url` on a scratch server of this machine, applies `pending` migrations to it, and
    /// compares the two.
    ///
    /// # Errors
    /// Not run where there is no PostgreSQL; failed where the dump cannot be restored or differs; else undecided.
    pub async fn restore(&self, url: &SecretString, pending: Vec<(String, String)>) -> Verdict<Restored> {
        let claim = "nothing was restored";
        #[cfg(feature = "embedded")]
        {
            let not_run = |error: portal::Error| Failure::not_run(claim).seen(error.to_string());
            let programs = portal::postgres::locate().map_err(not_run)?.bin;
            let scratch = portal::postgres::ScratchDatabase::start().await.map_err(not_run)?;
            Drill { programs, pending }.run(url, &scratch.url().to_owned().into()).await
        }
        #[cfg(not(feature = "embedded"))]
        {
            let _ = (url, pending);
            Err(Failure::not_run(claim).seen("this build has no scratch database"))
        }
    }

    /// The commit that is to be live: `RELEASE_COMMIT`, or what is checked out.
    ///
    /// # Errors
    /// As [`Deployment::checkout`].
    pub async fn released(&self) -> Verdict<Released> {
        let head = self.checkout().await.and_then(|checkout| checkout.head());
        match (self.settings.find("RELEASE_COMMIT"), head) {
            (None, Ok(head)) => Ok(Released { commit: head.hash, at: Some(head.time) }),
            (None, Err(failure)) => Err(failure.advice("or set RELEASE_COMMIT to the commit that is to be live")),
            (Some(commit), head) => {
                let at = head.ok().filter(|head| head.hash.starts_with(&commit.value)).map(|head| head.time);
                Ok(Released { commit: commit.value, at })
            }
        }
    }

    /// The output of the build that is to be live.
    ///
    /// # Errors
    /// Not run where none is given, or it cannot be read.
    pub fn build(&self) -> Verdict<BuildFiles> {
        #[cfg(feature = "embedded")]
        if let Some(portal) = &self.embedded {
            return Ok(portal.published().iter().map(|(path, content)| (path.clone(), content.to_vec())).collect());
        }
        let claim = "no build was looked at";
        let folder = self.operators_setting("RELEASE_DIST", claim)?;
        files(Path::new(&folder)).map_err(|error| {
            Failure::not_run(claim)
                .expected("the folder of a build, such as dist/ after npm run build")
                .seen(error.to_string())
                .at(folder)
        })
    }

    /// What the release commit builds in a clean clone, with the URL and the anon key of this deployment baked in, and the
    /// release that it is.
    ///
    /// # Errors
    /// As [`Deployment::checkout`]; failed where it does not build; not run where there is no program for it; undecided where it
    /// takes too long, or a registry is out of reach.
    pub async fn rebuilt(&self) -> Verdict<(BuildFiles, Released)> {
        let (checkout, released) = (self.checkout().await?, self.released().await?);
        let (wanted, commit, api) = (self.contract.rebuild()?.clone(), released.commit.clone(), self.api()?);
        let url = api.url.as_str().trim_end_matches('/').to_owned();
        let baked = vec![
            ("VITE_SUPABASE_URL".into(), url.into()),
            ("VITE_SUPABASE_ANON_KEY".into(), api.anon_key.clone().into()),
        ];
        let undecided = |seen: String| Failure::undecided("the release commit builds from a clean clone").seen(seen);
        let built = tokio::task::spawn_blocking(move || rebuild::build(&checkout, &commit, &wanted, baked)).await;
        let built = built.map_err(|error| undecided(error.to_string()))??;
        let folder = built.folder();
        let files = files(&folder).map_err(|_| {
            Failure::failed("the release commit builds from a clean clone")
                .expected(format!("files in {}", self.contract.rebuild().map_or("", |it| &it.output)))
                .seen("the build succeeded, and there is no such folder")
                .advice("correct output of [rebuild] in the contract, or what the build writes where")
        })?;
        Ok((files, released))
    }

    /// The deployment that this one is to be like: production of staging, and the other way round; a sound portal of the
    /// embedded one. Opened once.
    ///
    /// # Errors
    /// Not run where that is not configured.
    pub async fn counterpart(&self) -> Verdict<&Deployment> {
        let opened = self.counterpart.get_or_init(async || self.open_counterpart().await.map(Box::new)).await;
        opened.as_ref().map(|opened| &**opened).map_err(Failure::clone)
    }

    async fn open_counterpart(&self) -> Verdict<Deployment> {
        let target = match self.target {
            #[cfg(feature = "embedded")]
            Target::Embedded => return Box::pin(Self::open_sound()).await,
            Target::Staging => Target::Production,
            Target::Production => Target::Staging,
            target => {
                return Err(Failure::not_run(format!("{target} has no counterpart"))
                    .expected("staging or production")
                    .advice("HARNESS_TARGET=staging cargo test -p release staging"));
            }
        };
        let not_run = |seen: &str| {
            Failure::not_run(format!("{target} cannot be compared with"))
                .expected(format!(
                    "its E2E_BASE_URL, VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY in [{target}] of harness.toml"
                ))
                .seen(seen)
                .advice(format!(
                    "write them into [{target}] of harness.toml: what the environment says is taken for {} alone",
                    self.target
                ))
        };
        let opened = async { Box::pin(Self::open_with(Settings::read_beside(target)?)).await };
        let counterpart = opened.await.map_err(|error| {
            let text = error.to_string();
            not_run(text.lines().next().unwrap_or_default())
        })?;
        if counterpart.site.url("/") == self.site.url("/") || counterpart.api()?.url == self.api()?.url {
            return Err(not_run("the same deployment under two names"));
        }
        Ok(counterpart)
    }

    /// A failure of a check that a vendor's API was asked for: a token that may not is "not run", whatever else is
    /// undecided.
    pub fn vendor_failed(claim: &str, error: &ClientError) -> Failure {
        if let Some(obstacle) = error.obstacle().filter(|_| !error.is_limit()) {
            return obstacle.failure();
        }
        let (failure, advice) = match error {
            ClientError::Refused(refusal) if refusal.is_limit => {
                let again = refusal.retry_after.map_or_else(|| "later".to_owned(), |seconds| format!("in {seconds} s"));
                let text = error.to_string();
                return Failure::undecided(claim)
                    .expected("an answer of the vendor's API")
                    .seen(text)
                    .advice(format!("the token has used up what it may ask: run the check again {again}"));
            }
            ClientError::Refused(refusal) if refusal.status == StatusCode::GONE => (
                Failure::not_run(claim),
                "the vendor has switched this off for the project: look where the team keeps it instead, and sign for the step",
            ),
            ClientError::Refused(refusal)
                if matches!(refusal.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) =>
            {
                (
                    Failure::not_run(claim),
                    "the token is refused: make one that may read this project, or let it be looked at by hand",
                )
            }
            ClientError::Refused(refusal) if refusal.status == StatusCode::NOT_FOUND => (
                Failure::undecided(claim),
                "correct the project's name in the settings or in [release] of the contract",
            ),
            _ => (Failure::undecided(claim), "look at the vendor's status page, and run the check again"),
        };
        failure.expected("an answer of the vendor's API").seen(error.to_string()).advice(advice)
    }

    fn vendor(&self, (name, otherwise): (&'static str, &str)) -> Verdict<Url> {
        let url = self.settings.url(name).map_err(|error| Failure::not_run(error.to_string()).shared())?;
        let otherwise = || otherwise.parse().map_err(|_| Failure::not_run(format!("{otherwise} is no URL")));
        url.map_or_else(otherwise, Ok)
    }

    fn operators(&self, name: &str, claim: &str) -> Verdict<SecretString> {
        self.operators_setting(name, claim).map(SecretString::from)
    }

    fn operators_setting(&self, name: &str, claim: &str) -> Verdict<String> {
        let setting = self.settings.find(name).ok_or_else(|| {
            Failure::not_run(claim)
                .expected(format!("{name} in the environment or in harness.toml"))
                .seen("not set")
                .at(self.settings.looked_in())
                .advice(format!("export {name} for this run, or let a person look and sign"))
                .shared()
        })?;
        Ok(match name.starts_with("RELEASE_") {
            true => self.settings.path(&setting).display().to_string(),
            false => setting.value,
        })
    }
}

/// All files below a folder.
fn files(root: &Path) -> std::io::Result<BuildFiles> {
    let (mut files, mut folders) = (BuildFiles::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir()? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(files)
}
