//! What people add to a sign-off: what they looked at, and whom to call.

use std::{collections::BTreeMap, fs, path::Path};

use harness::Runbook;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The file that `--manual` names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    #[serde(default, rename = "signed")]
    pub signatures: Vec<Signature>,
    /// Weakened promises that somebody answers for.
    #[serde(default)]
    pub accepted: Vec<Accepted>,
    #[serde(default)]
    pub escalation: BTreeMap<String, Person>,
}

/// Somebody looked at what a step says, and it is so.
#[derive(Debug, Deserialize)]
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
    /// Its place in the contract, as the verdict names it: `console.allowed.1`.
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
    /// When it cannot be read, signs for what nobody can sign for, or names a role that the runbook has not.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()).into())
    }

    pub fn parse(text: &str) -> Result<Self, Error> {
        let signed: Self = toml::from_str(text)?;
        for signature in &signed.signatures {
            let step = Runbook::get().step(&signature.step);
            let step = step.ok_or_else(|| format!("{} is signed for, and no step of the runbook", signature.step))?;
            if step.is_tested() && step.otherwise.is_none() {
                return Err(format!("{} is verified by tests: nobody can sign for it", step.id).into());
            }
            if !step.follows.is_empty() {
                return Err(format!("{} follows from other steps: sign for those", step.id).into());
            }
        }
        let roles = Runbook::get().roles();
        match signed.escalation.keys().find(|role| !roles.contains(role)) {
            Some(role) => Err(format!("no role is called {role:?}; there are {}", roles.join(", ")).into()),
            None => Ok(signed),
        }
    }

    /// Whether somebody signed for a step, or answers for a weakened promise.
    pub fn has(&self, id: &str) -> bool {
        self.signatures.iter().any(|signature| signature.step == id)
            || self.accepted.iter().any(|accepted| accepted.promise == id)
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
