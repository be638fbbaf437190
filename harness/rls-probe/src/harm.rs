//! How bad a crossing is, decided where it is seen: by what is read or changed and by whom, never by a word of the
//! sentence that reports it.

use serde::Serialize;

use crate::actor::Kind;

/// How bad something is, from a hint to a catastrophe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// Something is known to exist, or a grant is there that the API does not offer.
    Low,
    /// Reached by people who were let in once, or a secret among colleagues.
    Medium,
    /// Another tenant's data is read, or a role that may only read changes its own tenant's.
    High,
    /// Another tenant's data is changed, a role is raised, or no account is needed.
    Critical,
}

impl Harm {
    /// Of reading what is somebody else's.
    pub fn of_reading(kind: Kind) -> Self {
        Self::by(kind, Self::High)
    }

    /// Of changing what is somebody else's.
    pub fn of_writing(kind: Kind) -> Self {
        Self::by(kind, Self::Critical)
    }

    fn by(kind: Kind, member: Self) -> Self {
        match kind {
            Kind::Anonymous => Self::Critical,
            Kind::Dead | Kind::Closed => Self::Medium,
            Kind::Newcomer | Kind::Member | Kind::Reader | Kind::Platform | Kind::Backend => member,
        }
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// What somebody does with this harm, as the end of a sentence that begins with them.
    pub fn that(self, text: impl Into<String>) -> Deed {
        Deed { harm: self, text: text.into() }
    }
}

/// What somebody can do, and how bad it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    pub harm: Harm,
    /// The end of a sentence that begins with the actor.
    pub text: String,
}

impl Deed {
    /// The same, where somebody has to know a code first that they cannot read: it is what lets them in.
    pub fn for_whom_knows(self, code: &String) -> Self {
        Harm::Low.that(format!("{}, if they know its {code}", self.text))
    }

    /// The same with the secret of an invitation that names somebody else's address.
    pub fn with_anothers_secret(self) -> Self {
        Harm::Medium.that(format!("{}, with the secret of an invitation that names somebody else", self.text))
    }
}
