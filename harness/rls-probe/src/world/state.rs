//! States of tenants and members: in use, and over.

use std::collections::BTreeMap;

use crate::{
    catalog::{Catalog, Column, Relation},
    draft::known_values,
    names,
    sql::literal,
};

pub fn sql_values(values: &BTreeMap<String, toml::Value>) -> BTreeMap<String, String> {
    let sql = |value: &toml::Value| match value {
        toml::Value::String(text) => literal(text),
        other => other.to_string(),
    };
    values.iter().map(|(column, value)| (column.clone(), sql(value))).collect()
}

/// States in which something is over, found out from names of columns and values.
pub fn dead_states(table: &Relation) -> Vec<BTreeMap<String, String>> {
    let mut states = Vec::new();
    for column in &table.columns {
        let name = column.name.as_str();
        let values = match column.category.as_str() {
            "B" if names::is_living_flag(name) => vec!["false".to_owned()],
            "D" if names::is_end(name) => vec!["now()".to_owned()],
            _ if names::is_state(name) => dead_values(table, column),
            _ => Vec::new(),
        };
        states.extend(values.into_iter().map(|value| BTreeMap::from([(column.name.clone(), value)])));
    }
    states
}

/// The likeliest value of a state that is over, and the likeliest of the other kind: who is kept out may come back, who has left
/// is in another state.
fn dead_values(table: &Relation, column: &Column) -> Vec<String> {
    let choices = known_values(table, column);
    let is_there = |dead: &&str| choices.iter().find(|choice| choice.eq_ignore_ascii_case(dead));
    let mut dead: Vec<_> = names::DEAD.iter().filter_map(is_there).collect();
    // What those are refused who may see nothing more says which it is.
    dead.sort_by_key(|dead| !column.refused.contains(dead));
    let Some((first, rest)) = dead.split_first() else { return Vec::new() };
    let other = rest.iter().find(|dead| names::is_left_behind(dead) != names::is_left_behind(first));
    [first].into_iter().chain(other).map(|dead| literal(dead)).collect()
}

/// Members of whom a date is asked that they have not: they were invited, and did not accept.
pub fn not_yet(catalog: &Catalog, table: &Relation) -> Vec<BTreeMap<String, String>> {
    let is_open = |column: &&Column| column.category == "D" && !column.not_null && column.default.is_none();
    let dates = table.columns.iter().filter(is_open).filter(|column| catalog.asks_whether_set(table, &column.name));
    dates.map(|column| BTreeMap::from([(column.name.clone(), "null".to_owned())])).collect()
}

/// The state of a member who is one.
pub fn living_state(catalog: &Catalog, table: &Relation) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    for column in &table.columns {
        if names::is_state(&column.name) {
            let choices = known_values(table, column);
            let living = names::LIVING
                .iter()
                .find_map(|living| choices.iter().find(|choice| choice.eq_ignore_ascii_case(living)));
            state.extend(living.map(|living| (column.name.clone(), literal(living))));
        } else if column.category == "B" && names::is_living_flag(&column.name) {
            state.insert(column.name.clone(), "true".to_owned());
        } else if column.category == "D" && catalog.asks_whether_set(table, &column.name) {
            state.insert(column.name.clone(), "now()".to_owned());
        }
    }
    state
}
