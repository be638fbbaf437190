//! The row level security prober: given a database and a few lines about its tenancy, finds the ways by which a user
//! reads or changes what is not theirs. It makes two tenants and users of every kind inside one transaction, lets each
//! try everything, looks at what came of it as one who sees all, and rolls everything back.

mod actor;
mod arguments;
mod baseline;
mod catalog;
mod desk;
mod draft;
mod finding;
mod fix;
mod infer;
mod lint;
mod probe;
mod proof;
mod record;
mod report;
mod tenancy;
mod tie;
mod world;

use std::time::{Duration, Instant};

use self::{catalog::Catalog, desk::Desk, infer::infer, probe::Prober, world::World};

pub use self::{
    baseline::{Accepted as AcceptedFinding, Baseline, Known},
    desk::Refused,
    finding::{Effect, Finding, Severity},
    lint::Lint,
    proof::Proof,
    record::{Cause, Cell, Object, Verb},
    report::Report,
    tenancy::{Accepted, ClaimPaths, Members, Owner, Roles, Tenancy, TenantTable},
};

/// Why nothing could be probed, or not all of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No URL of PostgreSQL.
    #[error("the database URL cannot be read\nexpected  postgresql://<user>:<password>@<host>:5432/<database>")]
    Url,
    /// Nobody answers, or not us.
    #[error(
        "the database cannot be reached: {0}\ndo        look at host, port and password of the URL; a pooler in transaction mode (port 6543) will not do"
    )]
    Connect(String),
    /// Its major version.
    #[error("PostgreSQL {0} is too old\nexpected  PostgreSQL 14 or newer")]
    Version(i64),
    /// A role of the API that cannot be played.
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
    /// Its name.
    #[error("there is no schema \"{0}\"\ndo        name exposed schemas in [tenancy] schemas")]
    NoSchema(String),
    /// Its name, with the schema.
    #[error(
        "there is no table {0}\ndo        name the table of tenants and the table of members in [tenancy], with their schema"
    )]
    NoTable(String),
    /// The table, and the column that it has not.
    #[error("the table {0} has no column \"{1}\"\ndo        correct [tenancy]")]
    NoColumn(String, String),
    /// What the database said.
    #[error("no tenant can be made: {0}")]
    NoTenant(String),
    /// What the database said.
    #[error("no user can be made in auth.users: {0}")]
    NoUser(String),
    /// Who, and what the database said.
    #[error("no {0} can be placed in a tenant: {1}\ndo        correct [tenancy] members")]
    NoMember(String, String),
    /// Nothing says whose rows are.
    #[error(
        "whose rows are whose cannot be inferred: no table places users in tenants, and none refers to auth.users\ndo        say it in [tenancy]: tenant with members or claim, or owner"
    )]
    NoTenancy,
    /// What the database said.
    #[error(
        "the migration cannot be run: {0}\ndo        run it after those before it, and without transactions of its own"
    )]
    Migration(String),
    /// In the middle of it.
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
    #[error("a statement was refused that must not be: {refused}\n{sql}")]
    #[allow(missing_docs, reason = "said by the variant")]
    Refused { sql: String, refused: Refused },
}

/// Probes the database behind a URL, and leaves it as it was. With a migration, it is the database that the migration
/// would make of it: that is run first, in the transaction that is rolled back.
///
/// # Errors
/// When there is nothing to probe, or the probing cannot be ended.
pub async fn probe(url: &str, tenancy: &Tenancy, migration: Option<&str>) -> Result<Report, Error> {
    let begin = Instant::now();
    let schemas = tenancy.exposed();
    let (mut desk, before) = Desk::open(url, &schemas, migration).await?;
    for schema in &schemas {
        let known =
            desk.text("select count(*)::text from pg_namespace where nspname = any ($1)", std::slice::from_ref(schema));
        if known.await? == "0" {
            return Err(Error::NoSchema(schema.clone()));
        }
    }
    let catalog = Catalog::read(&mut desk, &schemas).await?;
    let inferred = if tenancy.is_told() { None } else { Some(infer(&catalog, schemas).ok_or(Error::NoTenancy)?) };
    let tenancy = inferred.as_ref().unwrap_or(tenancy);
    check(&catalog, tenancy)?;
    let world = World::make(&mut desk, &catalog, tenancy).await?;
    let record = Prober::run(&mut desk, &world).await?;
    let script = if record.crossings.is_empty() { String::new() } else { world.script(&mut desk).await? };
    let attempts = desk.attempts;
    let proof = desk.close(before).await?;
    Ok(Report::of(&world, script, record, proof, attempts, begin.elapsed()))
}

/// Whether the tables and columns that `[tenancy]` names are there.
fn check(catalog: &Catalog, tenancy: &Tenancy) -> Result<(), Error> {
    if let Some(members) = &tenancy.members {
        let table = catalog.named(&members.table).ok_or_else(|| Error::NoTable(members.table.clone()))?;
        let columns = [&members.user, &members.tenant].into_iter().chain(&members.role).chain(members.state.keys());
        for column in columns.chain(members.dead.iter().flat_map(|state| state.keys())) {
            if table.column(column).is_none() {
                return Err(Error::NoColumn(members.table.clone(), column.clone()));
            }
        }
    }
    Ok(())
}

/// Milliseconds, for people.
fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
