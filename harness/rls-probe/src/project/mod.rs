//! A project's migrations, made into a database of their own: what hosted projects have, then file by file.

mod applied;
mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection,
    postgres::{PgConnectOptions, PgDatabaseError},
};
use uuid::Uuid;

use hosted_project::{ALWAYS, Extensions, SERVICES, Statement, statements};

use self::{
    applied::{begins_or_ends, is_missing, is_needless, made_early, missed, set, tried},
    server::Server,
};
use crate::error::Error;

const PLATFORM: &str = include_str!("platform.sql");

/// Makes the buckets that policies of files name; one whose files a policy shows to everybody is public.
const BUCKETS: &str = "insert into storage.buckets (id, name, public) select named[1], named[1], bool_or(cmd = 'SELECT' and roles && '{anon,public}' and qual ~ '^.bucket_id = ''[^'']+''::text.$') from pg_policies, regexp_matches(concat_ws(' ', qual, with_check), 'bucket_id = ''([^'']+)''', 'g') named where schemaname = 'storage' and tablename = 'objects' group by named[1] on conflict do nothing";

/// A database that was made of migrations, and goes with [`Project::remove`].
pub struct Project {
    /// The server, where it is ours.
    _server: Option<Server>,
    admin: PgConnectOptions,
    name: String,
    /// How the database is reached.
    pub url: String,
    /// Statements that could not be run, each with its file and line.
    pub skipped: Vec<Skipped>,
}

/// A statement that could not be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub file: String,
    /// Where the statement begins.
    pub line: usize,
    /// What the database answered.
    pub why: String,
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

impl Project {
    /// Makes it: of a folder like `supabase/migrations`, or of one file, such as a dump. Where no server is named, one is
    /// started for as long as this value lives. With `keep_going`, what cannot be run is left out and told.
    ///
    /// # Errors
    /// When there is no server, nothing to run, or a statement cannot be run.
    pub async fn make(path: &Path, server: Option<&str>, keep_going: bool) -> Result<Self, Error> {
        let files = files(path)?;
        let own = if server.is_none() { Some(Server::start()?) } else { None };
        let url = own.as_ref().map(|own| own.url("postgres")).or(server.map(str::to_owned)).unwrap_or_default();
        let admin = PgConnectOptions::from_str(&url).map_err(|_| Error::Url)?;
        let name = format!("rls_probe_{}", &Uuid::new_v4().simple().to_string()[..12]);
        run(&admin, &format!("create database {name} template template0")).await?;
        let url = match &own {
            Some(own) => own.url(&name),
            None => admin.clone().database(&name).to_url_lossy().to_string(),
        };
        let mut project = Self { _server: own, admin, name, url, skipped: Vec::new() };
        let loaded = project.load(&files, keep_going).await;
        if let Err(error) = loaded {
            project.remove().await?;
            return Err(error);
        }
        Ok(project)
    }

    async fn load(&mut self, files: &[PathBuf], keep_going: bool) -> Result<(), Error> {
        let options = self.admin.clone().database(&self.name);
        let mut connection = connect(&options).await?;
        for sql in [PLATFORM, SERVICES] {
            let made = connection.execute(sqlx::raw_sql(sql)).await;
            made.map_err(|error| Error::Server(said(&error).1))?;
        }
        connection.close().await.map_err(|error| Error::Server(said(&error).1))?;
        // A new session has the settings that the platform gives to the database.
        let mut connection = connect(&options).await?;
        let available = sqlx::query_scalar::<_, String>("select name from pg_available_extensions");
        let available = available.fetch_all(&mut connection).await.map_err(|error| Error::Server(said(&error).1))?;
        let mut extensions = Extensions::new(available);
        for always in ALWAYS {
            if let Some(sql) = extensions.missing(always) {
                let made = connection.execute(sqlx::raw_sql(sql)).await;
                made.map_err(|error| Error::Server(said(&error).1))?;
            }
        }
        let mut late = Vec::new();
        for file in files {
            let text =
                fs::read_to_string(file).map_err(|error| Error::File(file.display().to_string(), error.to_string()))?;
            let mut is_within = false;
            for Statement { line, sql, .. } in statements(&text) {
                let sql = extensions.translated(&sql);
                is_within = begins_or_ends(&sql).unwrap_or(is_within);
                let Some((code, message)) = tried(&mut connection, &sql, is_within).await? else { continue };
                if is_needless(&sql, &code) {
                    continue;
                }
                let skipped = Skipped { file: file.display().to_string(), line, why: format!("{code} {message}") };
                let is_late = made_early(&mut connection, &sql, &code, is_within).await?;
                if is_late || keep_going && is_missing(&code) {
                    late.push((skipped, sql));
                } else if keep_going {
                    self.skipped.push(skipped);
                } else {
                    return Err(Error::MigrationFile(skipped.to_string()));
                }
            }
            // What a file sets is for its own session; a transaction that it left open ends with it.
            let reset = "rollback; reset session authorization; reset role; reset all";
            connection.execute(sqlx::raw_sql(reset)).await.map_err(|error| Error::Server(said(&error).1))?;
        }
        // Buckets are often made by hand; policies say which there are.
        set(&mut connection, BUCKETS).await?;
        for skipped in missed(&mut connection, late).await? {
            if !keep_going {
                return Err(Error::MigrationFile(skipped.to_string()));
            }
            self.skipped.push(skipped);
        }
        connection.close().await.map_err(|error| Error::Server(said(&error).1))
    }

    /// Removes the database.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn remove(self) -> Result<(), Error> {
        run(&self.admin, &format!("drop database if exists {} with (force)", self.name)).await
    }
}

/// The files of a folder in their order, or the one file.
fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let broken = |error: std::io::Error| Error::File(path.display().to_string(), error.to_string());
    let entries = fs::read_dir(path).map_err(broken)?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    if files.is_empty() {
        return Err(Error::File(path.display().to_string(), "there is no .sql file in it".to_owned()));
    }
    Ok(files)
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    let options = options.clone().statement_cache_capacity(0);
    PgConnection::connect_with(&options).await.map_err(|error| Error::Connect(said(&error).1))
}

async fn run(options: &PgConnectOptions, sql: &str) -> Result<(), Error> {
    let mut connection = connect(options).await?;
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await;
    done.map_err(|error| Error::Server(said(&error).1))?;
    connection.close().await.map_err(|error| Error::Server(said(&error).1))
}

/// A database's SQLSTATE and words, without the address and what else may be in an error.
fn said(error: &sqlx::Error) -> (String, String) {
    match error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()) {
        Some(error) => (error.code().to_owned(), error.message().to_owned()),
        None => (String::new(), error.to_string()),
    }
}
