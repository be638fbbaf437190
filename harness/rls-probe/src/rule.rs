//! Rules: a finding's kind, by what is at fault. An id is stable: it does not depend on who gets across, nor on what they
//! do there.

use serde::Serialize;

use crate::record::Cause;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A table is granted, and row level security is off.
    RowSecurityOff,
    /// A policy lets more rows through than it should.
    PolicyTooWide,
    /// A grant that no policy restricts.
    GrantWithoutPolicy,
    /// A bucket is public while policies keep its files apart.
    PublicBucket,
    /// A view reads with its owner's rights.
    ViewReadsAsOwner,
    /// A function does not check its caller.
    FunctionUncheckedCaller,
    /// A constraint spans tenants.
    ConstraintSpansTenants,
    /// A trigger trusts what users say.
    TriggerTrustsInput,
    /// A column with a secret is readable.
    SecretReadable,
    /// A policy fails for everybody.
    PolicyFails,
}

/// What a rule is called and says.
struct About {
    id: &'static str,
    name: &'static str,
    help: &'static str,
    page: &'static str,
}

macro_rules! about {
    ($id:literal, $name:literal, $help:literal) => {
        About { id: $id, name: $name, help: $help, page: include_str!(concat!("../docs/rules/", $id, ".md")) }
    };
}

impl Rule {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::RowSecurityOff,
        Self::PolicyTooWide,
        Self::GrantWithoutPolicy,
        Self::PublicBucket,
        Self::ViewReadsAsOwner,
        Self::FunctionUncheckedCaller,
        Self::ConstraintSpansTenants,
        Self::TriggerTrustsInput,
        Self::SecretReadable,
        Self::PolicyFails,
    ];

    /// The rule that a cause breaks.
    pub fn of(cause: &Cause) -> Self {
        match cause {
            Cause::NoRowSecurity => Self::RowSecurityOff,
            Cause::Policies(_) => Self::PolicyTooWide,
            Cause::Grant(_) => Self::GrantWithoutPolicy,
            Cause::PublicBucket => Self::PublicBucket,
            Cause::View => Self::ViewReadsAsOwner,
            Cause::Function => Self::FunctionUncheckedCaller,
            Cause::Constraint(_) => Self::ConstraintSpansTenants,
            Cause::Trigger(_) => Self::TriggerTrustsInput,
            Cause::Column => Self::SecretReadable,
            Cause::Failure(_) => Self::PolicyFails,
        }
    }

    fn about(self) -> About {
        match self {
            Self::RowSecurityOff => about!(
                "row-security-off",
                "RowSecurityOff",
                "Row level security is off on a table that API roles are granted."
            ),
            Self::PolicyTooWide => {
                about!("policy-too-wide", "PolicyTooWide", "A policy lets through rows that are not the caller's.")
            }
            Self::GrantWithoutPolicy => {
                about!("grant-without-policy", "GrantWithoutPolicy", "API roles hold a grant that no policy restricts.")
            }
            Self::PublicBucket => about!(
                "public-bucket",
                "PublicBucket",
                "A storage bucket is public, although policies keep its files apart."
            ),
            Self::ViewReadsAsOwner => about!(
                "view-reads-as-owner",
                "ViewReadsAsOwner",
                "A view reads with its owner's rights, past the policies of the tables behind it."
            ),
            Self::FunctionUncheckedCaller => about!(
                "function-unchecked-caller",
                "FunctionUncheckedCaller",
                "A function does not check whether its caller may have what it returns or changes."
            ),
            Self::ConstraintSpansTenants => about!(
                "constraint-spans-tenants",
                "ConstraintSpansTenants",
                "A unique or foreign key spans tenants, so that one tenant learns of or refers to another's rows."
            ),
            Self::TriggerTrustsInput => about!(
                "trigger-trusts-input",
                "TriggerTrustsInput",
                "A trigger acts with its owner's rights on values that users choose."
            ),
            Self::SecretReadable => about!(
                "secret-readable",
                "SecretReadable",
                "A column that holds a secret can be read by everybody who reads its table."
            ),
            Self::PolicyFails => {
                about!("policy-fails", "PolicyFails", "A policy ends in an error, so that nobody can use its table.")
            }
        }
    }

    /// Its stable id, such as `policy-too-wide`.
    pub fn id(self) -> &'static str {
        self.about().id
    }

    /// Its name for programs, such as `PolicyTooWide`.
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// What is wrong, in a sentence.
    pub fn help(self) -> &'static str {
        self.about().help
    }

    /// Its page, in Markdown: what is wrong, an example, how to mend it.
    pub fn page(self) -> &'static str {
        self.about().page
    }

    /// The rule with an id.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_opens_with_its_rule_and_has_an_example_and_a_fix() {
        for rule in Rule::ALL {
            let page = rule.page();
            assert!(page.starts_with(&format!("# {}\n\n{}", rule.id(), rule.help())), "{}", rule.id());
            assert!(page.contains("## Example") && page.contains("## Fix"), "{}", rule.id());
            assert_eq!(Rule::named(rule.id()), Some(rule));
        }
    }
}
