//! Programs of the npm registry that the portal and the sign-off are held against: installed below `target/`, never in the tree.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use portal::{Account, Portal};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::runtime::{Builder, Runtime};

use crate::{
    Error, Verdict,
    cargo::cargo,
    say,
    setup::root,
    soak::{Plan, Share},
};

/// The portal to hold them against, with the variables that name it.
pub struct Host {
    portal: Portal,
    runtime: Runtime,
}

impl Host {
    /// Starts a portal.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start() -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let portal = runtime.block_on(Portal::builder().start())?;
        Ok(Self { portal, runtime })
    }

    /// The team's own variables, for this portal.
    ///
    /// # Errors
    /// When the portal has no `ADMIN_A`.
    pub fn variables(&self) -> Result<[(&'static str, &str); 5], Error> {
        let is_admin = |account: &&Account| account.persona == "ADMIN_A";
        let account = self.portal.accounts().iter().find(is_admin).ok_or("the portal has no ADMIN_A")?;
        Ok([
            ("E2E_BASE_URL", self.portal.site_url().as_str()),
            ("VITE_SUPABASE_URL", self.portal.api_url().as_str()),
            ("VITE_SUPABASE_ANON_KEY", self.portal.anon_key()),
            ("E2E_ADMIN_A_EMAIL", &account.email),
            ("E2E_ADMIN_A_PASSWORD", &account.password),
        ])
    }

    /// The variables by which who sends messages meets it as a remote deployment.
    pub fn gateway_variables(&self) -> [(&'static str, String); 6] {
        [
            ("HARNESS_TARGET", "staging".to_owned()),
            ("E2E_BASE_URL", self.portal.site_url().to_string()),
            ("VITE_SUPABASE_URL", self.portal.api_url().to_string()),
            ("VITE_SUPABASE_ANON_KEY", self.portal.anon_key().to_owned()),
            ("SUPABASE_SERVICE_ROLE_KEY", self.portal.service_role_key().to_owned()),
            ("INGEST_API_KEY", self.portal.ingest_key()),
        ]
    }

    /// The endpoint that messages are sent to.
    pub fn ingest_url(&self) -> String {
        format!("{}functions/v1/sms-ingest", self.portal.api_url())
    }

    /// The endpoint's key.
    pub fn ingest_key(&self) -> String {
        self.portal.ingest_key()
    }

    /// Registers a device and answers with the body of its first message, which is as long as a soak's.
    ///
    /// # Errors
    /// When the database cannot be written to.
    pub fn message_of_a_device(&self) -> Result<String, Error> {
        let plan = Plan::of("0bea4bea", 1, Share::default());
        let message = plan.message(0);
        self.runtime.block_on(async {
            let mut database = PgConnection::connect(self.portal.database_url()).await?;
            let register = "insert into sms_sources (institution_id, name, device_identifier)
                select id, $1, $1 from institutions where status = 'ACTIVE' limit 1";
            sqlx::query(register).bind(&message.device).execute(&mut database).await?;
            database.close().await
        })?;
        Ok(message.body().to_string())
    }
}

/// Runs a script of the portal's database.
fn prepare(host: &Host, script: &str) -> Result<(), Error> {
    host.runtime.block_on(async {
        let mut database = PgConnection::connect(host.portal.database_url()).await?;
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut database).await?;
        Ok(database.close().await?)
    })
}

/// Copies `sources` (with its package.json) to a folder of that name below `target/` and installs what it needs.
///
/// # Errors
/// When npm is not there or fails.
pub fn install(sources: &Path) -> Result<PathBuf, Error> {
    let folder = root().join("target/npm").join(sources.file_name().unwrap_or_default());
    copy(sources, &folder)?;
    // Of the same versions: what was installed last stands beside it.
    let (wanted, installed) = (folder.join("package.json"), folder.join("node_modules/.installed.json"));
    if fs::read(&wanted)? != fs::read(&installed).unwrap_or_default() {
        say(&format!("npm install in {}", folder.display()));
        let npm = Command::new("npm")
            .args(["install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"])
            .current_dir(&folder)
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
            .stdout(Stdio::null())
            .status()
            .map_err(|error| format!("npm cannot be run ({error}); this needs node with npm"))?;
        if !npm.success() {
            return Err(format!("npm install failed in {}: {npm}", folder.display()).into());
        }
        fs::copy(wanted, installed)?;
    }
    Ok(folder)
}

/// Copies what is in a folder into another one.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(path, to)?;
        }
    }
    Ok(())
}

/// Whether node and npm are on this machine.
pub fn has_node() -> bool {
    ["node", "npm"].iter().all(|program| {
        let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    })
}

/// Holds the real supabase-js against the portal.
///
/// # Errors
/// When npm or the portal fails.
pub fn supabase_js() -> Verdict {
    let folder = install(&root().join("fixtures/portal/tests/supabase-js"))?;
    let host = Host::start()?;
    Ok(Command::new("node").arg("check.mjs").current_dir(folder).envs(host.variables()?).status()?.success())
}

/// Runs the real postgrest-js against the portal, on tables of each kind.
///
/// # Errors
/// When npm or the portal fails.
pub fn postgrest_js() -> Verdict {
    let tests = root().join("fixtures/portal/tests");
    let folder = install(&tests.join("postgrest-js"))?;
    let host = Host::start()?;
    prepare(&host, &fs::read_to_string(tests.join("rest/kinds.sql"))?)?;
    prepare(&host, "alter role authenticator set pgrst.db_schemas = 'public, my-api'")?;
    Ok(Command::new("node").arg("check.mjs").current_dir(folder).envs(host.variables()?).status()?.success())
}

/// Builds the portal of `fixtures/bricotheque` as its team does, and runs all suites on that build.
///
/// # Errors
/// When npm fails.
pub fn vite() -> Verdict {
    let folder = install(&root().join("fixtures/bricotheque/web"))?;
    let built = Command::new("npm").args(["run", "build", "--silent"]).current_dir(&folder).status()?;
    if !built.success() {
        return Err(format!("npm run build failed in {}: {built}", folder.display()).into());
    }
    let tests = ["test", "--package", "release-check", "--test", "it", "--", "--ignored", "another_portal"];
    Ok(cargo(&tests).status()?.success())
}
