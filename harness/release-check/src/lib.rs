//! What the command `release-check` does: it verifies a deployment by the runbook, says who verifies which line, makes
//! the document that is signed, and watches the hours after a release.
//!
//! The library is there for the binary of the same name and for this project's chores; as an interface it promises
//! nothing from one version to the next. Checks themselves are written with the crate `harness`.

pub mod accounts;
mod ago;
mod archive;
pub mod cargo;
pub mod contract;
mod evidence;
pub mod exit;
pub mod github;
pub mod history;
mod nearest;
pub mod package;
pub mod runbook;
pub mod setup;
pub mod signoff;
pub mod sms;
pub mod soak;
pub mod suites;
pub mod table;
pub mod terminal;
pub mod verify;
pub mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use exit::{Exit, Usage};
use terminal::Color;

/// What went wrong, as the person who typed the command reads it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "release-check", version, about, after_help = exit::TABLE, arg_required_else_help = true)]
pub struct Command {
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    #[command(subcommand)]
    action: Action,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Verify a deployment by the runbook and print the verdict
    Verify(verify::Options),
    /// Run checks by their names
    Run(verify::selected::Options),
    /// Print every line of the runbook and who verifies it
    Runbook,
    /// Make the document that a release manager signs
    Signoff(signoff::Options),
    /// Print the verifications that were made, with their figures
    History(history::Options),
    /// Measure the monitoring table again and again, for the hours after a release
    Watch(watch::Options),
    /// Send messages, many at a time, and account for each of them row by row
    Soak(soak::Options),
    /// Read a phone's export of messages offline: judge a parser by it, or make candidates for the corpus of it
    #[command(subcommand)]
    Sms(sms::Action),
    /// Make a contract for another portal
    #[command(subcommand)]
    Contract(contract::Action),
    /// Let the people of a file into the Supabase CLI's stack, the target local
    Accounts(accounts::Options),
    /// Install what is missing: a browser with its driver, PostgreSQL
    Setup,
    /// Report what is installed and what is missing, and change nothing
    Doctor {
        /// Report as well which of this target's variables are missing, and for which steps
        #[arg(long, value_name = "TARGET")]
        target: Option<harness::Target>,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a script that completes this command in your shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Does it, and says on the terminal what came of it.
    pub fn run(self) -> ExitCode {
        self.color.apply();
        self.action.run()
    }
}

impl Action {
    /// Does it, and says on the terminal what came of it.
    pub fn run(self) -> ExitCode {
        let ended = match self {
            Self::Verify(options) => verify::run(&options),
            Self::Run(options) => verify::selected::run(&options),
            Self::Runbook => runbook::run(),
            Self::Signoff(options) => signoff::run(&options),
            Self::History(options) => history::run(&options),
            Self::Watch(options) => watch::run(&options),
            Self::Soak(options) => soak::run(&options),
            Self::Sms(action) => sms::run(&action),
            Self::Contract(action) => contract::run(&action),
            Self::Accounts(options) => accounts::run(&options),
            Self::Setup => setup::ensure().map(|()| Exit::Passed),
            Self::Doctor { target, json } => setup::doctor(target, json),
            Self::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Command::command(), "release-check", &mut script);
                terminal::print_bytes(&script);
                Ok(Exit::Passed)
            }
        };
        exit::code(ended)
    }
}
