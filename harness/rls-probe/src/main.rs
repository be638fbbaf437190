//! `rls-probe`: the command.

use std::process::ExitCode;

use clap::Parser;
use rls_probe::command::Command;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    Command::parse().run().await.into()
}
