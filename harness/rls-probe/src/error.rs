//! Why a database cannot be probed, as the person reads it who asked for it.

use crate::refused::Refused;

/// Why nothing could be probed, or not all of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a URL of PostgreSQL.
    #[error("the database URL cannot be read\nexpected  postgresql://<user>:<password>@<host>:5432/<database>")]
    Url,
    /// Nobody answers, or not with a session.
    #[error(
        "the database cannot be reached: {0}\ndo        check host, port and password; a transaction-mode pooler (port 6543) does not work"
    )]
    Connect(String),
    /// The server's major version.
    #[error("PostgreSQL {0} is too old\nexpected  PostgreSQL 14 or newer")]
    Version(i64),
    /// A role of the API that the connection cannot play.
    #[error(
        "the connection's role cannot become \"{role}\": {refused}\ndo        connect as Supabase's postgres role, or: grant anon, authenticated to <role>"
    )]
    #[allow(missing_docs, reason = "said by the variant")]
    Role { role: &'static str, refused: String },
    /// Policies bind the connection itself.
    #[error(
        "the connection's role is bound by row level security itself, and cannot see what others may not\ndo        connect as Supabase's postgres role, or as a role with BYPASSRLS"
    )]
    Bound,
    /// The catalog is not as expected.
    #[error("the catalog cannot be read: {0}")]
    Catalog(String),
    /// The schema's name.
    #[error("there is no schema \"{0}\"\ndo        name the exposed schemas in [tenancy] schemas")]
    NoSchema(String),
    /// The table's name, with the schema.
    #[error(
        "there is no table {0}\ndo        name the table of tenants and the table of members in [tenancy], with their schema"
    )]
    NoTable(String),
    /// The table, and the column that it lacks.
    #[error("the table {0} has no column \"{1}\"\ndo        correct [tenancy]")]
    NoColumn(String, String),
    /// The table of tenants, and what the database answered.
    #[error("no tenant can be made in {0}: {1}\ndo        correct [tenancy] tenant")]
    NoTenant(String, Refused),
    /// What the database answered.
    #[error("no user can be made in auth.users: {0}")]
    NoUser(Refused),
    /// Who, the table of members, and what the database answered.
    #[error("no {0} can be placed in a tenant by {1}: {2}\ndo        correct [tenancy] members")]
    NoMember(String, String, Refused),
    /// The exposed schemas, and those that have what they lack.
    #[error(
        "there is no table in {0}\ndo        name the schemas that the API exposes, with --schema or in [tenancy] schemas{1}"
    )]
    NoTables(String, String),
    /// What the database answered.
    #[error(
        "the migration cannot be run: {0}\ndo        run it after those before it, and without transactions of its own"
    )]
    Migration(String),
    /// The file and line, and what the database answered.
    #[error(
        "a migration cannot be run\nseen      {0}\ndo        mend the statement, or leave out what cannot be run: --keep-going"
    )]
    MigrationFile(String),
    /// The path, and why.
    #[error("{0} cannot be read: {1}")]
    File(String, String),
    /// Where a server of our own would be.
    #[error(
        "there is no PostgreSQL on this machine to make the migrations into a database\nexpected  initdb and postgres in PG_BIN_DIR, on PATH or in /usr/lib/postgresql\ndo        install PostgreSQL 14 or newer, or name a server with --database-url"
    )]
    NoServer,
    /// What went wrong.
    #[error("no database can be made of the migrations: {0}")]
    Server(String),
    /// The connection ended in the middle.
    #[error(
        "the connection was lost after {attempts} probes: {why}\nseen      nothing was committed: everything happened in one transaction, which ends with its connection\ndo        run it again; what {attempts} probes found is no verdict"
    )]
    #[allow(missing_docs, reason = "said by the variant")]
    Lost { why: String, attempts: u64 },
    /// A pooler that gives each transaction another connection.
    #[error(
        "the URL is that of a pooler in transaction mode\nexpected  one connection from begin to end: session mode or the direct connection, port 5432\ndo        copy the other URL from Supabase Dashboard → Connect"
    )]
    Pooler,
    /// A statement of the prober itself.
    #[error("the database refused one of the prober's own statements: {refused}\n{sql}")]
    #[allow(missing_docs, reason = "said by the variant")]
    Refused { sql: String, refused: Refused },
}
