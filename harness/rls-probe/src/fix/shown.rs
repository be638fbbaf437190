//! What closes what views and columns show: views of the caller's rows alone, and grants of all columns but some.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    catalog::{Catalog, Relation},
    record::Object,
    sql::ident,
};

use super::conditions::{composed, conditions};

/// What policies ask of a row that has a view's columns.
pub(super) fn whose_of(catalog: &Catalog, view: &Relation) -> Vec<String> {
    let asked = conditions(catalog, view, &[]);
    let composed = composed(catalog, view, &asked);
    asked.into_iter().chain(composed).collect()
}

/// A view that shows what it showed, as far as the rows are the caller's.
pub(super) fn narrowed_view(view: &Relation, condition: &str) -> Option<String> {
    let definition = view.definition.as_deref()?.trim().trim_end_matches(';');
    let (name, alias) = (view.sql(), ident(&view.name));
    Some(format!("create or replace view {name} as\nselect * from (\n{definition}\n) {alias}\nwhere {condition};"))
}

/// A view in the place of a materialized one, which nobody but it reads from then on.
pub(super) fn behind_view(view: &Relation, condition: &str) -> String {
    let (name, all) = (view.sql(), ident(&format!("{}_of_all", view.name)));
    let moved = format!("{}.{all}", ident(&view.schema));
    let roles = ["anon", "authenticated"].into_iter().filter(|role| view.may(role, "select"));
    let roles = roles.collect::<Vec<_>>().join(", ");
    format!(
        "alter materialized view {name} rename to {all}; -- which is what is to be refreshed from now on\nrevoke all on {moved} from public, anon, authenticated;\ncreate view {name} as select * from {moved} {} where {condition};\ngrant select on {name} to {roles};",
        ident(&view.name)
    )
}

/// A grant of all columns of a table but one.
pub(super) fn column_kept(catalog: &Catalog, object: &Object) -> Option<String> {
    let (table, column) = object.name.rsplit_once('.')?;
    let relation = catalog.named(table)?;
    let grants = ["anon", "authenticated"].into_iter().filter_map(|role| {
        let kept = relation.columns.iter().filter(|kept| kept.name != column && kept.may(role, "select"));
        let kept: Vec<_> = kept.map(|kept| ident(&kept.name)).collect();
        (!kept.is_empty()).then(|| format!("grant select ({}) on {} to {role};", kept.join(", "), relation.sql()))
    });
    let grants: Vec<_> = grants.collect();
    Some(format!(
        "-- whoever asks for all columns (select *) names them from now on\nrevoke select on {} from anon, authenticated;\n{}",
        relation.sql(),
        grants.join("\n")
    ))
}

/// Grants of all columns but those that are set, where nothing else is done with them.
pub(super) fn columns_kept(relation: &Relation, shown_by: &[&str]) -> Vec<String> {
    static SET: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"\nupdate \S+ set "([^"]+)" = "#).expect("a pattern"));
    let set: Option<Vec<_>> = shown_by.iter().map(|sql| Some(SET.captures(sql)?.get(1)?.as_str())).collect();
    let Some(set) = set.filter(|set| !set.is_empty()) else { return Vec::new() };
    let kept = relation.columns.iter().filter(|column| {
        column.may("authenticated", "update") && !column.generated && !set.contains(&column.name.as_str())
    });
    let kept: Vec<_> = kept.map(|column| ident(&column.name)).collect();
    if kept.is_empty() {
        return Vec::new();
    }
    let table = relation.sql();
    vec![
        format!("revoke update on {table} from anon, authenticated;"),
        format!("grant update ({}) on {table} to authenticated;", kept.join(", ")),
    ]
}
