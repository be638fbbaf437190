//! Whose a row is: by a column that names the tenant, through the row that it refers to, by a column that names a user,
//! or nobody's.

use std::collections::{HashMap, HashSet};

use crate::{
    catalog::{Catalog, Column, Policy, Reference, Relation, compared_with_caller},
    names,
    sql::{alternatives, ident, literal, parted},
    tenancy::Tenancy,
};

/// How a row of a table says whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tie {
    /// A column has the tenant's key; in the table of tenants, the key itself.
    Tenant(String),
    /// It is its parent's.
    Parent(usize),
    /// Columns have users' ids.
    Owner(Vec<String>),
    /// It is theirs who are named beside it, by rows of this table with this foreign key: participants of a conversation.
    Joined(i64, usize),
    /// The first folder of a file's name is the tenant's or the user's.
    Path,
    /// Everybody's.
    Shared,
}

impl Tie {
    /// For people.
    pub fn in_words(&self, relation: &Relation) -> String {
        match self {
            Self::Tenant(column) => format!("by {column}"),
            Self::Parent(index) => {
                let reference = &relation.references[*index];
                format!("through {} ({})", reference.target_name, reference.columns.join(", "))
            }
            Self::Owner(columns) => format!("of users, by {}", columns.join(", ")),
            Self::Joined(..) => "of those who take part in it".to_owned(),
            Self::Path => "by the first folder of the name".to_owned(),
            Self::Shared => "everybody's".to_owned(),
        }
    }
}

/// The ties of all tables.
pub fn ties(catalog: &Catalog, tenancy: &Tenancy) -> HashMap<i64, Tie> {
    let mut ties = HashMap::new();
    let tables = || catalog.relations.iter().filter(|relation| relation.is_table());
    for relation in tables() {
        if let Some(given) = tenancy.tables.get(&relation.title()) {
            ties.insert(relation.oid, given_tie(relation, given));
        } else if let Some(key) = own_person(catalog, tenancy, relation) {
            ties.insert(relation.oid, Tie::Owner(vec![key]));
        } else if let Some(column) = tenant_column(catalog, tenancy, relation) {
            ties.insert(relation.oid, Tie::Tenant(column));
        } else if let Some(column) = callers_alone(catalog, relation) {
            ties.insert(relation.oid, Tie::Owner(vec![column]));
        } else if relation.schema == "storage" && relation.name == "objects" {
            ties.insert(relation.oid, Tie::Path);
        }
    }
    close(catalog, &mut ties);
    for relation in tables() {
        if ties.contains_key(&relation.oid) {
            continue;
        }
        let owners = owner_columns(catalog, relation, tenancy);
        if !owners.is_empty() {
            ties.insert(relation.oid, Tie::Owner(owners));
        }
    }
    let joined: Vec<_> =
        tables().filter_map(|relation| Some((relation.oid, joined(catalog, &ties, relation)?))).collect();
    ties.extend(joined);
    close(catalog, &mut ties);
    for relation in tables() {
        ties.entry(relation.oid).or_insert(Tie::Shared);
    }
    ties
}

/// What says who takes part in the rows of a table that says itself of nobody: another one names them beside it, and the
/// policies for reading ask that one.
fn joined(catalog: &Catalog, ties: &HashMap<i64, Tie>, relation: &Relation) -> Option<Tie> {
    let reads: Vec<_> = relation.policies_for("authenticated", "select").filter(|policy| policy.permissive).collect();
    let is_open = |policy: &&Policy| policy.using.as_deref().is_none_or(|text| text == "true");
    if ties.contains_key(&relation.oid) || !relation.rls || reads.is_empty() || reads.iter().any(is_open) {
        return None;
    }
    let tables = catalog.relations.iter().filter(|table| table.is_table() && table.oid != relation.oid);
    tables.filter(|table| matches!(ties.get(&table.oid), Some(Tie::Owner(_)))).find_map(|table| {
        let to_it = |reference: &Reference| reference.target == relation.oid && reference.columns.len() == 1;
        let index = table.references.iter().position(to_it)?;
        let column = &table.references[index].columns[0];
        let is_key = table.keys.iter().any(|key| key.columns.len() > 1 && key.columns.contains(column));
        let asks = |policy: &&Policy| policy.using.as_deref().is_some_and(|text| catalog.asks_of(text, table));
        (is_key && reads.iter().any(asks)).then_some(Tie::Joined(table.oid, index))
    })
}

fn given_tie(relation: &Relation, given: &str) -> Tie {
    match given.strip_prefix("through ") {
        _ if given == "nobody" => Tie::Shared,
        Some(column) => {
            let of_column =
                relation.references.iter().position(|reference| reference.columns.iter().any(|c| c == column));
            of_column.map_or(Tie::Shared, Tie::Parent)
        }
        None => Tie::Tenant(given.to_owned()),
    }
}

/// Ties tables to those that they refer to, and those that refer to them, until there is nothing more to tie.
fn close(catalog: &Catalog, ties: &mut HashMap<i64, Tie>) {
    loop {
        let mut found = Vec::new();
        for relation in
            catalog.relations.iter().filter(|relation| relation.is_table() && !ties.contains_key(&relation.oid))
        {
            let is_of_user = |reference: &Reference| is_of_user(catalog, relation, reference);
            let is_tied = |reference: &&Reference| {
                let names_somebody = is_of_user(reference) && !is_about_somebody(catalog, ties, relation, reference);
                reference.target != relation.oid
                    && !names_somebody
                    && ties.get(&reference.target).is_some_and(|tie| *tie != Tie::Shared)
            };
            let is_needed = |reference: &Reference| {
                reference.columns.iter().all(|name| relation.column(name).is_some_and(|column| column.not_null))
            };
            // What its own policies ask for says more than what must be there.
            let is_asked = |reference: &Reference| reference.columns.iter().all(|name| relation.asks_for(name));
            let best = relation.references.iter().filter(is_tied);
            let best = best.max_by_key(|reference| (is_asked(reference), !is_of_user(reference), is_needed(reference)));
            let best =
                best.and_then(|best| relation.references.iter().position(|reference| reference.name == best.name));
            if let Some(index) = best {
                found.push((relation.oid, Tie::Parent(index)));
            }
        }
        if found.is_empty() {
            return;
        }
        // People's own records come before what is said of them.
        let is_record =
            |(oid, _): &(i64, Tie)| catalog.relation(*oid).is_some_and(|relation| catalog.is_mirror(relation));
        // What a row is part of comes before who is named in it.
        let is_part = |(oid, tie): &(i64, Tie)| {
            let reference = catalog.relation(*oid).zip(if let Tie::Parent(index) = tie { Some(*index) } else { None });
            reference.is_some_and(|(relation, index)| !is_of_user(catalog, relation, &relation.references[index]))
        };
        if found.iter().any(is_record) {
            found.retain(is_record);
        } else if found.iter().any(is_part) {
            found.retain(is_part);
        }
        ties.extend(found);
    }
}

fn is_of_user(catalog: &Catalog, relation: &Relation, reference: &Reference) -> bool {
    reference.columns.iter().any(|name| catalog.is_of_user(relation, name))
}

/// Whether a reference to a person says whose a row is: the person's own record is their tenant's, and what policies ask it
/// for.
fn is_about_somebody(catalog: &Catalog, ties: &HashMap<i64, Tie>, relation: &Relation, reference: &Reference) -> bool {
    let is_of_tenants = matches!(ties.get(&reference.target), Some(Tie::Tenant(_) | Tie::Parent(_)));
    let is_key = catalog.is_mirror(relation) && relation.primary().is_some_and(|key| key.columns == reference.columns);
    let is_asked = reference.columns.iter().all(|name| relation.asks_for(name) && !names::is_owner(name));
    is_of_tenants && (is_key || is_asked)
}

/// The column by which every policy for reading compares a row with the caller, and asks for nothing else: a list of things
/// that one keeps is one's own, whosever the things are.
fn callers_alone(catalog: &Catalog, relation: &Relation) -> Option<String> {
    let mut reads = relation.policies_for("authenticated", "select").filter(|policy| policy.permissive).peekable();
    reads.peek()?;
    let column = |text: &str| {
        let text = text.strip_prefix('(')?.strip_suffix(')')?;
        let is_alone = parted(text, " AND ").len() == 1 && alternatives(text).len() == 1;
        let (of, name) = compared_with_caller(text).next().filter(|_| is_alone)?;
        let is_user = of.is_none_or(|of| of == relation.name) && catalog.is_of_user(relation, name);
        (is_user && !names::is_author(name)).then(|| name.to_owned())
    };
    let columns: Option<HashSet<_>> = reads.map(|policy| policy.using.as_deref().and_then(column)).collect();
    columns.filter(|columns| relation.rls && columns.len() == 1)?.into_iter().next()
}

/// The key of a table whose rows are about one person each, whatever tenant they point at for the moment.
fn own_person(catalog: &Catalog, tenancy: &Tenancy, relation: &Relation) -> Option<String> {
    let is_members = tenancy.members.as_ref().and_then(|members| catalog.named(&members.table));
    if !catalog.is_mirror(relation) || is_members.is_some_and(|members| members.oid == relation.oid) {
        return None;
    }
    let column = tenant_column(catalog, tenancy, relation)?;
    let key = relation.primary()?.columns.first()?;
    (*key != column && relation.column(&column).is_some_and(|column| !column.not_null)).then(|| key.clone())
}

/// The column that names the tenant: as the contract calls it, or a foreign key to the table of tenants.
fn tenant_column(catalog: &Catalog, tenancy: &Tenancy, relation: &Relation) -> Option<String> {
    let tenant = tenancy.tenant.as_ref()?;
    let table = catalog.named(&tenant.table)?;
    if relation.oid == table.oid {
        return Some(tenant.key.clone());
    }
    if let Some(members) = &tenancy.members
        && catalog.named(&members.table).is_some_and(|members| members.oid == relation.oid)
    {
        return Some(members.tenant.clone());
    }
    if relation.column(&tenant.column).is_some() {
        return Some(tenant.column.clone());
    }
    let to_tenant = |reference: &&Reference| reference.target == table.oid && reference.columns.len() == 1;
    let is_needed = |name: &str| relation.column(name).is_some_and(|column| column.not_null);
    let best = relation.references.iter().filter(to_tenant).max_by_key(|reference| is_needed(&reference.columns[0]));
    best.map(|reference| reference.columns[0].clone())
}

/// The columns that name users.
pub fn owner_columns(catalog: &Catalog, relation: &Relation, tenancy: &Tenancy) -> Vec<String> {
    let is_of_user = |name: &str| catalog.is_of_user(relation, name);
    let is_key = |name: &str| relation.primary().is_some_and(|key| key.columns == [name]);
    // Who wrote a row is not whose it is, where nobody has to have written it and no policy asks who did.
    let is_noted = |column: &&Column| {
        names::is_author(&column.name)
            && !column.not_null
            && !relation.policies.is_empty()
            && !relation.asks_for(&column.name)
    };
    let names = relation.columns.iter().filter(|column| !is_noted(column)).filter(|column| match &tenancy.owner {
        Some(owner) => owner.columns.contains(&column.name) || (is_key(&column.name) && is_of_user(&column.name)),
        None => {
            (is_of_user(&column.name) && (is_key(&column.name) || names::is_owner(&column.name)))
                || (names::is_surely_owner(&column.name) && column.base == "uuid")
        }
    });
    let names: Vec<_> = names.map(|column| column.name.clone()).collect();
    if !names.is_empty() || tenancy.owner.is_some() || tenant_column(catalog, tenancy, relation).is_some() {
        return names;
    }
    // Where nothing else says whose a row is, its policies do.
    let asked = relation.columns.iter().filter(|column| catalog.is_of_caller(relation, &column.name));
    asked.map(|column| column.name.clone()).collect()
}

/// Which rows of a table are a tenant's, as an SQL condition on its columns.
pub fn condition(
    catalog: &Catalog,
    ties: &HashMap<i64, Tie>,
    relation: &Relation,
    tenant: &str,
    users: &[String],
) -> String {
    match ties.get(&relation.oid) {
        Some(Tie::Tenant(column)) => format!("{} = {}", ident(column), literal(tenant)),
        Some(Tie::Parent(index)) => {
            let reference = &relation.references[*index];
            let Some(parent) = catalog.relation(reference.target) else { return "false".to_owned() };
            let list = |names: &[String]| names.iter().map(|name| ident(name)).collect::<Vec<_>>().join(", ");
            format!(
                "({}) in (select {} from {} where {})",
                list(&reference.columns),
                list(&reference.target_columns),
                parent.sql(),
                condition(catalog, ties, parent, tenant, users)
            )
        }
        Some(Tie::Owner(_)) if users.is_empty() => "false".to_owned(),
        Some(Tie::Owner(columns)) => {
            let users: Vec<_> = users.iter().map(|user| literal(user)).collect();
            let each = columns.iter().map(|column| format!("{}::text in ({})", ident(column), users.join(", ")));
            format!("({})", each.collect::<Vec<_>>().join(" or "))
        }
        Some(Tie::Joined(table, index)) => {
            let Some(table) = catalog.relation(*table) else { return "false".to_owned() };
            let reference = &table.references[*index];
            format!(
                "{} in (select {} from {} where {})",
                ident(&reference.target_columns[0]),
                ident(&reference.columns[0]),
                table.sql(),
                condition(catalog, ties, table, tenant, users)
            )
        }
        Some(Tie::Path) => {
            let folders: Vec<_> = users.iter().map(String::as_str).chain([tenant]).map(literal).collect();
            let folders = folders.join(", ");
            // In a folder, in one within another, or named by an id itself.
            format!(
                "(split_part(name, '/', 1) in ({folders}) or split_part(name, '/', 2) in ({folders}) or split_part(name, '.', 1) in ({folders}))"
            )
        }
        Some(Tie::Shared) | None => "false".to_owned(),
    }
}
