//! What a function's arguments are about, by what its code compares them with, or where it writes them.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    catalog::{Catalog, Function, Relation},
    names,
    sql::code_of,
};

/// A table that code names, where, and what it calls it.
struct Named<'c> {
    at: usize,
    relation: &'c Relation,
    alias: String,
}

/// Notes it for every argument.
pub fn note(catalog: &mut Catalog) {
    let relations = &catalog.relations;
    for function in &mut catalog.functions {
        let asked = asked(relations, function);
        for (argument, asked) in function.arguments.iter_mut().zip(asked) {
            argument.asked = asked;
        }
    }
}

/// For each argument the column that it is about, as the table's oid and the column's name.
fn asked(relations: &[Relation], function: &Function) -> Vec<Option<(i64, String)>> {
    let code = code_of(&function.source);
    let tables = named(relations, &code);
    let about = |name: &str| {
        (!name.is_empty()).then(|| compared(&tables, &code, name).or_else(|| written(&tables, &code, name)))
    };
    function.arguments.iter().map(|argument| about(&argument.name).flatten()).collect()
}

fn named<'c>(relations: &'c [Relation], code: &str) -> Vec<Named<'c>> {
    static TABLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)\b(?:from|join|update|into)\s+(?:only\s+)?(?:"?(\w+)"?\.)?"?(\w+)"?(?:\s+(?:as\s+)?(\w+))?"#)
            .expect("a pattern")
    });
    let of = |schema: Option<&str>, name: &str| {
        relations.iter().find(|relation| {
            relation.is_table() && relation.name == name && schema.is_none_or(|schema| relation.schema == schema)
        })
    };
    let (mut all, mut from) = (Vec::new(), 0);
    while let Some(found) = TABLE.captures_at(code, from) {
        let (Some(whole), Some(name)) = (found.get(0), found.get(2)) else { break };
        // What follows a name may be the next word that a table stands behind: `into row from table`.
        from = name.end();
        if let Some(relation) = of(found.get(1).map(|schema| schema.as_str()), name.as_str()) {
            let alias = found.get(3).map(|alias| alias.as_str().to_lowercase()).unwrap_or_default();
            all.push(Named { at: whole.start(), relation, alias });
        }
    }
    all
}

/// The column that an argument is compared with.
fn compared(tables: &[Named<'_>], code: &str, argument: &str) -> Option<(i64, String)> {
    let name = regex::escape(argument);
    let pattern = format!(
        r#"(?i)(?:"?(\w+)"?\.)?"?(\w+)"?\s*=\s*(?:any\s*\(\s*)?(?:\w+\.)?{name}\b|\b(?:\w+\.)?{name}\s*=\s*(?:"?(\w+)"?\.)?"?(\w+)"?"#
    );
    let comparison = Regex::new(&pattern).ok()?;
    comparison.captures_iter(code).find_map(|found| {
        let column = found.get(2).or(found.get(4))?.as_str();
        let alias = found.get(1).or(found.get(3)).map(|alias| alias.as_str().to_lowercase());
        let at = found.get(0)?.start();
        let has = |named: &&Named<'_>| {
            let is_called = alias.as_ref().is_none_or(|alias| named.alias == *alias || named.relation.name == *alias);
            is_called && named.relation.column(column).is_some()
        };
        // What an argument is called says which of several tables is meant.
        let bare = names::bare(argument);
        let stem = bare.strip_suffix("_id").unwrap_or(&bare);
        let is_meant = |named: &&Named<'_>| has(named) && names::singular(&named.relation.name) == stem;
        let before = || tables.iter().filter(|named| named.at < at).rfind(has);
        let named = tables.iter().find(is_meant).or_else(before).or_else(|| tables.iter().find(has))?;
        Some((named.relation.oid, column.to_owned()))
    })
}

/// The column that an argument is written to.
fn written(tables: &[Named<'_>], code: &str, argument: &str) -> Option<(i64, String)> {
    static INSERT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)\binto\s+(?:"?\w+"?\.)?"?(\w+)"?\s*(?:as\s+\w+\s*)?\(([^()]*)\)\s*values\s*\(([^;]*)"#)
            .expect("a pattern")
    });
    INSERT.captures_iter(code).find_map(|found| {
        let named = tables.iter().find(|named| named.relation.name == found[1])?;
        let values = found[3].split(',').map(|value| value.trim().trim_end_matches(')').trim());
        let at = values.into_iter().position(|value| value.rsplit('.').next() == Some(argument))?;
        // A call among the values shifts the rest; a column that there is not says so.
        let column = found[2].split(',').nth(at)?.trim().trim_matches('"');
        named.relation.column(column)?;
        Some((named.relation.oid, column.to_owned()))
    })
}
