//! `release-check sms`: a phone's export of messages, read offline. `judge` prints what a parser makes of it by
//! structure, `anonymise` makes candidates for the corpus of it. Nothing is sent anywhere, and nothing of the export is
//! printed but its structure.

mod anonymise;
mod export;
mod judge;
mod parser;
mod structure;

use std::path::PathBuf;

use tokio::runtime::Builder;

use crate::{Error, Exit, setup};

/// What to do with an export.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Print what a parser makes of a phone's export, by structure
    Judge(JudgeOptions),
    /// Write the structures of a phone's export as candidates for the corpus, with invented names and numbers
    Anonymise(AnonymiseOptions),
}

/// Which export, and which parser.
#[derive(Debug, clap::Args)]
pub struct JudgeOptions {
    /// The export: XML of "SMS Backup & Restore", CSV or JSON
    #[arg(long, value_name = "FILE")]
    export: PathBuf,
    /// Judge the parser in these migrations instead of the embedded one; they run in a database of their own, here
    #[arg(long, value_name = "FOLDER")]
    migrations: Option<PathBuf>,
    /// The SQL function that parses a text and answers with an object
    #[arg(long, value_name = "NAME", default_value = "public.parse_sms_deterministic")]
    function: String,
    /// What is read with less confidence waits
    #[arg(long, value_name = "NUMBER", default_value_t = 0.85)]
    threshold: f64,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Which export, and where the candidates go.
#[derive(Debug, clap::Args)]
pub struct AnonymiseOptions {
    /// The export: XML of "SMS Backup & Restore", CSV or JSON
    #[arg(long, value_name = "FILE")]
    export: PathBuf,
    /// The file to write, as those of fixtures/sms are; it must not exist
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// At most so many messages of a structure
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    each: usize,
}

/// Does it.
///
/// # Errors
/// Why the export cannot be read, with the place, or why there is no parser.
pub fn run(action: &Action) -> Result<Exit, Error> {
    setup::ensure()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match action {
        Action::Judge(options) => runtime.block_on(judge::run(options)),
        Action::Anonymise(options) => runtime.block_on(anonymise::run(options)),
    }
}

#[cfg(test)]
mod tests;
