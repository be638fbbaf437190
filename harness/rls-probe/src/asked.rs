//! What a function's arguments are about, by what its code compares them with, or where it writes them.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    catalog::{Catalog, Function, Kept, Relation},
    names,
    sql::{code_of, without_comments},
};

/// A table that code names, where, and what it calls it.
struct Named<'c> {
    at: usize,
    relation: &'c Relation,
    alias: String,
}

/// What compares two values.
const EQUALS: &str = r"(?:=|<>|!=|is\s+(?:not\s+)?distinct\s+from)";

/// Notes it for every argument.
pub fn note(catalog: &mut Catalog) {
    let relations = &catalog.relations;
    for function in &mut catalog.functions {
        let (asked, kept) = (asked(relations, function), kept(relations, function));
        for ((argument, asked), kept) in function.arguments.iter_mut().zip(asked).zip(kept) {
            (argument.asked, argument.kept) = (asked, kept);
        }
    }
}

/// For each argument the column that it is about, as the table's oid and the column's name.
fn asked(relations: &[Relation], function: &Function) -> Vec<Option<(i64, String)>> {
    let code = code_of(&function.source);
    let tables = named(relations, &code);
    let about = |name: &str| {
        let compared = || compared(&tables, &code, name, &operand(name));
        (!name.is_empty()).then(|| compared().or_else(|| written(&tables, &code, name)))
    };
    function.arguments.iter().map(|argument| about(&argument.name).flatten()).collect()
}

/// For each argument the column that keeps what is made of it: a token's hash.
fn kept(relations: &[Relation], function: &Function) -> Vec<Option<Kept>> {
    static ONE_WAY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:\w+\.)?\w*(?:hash|digest|sha\d|md5|hmac|encode)\w*\s*\(").expect("a pattern")
    });
    let code = without_comments(&function.source);
    let tables = named(relations, &code);
    let calls: Vec<_> =
        ONE_WAY.find_iter(&code).filter_map(|call| Some((call.start(), closed(&code, call.end())?))).collect();
    let about = |name: &str| {
        let is_named = Regex::new(&format!(r"(?i)\b(?:\w+\.)?{}\b", regex::escape(name))).ok()?;
        calls.iter().filter(|(begin, end)| is_named.is_match(&code[*begin..*end])).find_map(|(begin, end)| {
            let call = &code[*begin..*end];
            let named = || compared(&tables, &code, name, &operand(noted(&code[..*begin])?));
            let (relation, column) = compared(&tables, &code, name, &regex::escape(call)).or_else(named)?;
            Some(Kept { relation, column, made: is_named.replace_all(call, Kept::SECRET).into_owned() })
        })
    };
    let each = function.arguments.iter().map(|argument| &argument.name);
    each.map(|name| if calls.is_empty() || name.is_empty() { None } else { about(name) }).collect()
}

/// Where the parenthesis is closed that was opened before a place, and what it is cast to ends.
fn closed(code: &str, from: usize) -> Option<usize> {
    static CAST: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*::\s*\w+").expect("a pattern"));
    let mut depth = 1;
    let end = code[from..].char_indices().find_map(|(at, c)| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        (depth == 0).then_some(from + at + 1)
    })?;
    Some(end + CAST.find(&code[end..]).map_or(0, |cast| cast.end()))
}

/// The variable that gets what comes next.
fn noted(code: &str) -> Option<&str> {
    static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(\w+)(?:\s+(?:constant\s+)?\w+)?\s*(?::=|\bdefault)\s*$").expect("a pattern")
    });
    Some(ASSIGNED.captures(code)?.get(1)?.as_str())
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
    static RECORD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?i)\b(\w+)\s+(?:"?(\w+)"?\.)?"?(\w+)"?(?:%rowtype)?\s*;"#).expect("a pattern"));
    let (mut all, mut from) = (Vec::new(), 0);
    // A variable that holds a row of it.
    for found in RECORD.captures_iter(code) {
        if let Some(relation) = of(found.get(2).map(|schema| schema.as_str()), &found[3]) {
            all.push(Named { at: code.len(), relation, alias: found[1].to_lowercase() });
        }
    }
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

/// The pattern of a name that is compared.
fn operand(name: &str) -> String {
    format!(r"(?:\w+\.)?\b{}\b", regex::escape(name))
}

/// The column that an argument, or what is made of it, is compared with.
fn compared(tables: &[Named<'_>], code: &str, argument: &str, operand: &str) -> Option<(i64, String)> {
    let pattern = format!(
        r#"(?i)(?:"?(\w+)"?\.)?"?(\w+)"?\s*{EQUALS}\s*(?:any\s*\(\s*)?{operand}|{operand}\s*{EQUALS}\s*(?:"?(\w+)"?\.)?"?(\w+)"?"#
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
