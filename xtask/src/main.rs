//! `cargo xtask`: the chores of this project. What a release manager uses is the crate `release-check`, whose commands
//! are here under the same names.

mod axe;
mod bench;
mod faults;
mod holes;
mod mutants;
mod package;
mod peer;
mod postgrest_specs;
mod rls;
mod schemas;
mod steady;
mod test;
mod vendors;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use release_check::{
    Error, Exit, cargo, exit, setup, soak, suites, table,
    terminal::{print, say},
};

/// Whether what the command looked at is good.
type Verdict = Result<bool, Error>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Release verification of the SACCO+ Admin Portal, and of this project itself")]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    #[command(flatten)]
    Product(release_check::Action),
    /// Run everything that must pass: format, lints, documentation, unit tests, suites, faults
    Test,
    /// Break the embedded portal in every known way and show which checks notice
    Faults(faults::Options),
    /// Change the embedded portal's sources at random and show which checks notice
    Mutants(mutants::Options),
    /// Probe a database, or the embedded portal's, for ways across the wall between tenants: rls-probe
    Rls(rls_probe::command::Options),
    /// Make sound schemas and holes in them at random, and look for each with the prober
    Schemas(schemas::Options),
    /// Run axe-core on the sign-off's page; needs node
    Axe,
    /// Run the real supabase-js against the embedded portal; needs node
    SupabaseJs,
    /// Run the real postgrest-js against the embedded portal; needs node
    PostgrestJs,
    /// Run PostgREST's own specs, read off a clone of its repository, against the embedded REST server
    PostgrestSpecs(postgrest_specs::Options),
    /// Build a team's portal with Vite and run the suites on it; needs node
    Vite,
    /// Compare what is asked of the vendors' APIs, and what the embedded platform answers, with what they publish; needs node
    Vendors,
    /// Pack what verifies a deployment where there is no Rust into one archive
    Package(package::Options),
    /// Run suites over and over and show every outcome that was not always the same
    Steady(steady::Options),
    /// Run the benchmarks
    #[command(subcommand)]
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let passed = |verdict: Verdict| verdict.map(Exit::of);
    exit::code(match Command::parse().action {
        Action::Product(action) => return action.run(),
        Action::Test => passed(test::run()),
        Action::Faults(options) => passed(faults::run(&options)),
        Action::Mutants(options) => passed(mutants::run(&options)),
        Action::Rls(options) => return rls::run(options).unwrap_or_else(|error| exit::code(Err(error))),
        Action::Schemas(options) => passed(schemas::run(&options)),
        Action::Axe => passed(axe::run()),
        Action::Vendors => passed(vendors::run()),
        Action::SupabaseJs => passed(peer::supabase_js()),
        Action::PostgrestJs => passed(peer::postgrest_js()),
        Action::PostgrestSpecs(options) => passed(postgrest_specs::run(&options)),
        Action::Vite => passed(peer::vite()),
        Action::Package(options) => passed(package::run(&options)),
        Action::Steady(options) => passed(steady::run(&options)),
        Action::Bench(bench) => passed(bench::run(&bench)),
    })
}
