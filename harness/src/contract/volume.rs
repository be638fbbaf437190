//! How many rows a portal is to bear, and how fast it answers then.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Contract;

/// A volume of rows, and what is promised of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Milliseconds in which the database answers what a view asks for.
    pub answers_within_ms: u64,
    /// Rows from which on a table is large: no request reads a large table from one end to the other.
    pub large_from: u64,
    /// What a scratch database is filled with, in this order.
    pub rows: Vec<Filled>,
    /// Functions that views call.
    #[serde(default)]
    pub calls: Vec<Call>,
}

/// Rows of one kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filled {
    /// The kind of [`Recipe`](super::Recipe), or
    pub kind: Option<String>,
    /// the table, where checks make no rows in it.
    pub table: Option<String>,
    /// How many: a multiple of those that they belong to, so that a row and what it names belong to the same tenant.
    pub rows: u64,
    /// Columns in the place of the recipe's, as SQL: `n` is the row's number, from 0 on, `{kind}` the id of an earlier row.
    #[serde(default)]
    pub with: BTreeMap<String, String>,
}

/// A function that a view calls, by GET.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The function.
    pub function: String,
    /// Its arguments; `{institution}` is the caller's.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    /// Who calls it, by persona.
    pub persona: String,
}

impl Contract {
    /// Why the volume cannot be made.
    pub(super) fn unfillable(&self) -> Option<String> {
        let volume = self.volume.as_ref()?;
        if volume.rows.is_empty() || volume.answers_within_ms == 0 || volume.large_from == 0 {
            return Some(
                "[volume] promises nothing: rows, answers_within_ms and large_from are more than 0".to_owned(),
            );
        }
        let is_unknown = |filled: &&Filled| match (&filled.kind, &filled.table) {
            (Some(kind), None) => self.make.as_ref().is_none_or(|make| !make.contains_key(kind)),
            (kind, table) => kind.is_some() == table.is_some(),
        };
        if let Some(filled) = volume.rows.iter().find(is_unknown) {
            let named = filled.kind.as_deref().or(filled.table.as_deref()).unwrap_or_default();
            return Some(format!("[[volume.rows]] {named:?}: each has a kind of [make] or a table"));
        }
        let caller = volume.calls.iter().find(|call| !self.personas.contains_key(&call.persona));
        caller
            .map(|call| format!("[[volume.calls]] {:?}: {:?} is not one of its personas", call.function, call.persona))
    }
}
