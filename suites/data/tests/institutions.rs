//! The two institutions that are held against each other, by the personas that the contract names as readers. Where rows
//! are users', each reader is one.

use harness::{Check, Failure, RestClient, Verdict};

/// Whose rows a persona sees.
pub async fn owner(check: &Check, persona: &str) -> Verdict<String> {
    let unknown = || Failure::undecided(format!("the rows of {persona} are somebody's")).seen("nobody's");
    check.deployment().owner_of(persona).await?.ok_or_else(unknown)
}

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
    pub async fn of(check: &'c Check, persona: &'c str) -> Verdict<Self> {
        let contract = check.contract();
        let letter = |name: &str| contract.owner_of(name);
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
            institution: owner(check, persona).await?,
            canary: canary(own)?,
            other,
            other_institution: owner(check, other).await?,
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
