//! A refusal of the database, as data.

/// Why a statement was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// SQLSTATE.
    pub code: String,
    /// The primary message, untranslated.
    pub message: String,
    /// The constraint that was violated.
    pub constraint: Option<String>,
    /// The column that must not be NULL.
    pub column: Option<String>,
}

impl Refused {
    /// What was not tried since there was no time left.
    pub(crate) fn by_time(message: &str) -> Self {
        Self { code: "57014".to_owned(), message: message.to_owned(), constraint: None, column: None }
    }

    /// Somebody may not: a grant, a policy, or a function that says so.
    pub fn is_of_privilege(&self) -> bool {
        self.code == "42501"
    }

    /// Somebody said no: a grant, a policy, or code that raises an error on purpose. Everything else is a failure, of a
    /// row or of code that somebody else may get through.
    pub fn is_said(&self) -> bool {
        const FAILURES: [&str; 16] =
            ["08", "0A", "21", "22", "25", "2D", "2F", "39", "3B", "40", "42", "53", "54", "55", "57", "XX"];
        self.is_of_privilege() || !FAILURES.iter().any(|class| self.code.starts_with(class))
    }

    /// Code said no: a trigger or a function, and neither a grant nor a policy.
    pub fn is_by_code(&self) -> bool {
        self.is_said() && !self.is_by_policy() && !self.is_by_grant() && !self.is_by_constraint()
    }

    /// A grant on this relation is missing, and not on one that a policy asks.
    pub fn is_by_grant_on(&self, relation: &str) -> bool {
        self.is_by_grant() && self.message.ends_with(&format!(" {relation}"))
    }

    /// A policy said no.
    pub fn is_by_policy(&self) -> bool {
        self.code == "42501" && self.message.contains("row-level security")
    }

    /// A grant is missing.
    pub fn is_by_grant(&self) -> bool {
        self.code == "42501" && self.message.starts_with("permission denied")
    }

    /// The row was let through by every policy, and is no valid one. A check that has no name is code that raises its error.
    pub fn is_by_constraint(&self) -> bool {
        self.code.starts_with("23") && (self.code != "23514" || self.constraint.is_some())
    }

    /// It took too long, or waited for somebody else.
    pub fn is_by_time(&self) -> bool {
        matches!(self.code.as_str(), "57014" | "55P03" | "40P01")
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.message.lines().next().unwrap_or_default())
    }
}
