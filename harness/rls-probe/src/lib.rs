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
mod compare;
mod constraint;
mod desk;
mod draft;
mod error;
mod finding;
mod fix;
mod granted;
mod guard;
mod harm;
mod infer;
mod lint;
mod mend;
mod names;
pub mod output;
mod probe;
mod project;
mod proof;
mod record;
mod refused;
mod report;
mod rule;
mod shown;
mod sql;
mod tenancy;
mod tie;
mod world;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use self::{
    catalog::Catalog,
    desk::Desk,
    finding::findings,
    infer::{highest, infer},
    mend::{mend, together},
    probe::Prober,
    proof::Before,
    shown::{Shown, shown},
    world::World,
};

pub use self::{
    baseline::{Accepted as AcceptedFinding, Baseline, Divided, Known},
    compare::{Change, Difference},
    desk::BUDGET,
    error::Error,
    finding::{Effect, Finding},
    fix::Fix,
    harm::Harm,
    infer::Inferred,
    lint::Lint,
    mend::Mended,
    project::{Project, Skipped},
    proof::Proof,
    record::{Cause, Cell, Declared, Object, Verb},
    refused::Refused,
    report::{Report, Undecided},
    rule::Rule,
    tenancy::{Accepted, ClaimPaths, Granted, Members, Owner, Roles, Tenancy, TenantTable},
};

/// What is to be done beside probing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'w> {
    /// SQL that is run first, in the transaction that is rolled back: the database is probed that it would make.
    pub migration: Option<&'w str>,
    /// Try all fixes together as well, for [`Report::mended`].
    pub mended: bool,
    /// Run each script that shows an effect, for [`Report::shown`].
    pub shown: bool,
    /// How long the probes of one object may take, where it is not [`BUDGET`].
    pub budget: Option<Duration>,
    /// Leave a second session out, which takes a part of the objects where there are many.
    pub alone: bool,
}

/// Probes the database behind a URL, and leaves it as it was. With a migration, it is the database that the migration
/// would make of it: that is run first, in the transaction that is rolled back.
///
/// # Errors
/// When there is nothing to probe, or the probing cannot be ended.
pub async fn probe(url: &str, tenancy: &Tenancy, migration: Option<&str>) -> Result<Report, Error> {
    probe_as(url, tenancy, Wish { migration, ..Wish::default() }).await
}

/// The same with more to do.
///
/// # Errors
/// As for [`probe`].
pub async fn probe_as(url: &str, tenancy: &Tenancy, wish: Wish<'_>) -> Result<Report, Error> {
    let begin = Instant::now();
    let mut desk = Desk::connect(url).await?;
    desk.budget = wish.budget.unwrap_or(BUDGET);
    let schemas = exposed(&mut desk, tenancy).await?;
    let before = Before::read(&mut desk, &schemas).await?;
    desk.begin(wish.migration).await?;
    let (catalog, schemas) = read(&mut desk, tenancy).await?;
    let tenancy = &completed(&catalog, tenancy, schemas);
    check(&catalog, tenancy)?;
    let world = World::make(&mut desk, &catalog, tenancy).await?;
    let second = Some(url).filter(|_| !wish.alone && wish.migration.is_none() && can_be_shared(&catalog));
    let record = Prober::run(&mut desk, &world, second).await?;
    let mut findings = findings(&catalog, &record.crossings);
    mend(&mut desk, &world, &record, &mut findings).await?;
    let mended = if wish.mended { Some(together(&mut desk, &world, &record, &mut findings).await?) } else { None };
    let script = if record.crossings.is_empty() { String::new() } else { world.script(&mut desk).await? };
    let transaction = desk.end().await?;
    let proof = before.compare(&mut desk, transaction).await?;
    let attempts = desk.attempts;
    let mut report = Report::of(&world, script, record, findings, Proof::default(), attempts, begin.elapsed());
    report.mended = mended;
    if wish.shown {
        let Shown { shown, caught, contrasts } = shown(&mut desk, &report, wish.migration, &world).await?;
        (report.shown, report.contrasts) = (shown, contrasts);
        for effect in report.findings.iter_mut().flat_map(|finding| &mut finding.effects) {
            if let Some(sql) = caught.get(&effect.sql) {
                effect.sql.clone_from(sql);
            }
        }
    }
    report.proof = proof;
    desk.close().await?;
    Ok(report)
}

/// Whether two transactions can probe at once: who refreshes a materialized view keeps everybody else from it.
fn can_be_shared(catalog: &Catalog) -> bool {
    let has_processors = std::thread::available_parallelism().is_ok_and(|processors| processors.get() > 1);
    has_processors && !catalog.relations.iter().any(|relation| relation.noun() == "materialized view")
}

/// The tenancy with what was not said of it.
fn completed(catalog: &Catalog, tenancy: &Tenancy, schemas: Vec<String>) -> Tenancy {
    let mut tenancy = match tenancy.is_given() {
        true => {
            let granted = tenancy.granted.clone().or_else(|| granted::granted(catalog, tenancy));
            Tenancy { granted, ..tenancy.clone() }
        }
        false => infer(catalog, schemas).tenancy,
    };
    if tenancy.roles.rank.is_empty() {
        tenancy.roles.rank.extend(highest(catalog, &tenancy));
    }
    tenancy
}

/// What is inferred of the database behind a URL, and why.
///
/// # Errors
/// When the database cannot be read.
pub async fn inferred(url: &str, schemas: &[String]) -> Result<Inferred, Error> {
    let tenancy = Tenancy { schemas: schemas.to_vec(), ..Tenancy::default() };
    let mut desk = Desk::connect(url).await?;
    desk.begin(None).await?;
    let (catalog, schemas) = read(&mut desk, &tenancy).await?;
    desk.end().await?;
    desk.close().await?;
    Ok(infer(&catalog, schemas))
}

/// The catalog, where there is something to probe in it, and the schemas that are exposed.
async fn read(desk: &mut Desk, tenancy: &Tenancy) -> Result<(Catalog, Vec<String>), Error> {
    let schemas = exposed(desk, tenancy).await?;
    for schema in &schemas {
        let known =
            desk.text("select count(*)::text from pg_namespace where nspname = any ($1)", std::slice::from_ref(schema));
        if known.await? == "0" {
            return Err(Error::NoSchema(schema.clone()));
        }
    }
    let mut catalog = Catalog::read(desk, &schemas).await?;
    asked::note(&mut catalog);
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
    Ok((catalog, schemas))
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
