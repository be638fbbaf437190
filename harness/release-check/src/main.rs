//! `release-check`: verifies a release by its runbook. What it does is in the library of the same name.

use std::process::ExitCode;

use clap::Parser;
use release_check::Command;

fn main() -> ExitCode {
    Command::parse().run()
}
