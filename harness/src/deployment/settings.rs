//! Configuration: the environment over `harness.toml`. One vocabulary serves both: a table of `harness.toml` holds,
//! per target, the very names that the team's environment variables have.
//!
//! ```toml
//! [staging]
//! E2E_BASE_URL = "https://staging.your-domain.com"
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Once,
};

use percent_encoding::percent_decode_str;
use reqwest::Certificate;
use secrecy::SecretString;
use url::Url;

use super::{Error, local};
use crate::{network::Elsewhere, redaction, target::Target, workspace::root};

/// The names that mean something, apart from `E2E_<PERSONA>_EMAIL` and `E2E_<PERSONA>_PASSWORD`.
const NAMES: [&str; 31] = [
    "CLOUDFLARE_ACCOUNT_ID",
    "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_API_URL",
    "E2E_BASE_URL",
    "E2E_INSTITUTION_A_ID",
    "E2E_INSTITUTION_B_ID",
    "GITHUB_API_URL",
    "GITHUB_REPOSITORY",
    "GITHUB_TOKEN",
    "HARNESS_ALLOW_WRITES",
    "HARNESS_CANARY_INSTITUTION",
    CERTIFICATE,
    "HARNESS_CONTRACT",
    HOST,
    SETTINGS,
    "HARNESS_TARGET",
    "INGEST_API_KEY",
    "INGEST_API_KEY_PREVIOUS",
    "RELEASE_COMMIT",
    "RELEASE_DIST",
    "RELEASE_SOURCE",
    "SENTRY_AUTH_TOKEN",
    "SENTRY_ENVIRONMENT",
    "SENTRY_URL",
    "SUPABASE_ACCESS_TOKEN",
    "SUPABASE_DB_URL",
    "SUPABASE_MANAGEMENT_URL",
    "SUPABASE_PROJECT_REF",
    "SUPABASE_SERVICE_ROLE_KEY",
    "VITE_SUPABASE_ANON_KEY",
    "VITE_SUPABASE_URL",
];

/// Names the file that the others may stand in.
const SETTINGS: &str = "HARNESS_SETTINGS";

/// Name a host that is served elsewhere, as `host=address fingerprint`, and the file of its certificate.
const HOST: &str = "HARNESS_HOST";
const CERTIFICATE: &str = "HARNESS_CERTIFICATE";

/// Names whose values are secrets.
const SECRETS: [&str; 8] = [
    "CLOUDFLARE_API_TOKEN",
    "GITHUB_TOKEN",
    "INGEST_API_KEY",
    "INGEST_API_KEY_PREVIOUS",
    "SENTRY_AUTH_TOKEN",
    "SUPABASE_ACCESS_TOKEN",
    "SUPABASE_DB_URL",
    "SUPABASE_SERVICE_ROLE_KEY",
];

/// Names of the team's accounts, and so of all its deployments.
const OF_ACCOUNTS: [&str; 8] = [
    "CLOUDFLARE_ACCOUNT_ID",
    "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_API_URL",
    "HARNESS_CONTRACT",
    "SENTRY_AUTH_TOKEN",
    "SENTRY_URL",
    "SUPABASE_ACCESS_TOKEN",
    "SUPABASE_MANAGEMENT_URL",
];

/// Set by GitHub Actions in each of its workflows.
const IN_ACTIONS: &str = "GITHUB_ACTIONS";

/// What it sets as well, to the repository whose workflow runs, which need not be the portal's.
const OF_ACTIONS: [&str; 2] = ["GITHUB_API_URL", "GITHUB_REPOSITORY"];

type Table = BTreeMap<String, toml::Spanned<String>>;

/// A file with a target's variables, such as `staging.env`, and what it says.
type Variables = (PathBuf, BTreeMap<String, String>);

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub value: String,
    pub source: String,
}

/// All that is configured for the target.
#[derive(Debug)]
pub(super) struct Settings {
    environment: BTreeMap<String, String>,
    file: Option<PathBuf>,
    tables: BTreeMap<String, Table>,
    /// Beside the file of settings, and in the place of the target's table there: two deployments are not mixed.
    variables: Option<Variables>,
    /// What the Supabase CLI says of its own stack, where nothing else says where the project is.
    stack: local::Reported,
    target: Option<Target>,
}

impl Settings {
    /// Reads the environment and the file of settings.
    pub fn read() -> Result<Self, Error> {
        Self::of(environment(), &settings_file())?.with_stack(local::reported)
    }

    /// As far as it is said: of a stack that does not answer nothing is known.
    pub fn said(target: Option<Target>) -> Result<Self, Error> {
        let mut environment = environment();
        environment.extend(target.map(|target| ("HARNESS_TARGET".to_owned(), target.to_string())));
        let of_stack = |folder: &Path| Ok(local::reported(folder).unwrap_or_default());
        Self::of(environment, &settings_file())?.with_stack(of_stack)
    }

    /// As if the environment named this target.
    pub fn read_as(target: Target) -> Result<Self, Error> {
        let mut environment = environment();
        environment.insert("HARNESS_TARGET".to_owned(), target.to_string());
        Self::of(environment, &settings_file())?.with_stack(local::reported)
    }

    /// Of another target than the environment's: what the environment says of one deployment is not true of two.
    pub fn read_beside(target: Target) -> Result<Self, Error> {
        let mut environment = environment();
        environment.retain(|name, _| OF_ACCOUNTS.contains(&name.as_str()));
        environment.insert("HARNESS_TARGET".to_owned(), target.to_string());
        Self::of(environment, &settings_file())?.with_stack(local::reported)
    }

    pub(super) fn of(environment: BTreeMap<String, String>, path: &Path) -> Result<Self, Error> {
        let is_named = environment.contains_key(SETTINGS);
        let (file, tables) = match fs::read_to_string(path) {
            Ok(text) => (Some(path.to_owned()), tables(path, &text)?),
            Err(error) if error.kind() == ErrorKind::NotFound && !is_named => (None, BTreeMap::new()),
            Err(source) => return Err(Error::UnreadableSettings { path: path.to_owned(), source }),
        };
        let stack = local::Reported::new();
        let mut settings = Self { environment, file, tables, variables: None, stack, target: None };
        let target = settings.choose()?;
        settings.target = Some(target);
        if target != Target::Embedded {
            settings.variables = variables(&path.with_file_name(format!("{target}.env")))?;
        }
        Ok(settings)
    }

    /// With what the Supabase CLI says of the stack of the working copy, for the target `local`. Two projects are not
    /// mixed: whoever says where the project is, or has a key to it, says the rest as well.
    fn with_stack(mut self, ask: impl FnOnce(&Path) -> Result<local::Reported, local::Problem>) -> Result<Self, Error> {
        let is_said = ["VITE_SUPABASE_URL", "VITE_SUPABASE_ANON_KEY"].iter().any(|name| self.find(name).is_some());
        if self.target == Some(Target::Local) && !is_said {
            let folder = self.find("RELEASE_SOURCE").map_or_else(root, |source| self.path(&source));
            self.stack = ask(&folder)?;
        }
        Ok(self)
    }

    fn choose(&self) -> Result<Target, Error> {
        let base_url = self.environment.get("E2E_BASE_URL");
        let Some(name) = self.environment.get("HARNESS_TARGET") else {
            return Ok(if base_url.is_some() { Target::Unnamed } else { Target::Embedded });
        };
        let target = name.parse().map_err(|_| Error::UnknownTarget { name: name.clone() })?;
        match (target, base_url) {
            (Target::Embedded, Some(url)) => Err(Error::ContradictoryTarget { url: url.clone() }),
            _ => Ok(target),
        }
    }

    /// The chosen target.
    pub fn target(&self) -> Result<Target, Error> {
        self.target.map_or_else(|| self.choose(), Ok)
    }

    /// A value by its name, from the environment or else from the target's table; of what GitHub Actions sets by itself,
    /// the other way round.
    pub fn find(&self, name: &str) -> Option<Setting> {
        let is_ambient = OF_ACTIONS.contains(&name) && self.environment.contains_key(IN_ACTIONS);
        let in_table = || self.tables.get(&self.target?.to_string())?.get(name);
        if let Some(value) = self.environment.get(name).filter(|_| !is_ambient || in_table().is_none()) {
            return Some(Setting { value: value.clone(), source: format!("the environment variable {name}") });
        }
        self.written(name).or_else(|| {
            let value = self.stack.get(name)?.clone();
            Some(Setting { value, source: format!("{name}, as supabase status has it") })
        })
    }

    /// A value as the Supabase CLI reports it of its own stack, whatever else is said.
    pub fn reported(&self, name: &str) -> Option<&str> {
        self.stack.get(name).map(String::as_str)
    }

    /// A value that stands in a file.
    fn written(&self, name: &str) -> Option<Setting> {
        if let Some((path, variables)) = &self.variables {
            return Some(Setting {
                value: variables.get(name)?.clone(),
                source: format!("{name} in {}", path.display()),
            });
        }
        let table = self.target?.to_string();
        let value = self.tables.get(&table)?.get(name)?.get_ref().clone();
        let file = self.file.as_deref().unwrap_or(Path::new("harness.toml")).display();
        Some(Setting { value, source: format!("{name} in [{table}] of {file}") })
    }

    /// A value that has to be an `http` or `https` URL.
    pub fn url(&self, name: &str) -> Result<Option<Url>, Error> {
        let Some(Setting { value, source }) = self.find(name) else { return Ok(None) };
        match Url::parse(&value) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(url)),
            _ => Err(Error::NotAUrl { value, place: source }),
        }
    }

    /// A path: relative to the file that names it, or to the workspace. The current folder of a test is its package's,
    /// and that of `release-check` is anywhere.
    pub fn path(&self, setting: &Setting) -> PathBuf {
        let from_environment = setting.source.starts_with("the environment");
        let file = self.variables.as_ref().map(|(path, _)| path.as_path()).or(self.file.as_deref());
        let folder = file.and_then(Path::parent).filter(|_| !from_environment);
        folder.map_or_else(root, Path::to_owned).join(&setting.value)
    }

    /// Everybody with both variables of an account, by name.
    pub fn personas(&self) -> Vec<(String, String, SecretString)> {
        let names = self.environment.keys().chain(self.variables.iter().flat_map(|(_, variables)| variables.keys()));
        let in_table = self.target.and_then(|target| self.tables.get(&target.to_string()));
        let names = names.chain(in_table.into_iter().flat_map(BTreeMap::keys));
        let names = names.filter_map(|name| name.strip_prefix("E2E_")?.strip_suffix("_EMAIL"));
        let names: BTreeSet<_> = names.map(str::to_owned).collect();
        let account = |name: String| {
            let (email, password) =
                (self.find(&format!("E2E_{name}_EMAIL"))?, self.find(&format!("E2E_{name}_PASSWORD"))?);
            Some((name, email.value, SecretString::from(password.value)))
        };
        names.into_iter().filter_map(account).collect()
    }

    /// The host that is served elsewhere, if there is one.
    pub fn elsewhere(&self) -> Result<Option<Elsewhere>, Error> {
        let Some(said) = self.find(HOST) else { return Ok(None) };
        let bad = |name, why: &str| Error::BadHost { name, why: why.to_owned() };
        let read = said.value.split_once('=').and_then(|(host, rest)| {
            let (address, fingerprint) = rest.split_once(' ')?;
            Some((host.to_owned(), address.parse().ok()?, fingerprint.to_owned()))
        });
        let (host, address, fingerprint) = read.ok_or_else(|| bad(HOST, "expected host=address:port fingerprint"))?;
        let file = self.find(CERTIFICATE).ok_or_else(|| bad(CERTIFICATE, "it is not set"))?;
        let text = fs::read(self.path(&file)).map_err(|error| bad(CERTIFICATE, &format!("{}: {error}", file.value)))?;
        let certificate = Certificate::from_pem(&text).map_err(|error| bad(CERTIFICATE, &error.to_string()))?;
        Ok(Some(Elsewhere { host, address, fingerprint, certificate }))
    }

    /// The error for a value that has to be there.
    pub fn missing(&self, name: &'static str) -> Error {
        Error::Missing { name, looked_in: self.looked_in() }
    }

    /// The `names` that have no value, joined for a sentence.
    pub fn names_missing(&self, names: &[&str]) -> String {
        let missing: Vec<_> = names.iter().copied().filter(|name| self.find(name).is_none()).collect();
        missing.join(" and ")
    }

    /// Where values are looked for.
    pub fn looked_in(&self) -> String {
        let target = self.target.unwrap_or(Target::Embedded);
        match &self.file {
            _ if self.variables.is_some() => format!("looked in the environment and in {target}.env"),
            Some(_) => format!("looked in the environment and in [{target}] of harness.toml"),
            None => "looked in the environment; there is no harness.toml".to_owned(),
        }
    }

    /// All that is configured, of whatever target.
    fn all(&self) -> impl Iterator<Item = (&str, &String)> {
        let in_file = self.tables.values().flatten().map(|(name, value)| (name.as_str(), value.get_ref()));
        let of_stack = self.stack.iter().map(|(name, value)| (*name, value));
        let of_variables = self.variables.iter().flat_map(|(_, variables)| variables);
        let named = self.environment.iter().chain(of_variables).map(|(name, value)| (name.as_str(), value));
        named.chain(in_file).chain(of_stack)
    }

    /// The values that everybody may read.
    pub fn public(&self) -> Vec<String> {
        let public = |(name, value): &(&str, &String)| !is_secret(name) && credentials(value).is_empty();
        self.all().filter(public).map(|(_, value)| value.clone()).collect()
    }

    /// The values that are secrets, and what stands before the host of any URL.
    pub fn secrets(&self) -> Vec<String> {
        let urls = ELSEWHERE.iter().filter_map(|name| env::var(name).ok()).flat_map(|value| credentials(&value));
        let own = self.all().flat_map(|(name, value)| {
            let whole = is_secret(name).then(|| value.clone());
            whole.into_iter().chain(credentials(value))
        });
        own.chain(urls).collect()
    }
}

fn is_secret(name: &str) -> bool {
    name.ends_with("_PASSWORD") || SECRETS.contains(&name)
}

/// Variables of other modules that hold a URL, and with it perhaps a password.
const ELSEWHERE: [&str; 2] = ["WEBDRIVER_URL", "DATABASE_URL"];

/// A name before the host of a URL that is as long as this is no name, in letters.
const SHORTEST_TOKEN: usize = 20;

/// User and password of a URL, as they are written and as they are meant.
fn credentials(value: &str) -> Vec<String> {
    let Some(url) = Url::parse(value).ok().filter(|url| url.password().is_some() || !url.username().is_empty()) else {
        return Vec::new();
    };
    let meant = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    match url.password() {
        Some(password) => {
            vec![format!("{}:{password}@", url.username()), password.to_owned(), meant(password)]
        }
        // A token alone stands where the user does; a user alone is no secret.
        None if url.username().len() < SHORTEST_TOKEN => Vec::new(),
        None => vec![format!("{}@", url.username()), url.username().to_owned(), meant(url.username())],
    }
}

/// Lets the process know the secrets that are configured, as far as they can be read: before there is a deployment.
pub(crate) fn know_secrets_of_environment() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let read = Settings::said(None).unwrap_or_else(|_| Settings {
            environment: environment(),
            file: None,
            tables: BTreeMap::new(),
            variables: None,
            stack: local::Reported::new(),
            target: None,
        });
        redaction::know(read.secrets(), read.public());
    });
}

/// What the environment says of names that mean something.
/// The file with a table of settings for each target: the one that `HARNESS_SETTINGS` names, which has to be there, or
/// else the workspace's `harness.toml`.
pub fn settings_file() -> PathBuf {
    root().join(environment().remove(SETTINGS).unwrap_or_else(|| "harness.toml".to_owned()))
}

fn environment() -> BTreeMap<String, String> {
    env::vars()
        .filter(|(name, value)| (is_known(name) || name == IN_ACTIONS) && !value.trim().is_empty())
        .map(|(name, value)| (name, value.trim().to_owned()))
        .collect()
}

fn is_known(name: &str) -> bool {
    NAMES.contains(&name) || (name.starts_with("E2E_") && (name.ends_with("_EMAIL") || name.ends_with("_PASSWORD")))
}

fn tables(path: &Path, text: &str) -> Result<BTreeMap<String, Table>, Error> {
    let broken = |offset: usize, what: String| {
        let line = text.get(..offset).unwrap_or(text).matches('\n').count() + 1;
        Error::BadSettings { path: path.to_owned(), line, what }
    };
    let tables: BTreeMap<String, Table> = toml::from_str(text)
        .map_err(|error| broken(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
    for (target, table) in &tables {
        if target.parse::<Target>().is_err() {
            let offset = text.find(&format!("[{target}]")).unwrap_or(0);
            return Err(broken(offset, format!("[{target}] is not a target; known targets: {}", targets())));
        }
        for (name, value) in table {
            if !is_known(name) {
                return Err(broken(
                    value.span().start,
                    format!("there is no setting {name}; known settings: {}", NAMES.join(", ")),
                ));
            }
        }
    }
    Ok(tables)
}

/// What a file of variables says of names that mean something; others in it are for other programs.
fn variables(path: &Path) -> Result<Option<Variables>, Error> {
    if !path.is_file() {
        return Ok(None);
    }
    let read = dotenvy::from_path_iter(path).and_then(Iterator::collect::<Result<BTreeMap<_, _>, _>>);
    let mut read = read.map_err(|source| Error::BadVariables { path: path.to_owned(), source })?;
    read.retain(|name, value: &mut String| is_known(name) && !value.trim().is_empty());
    Ok(Some((path.to_owned(), read)))
}

/// The names of the targets, joined for a sentence.
pub(super) fn targets() -> String {
    Target::NAMED.map(|target| target.to_string()).join(", ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn settings(environment: &[(&str, &str)], file: &str) -> Result<Settings, Error> {
        let folder = env::temp_dir().join(format!("settings-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("harness.toml");
        if !file.is_empty() {
            fs::write(&path, file).unwrap();
        }
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::of(environment, &path);
        fs::remove_dir_all(&folder).unwrap();
        settings
    }

    fn shown(environment: &[(&str, &str)], file: &str) -> String {
        let error =
            settings(environment, file).and_then(|settings| settings.url("E2E_BASE_URL").map(|_| ())).unwrap_err();
        let text = error.to_string();
        let folder = env::temp_dir().display().to_string();
        regex::Regex::new(&format!("{folder}/settings-[^/]*/")).unwrap().replace_all(&text, "").into_owned()
    }

    #[test]
    fn nothing_configured_is_the_embedded_portal() {
        assert_eq!(settings(&[], "").unwrap().target().unwrap(), Target::Embedded);
    }

    #[test]
    fn a_file_that_is_named_has_to_be_there() {
        assert_snapshot!(shown(&[("HARNESS_SETTINGS", "no.toml")], ""), @"
        the settings harness.toml cannot be read: No such file or directory (os error 2)
        set HARNESS_SETTINGS to a file that can be read, or unset it for harness.toml
        ");
    }

    #[test]
    fn a_base_url_alone_is_an_unnamed_deployment() {
        let settings = settings(&[("E2E_BASE_URL", "https://your-domain.com")], "").unwrap();
        assert_eq!(settings.target().unwrap(), Target::Unnamed);
        assert_eq!(settings.url("E2E_BASE_URL").unwrap().unwrap().as_str(), "https://your-domain.com/");
    }

    #[test]
    fn the_environment_wins_over_the_file_and_each_says_its_source() {
        let file = "[staging]\nE2E_BASE_URL = \"https://file.example\"\nVITE_SUPABASE_URL = \"https://api.example\"\n";
        let settings =
            settings(&[("HARNESS_TARGET", "staging"), ("E2E_BASE_URL", "https://environment.example")], file).unwrap();
        assert_eq!(settings.find("E2E_BASE_URL").unwrap().value, "https://environment.example");
        let from_file = settings.find("VITE_SUPABASE_URL").unwrap();
        assert_eq!(from_file.value, "https://api.example");
        assert!(from_file.source.starts_with("VITE_SUPABASE_URL in [staging] of "), "{}", from_file.source);
    }

    #[test]
    fn what_github_actions_sets_by_itself_does_not_win_over_the_file() {
        let file = "[staging]\nGITHUB_REPOSITORY = \"sacco/portal\"\n";
        let environment = [("HARNESS_TARGET", "staging"), ("GITHUB_REPOSITORY", "sacco/checks")];
        let found = |environment: &[(&str, &str)], file: &str| {
            settings(environment, file).unwrap().find("GITHUB_REPOSITORY").unwrap().value
        };
        let in_actions = [environment.as_slice(), &[("GITHUB_ACTIONS", "true")]].concat();
        assert_eq!(found(&in_actions, file), "sacco/portal");
        assert_eq!(found(&in_actions, ""), "sacco/checks");
        assert_eq!(found(&environment, file), "sacco/checks", "somebody exported it");
    }

    #[test]
    fn a_file_of_variables_takes_the_place_of_the_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("harness.toml");
        fs::write(&path, "[staging]\nE2E_BASE_URL = \"https://table.example\"\nINGEST_API_KEY = \"of the table\"\n")
            .unwrap();
        let of = |target: &str| {
            Settings::of(BTreeMap::from([("HARNESS_TARGET".to_owned(), target.to_owned())]), &path).unwrap()
        };
        let value = |settings: &Settings, name: &str| settings.find(name).map(|setting| setting.value);
        assert_eq!(value(&of("staging"), "INGEST_API_KEY").as_deref(), Some("of the table"));
        let text = "# a portal\nE2E_BASE_URL='http://127.0.0.1:4000/'\nE2E_ADMIN_A_PASSWORD='it'\\''s'\nOTHER=1\n";
        fs::write(folder.path().join("staging.env"), text).unwrap();
        let staging = of("staging");
        assert_eq!(value(&staging, "E2E_BASE_URL").as_deref(), Some("http://127.0.0.1:4000/"));
        assert_eq!(value(&staging, "E2E_ADMIN_A_PASSWORD").as_deref(), Some("it's"));
        assert_eq!((value(&staging, "INGEST_API_KEY"), value(&staging, "OTHER")), (None, None));
        assert!(staging.secrets().contains(&"it's".to_owned()));
        assert!(staging.looked_in().ends_with("in staging.env"), "{}", staging.looked_in());
        assert_eq!(value(&of("production"), "E2E_BASE_URL"), None);
        fs::write(folder.path().join("staging.env"), "not a variable\n").unwrap();
        let error = Settings::of(BTreeMap::from([("HARNESS_TARGET".to_owned(), "staging".to_owned())]), &path);
        assert!(error.unwrap_err().to_string().contains("staging.env is no file of NAME=value lines"));
    }

    #[test]
    fn the_stack_of_the_cli_is_the_target_local_unless_the_project_is_said() {
        let stack = || {
            Ok(local::Reported::from([
                ("VITE_SUPABASE_URL", "http://127.0.0.1:54321".to_owned()),
                ("SUPABASE_SERVICE_ROLE_KEY", "of the stack".to_owned()),
            ]))
        };
        let of = |environment: &[(&str, &str)], file: &str| {
            let mut asked = None;
            let settings = settings(environment, file).unwrap().with_stack(|folder| {
                asked = Some(folder.to_owned());
                stack()
            });
            (settings.unwrap(), asked)
        };
        let local = ("HARNESS_TARGET", "local");
        let (settings, asked) =
            of(&[local, ("RELEASE_SOURCE", "/portal")], "[local]\nE2E_BASE_URL = \"http://localhost:4173\"\n");
        assert_eq!(asked.as_deref(), Some(Path::new("/portal")));
        let found = settings.find("VITE_SUPABASE_URL").unwrap();
        assert_eq!(
            (found.value.as_str(), found.source.as_str()),
            ("http://127.0.0.1:54321", "VITE_SUPABASE_URL, as supabase status has it")
        );
        assert_eq!(settings.find("E2E_BASE_URL").unwrap().value, "http://localhost:4173");
        assert!(
            settings.secrets().contains(&"of the stack".to_owned())
                && !settings.public().contains(&"of the stack".to_owned())
        );
        for (environment, file) in [
            (vec![local, ("VITE_SUPABASE_URL", "http://127.0.0.1:9")], ""),
            (vec![local], "[local]\nVITE_SUPABASE_ANON_KEY = \"another\"\n"),
            (vec![("HARNESS_TARGET", "staging")], ""),
            (vec![], ""),
        ] {
            let (settings, asked) = of(&environment, file);
            assert_eq!((asked, settings.find("SUPABASE_SERVICE_ROLE_KEY")), (None, None), "{environment:?} {file}");
        }
    }

    #[test]
    fn the_tables_of_other_targets_are_not_used() {
        let file = "[production]\nE2E_BASE_URL = \"https://production.example\"\n";
        let settings = settings(&[("HARNESS_TARGET", "staging")], file).unwrap();
        assert_eq!(settings.find("E2E_BASE_URL"), None);
    }

    #[test]
    fn what_is_wrong_is_reported() {
        assert_snapshot!(shown(&[("HARNESS_TARGET", "stagin")], ""), @r#"
        there is no target "stagin" (the environment variable HARNESS_TARGET)
        set it to one of embedded, local, staging, production, or unset it for the embedded portal
        "#);
        assert_snapshot!(shown(&[("HARNESS_TARGET", "embedded"), ("E2E_BASE_URL", "https://your-domain.com")], ""), @"
        HARNESS_TARGET=embedded and E2E_BASE_URL=https://your-domain.com contradict each other
        unset one of them: the embedded portal chooses its own address
        ");
        assert_snapshot!(shown(&[("E2E_BASE_URL", "your-domain.com")], ""), @r#"
        "your-domain.com" is not an http or https URL (the environment variable E2E_BASE_URL)
        write it with its scheme, for example https://your-domain.com
        "#);
        assert_snapshot!(shown(&[("HARNESS_TARGET", "staging")], "[staging]\nE2E_BASE_URL = \"staging\"\n"), @r#"
        "staging" is not an http or https URL (E2E_BASE_URL in [staging] of harness.toml)
        write it with its scheme, for example https://your-domain.com
        "#);
        assert_snapshot!(shown(&[], "[staging]\nBASE_URL = \"https://staging.example\"\n"), @"the settings harness.toml are wrong at line 2: there is no setting BASE_URL; known settings: CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN, CLOUDFLARE_API_URL, E2E_BASE_URL, E2E_INSTITUTION_A_ID, E2E_INSTITUTION_B_ID, GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN, HARNESS_ALLOW_WRITES, HARNESS_CANARY_INSTITUTION, HARNESS_CERTIFICATE, HARNESS_CONTRACT, HARNESS_HOST, HARNESS_SETTINGS, HARNESS_TARGET, INGEST_API_KEY, INGEST_API_KEY_PREVIOUS, RELEASE_COMMIT, RELEASE_DIST, RELEASE_SOURCE, SENTRY_AUTH_TOKEN, SENTRY_ENVIRONMENT, SENTRY_URL, SUPABASE_ACCESS_TOKEN, SUPABASE_DB_URL, SUPABASE_MANAGEMENT_URL, SUPABASE_PROJECT_REF, SUPABASE_SERVICE_ROLE_KEY, VITE_SUPABASE_ANON_KEY, VITE_SUPABASE_URL");
        assert_snapshot!(shown(&[], "\n[stageing]\nE2E_BASE_URL = \"https://staging.example\"\n"), @"the settings harness.toml are wrong at line 2: [stageing] is not a target; known targets: embedded, local, staging, production");
        assert_snapshot!(shown(&[], "[staging\n"), @"the settings harness.toml are wrong at line 1: unclosed table, expected `]`");
    }
}
