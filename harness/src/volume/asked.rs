//! What the contract's views ask for.

use std::collections::BTreeSet;

use url::form_urlencoded;

use super::CLAIM;
use crate::{
    contract::{Contract, Volume},
    failure::{Failure, Verdict},
    views::asked,
};

/// A request of a view.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The view and the list, or the function.
    pub what: String,
    pub role: String,
    pub path: String,
    pub query: String,
    /// Rows that it shows at most.
    pub limit: Option<usize>,
    /// The columns of an index that would serve it, the table first.
    pub index: Option<(String, Vec<String>)>,
}

/// What the views ask for, by everybody who looks at them, each request once.
pub(super) fn all(contract: &Contract, volume: &Volume, institution: &str) -> Verdict<Vec<Asked>> {
    let mut all = Vec::new();
    for view in contract.views()? {
        for reader in &view.readers {
            for list in &view.lists {
                let (role, own) = role(contract, reader, institution)?;
                let (table, query) = asked(contract, list, own)?;
                let of_list = |(name, value): &(String, String)| match name.as_str() {
                    "select" | "limit" => None,
                    "order" => {
                        Some(value.split(',').map(|term| term.split('.').next().unwrap_or(term).to_owned()).collect())
                    }
                    column => Some(vec![column.to_owned()]),
                };
                let mut columns: Vec<String> =
                    query.iter().filter_map(of_list).flat_map(|it: Vec<String>| it).collect();
                let mut seen = BTreeSet::new();
                columns.retain(|column| seen.insert(column.clone()));
                all.push(Asked {
                    what: format!("view {:?}, {} as {role}", view.name, list.kind),
                    role,
                    path: table.to_owned(),
                    query: form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish(),
                    limit: list.limit,
                    index: Some((table.to_owned(), columns)),
                });
            }
        }
    }
    for call in &volume.calls {
        let (role, own) = role(contract, &call.persona, institution)?;
        let argument = |value: &String| value.replace("{institution}", own.unwrap_or_default());
        let arguments = call.arguments.iter().map(|(name, value)| (name, argument(value)));
        all.push(Asked {
            what: format!("function {} as {role}", call.function),
            role,
            path: format!("rpc/{}", call.function),
            query: form_urlencoded::Serializer::new(String::new()).extend_pairs(arguments).finish(),
            limit: None,
            index: None,
        });
    }
    let mut seen = BTreeSet::new();
    all.retain(|asked| seen.insert((asked.role.clone(), asked.path.clone(), asked.query.clone())));
    if all.is_empty() {
        return Err(Failure::undecided(CLAIM)
            .expected("lists in [[views]] or functions in [[volume.calls]]")
            .seen("none"));
    }
    Ok(all)
}

/// The role of a persona, and the institution, where it has one.
pub(super) fn role<'i>(contract: &Contract, persona: &str, institution: &'i str) -> Verdict<(String, Option<&'i str>)> {
    let role = contract.role_of(persona).ok_or_else(|| {
        Failure::undecided(CLAIM).expected(format!("a role in [formats.labels] for the persona {persona}")).seen("none")
    })?;
    let has_one = contract.personas.get(persona).is_some_and(|persona| persona.institution.is_some());
    Ok((role.to_owned(), has_one.then_some(institution)))
}
