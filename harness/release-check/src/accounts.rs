//! `release-check accounts`: whoever a file names signs in to the Supabase CLI's stack from then on, and the target `local`
//! knows them.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::Args;
use harness::{Stack, settings_file};
use portal::Accounts;

use crate::{Error, Exit, Usage, terminal::say};

/// Whom to let in.
#[derive(Debug, Args)]
pub struct Options {
    /// Who signs in, as portal --accounts has it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where their variables go; local.env beside harness.toml by default
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

/// What a file begins with that may be written again.
const OURS: &str = "# Accounts of the Supabase CLI's stack, by release-check accounts. Keep it out of git.\n";

/// Lets them in.
///
/// # Errors
/// When no stack runs, or the file, the auth server or the database refuses something.
pub fn run(options: &Options) -> Result<Exit, Error> {
    let accounts = Accounts::read(&options.file)?;
    let to = options.to.clone().unwrap_or_else(|| settings_file().with_file_name("local.env"));
    if fs::read(&to).is_ok_and(|content| !content.starts_with(OURS.as_bytes())) {
        return Err(Usage::error(format!("{} is there and not of this command; name another with --to", to.display())));
    }
    let stack = Stack::running()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut text = OURS.to_owned();
    for (letter, id) in &accounts.institutions {
        text += &variable(&format!("E2E_INSTITUTION_{letter}_ID"), &id.to_string());
    }
    for account in &accounts.list {
        let (metadata, password) = (account.user_metadata(), account.password.clone().into());
        let let_in = stack.let_in(&account.email, &password, &metadata, account.sql.as_deref());
        runtime.block_on(let_in).map_err(|failure| failure.to_string())?;
        text += &variable(&format!("E2E_{}_EMAIL", account.persona), &account.email);
        text += &variable(&format!("E2E_{}_PASSWORD", account.persona), &account.password);
    }
    write(&to, &text)?;
    say(&format!(
        "{} accounts in {}; {} names them to the target local",
        accounts.list.len(),
        stack.api().url,
        to.display()
    ));
    Ok(Exit::Passed)
}

fn variable(name: &str, value: &str) -> String {
    format!("{name}='{}'\n", value.replace('\'', r"'\''"))
}

/// For its owner alone.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}
