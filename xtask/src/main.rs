//! `cargo xtask`: set-up, verification, tests, the fault matrix, soaks and benchmarks.

#[cfg(test)]
mod another;
#[cfg(test)]
mod bad_input;
mod bench;
mod cargo;
#[cfg(test)]
mod corpus;
mod faults;
mod github;
mod holes;
mod peer;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod remote;
mod rls;
mod runbook;
mod setup;
mod signoff;
mod soak;
mod suites;
mod table;
mod test;
mod texts;
mod verify;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What went wrong, as the person who typed the command reads it.
type Error = Box<dyn std::error::Error + Send + Sync>;
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
    /// Verify a portal by the runbook and print the verdict
    Verify(verify::Options),
    /// Print every line of the runbook and who verifies it
    Runbook,
    /// Make the document that a release manager signs, of the last verification
    Signoff(signoff::Options),
    /// Look at the monitoring table again and again, for the hours after a release
    Watch(watch::Options),
    /// Run everything that must pass: format, lints, documentation, unit tests, suites, faults
    Test,
    /// Install what is missing: a browser with its driver, PostgreSQL
    Setup,
    /// Report what is there and what is missing, and change nothing
    Doctor,
    /// Break the embedded portal in every known way and show which checks notice
    Faults(faults::Options),
    /// Send messages, many at a time, and account for each of them row by row
    Soak(soak::Options),
    /// Probe a database, or the embedded portal's, for ways across the wall between tenants: rls-probe
    Rls(rls_probe::command::Options),
    /// Look at the sign-off's page with axe-core; needs node
    Axe,
    /// Hold the real supabase-js against the embedded portal; needs node
    SupabaseJs,
    /// Measure
    #[command(subcommand)]
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let told = |verdict: Verdict| verdict.map(|good| if good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    let ended = match Command::parse().action {
        Action::Verify(options) => told(verify::run(&options)),
        Action::Runbook => told(runbook::run()),
        Action::Signoff(options) => signoff::run(&options),
        Action::Watch(options) => told(watch::run(&options)),
        Action::Test => told(test::run()),
        Action::Setup => told(setup::ensure().map(|()| true)),
        Action::Doctor => told(Ok(setup::doctor())),
        Action::Faults(options) => told(faults::run(&options)),
        Action::Soak(options) => soak::run(&options),
        Action::Rls(options) => rls::run(options),
        Action::Axe => told(signoff::axe::run()),
        Action::SupabaseJs => told(peer::supabase_js()),
        Action::Bench(bench) => told(bench::run(&bench)),
    };
    ended.unwrap_or_else(|error| {
        say(&format!("error: {error}"));
        ExitCode::from(2)
    })
}

/// Tells the person at the terminal. The one place that writes to the standard error.
#[expect(clippy::print_stderr, reason = "a command-line tool speaks there")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// Prints what was asked for. The one place that writes to the standard output.
#[expect(clippy::print_stdout, reason = "a command-line tool answers there")]
fn print(text: &str) {
    println!("{text}");
}
