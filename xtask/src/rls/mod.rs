//! `cargo xtask rls`: probes a database for ways across the wall between its tenants, and prints what it found.

pub mod holes;
mod outputs;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use harness::rls::{Baseline, Report, Tenancy, probe};
use jiff::Zoned;
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;

use crate::{Error, print, say};

/// Which database, and what is known of its tenancy.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// PostgreSQL, as a role that may SET ROLE and sees all; Supabase's postgres
    #[arg(long, value_name = "URL", env = "SUPABASE_DB_URL", hide_env_values = true)]
    database_url: String,
    /// A file with a `[tenancy]` table, such as a contract; without it the tenancy is inferred, and printed
    #[arg(long, value_name = "FILE")]
    tenancy: Option<PathBuf>,
    /// An exposed schema, where --tenancy does not say them [default: public]; may be repeated
    #[arg(long = "schema", value_name = "NAME", conflicts_with = "tenancy")]
    schemas: Vec<String>,
    /// Probe what this file of SQL would make of the database; it is rolled back like everything else
    #[arg(long, value_name = "FILE")]
    migration: Option<PathBuf>,
    /// Findings that are known, each with a reason and a last day
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Where the report goes as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where it goes as SARIF, for code scanning
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Where it goes as JUnit
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Where it goes as a page with the matrix
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Where a script for psql goes for each thing that somebody can do
    #[arg(long, value_name = "FOLDER")]
    repro: Option<PathBuf>,
    /// Print who may do what to which object as well
    #[arg(long)]
    matrix: bool,
}

#[derive(Default, Deserialize, Serialize)]
struct Document {
    tenancy: Tenancy,
}

/// Probes and prints. The exit code is 0 when nothing was found and nothing is open, 1 when something is.
///
/// # Errors
/// When there is nothing to probe.
pub fn run(options: &Options) -> Result<ExitCode, Error> {
    let document = match &options.tenancy {
        Some(path) => parsed(path)?,
        None => Document { tenancy: Tenancy { schemas: options.schemas.clone(), ..Tenancy::default() } },
    };
    let baseline: Baseline = options.baseline.as_deref().map(parsed).transpose()?.unwrap_or_default();
    let migration = options.migration.as_deref().map(read).transpose()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut report = runtime.block_on(probe(&options.database_url, &document.tenancy, migration.as_deref()))?;
    let remarks = report.accept(&baseline, Zoned::now().date());
    if options.tenancy.is_none() {
        let inferred = toml::to_string(&Document { tenancy: report.tenancy.clone() })?;
        print(&format!("inferred; correct it in a file for --tenancy:\n\n{inferred}"));
    }
    options.write(&report)?;
    if options.matrix {
        print(&report.matrix());
    }
    print(&format!("{report:#}"));
    remarks.iter().for_each(|remark| print(&format!("baseline: {remark}")));
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Options {
    fn write(&self, report: &Report) -> Result<(), Error> {
        if let Some(path) = &self.json {
            write(path, &(serde_json::to_string_pretty(report)? + "\n"))?;
        }
        if let Some(path) = &self.sarif {
            let made_of = self.migration.as_deref().unwrap_or(Path::new("supabase/migrations"));
            let sarif = outputs::sarif(report, &made_of.display().to_string());
            write(path, &(serde_json::to_string_pretty(&sarif)? + "\n"))?;
        }
        if let Some(path) = &self.junit {
            write(path, &outputs::junit(report)?)?;
        }
        if let Some(path) = &self.html {
            write(path, &outputs::html(report)?)?;
        }
        let Some(folder) = &self.repro else { return Ok(()) };
        fs::create_dir_all(folder).map_err(|error| format!("{} cannot be written: {error}", folder.display()))?;
        for (finding, number) in report.findings.iter().zip(1..) {
            for effect in &finding.effects {
                let object = finding.object.name.replace(['/', ' '], "-");
                let head = format!("-- {} {}\n", effect.actors.join(", "), effect.text);
                let name = format!("{number:03}-{object}-{}.sql", effect.verb.name());
                write(&folder.join(name), &(head + &report.repro(effect)))?;
            }
        }
        Ok(())
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    say(&format!("written: {}", path.display()));
    Ok(())
}

fn parsed<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Error> {
    toml::from_str(&read(path)?).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()).into())
}
