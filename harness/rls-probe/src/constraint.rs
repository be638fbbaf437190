//! What closes a constraint that spans tenants: the same with the column by which a row says whose it is.

use crate::{
    catalog::{Catalog, Key, Reference, Relation},
    sql::ident,
};

/// SQL that may close it, with each of the columns by which the table says whose its rows are.
pub fn within(
    catalog: &Catalog,
    relation: &Relation,
    constraint: &str,
    whose: impl Fn(&Relation) -> Vec<String>,
) -> Vec<String> {
    if let Some(key) = relation.keys.iter().find(|key| key.name == constraint && !key.primary) {
        let whose = whose(relation);
        // Who finds a row by its code alone needs a code to be one row's.
        if key.columns.iter().any(|column| catalog.is_looked_up_by(relation, column, &whose)) {
            return Vec::new();
        }
        return whose.iter().filter_map(|column| unique_within(relation, key, column)).collect();
    }
    let Some(reference) = relation.references.iter().find(|reference| reference.name == constraint) else {
        return Vec::new();
    };
    let Some(target) = catalog.relation(reference.target) else { return Vec::new() };
    let own = whose(relation);
    let pairs = own.iter().flat_map(|own| whose(target).into_iter().map(move |theirs| (own, theirs)));
    pairs
        .map(|(own, theirs)| match reference.target_columns.iter().position(|column| *column == theirs) {
            Some(at) => same_within(relation, reference, own, &reference.columns[at]),
            None => refers_within(relation, reference, target, (own, &theirs)),
        })
        .collect()
}

/// That what a row refers to is of whom it is itself, where the foreign key says whose that is.
fn same_within(relation: &Relation, reference: &Reference, own: &str, theirs: &str) -> String {
    let (table, name) = (relation.sql(), ident(&format!("{}_within", reference.name)));
    format!(
        "alter table {table} add constraint {name} check ({} = {}) not valid; -- rows that are there already are looked at by: alter table {table} validate constraint {name};",
        ident(theirs),
        ident(own)
    )
}

/// A unique index that begins with the column.
fn unique_within(relation: &Relation, key: &Key, column: &str) -> Option<String> {
    let definition = key.definition.replacen("(", &format!("({}, ", ident(column)), 1);
    let (table, name) = (relation.sql(), ident(&key.name));
    let index = format!("{}.{name}", ident(&relation.schema));
    (definition != key.definition).then(|| {
        format!(
            "alter table {table} drop constraint if exists {name};\ndrop index if exists {index};\n{};",
            definition.replacen("CREATE UNIQUE INDEX", "create unique index", 1)
        )
    })
}

/// A foreign key that refers to whose the row is as well.
fn refers_within(relation: &Relation, reference: &Reference, target: &Relation, (own, theirs): (&str, &str)) -> String {
    let list = |columns: &[String]| columns.iter().map(|column| ident(column)).collect::<Vec<_>>().join(", ");
    let with = |columns: &[String], column: &str| list(&[columns, &[column.to_owned()]].concat());
    let (referring, referred) = (with(&reference.columns, own), with(&reference.target_columns, theirs));
    // Only the column that names the row is emptied with it.
    let action = reference.definition.rsplit_once(')').map_or("", |(_, action)| action);
    let action = action.replace("ON DELETE SET NULL", &format!("on delete set null ({})", list(&reference.columns)));
    let (table, name, target_table) = (relation.sql(), ident(&reference.name), target.sql());
    let mut wanted = reference.target_columns.clone();
    wanted.push(theirs.to_owned());
    let is_same =
        |key: &&Key| key.columns.len() == wanted.len() && wanted.iter().all(|name| key.columns.contains(name));
    let key = match target.keys.iter().any(|key| is_same(&key) && key.plain && !key.partial) {
        true => String::new(),
        false => format!("alter table {target_table} add unique ({referred});\n"),
    };
    format!(
        "{key}alter table {table} drop constraint {name},\n  add constraint {name} foreign key ({referring}) references {target_table} ({referred}){action};"
    )
}
