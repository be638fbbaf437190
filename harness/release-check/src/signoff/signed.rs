//! What people add to a sign-off: what they looked at, and whom to call.

use std::{collections::BTreeMap, fs, path::Path};

use harness::{Outcome, Production, Runbook, run::JudgedStep};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Error, Usage, evidence::CLOCKS};

/// The file that `--manual` names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// What people looked at.
    #[serde(default, rename = "signed")]
    pub signatures: Vec<Signature>,
    /// Weakened promises that somebody answers for.
    #[serde(default)]
    pub accepted: Vec<Accepted>,
    /// Who has which role.
    #[serde(default)]
    pub escalation: BTreeMap<String, Person>,
}

/// Somebody looked at what a step says, and it is so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    pub step: String,
    pub by: String,
    pub at: Timestamp,
    #[serde(default)]
    pub note: String,
}

/// Somebody answers for a promise of the runbook that the contract weakens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Place in the contract, as the verdict names it: `console.allowed.1`.
    pub promise: String,
    pub by: String,
    pub at: Timestamp,
    pub note: String,
}

/// Who has a role.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    name: String,
    contact: String,
}

/// A row of the runbook's "Escalation Contacts".
#[derive(Serialize)]
pub struct Contact {
    role: &'static str,
    name: String,
    contact: String,
}

impl Signed {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, signs for what nobody can sign for, or names a role that is not in the runbook.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path)
            .map_err(|error| Usage::error(format!("{} cannot be read: {error}", path.display())))?;
        Self::parse(&text).map_err(|error| Usage::error(format!("{}: {error}", path.display())))
    }

    /// The same of its text.
    ///
    /// # Errors
    /// When it signs for what nobody can sign for, or names a role that is not in the runbook.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let signed: Self = toml::from_str(text)?;
        for signature in &signed.signatures {
            let step = Runbook::get().step(&signature.step);
            let step =
                step.ok_or_else(|| format!("{} is signed for, and is no step of the runbook", signature.step))?;
            // What writes is left out on production: without a proof a person may answer for it.
            if step.is_tested() && step.otherwise.is_none() && step.production == Production::Reads {
                return Err(format!("{} is verified by tests: nobody can sign for it", step.id).into());
            }
            if !step.follows.is_empty() {
                return Err(format!("{} follows from other steps: sign for those", step.id).into());
            }
        }
        if let Some(accepted) = signed.accepted.iter().find(|it| Runbook::get().step(&it.promise).is_some()) {
            return Err(format!("{} is a step and no promise of the contract: sign for it", accepted.promise).into());
        }
        if let Some(future) = signed.times().find(|at| *at > Timestamp::now() + CLOCKS) {
            return Err(format!("a signature is dated in the future: {future}").into());
        }
        let roles = Runbook::get().roles();
        match signed.escalation.keys().find(|role| !roles.contains(role)) {
            Some(role) => Err(format!("unknown role {role:?}; known roles: {}", roles.join(", ")).into()),
            None => Ok(signed),
        }
    }

    /// When people signed.
    pub fn times(&self) -> impl Iterator<Item = Timestamp> {
        let signed = self.signatures.iter().map(|signature| signature.at);
        signed.chain(self.accepted.iter().map(|accepted| accepted.at))
    }

    /// The signature for a step.
    pub fn signature(&self, step: &str) -> Option<&Signature> {
        self.signatures.iter().find(|signature| signature.step == step)
    }

    /// Who answers for a weakened promise.
    pub fn acceptance(&self, promise: &str) -> Option<&Accepted> {
        self.accepted.iter().find(|accepted| accepted.promise == promise)
    }

    /// Whether somebody answers for a weakened promise.
    pub fn accepts(&self, promise: &str) -> bool {
        self.acceptance(promise).is_some()
    }

    /// Whether somebody signed for what a step's checks could not look at, or were spared by design. What they saw
    /// nobody signs away.
    pub fn covers(&self, judged: &JudgedStep<'_>) -> bool {
        let spared = judged.left_out_by_target().next().is_some()
            && judged.outcome.is_none_or(|outcome| outcome == Outcome::Passed);
        let may = judged.step.otherwise.is_some() || spared;
        may && judged.word() == Outcome::NotRun && self.signature(&judged.step.id).is_some()
    }

    /// The runbook's table, filled.
    pub fn contacts(&self) -> Vec<Contact> {
        let contact = |role: &'static String| match self.escalation.get(role) {
            Some(Person { name, contact }) => Contact { role, name: name.clone(), contact: contact.clone() },
            None => Contact { role, name: "not named".to_owned(), contact: String::new() },
        };
        Runbook::get().roles().iter().map(contact).collect()
    }

    /// Who has a role, in a few words.
    pub fn whom_to_call(&self, role: &str) -> String {
        match self.escalation.get(role) {
            Some(Person { name, contact }) => format!("{role}: {name}, {contact}"),
            None => format!("{role}: not named"),
        }
    }
}
