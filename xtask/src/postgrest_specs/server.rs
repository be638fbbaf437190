//! The embedded REST server with the specs' own schema, and the settings that each spec is run with.

use std::{fs, path::Path, process::Command};

use hosted_project::{Extensions, statements};
use portal::Portal;
use regex::Regex;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::Error;

/// The server, and its database as the superuser.
pub struct Server {
    pub portal: Portal,
    database: PgConnection,
    /// What a statement begins with that changes a setting of the server.
    role: String,
    /// The settings that are in force.
    settings: String,
    /// What the database refused of the fixtures.
    pub refused: Vec<String>,
    pub version: i64,
}

/// Settings of the server by name.
type Settings = [(&'static str, &'static str)];

/// What `Main.hs` runs a spec with, where that is not what it runs most with.
const SETTINGS: [(&str, &str, &Settings); 18] = [
    ("AggregateFunctionsSpec", "allowed", &[("pgrst.db_aggregates_enabled", "true")]),
    ("AsymmetricJwtSpec", "spec", &[("pgrst.jwt_secret", "of its own")]),
    ("AudienceJwtSecretSpec", "spec", &[("pgrst.jwt_aud", "youraudience")]),
    ("BinaryJwtSecretSpec", "spec", &[("pgrst.jwt_secret_is_base64", "true")]),
    ("ExtraSearchPathSpec", "spec", EXTRA_PATH),
    ("MultipleSchemaSpec", "spec", &[("pgrst.db_schemas", r#"v1, v2, SPECIAL "@/\#~_-"#)]),
    ("NoAnonSpec", "spec", &[("pgrst.db_anon_role", "")]),
    ("NoJwtSpec", "spec", &[("pgrst.jwt_secret", "")]),
    ("PgSafeUpdateSpec", "spec", &[("pgrst.db_pre_request", "test.load_safeupdate")]),
    ("PlanSpec", "spec", &[("pgrst.db_plan_enabled", "true")]),
    ("PostGISSpec", "spec", EXTRA_PATH),
    ("QueryLimitedSpec", "spec", &[("pgrst.db_max_rows", "2")]),
    ("RollbackSpec", "disallowed", &[("pgrst.db_tx_end", "commit")]),
    ("RollbackSpec", "forced", &[("pgrst.db_tx_end", "rollback")]),
    ("RootSpec", "spec", &[("pgrst.db_root_spec", "root")]),
    ("RpcPreRequestGucsSpec", "spec", &[("pgrst.db_pre_request", "test.custom_headers")]),
    ("SpreadQueriesSpec", "aggEnabledSpec", &[("pgrst.db_aggregates_enabled", "true")]),
    ("UnicodeSpec", "spec", &[("pgrst.db_schemas", "تست")]),
];

const EXTRA_PATH: &Settings = &[("pgrst.db_extra_search_path", r#"public, extensions, EXTRA "@/\#~_-"#)];

/// What most specs are run with: `baseCfg` of `SpecHelper.hs`.
const BASE: &Settings = &[
    ("pgrst.db_anon_role", "postgrest_test_anonymous"),
    ("pgrst.db_extra_search_path", ""),
    ("pgrst.db_max_rows", "1000000"),
    ("pgrst.db_pre_request", "test.switch_role"),
    ("pgrst.db_schemas", "test"),
    ("pgrst.db_tx_end", "rollback-allow-override"),
];

/// What `RangeSpec` counts by, as `Main.hs` has it.
const ANALYZE: &str = "analyze test.items; analyze test.child_entities";

impl Server {
    /// Starts it with what is in `specs/fixtures`, and the secret of `specs/SpecHelper.hs`.
    ///
    /// # Errors
    /// When there are no fixtures, or psql or the portal fails.
    pub async fn start(specs: &Path) -> Result<Self, Error> {
        let nothing = tempfile::tempdir()?;
        fs::write(nothing.path().join("00000000000000_nothing.sql"), "select 1;")?;
        let secret = secret(&specs.join("SpecHelper.hs"))?;
        let portal = Portal::builder().migrations(nothing.path()).jwt_secret(secret).start().await?;
        let mut database = PgConnection::connect(portal.database_url()).await?;
        // The fixtures make it themselves.
        let cleared = "drop extension if exists pgcrypto cascade; drop schema public cascade";
        sqlx::raw_sql(cleared).execute(&mut database).await?;
        let available: Vec<String> =
            sqlx::query_scalar("select name from pg_available_extensions").fetch_all(&mut database).await?;
        let refused = load(&specs.join("fixtures"), portal.database_url(), Extensions::new(available))?;
        sqlx::raw_sql(ANALYZE).execute(&mut database).await?;
        let name: String = sqlx::query_scalar("select current_database()").fetch_one(&mut database).await?;
        // Sessions have it from their start, so none may be older.
        let for_functions = format!(
            "alter database \"{name}\" set app.settings.app_host = 'localhost';
             select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'"
        );
        sqlx::raw_sql(AssertSqlSafe(for_functions)).execute(&mut database).await?;
        let version: String = sqlx::query_scalar("show server_version_num").fetch_one(&mut database).await?;
        let version = version.parse::<i64>()? / 10_000;
        let role = format!("alter role authenticator in database \"{name}\"");
        Ok(Self { portal, database, role, settings: String::new(), refused, version })
    }

    /// Puts the settings of a spec in force.
    ///
    /// # Errors
    /// When the database refuses them.
    pub async fn set(&mut self, file: &str, spec: &str) -> Result<(), Error> {
        let own = SETTINGS.iter().find(|(of, name, _)| *of == file && *name == spec).map_or(&[][..], |(.., own)| own);
        let role = &self.role;
        let mut sql = format!("{role} reset all;");
        for (name, value) in BASE.iter().chain(own) {
            sql += &format!("{role} set \"{name}\" = '{value}';");
        }
        if sql != self.settings {
            sqlx::raw_sql(AssertSqlSafe(sql.as_str())).execute(&mut self.database).await?;
            self.settings = sql;
        }
        Ok(())
    }

    /// Whether the fixtures make nothing of this name: the spec is of a later version than they are.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn lacks(&mut self, name: &str) -> Result<bool, Error> {
        let none = "select not exists (select from pg_class where relname = $1)
            and not exists (select from pg_proc where proname = $1)
            and not exists (select from pg_constraint where conname = $1)
            and not exists (select from pg_attribute where attname = $1)";
        Ok(sqlx::query_scalar(none).bind(name).fetch_one(&mut self.database).await?)
    }
}

/// The secret that the specs' tokens are signed with.
fn secret(helper: &Path) -> Result<String, Error> {
    let source = fs::read_to_string(helper).map_err(|error| format!("{}: {error}", helper.display()))?;
    let secret = Regex::new(r#"encodeUtf8 "([^"]+)""#)?;
    let found = secret.captures(&source).ok_or_else(|| format!("{} names no secret", helper.display()))?;
    Ok(found[1].to_owned())
}

/// Runs the files that `load.sql` names, in one session of psql, and returns what was refused.
fn load(fixtures: &Path, database: &str, mut extensions: Extensions) -> Result<Vec<String>, Error> {
    let list = fixtures.join("load.sql");
    let list = fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    let translated = tempfile::tempdir()?;
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=0", "-v", "PGUSER=authenticator", "-v", "DBNAME=postgres"]);
    for name in list.lines().filter_map(|line| line.trim().strip_prefix("\\ir ")) {
        let file = fixtures.join(name.trim());
        let sql = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let file = translated.path().join(name.trim());
        fs::write(&file, without_missing(&sql, &mut extensions))?;
        psql.arg("-f").arg(file);
    }
    let output = psql.arg(database).output().map_err(|error| format!("psql cannot be run: {error}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    Ok(errors
        .lines()
        .filter_map(|line| {
            let (place, error) = line.split_once(": ERROR:  ")?;
            if error == "schema \"extensions\" already exists" {
                return None;
            }
            Some(format!("{}: {error}", place.rsplit('/').next().unwrap_or(place)))
        })
        .collect())
}

/// Stand-ins for extensions that the server has not.
fn without_missing(sql: &str, extensions: &mut Extensions) -> String {
    let mut text = sql.to_owned();
    for statement in statements(sql) {
        let translated = extensions.translated(&statement.sql);
        if translated != statement.sql {
            text = text.replacen(&statement.sql, &translated, 1);
        }
    }
    text
}
