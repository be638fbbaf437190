//! The sign-off, held by runs that are real folders.

mod document;
mod refusals;
mod signatures;

use std::path::Path;

use harness::{Outcome, Runbook, Target, run::Run};
use jiff::{SignedDuration, Span, Timestamp};
use tempfile::TempDir;

use super::{
    Signers,
    basis::{Basis, Wanted},
    document::{Materials, SignOff},
    sample::{self, MORNING, Made},
    signed::{Accepted, Signature, Signed},
    state::{State, Status},
};
use crate::{Error, Usage};

fn signers() -> Signers {
    Signers { deployed_by: "Ada".to_owned(), verified_by: "Grace".to_owned() }
}

fn signature(step: &str) -> Signature {
    Signature { step: step.to_owned(), by: "Ada".to_owned(), at: MORNING, note: String::new() }
}

/// Everything signed that people can sign for.
fn everything_signed() -> Signed {
    let manual = Runbook::get().steps().iter().filter(|step| step.manual.is_some());
    Signed { signatures: manual.map(|step| signature(&step.id)).collect(), ..Signed::default() }
}

/// Of a run and its proofs, which may be of any age.
fn signed_off(run: &Made, proofs: &[Made], signed: &Signed) -> Result<SignOff, Error> {
    let folder = tempfile::tempdir().unwrap();
    let read = |made: &Made| Run::read(&made.write(folder.path()).unwrap()).unwrap();
    let basis = Basis { runs: vec![read(run)], proofs: proofs.iter().map(read).collect(), passed_over: None };
    SignOff::of(&Materials { basis: &basis, signed, signers: &signers(), history: &[], key: None })
}

fn an_hour_ago() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(1)
}

/// A folder of runs.
struct Runs(TempDir);

impl Runs {
    fn of(made: &[&Made]) -> Self {
        let runs = Self(tempfile::tempdir().unwrap());
        made.iter().for_each(|made| drop(made.write(runs.path()).unwrap()));
        runs
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The basis of a sign-off of production: of these runs by their ids, or of the last one.
    fn find(&self, named: &[&Made]) -> Result<Basis, Error> {
        self.find_of(Target::Production, named)
    }

    fn find_of(&self, target: Target, named: &[&Made]) -> Result<Basis, Error> {
        let named: Vec<_> = named.iter().map(|made| made.manifest.id.clone().into()).collect();
        let wanted = Wanted { target, named: &named, proofs: &[], max_age: Span::new().hours(24) };
        Basis::find(&wanted, self.path())
    }

    /// Why it is refused, which is a mistake of the person who typed the command.
    #[track_caller]
    fn refusal(&self, named: &[&Made]) -> String {
        let error = self.find(named).expect_err("it is refused");
        assert!(error.is::<Usage>(), "{error}");
        error.to_string().replace(&self.path().display().to_string(), "<runs>")
    }
}
