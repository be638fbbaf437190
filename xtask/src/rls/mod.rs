//! `cargo xtask rls`: probes a database for ways across the wall between its tenants, and prints what it found.

pub mod holes;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use harness::rls::{Report, Tenancy, probe};
use serde::Deserialize;
use tokio::runtime::Builder;

use crate::{Error, print, say};

/// Which database, and what is known of its tenancy.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// PostgreSQL, as a role that may SET ROLE and sees all; Supabase's postgres
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// A file with a [tenancy] table, such as a contract
    #[arg(long, value_name = "FILE")]
    tenancy: PathBuf,
    /// Probe what this file of SQL would make of the database; it is rolled back like everything else
    #[arg(long, value_name = "FILE")]
    migration: Option<PathBuf>,
    /// Where the report goes as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where a script for psql goes for each thing that somebody can do
    #[arg(long, value_name = "FOLDER")]
    repro: Option<PathBuf>,
    /// Print who may do what to which object as well
    #[arg(long)]
    matrix: bool,
}

#[derive(Deserialize)]
struct Document {
    tenancy: Tenancy,
}

/// Probes and prints. The exit code is 0 when nothing was found and nothing is open, 1 when something is.
///
/// # Errors
/// When there is nothing to probe.
pub fn run(options: &Options) -> Result<ExitCode, Error> {
    let document: Document =
        toml::from_str(&read(&options.tenancy)?).map_err(|error| format!("{}: {error}", options.tenancy.display()))?;
    let migration = options.migration.as_deref().map(read).transpose()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let report: Report = runtime.block_on(probe(&options.database_url, &document.tenancy, migration.as_deref()))?;
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&report)? + "\n";
        fs::write(path, json).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        say(&format!("report: {}", path.display()));
    }
    if let Some(folder) = &options.repro {
        let cannot = |error| format!("{} cannot be written: {error}", folder.display());
        fs::create_dir_all(folder).map_err(cannot)?;
        for effect in report
            .findings
            .iter()
            .zip(1..)
            .flat_map(|(finding, number)| finding.effects.iter().map(move |effect| (number, finding, effect)))
        {
            let (number, finding, effect) = effect;
            let name =
                format!("{number:03}-{}-{}.sql", finding.object.name.replace(['/', ' '], "-"), effect.verb.name());
            let head = format!("-- {} {}\n", effect.actors.join(", "), effect.text);
            fs::write(folder.join(name), head + &report.repro(effect)).map_err(cannot)?;
        }
        say(&format!("scripts for psql: {}", folder.display()));
    }
    if options.matrix {
        print(&report.matrix());
    }
    print(&format!("{report:#}"));
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()).into())
}
