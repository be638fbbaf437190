//! Roles that stand beside memberships: in a table of their own, in the row about a person, or in the token.

use regex::Regex;

use crate::{
    catalog::{Catalog, Relation},
    draft::known_values,
    names,
    sql::{alternatives, literal},
    tenancy::{Granted, Tenancy},
};

/// The table that says who has which role, where no membership does: one of privileges; where users are the tenants, also
/// the row about a person.
pub fn granted(catalog: &Catalog, tenancy: &Tenancy) -> Option<Granted> {
    if tenancy.members.as_ref().is_some_and(|members| members.role.is_some()) || tenancy.claim.is_some() {
        return None;
    }
    let members = tenancy.members.as_ref().map(|members| members.table.as_str());
    let tables =
        || catalog.relations.iter().filter(|table| table.is_table() && Some(table.title().as_str()) != members);
    let named = tables().filter(|table| names::is_privileges_table(&table.name));
    let asked = named.filter(|table| catalog.is_asked_about_callers(table)).find_map(|table| of(catalog, table));
    let persons = tables().filter(|table| tenancy.tenant.is_none() && catalog.is_mirror(table));
    asked.or_else(|| persons.into_iter().find_map(|table| of(catalog, table)))
}

fn of(catalog: &Catalog, table: &Relation) -> Option<Granted> {
    let user = table.columns.iter().find(|column| catalog.is_of_user(table, &column.name))?;
    let role = table.columns.iter().find(|column| {
        let is_listed = !known_values(table, column).is_empty() || table.reference_of(&column.name).is_some();
        names::is_role_column(&column.name) && column.name != user.name && is_listed
    })?;
    Some(Granted { table: table.title(), user: user.name.clone(), role: role.name.clone() })
}

/// Roles of a table of privileges that policies ask for and for nothing else, more often than beside a tenant: they are the
/// platform's.
pub fn platform_roles(catalog: &Catalog, granted: &Granted, is_of_tenant: impl Fn(&str) -> bool) -> Vec<String> {
    let Some((table, column)) =
        catalog.named(&granted.table).and_then(|table| Some((table, table.column(&granted.role)?)))
    else {
        return Vec::new();
    };
    let is_platform = |role: &String| {
        let asks = format!("'{role}'");
        let (mut alone, mut beside) = (0, 0);
        for policy in catalog.relations.iter().flat_map(|of| &of.policies) {
            let texts = [&policy.using, &policy.check].into_iter().flatten();
            let asked: Vec<_> = texts.flat_map(|text| alternatives(text)).filter(|text| text.contains(&asks)).collect();
            alone += usize::from(asked.iter().any(|text| !is_of_tenant(text)));
            beside += usize::from(asked.iter().any(|text| is_of_tenant(text)));
        }
        // One policy may have forgotten to ask for the tenant.
        alone > beside && (alone > 1 || names::is_office(role))
    };
    known_values(table, column).into_iter().filter(is_platform).collect()
}

/// Roles of people that nobody's name puts above others, and to whom policies show everybody's rows: they ask for the role and
/// for nothing of the row.
pub fn offices(catalog: &Catalog, granted: &Granted) -> Vec<String> {
    let Some((table, column)) =
        catalog.named(&granted.table).and_then(|table| Some((table, table.column(&granted.role)?)))
    else {
        return Vec::new();
    };
    let is_of_people =
        |of: &&Relation| of.oid != table.oid && of.columns.iter().any(|column| catalog.is_of_user(of, &column.name));
    let is_office = |role: &String| {
        let shows = |of: &Relation| {
            let reading = of
                .policies
                .iter()
                .filter(|policy| policy.permissive && matches!(policy.command.as_str(), "select" | "all"));
            let mut parts = reading.filter_map(|policy| policy.using.as_deref()).flat_map(alternatives);
            parts.any(|text| text.contains(&literal(role)) && !of.is_named_in(text))
        };
        !names::is_plain_role(role)
            && names::is_taking_part(role)
            && catalog.relations.iter().filter(is_of_people).any(shows)
    };
    let roles = known_values(table, column);
    let offices: Vec<_> = roles.iter().filter(|role| is_office(role)).cloned().collect();
    if offices.len() == roles.len() { Vec::new() } else { offices }
}

/// The roles that policies and functions compare a claim with, and one that none of them asks for.
pub fn roles_of_claim(catalog: &Catalog, claim: &str) -> Vec<String> {
    let reads = format!("'{claim}'");
    let readers = catalog.functions.iter().filter(|function| {
        let is_of_token = function.source.contains("jwt") || function.source.contains("request.jwt");
        function.arguments.is_empty() && is_of_token && function.source.contains(&reads)
    });
    let mut asked: Vec<_> = readers.map(|function| format!(r"\b{}\(\)", regex::escape(&function.name))).collect();
    asked.push(format!(r"->>\s*'{}'(?:::text)?", regex::escape(claim)));
    let compared = Regex::new(&format!(
        r"(?i)(?:{})(?:\s+as\s+\w+)?\)*(?:::\w+)?\s*(?:=|<>|!=|in|not in|=\s*any|is distinct from)\s*\(*(?:array\[)?\s*((?:'[^']*'(?:::[\w. ]+)?\s*,?\s*)+)",
        asked.join("|")
    ));
    let Ok(compared) = compared else { return Vec::new() };
    let mut roles: Vec<String> = Vec::new();
    for found in catalog.texts().flat_map(|(_, text)| compared.captures_iter(text).collect::<Vec<_>>()) {
        for text in found[1].split('\'').skip(1).step_by(2).filter(|text| !text.is_empty()) {
            if !roles.iter().any(|role| role == text) {
                roles.push(text.to_owned());
            }
        }
    }
    let is_plain = |role: &String| names::is_plain_role(role);
    if !roles.is_empty() && !roles.iter().any(is_plain) {
        roles.push("member".to_owned());
    }
    roles
}
