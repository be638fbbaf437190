//! What a catalog says of its tenancy when nobody else does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex::Regex;

use crate::{
    catalog::{Catalog, Column, Reference, Relation},
    draft::known_values,
    granted::{granted, offices, platform_roles, roles_of_claim},
    names,
    sql::literal,
    tenancy::{ClaimPaths, Granted, Members, Owner, Roles, Tenancy, TenantTable},
};

/// What was inferred, and why.
#[derive(Debug, Clone)]
pub struct Inferred {
    /// Whose rows are whose.
    pub tenancy: Tenancy,
    /// What speaks for it.
    pub reasons: Vec<String>,
    /// What speaks against it, or is not known: for somebody who knows to answer.
    pub questions: Vec<String>,
}

/// A tenancy that the catalog allows, the likeliest: tenants by memberships, tenants by claims, or users' own rows; where
/// tables name neither, an owner without columns.
pub fn infer(catalog: &Catalog, schemas: Vec<String>) -> Inferred {
    let (mut reasons, mut questions) = (Vec::new(), Vec::new());
    // Memberships may stand in a schema that the API does not show.
    let is_of_project = |relation: &&Relation| !matches!(relation.schema.as_str(), "storage" | "realtime");
    let tables: Vec<_> =
        catalog.relations.iter().filter(|relation| relation.is_table()).filter(is_of_project).collect();
    let claim = claimed(catalog);
    let mut best: Option<(&Relation, Option<Members>, String)> = None;
    let mut most = (false, 1);
    // Users themselves are no tenants, nor is what they may do.
    let may_be = |table: &&&Relation| !catalog.is_mirror(table) && !names::is_privileges_table(&table.name);
    for tenants in tables.iter().filter(may_be) {
        let Some((column, named)) = usual_name(&tables, tenants) else { continue };
        let members = tables.iter().filter_map(|table| membership(catalog, table, tenants));
        let members = members.max_by_key(|(fit, _)| *fit).map(|(_, members)| members);
        // A token that has the column's name in it, or that of the key which it refers to, says whose one table's rows are.
        let claimed = claim.as_ref().and_then(|claim| claim.path.last()).filter(|_| members.is_none());
        let is_claimed = claimed.is_some_and(|claimed| *claimed == column || is_referred_to(&tables, tenants, claimed));
        let is_said = is_claimed || claimed.is_some_and(|claimed| names::says_tenant(claimed));
        if members.is_none() && !is_said || named < 2 && !is_claimed {
            continue;
        }
        if let Some(members) = &members {
            reasons.push(format!(
                "{} are tenants: {named} tables name them, as {column}, and {} places users in them, by {} and {}",
                tenants.title(),
                members.table,
                members.user,
                members.tenant
            ));
        }
        // Who has a role in it, or is named as its member, says more than how much belongs to it.
        let is_told = members.as_ref().is_some_and(|members| {
            members.role.is_some() || names::is_members_table(members.table.rsplit('.').next().unwrap_or_default())
        });
        let is_told = is_told || is_claimed;
        if (is_told, named) > most {
            most = (is_told, named);
            best = Some((tenants, members, column));
        }
    }
    if let Some((tenants, members, column)) = best
        && let Some(key) = tenants.primary().and_then(|key| key.columns.first()).cloned()
    {
        let claimed = claim.as_ref().and_then(|claim| claim.path.last()).filter(|_| members.is_none());
        let key = claimed.filter(|claimed| is_referred_to(&tables, tenants, claimed)).cloned().unwrap_or(key);
        let tenant = TenantTable { table: tenants.title(), key, column: column.clone(), closed: BTreeMap::new() };
        let claim = claim.filter(|_| members.is_none());
        let others = reasons.extract_if(.., |reason| !reason.starts_with(&format!("{} ", tenant.table)));
        questions.extend(others.map(|other| format!("or is it otherwise? {other}")));
        match &members {
            Some(Members { table, role: Some(role), .. }) => reasons.push(format!("{table}.{role} is a member's role")),
            Some(Members { table, .. }) => {
                questions.push(format!("{table} has no column with a role: are all members equal?"))
            }
            None => reasons.push(format!("{} are tenants: {column} stands in users' tokens", tenant.table)),
        }
        let tenancy = Tenancy { schemas, tenant: Some(tenant), members, claim, ..Tenancy::default() };
        let tenancy = with_roles(catalog, tenancy, &mut reasons, &mut questions);
        return Inferred { tenancy, reasons, questions };
    }
    let mut columns: Vec<String> = Vec::new();
    for table in &tables {
        let of_users = table.columns.iter().filter(|column| catalog.is_of_user(table, &column.name));
        // A profile's own key says whose it is without a word.
        let is_key =
            |name: &String| catalog.is_mirror(table) && table.primary().is_some_and(|key| key.columns[0] == *name);
        for column in of_users.map(|column| &column.name).filter(|name| !is_key(name)) {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
    }
    // Whose a row is first of all goes first.
    columns.sort_by_key(|name| !names::is_first_owner(name));
    if columns.is_empty() && tables.iter().any(|table| catalog.is_mirror(table)) {
        columns.push("user_id".to_owned());
    }
    if columns.is_empty() {
        questions.push("no table places users in tenants, and none names users: whose rows are whose?".to_owned());
    } else {
        reasons.push("no table places users in tenants; these columns name users".to_owned());
    }
    let tenancy = Tenancy { schemas, owner: Some(Owner { columns }), ..Tenancy::default() };
    let tenancy = with_roles(catalog, tenancy, &mut reasons, &mut questions);
    Inferred { tenancy, reasons, questions }
}

/// The same with the roles that stand beside memberships.
fn with_roles(
    catalog: &Catalog,
    mut tenancy: Tenancy,
    reasons: &mut Vec<String>,
    questions: &mut Vec<String>,
) -> Tenancy {
    tenancy.granted = granted(catalog, &tenancy);
    let Some(granted) = &tenancy.granted else { return tenancy };
    reasons.push(format!("{}.{} is a user's role", granted.table, granted.role));
    questions.retain(|question| !question.ends_with("are all members equal?"));
    if tenancy.tenant.is_none() {
        let offices = offices(catalog, granted);
        if !offices.is_empty() {
            reasons.push(format!("policies show everybody's rows to {}", offices.join(", ")));
            tenancy.roles = with_offices(&tenancy.roles, known_roles(catalog, granted), offices);
        }
    }
    if let (Some(tenant), Some(members)) = (&tenancy.tenant, &tenancy.members) {
        let column = members.table.rsplit('.').next().unwrap_or_default();
        let is_of_tenant = |text: &str| {
            let words: Vec<_> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            [tenant.column.as_str(), members.tenant.as_str(), column].iter().any(|name| words.contains(name))
                || catalog.named(&members.table).is_some_and(|members| catalog.asks_of(text, members))
        };
        let platform = platform_roles(catalog, granted, is_of_tenant);
        if !platform.is_empty() {
            reasons.push(format!("policies ask for {} and for no tenant", platform.join(", ")));
            tenancy.roles.platform = platform;
        }
    }
    tenancy
}

/// The roles that the table which gives them knows.
fn known_roles(catalog: &Catalog, granted: &Granted) -> Vec<String> {
    let table = catalog.named(&granted.table);
    let column = table.and_then(|table| Some((table, table.column(&granted.role)?)));
    column.map(|(table, column)| known_values(table, column)).unwrap_or_default()
}

/// Roles with those who see everybody's rows above all others, but for those whom their names put there.
fn with_offices(named: &Roles, known: Vec<String>, offices: Vec<String>) -> Roles {
    let (mut above, others): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|role| !offices.contains(role) && names::rank(role) < names::rank(&offices[0]));
    above.sort_by_key(|role| names::rank(role));
    let platform = above.iter().chain(&others).filter(|role| named.is_platform(role)).chain(&offices);
    Roles {
        platform: platform.cloned().collect(),
        rank: above.iter().chain(&offices).cloned().collect(),
        ..named.clone()
    }
}

/// What other tables usually call this one, and how many name it, where any does.
fn usual_name(tables: &[&Relation], target: &Relation) -> Option<(String, usize)> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for table in tables.iter().filter(|table| table.oid != target.oid) {
        let to_it = |reference: &&Reference| reference.target == target.oid && reference.columns.len() == 1;
        for reference in table.references.iter().filter(to_it) {
            *names.entry(&reference.columns[0]).or_default() += 1;
        }
    }
    let (name, _) = names.iter().max_by_key(|(_, count)| **count)?;
    let is_named = |table: &&&Relation| {
        let refers =
            table.references.iter().any(|reference| reference.target == target.oid && reference.columns.len() == 1);
        table.oid != target.oid && (refers || table.column(name).is_some())
    };
    let named = tables.iter().filter(is_named).count();
    Some(((*name).to_owned(), named))
}

/// Whether other tables refer to this one by a column.
fn is_referred_to(tables: &[&Relation], target: &Relation, column: &str) -> bool {
    let mut references = tables.iter().flat_map(|table| &table.references);
    references.any(|reference| reference.target == target.oid && reference.target_columns == [column])
}

/// How well a table fits as the one of members, the most telling first.
type Fit = (bool, bool, bool, bool);

/// The columns by which a table places users in tenants.
fn membership(catalog: &Catalog, table: &Relation, tenants: &Relation) -> Option<(Fit, Members)> {
    if table.oid == tenants.oid {
        return None;
    }
    let single = || table.references.iter().filter(|reference| reference.columns.len() == 1);
    let tenant = single().find(|reference| reference.target == tenants.oid)?.columns[0].clone();
    let is_one_each = |name: &str| table.keys.iter().any(|key| key.columns.iter().any(|column| column == name));
    let is_user = |name: &str| {
        catalog.is_of_user(table, name) || (name == "user_id" && table.column(name).is_some_and(|c| c.base == "uuid"))
    };
    let users = table.columns.iter().map(|column| column.name.as_str()).filter(|name| is_user(name) && *name != tenant);
    let user = users.max_by_key(|name| (names::user_fit(name), is_one_each(name)))?.to_owned();
    let is_named = names::is_members_table(&table.name);
    let is_asked = catalog.is_asked_about_callers(table);
    if !is_one_each(&user) && !is_asked || names::is_log(&table.name) {
        return None;
    }
    let is_role = |name: &str| {
        let column = table.column(name);
        column.is_some_and(|column| !known_values(table, column).is_empty()) || table.reference_of(name).is_some()
    };
    let role = table.columns.iter().find(|column| names::is_role_column(&column.name) && is_role(&column.name));
    let role = role.map(|role| role.name.clone());
    // What a user likes, bought or wrote names the user as well; nobody asks it who may do what.
    if !is_asked && role.is_none() && !is_named {
        return None;
    }
    // Whoever is a member is asked for the tenant, and a membership is of one; what is in one place or another is not its
    // user's membership there.
    let is_of_one = || table.columns.iter().filter(|column| is_user(&column.name)).count() == 1;
    let is_theirs = || is_one_each(&user) || is_of_one();
    if role.is_none() && !is_named && !(catalog.is_asked_for(table, &tenant) && is_theirs()) {
        return None;
    }
    // Whoever wrote or approved a row was no member for that.
    if names::user_fit(&user) == 0 && role.is_none() {
        return None;
    }
    // A row that is somebody's own is no tenant of those who add to it.
    let is_owned = tenants.columns.iter().any(|column| catalog.is_of_user(tenants, &column.name));
    if is_owned && role.is_none() && !(is_named && is_one_each(&user)) {
        return None;
    }
    // Rows that refer to something else are made after the members are.
    let needs_more = single().any(|reference| {
        let name = &reference.columns[0];
        let is_needed = table.column(name).is_some_and(|column| column.not_null);
        is_needed && *name != tenant && !is_user(name) && Some(name) != role.as_ref()
    });
    let fit = (!needs_more, is_one_each(&user), role.is_some(), is_named);
    let role = role.or_else(|| asked_role(catalog, table));
    let (state, dead) = (BTreeMap::new(), Vec::new());
    Some((fit, Members { table: table.title(), user, tenant, role, state, dead }))
}

/// The only column of a membership that lists what somebody can be, is no state, and is asked for: a role by another name.
fn asked_role(catalog: &Catalog, table: &Relation) -> Option<String> {
    let lists = |column: &&Column| {
        known_values(table, column).len() > 1
            && !names::is_state(&column.name)
            && catalog.is_asked_for(table, &column.name)
    };
    let mut listing = table.columns.iter().filter(lists);
    let only = listing.next()?;
    listing.next().is_none().then(|| only.name.clone())
}

/// Where tokens say the tenant and the role, by what policies and functions ask of them.
fn claimed(catalog: &Catalog) -> Option<ClaimPaths> {
    static OF_APP: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"'?app_metadata'?(?:::text)?\)?\s*(?:->>?|,)\s*'?(\w+)").expect("a pattern"));
    static OF_USER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"'?user_metadata'?(?:::text)?\)?\s*(?:->>?|,)\s*'?(\w+)").expect("a pattern"));
    static OF_TOKEN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)(?:auth\.jwt\(\)(?: AS jwt)?|'request\.jwt\.claims'[^>;]{0,40})\)*(?:::jsonb?)?\)*\s*->>?\s*'(\w+)'|'request\.jwt\.claim\.(\w+)'")
            .expect("a pattern")
    });
    let under = |name: &str| vec![name.to_owned()];
    [(&OF_APP, under("app_metadata")), (&OF_TOKEN, Vec::new()), (&OF_USER, under("user_metadata"))]
        .into_iter()
        .find_map(|(asked, above)| claimed_by(catalog, asked, &above))
}

/// The same for one way of asking, of what stands below a path.
fn claimed_by(catalog: &Catalog, asked: &Regex, above: &[String]) -> Option<ClaimPaths> {
    let policies = catalog.relations.iter().flat_map(|relation| &relation.policies);
    let texts = policies.flat_map(|policy| [policy.using.as_deref(), policy.check.as_deref()]).flatten();
    let texts = texts.chain(catalog.functions.iter().map(|function| function.source.as_str()));
    let mut claims: Vec<String> = Vec::new();
    for found in texts.flat_map(|text| asked.captures_iter(text).collect::<Vec<_>>()) {
        let name = found.get(1).or(found.get(2)).map(|name| name.as_str().to_owned()).unwrap_or_default();
        let is_standard = above.is_empty() && names::is_standard_claim(&name);
        if !is_standard && !claims.contains(&name) {
            claims.push(name);
        }
    }
    let path = |name: &String| [above, std::slice::from_ref(name)].concat();
    let tenant = claims.iter().find(|name| names::is_tenant_claim(name))?;
    let role = claims.iter().find(|name| names::is_role_claim(name));
    let roles = role.map(|role| roles_of_claim(catalog, role)).unwrap_or_default();
    Some(ClaimPaths { path: path(tenant), role: role.map(path).unwrap_or_default(), roles })
}

/// The role above all others, where no name says which it is: whatever policies and functions give to another one, they give
/// to it as well, and more.
pub fn highest(catalog: &Catalog, tenancy: &Tenancy) -> Option<String> {
    let members = tenancy.members.as_ref()?;
    let table = catalog.named(&members.table)?;
    let column = table.column(members.role.as_ref()?)?;
    let mut roles = known_values(table, column);
    roles.retain(|role| !tenancy.roles.is_platform(role));
    let best = roles.iter().map(|role| tenancy.roles.rank(role)).min()?;
    roles.retain(|role| tenancy.roles.rank(role) == best);
    // Where rows have roles of their own, a role that is named may be the row's.
    let has_roles = |relation: &&Relation| relation.column(&column.name).is_some();
    let of_policies = catalog
        .relations
        .iter()
        .filter(|relation| !has_roles(relation))
        .flat_map(|relation| relation.policies.iter().flat_map(|policy| [&policy.using, &policy.check]).flatten());
    let helpers = catalog.functions.iter().filter(|function| !function.volatile && function.is_callable());
    let texts: Vec<_> = of_policies.chain(helpers.map(|function| &function.source)).collect();
    let named = |role: &String| -> BTreeSet<usize> {
        let texts = texts.iter().enumerate().filter(|(_, text)| text.contains(&literal(role)));
        texts.map(|(at, _)| at).collect()
    };
    let given: Vec<_> = roles.iter().map(named).collect();
    let is_above =
        |one: usize, other: usize| one == other || given[other].is_subset(&given[one]) && given[other] != given[one];
    let at = (0..roles.len()).find(|one| (0..roles.len()).all(|other| is_above(*one, other)))?;
    (roles.len() > 1).then(|| roles.swap_remove(at))
}
