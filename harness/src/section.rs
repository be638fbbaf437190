//! The parts of a contract that some portals have no use for. A contract may leave each of them out; what it is about is
//! then not promised, and nothing of it is checked.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A part of a contract that may be left out, under the name that it has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// What one click does.
    Actions,
    /// Giving a transaction to a member.
    Allocation,
    /// Events of the audit log.
    Audit,
    /// All events that the portal writes.
    #[serde(rename = "audit.actions")]
    AuditActions,
    /// When people work.
    #[serde(rename = "audit.hours")]
    AuditHours,
    /// What shows that events are missing.
    #[serde(rename = "audit.sequence")]
    AuditSequence,
    /// What a page may cost.
    Budget,
    /// Institutions that may be written to in production.
    Canary,
    /// What distinguishes controls.
    Controls,
    /// The dashboard's figures.
    Dashboard,
    /// What the data checklist compares.
    Data,
    /// Payments that may be there twice.
    Duplicates,
    /// Views that a role may not see.
    Forbidden,
    /// What people make in dialogs.
    Forms,
    /// Edge functions.
    #[serde(rename = "security.functions")]
    Functions,
    /// Accounts that only an invitation makes.
    #[serde(rename = "security.invited")]
    Invited,
    /// The ledger on screen.
    Ledger,
    /// How a ledger that is longer than a page shows its rest.
    #[serde(rename = "ledger.more")]
    More,
    /// What it takes to make a tenant.
    Make,
    /// Relations that repeat what other rows say.
    Mirrors,
    /// Signs of a build with data that is made up.
    #[serde(rename = "portal.mock")]
    Mock,
    /// What is watched after a release.
    Monitoring,
    /// What the navigation offers to a role.
    #[serde(rename = "personas.navigation")]
    Navigation,
    /// The fields and buttons of the login view.
    #[serde(rename = "login.outline")]
    Outline,
    /// What an AI proposes for messages that no rule reads.
    #[serde(rename = "sms.readings")]
    Readings,
    /// The build, made again from a clean clone.
    Rebuild,
    /// Accounts that do not get in.
    #[serde(rename = "login.refused")]
    Refused,
    /// What has to be true around a release.
    Release,
    /// How a portal that could not start is tried again.
    #[serde(rename = "portal.retry")]
    Retry,
    /// Who may do what within an institution.
    Rights,
    /// What the security checklist looks at.
    Security,
    /// The errors that visitors met, where a service collects them.
    Sentry,
    /// The way from a gateway's message to the ledger.
    Sms,
    /// What the last soak has to show.
    Soak,
    /// Rows in the states that they may be in.
    States,
    /// Whose rows are whose.
    Tenancy,
    /// What tokens are good for.
    Tokens,
    /// Relations that add rows up.
    Totals,
    /// What nobody may make disappear.
    Trail,
    /// What people see.
    Views,
    /// How many rows it bears.
    Volume,
}

impl Section {
    /// All of them.
    pub const ALL: [Self; 41] = [
        Self::Actions,
        Self::Allocation,
        Self::Audit,
        Self::AuditActions,
        Self::AuditHours,
        Self::AuditSequence,
        Self::Budget,
        Self::Canary,
        Self::Controls,
        Self::Dashboard,
        Self::Data,
        Self::Duplicates,
        Self::Forbidden,
        Self::Forms,
        Self::Functions,
        Self::Invited,
        Self::Ledger,
        Self::More,
        Self::Make,
        Self::Mirrors,
        Self::Mock,
        Self::Monitoring,
        Self::Navigation,
        Self::Outline,
        Self::Readings,
        Self::Rebuild,
        Self::Refused,
        Self::Release,
        Self::Retry,
        Self::Rights,
        Self::Security,
        Self::Sentry,
        Self::Sms,
        Self::Soak,
        Self::States,
        Self::Tenancy,
        Self::Tokens,
        Self::Totals,
        Self::Trail,
        Self::Views,
        Self::Volume,
    ];

    /// What is said of whatever needs this part of a contract that does not have it.
    pub fn not_promised(self) -> String {
        format!("not promised: the contract has no [{self}]")
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_called_what_it_is_called_in_a_contract() {
        assert_eq!(Section::Sms.not_promised(), "not promised: the contract has no [sms]");
        assert_eq!(Section::Refused.to_string(), "login.refused");
    }
}
