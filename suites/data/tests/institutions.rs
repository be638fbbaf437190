//! The two institutions that are held against each other, by the personas that the contract names as readers.

use harness::{Check, Failure, RestClient, Verdict};

/// A reader, their institution, and the other one.
pub struct Reader<'c> {
    pub persona: &'c str,
    pub institution: String,
    /// Part of a value that stands in rows of the institution and in none of the other.
    pub canary: &'c str,
    /// A reader of the other institution.
    pub other: &'c str,
    pub other_institution: String,
    pub other_canary: &'c str,
}

impl<'c> Reader<'c> {
    pub fn of(check: &'c Check, persona: &'c str) -> Verdict<Self> {
        let (contract, deployment) = (check.contract(), check.deployment());
        let letter = |name: &str| contract.personas.get(name).and_then(|persona| persona.institution.as_deref());
        let unknown = |what: String| Failure::undecided(what).at("[data] and [personas] of the contract");
        let own = letter(persona).ok_or_else(|| unknown(format!("the contract has a reader {persona:?}")))?;
        let others = contract.data()?.readers.iter().map(String::as_str);
        let (other, theirs) = others
            .filter_map(|name| Some((name, letter(name)?)))
            .find(|(_, letter)| *letter != own)
            .ok_or_else(|| unknown(format!("the contract has a reader outside institution {own}")))?;
        let canary = |letter: &str| {
            let canary = contract.data()?.canaries.get(letter).map(String::as_str);
            canary.ok_or_else(|| unknown(format!("the contract names the canary of institution {letter}")))
        };
        Ok(Self {
            persona,
            institution: deployment.institution(own)?,
            canary: canary(own)?,
            other,
            other_institution: deployment.institution(theirs)?,
            other_canary: canary(theirs)?,
        })
    }

    /// The database as the reader sees it.
    pub async fn rest(&self, check: &Check) -> Verdict<RestClient> {
        Ok(check.deployment().rest()?.signed_in(&check.deployment().session(self.persona).await?))
    }

    /// The database as the other institution's reader sees it.
    pub async fn others_rest(&self, check: &Check) -> Verdict<RestClient> {
        Ok(check.deployment().rest()?.signed_in(&check.deployment().session(self.other).await?))
    }
}
