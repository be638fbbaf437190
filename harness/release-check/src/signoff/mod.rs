//! `release-check signoff`: the document that a release manager signs, made of whole runs of one target and of what
//! people signed for. The same runs and signatures make the same document.

mod basis;
mod check;
mod document;
mod exhibit;
mod line;
mod monitoring;
mod open;
mod proof;
mod record;
mod remedies;
mod render;
pub mod sample;
mod signature;
mod signed;
mod state;
mod subject;
#[cfg(test)]
mod tests;
mod trouble;
mod write;

use std::{fmt, path::PathBuf};

use harness::{Target, run::runs_folder};
use jiff::Timestamp;
use serde::Serializer;

use crate::{
    Error, Exit, github,
    history::History,
    setup::root,
    terminal::{Tone, print, say, toned},
};
use basis::{Basis, Wanted};
use document::Materials;
pub use record::{OpenStep, Record, RecordedRun};
use signature::Key;
pub use signed::Signed;
pub use state::{State, Status};

/// Of which runs, and who signs.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The deployment that was verified; of another than production the document is a rehearsal
    #[arg(long, value_name = "TARGET", default_value_t = Target::Production)]
    target: Target,
    /// The run, or several that together are everything: ids or folders [default: the last whole run of the target that
    /// left nothing out]
    #[arg(long = "run", value_name = "ID|FOLDER", num_args = 1..)]
    runs: Vec<PathBuf>,
    /// Runs of staging that show what production leaves out [default: those in target/runs of the last --max-age]
    #[arg(long, value_name = "ID|FOLDER", num_args = 1..)]
    proof: Vec<PathBuf>,
    /// How old a run may be: 24h, 7d
    #[arg(long, value_name = "TIME", default_value = "24h")]
    max_age: jiff::Span,
    /// Who deployed
    #[arg(long, value_name = "NAME", required_unless_present = "check")]
    deployed_by: Option<String>,
    /// Who verified
    #[arg(long, value_name = "NAME", required_unless_present = "check")]
    verified_by: Option<String>,
    /// What people looked at: [[signed]] with step, by, at and a note; [[accepted]] with promise, by, at and a note;
    /// [escalation], who has which role
    #[arg(long, value_name = "FILE")]
    manual: Option<PathBuf>,
    /// Where the document goes [default: target/signoff]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Sign it with this secret key of minisign; RELEASE_CHECK_KEY_PASSWORD has the key's password
    #[arg(long, value_name = "KEYFILE")]
    sign: Option<PathBuf>,
    /// Print signoff.json
    #[arg(long)]
    json: bool,
    /// Make nothing, and check the hashes and the signature of the sign-off in this folder
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["runs", "proof", "deployed_by", "verified_by", "manual", "out", "sign", "json"])]
    check: Option<PathBuf>,
    /// The public key to check it with, or a file with one
    #[arg(long, value_name = "PUBKEY", requires = "check")]
    key: Option<String>,
}

/// Who signs.
#[derive(Debug)]
pub struct Signers {
    /// Who deployed.
    pub deployed_by: String,
    /// Who verified.
    pub verified_by: String,
}

/// Writes or checks a document. The exit code is 0 only for a success.
///
/// # Errors
/// When there is no run to make it of, a run is refused, or somebody signed for what cannot be signed for.
pub fn run(options: &Options) -> Result<Exit, Error> {
    let runs = runs_folder();
    if let Some(folder) = &options.check {
        let checked = check::check(folder, options.key.as_deref(), &runs)?;
        print(&toned(tone(checked.exit), &checked.sentence));
        return Ok(checked.exit);
    }
    let key = options.sign.as_deref().map(Key::read).transpose()?;
    let signed = options.manual.as_deref().map(Signed::read).transpose()?.unwrap_or_default();
    let signers = Signers {
        deployed_by: options.deployed_by.clone().unwrap_or_default(),
        verified_by: options.verified_by.clone().unwrap_or_default(),
    };
    let wanted =
        Wanted { target: options.target, named: &options.runs, proofs: &options.proof, max_age: options.max_age };
    let basis = Basis::find(&wanted, &runs)?;
    if let Some(passed_over) = &basis.passed_over {
        say(&format!("passed over: {passed_over}"));
    }
    let history = History::default().read(Some(options.target));
    let materials = Materials {
        basis: &basis,
        signed: &signed,
        signers: &signers,
        history: &history,
        key: key.as_ref().map(Key::public),
    };
    let out = options.out.clone().unwrap_or_else(|| root().join("target/signoff"));
    let (document, record) = write::write(&materials, key.as_ref(), &out)?;
    github::summary(&document.summary())?;
    let exit = match document.status {
        Status::Success => Exit::Passed,
        Status::Failed => Exit::Failed,
        Status::Partial => Exit::Open,
    };
    match options.json {
        true => print(record.json()?.trim_end()),
        false => {
            print(document.title());
            print(&toned(tone(exit), &format!("deployment status: {} ({})", document.status, document.counts())));
        }
    }
    say(&format!("{}: {}", if key.is_some() { "signed" } else { "unsigned" }, out.join(write::MARKDOWN).display()));
    Ok(exit)
}

fn tone(exit: Exit) -> Tone {
    match exit {
        Exit::Passed => Tone::Good,
        Exit::Failed => Tone::Bad,
        Exit::Open | Exit::Interrupted(_) => Tone::Open,
    }
}

/// To the second, in UTC.
fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
