//! What a catalog says of its tenancy when nobody else does.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;

use crate::{
    catalog::{Catalog, Relation},
    draft::choices,
    names,
    tenancy::{ClaimPaths, Members, Owner, Tenancy, TenantTable},
};

/// A tenancy that the catalog allows, the likeliest: tenants by memberships, tenants by claims, or users' own rows.
/// None where tables name neither tenants nor users.
pub fn infer(catalog: &Catalog, schemas: Vec<String>) -> Option<Tenancy> {
    let tables: Vec<_> = catalog.relations.iter().filter(|relation| relation.is_table() && relation.exposed).collect();
    let claim = claimed(catalog);
    let mut best: Option<(usize, &Relation, Option<Members>, String)> = None;
    for tenants in &tables {
        let Some(column) = usual_name(&tables, tenants) else { continue };
        let members = tables.iter().filter_map(|table| Some((table, membership(table, tenants)?)));
        let members =
            members.max_by_key(|(table, members)| (members.role.is_some(), names::is_members_table(&table.name)));
        if members.is_none() && claim.is_none() {
            continue;
        }
        let named = tables.iter().filter(|table| table.column(&column).is_some()).count();
        if named > best.as_ref().map_or(1, |(most, ..)| *most) {
            best = Some((named, tenants, members.map(|(_, members)| members), column));
        }
    }
    if let Some((_, tenants, members, column)) = best {
        let key = tenants.primary().and_then(|key| key.columns.first()).cloned()?;
        let tenant = TenantTable { table: tenants.title(), key, column, closed: BTreeMap::new() };
        let claim = claim.filter(|_| members.is_none());
        return Some(Tenancy { schemas, tenant: Some(tenant), members, claim, ..Tenancy::default() });
    }
    let mut columns: Vec<String> = Vec::new();
    for table in &tables {
        let of_users = table.references.iter().filter(|reference| reference.target_name == "auth.users");
        for column in of_users.flat_map(|reference| &reference.columns) {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
    }
    // Whose a row is first of all goes first.
    columns.sort_by_key(|name| !names::is_first_owner(name));
    let owner = (!columns.is_empty()).then_some(Owner { columns })?;
    Some(Tenancy { schemas, owner: Some(owner), ..Tenancy::default() })
}

/// What other tables call this one, where several refer to it.
fn usual_name(tables: &[&Relation], target: &Relation) -> Option<String> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for table in tables.iter().filter(|table| table.oid != target.oid) {
        let to_it =
            |reference: &&crate::catalog::Reference| reference.target == target.oid && reference.columns.len() == 1;
        for reference in table.references.iter().filter(to_it) {
            *names.entry(&reference.columns[0]).or_default() += 1;
        }
    }
    names.into_iter().filter(|(_, count)| *count > 1).max_by_key(|(_, count)| *count).map(|(name, _)| name.to_owned())
}

/// The columns by which a table places users in tenants.
fn membership(table: &Relation, tenants: &Relation) -> Option<Members> {
    if table.oid == tenants.oid {
        return None;
    }
    let to = |is_target: &dyn Fn(&crate::catalog::Reference) -> bool| {
        let found = table.references.iter().find(|reference| reference.columns.len() == 1 && is_target(reference));
        found.map(|reference| reference.columns[0].clone())
    };
    let tenant = to(&|reference| reference.target == tenants.oid)?;
    let is_one_each = |name: &String| table.keys.iter().any(|key| key.columns.contains(name));
    let user = to(&|reference| reference.target_name == "auth.users")
        .or_else(|| table.column("user_id").filter(|column| column.base == "uuid").map(|column| column.name.clone()));
    let user = user.filter(is_one_each)?;
    let role =
        table.columns.iter().find(|column| names::is_role_column(&column.name) && !choices(table, column).is_empty());
    let (state, dead) = (BTreeMap::new(), Vec::new());
    Some(Members { table: table.title(), user, tenant, role: role.map(|role| role.name.clone()), state, dead })
}

/// Where tokens say the tenant and the role, by what policies and functions ask of `app_metadata`.
fn claimed(catalog: &Catalog) -> Option<ClaimPaths> {
    static ASKED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"'?app_metadata'?(?:::text)?\)?\s*(?:->>?|,)\s*'?(\w+)").expect("a pattern"));
    let policies = catalog.relations.iter().flat_map(|relation| &relation.policies);
    let texts = policies.flat_map(|policy| [policy.using.as_deref(), policy.check.as_deref()]).flatten();
    let texts = texts.chain(catalog.functions.iter().map(|function| function.source.as_str()));
    let mut claims: Vec<String> = Vec::new();
    for found in texts.flat_map(|text| ASKED.captures_iter(text).collect::<Vec<_>>()) {
        if !claims.contains(&found[1].to_owned()) {
            claims.push(found[1].to_owned());
        }
    }
    let path = |name: &String| vec!["app_metadata".to_owned(), name.clone()];
    let tenant = claims.iter().find(|name| names::is_tenant_claim(name))?;
    let role = claims.iter().find(|name| names::is_role_claim(name)).map(path).unwrap_or_default();
    Some(ClaimPaths { path: path(tenant), role, roles: Vec::new() })
}
