//! The row level security prober: given the URL of a Supabase or PostgreSQL database, it finds the ways by which a user
//! reads or changes what is another tenant's. It makes two tenants and users of every kind inside one transaction, lets
//! each of them try everything, looks at the effects as somebody who sees all, and rolls everything back.
//!
//! Who the tenants are and how users belong to them is a [`Tenancy`]; an empty one is inferred from the catalog. The
//! [`Report`] holds what was found, each [`Finding`] with its [`Rule`], its [`Harm`], the SQL that shows it and, where it
//! can be written, the SQL that closes it.
//!
//! ```no_run
//! use rls_probe::{Tenancy, probe};
//!
//! # async fn example() -> Result<(), rls_probe::Error> {
//! let report = probe("postgresql://postgres:postgres@127.0.0.1:54322/postgres", &Tenancy::default(), None).await?;
//! for finding in &report.findings {
//!     println!("{finding}");
//! }
//! assert!(report.is_good(), "{} findings, {} undecided", report.findings.len(), report.undecided.len());
//! # Ok(())
//! # }
//! ```
//!
//! The same as a command is `rls-probe`; see `rls-probe --help`.

mod actor;
mod arguments;
mod asked;
mod baseline;
mod catalog;
pub mod command;
mod desk;
mod draft;
mod error;
mod finding;
mod fix;
mod harm;
mod infer;
mod lint;
mod mend;
mod names;
pub mod output;
mod probe;
mod proof;
mod record;
mod refused;
mod report;
mod rule;
mod sql;
mod tenancy;
mod tie;
mod world;

use std::{collections::BTreeSet, time::Instant};

use self::{
    catalog::Catalog, desk::Desk, finding::findings, infer::infer, mend::mend, probe::Prober, proof::Before,
    world::World,
};

pub use self::{
    baseline::{Accepted as AcceptedFinding, Baseline, Divided, Known},
    error::Error,
    finding::{Effect, Finding},
    fix::Fix,
    harm::Harm,
    lint::Lint,
    proof::Proof,
    record::{Cause, Cell, Declared, Object, Verb},
    refused::Refused,
    report::{Report, Undecided},
    rule::Rule,
    tenancy::{Accepted, ClaimPaths, Members, Owner, Roles, Tenancy, TenantTable},
};

/// Probes the database behind a URL, and leaves it as it was. With a migration, it is the database that the migration
/// would make of it: that is run first, in the transaction that is rolled back.
///
/// # Errors
/// When there is nothing to probe, or the probing cannot be ended.
pub async fn probe(url: &str, tenancy: &Tenancy, migration: Option<&str>) -> Result<Report, Error> {
    let begin = Instant::now();
    let mut desk = Desk::connect(url).await?;
    let schemas = exposed(&mut desk, tenancy).await?;
    let before = Before::read(&mut desk, &schemas).await?;
    desk.begin(migration).await?;
    let schemas = exposed(&mut desk, tenancy).await?;
    for schema in &schemas {
        let known =
            desk.text("select count(*)::text from pg_namespace where nspname = any ($1)", std::slice::from_ref(schema));
        if known.await? == "0" {
            return Err(Error::NoSchema(schema.clone()));
        }
    }
    let catalog = Catalog::read(&mut desk, &schemas).await?;
    if !catalog.relations.iter().any(|relation| relation.exposed) {
        let others = catalog.relations.iter().filter(|relation| relation.is_granted());
        let others: BTreeSet<_> = others.map(|relation| relation.schema.as_str()).collect();
        let hint = if others.is_empty() {
            String::new()
        } else {
            format!(": {}", others.into_iter().collect::<Vec<_>>().join(", "))
        };
        return Err(Error::NoTables(schemas.join(", "), hint));
    }
    let inferred = if tenancy.is_given() { None } else { Some(infer(&catalog, schemas)) };
    let tenancy = inferred.as_ref().unwrap_or(tenancy);
    check(&catalog, tenancy)?;
    let world = World::make(&mut desk, &catalog, tenancy).await?;
    let record = Prober::run(&mut desk, &world).await?;
    let mut findings = findings(&catalog, &record.crossings);
    mend(&mut desk, &world, &record, &mut findings).await?;
    let script = if record.crossings.is_empty() { String::new() } else { world.script(&mut desk).await? };
    let transaction = desk.end().await?;
    let proof = before.compare(&mut desk, transaction).await?;
    let attempts = desk.attempts;
    desk.close().await?;
    Ok(Report::of(&world, script, record, findings, proof, attempts, begin.elapsed()))
}

/// The schemas that the API exposes: as given, as the project's own setting of PostgREST says, or `public`.
async fn exposed(desk: &mut Desk, tenancy: &Tenancy) -> Result<Vec<String>, Error> {
    if !tenancy.schemas.is_empty() {
        return Ok(tenancy.schemas.clone());
    }
    let setting = "select split_part(setting, '=', 2) from pg_db_role_setting s
        join pg_roles r on r.oid = s.setrole and r.rolname = 'authenticator' cross join unnest(s.setconfig) setting
        where setting like 'pgrst.db_schemas=%' limit 1";
    let named = desk.run(setting).await?.value().unwrap_or_default().to_owned();
    let of_project = |name: &&str| !name.is_empty() && !matches!(*name, "graphql_public" | "storage");
    let named: Vec<_> = named.split(',').map(str::trim).filter(of_project).map(str::to_owned).collect();
    Ok(if named.is_empty() { tenancy.exposed() } else { named })
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
