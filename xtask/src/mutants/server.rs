//! Changes of the servers' sources, by their syntax trees, after cargo-mutants: operators, conditions, constants, answers,
//! and functions that do nothing. What does not compile is stillborn.

use tree_sitter::Node;

use super::{
    Change,
    web::{OPERATORS, change, parsed, visit},
};
use crate::Error;

/// Bodies in the place of a function's own, by what it returns.
const BODIES: &[(&str, &[&str])] = &[
    ("bool", &["{ true }", "{ false }"]),
    ("String", &["{ String::new() }"]),
    ("Option<", &["{ None }"]),
    ("Vec<", &["{ Vec::new() }"]),
    ("Result<(),", &["{ Ok(()) }"]),
    ("Result<bool,", &["{ Ok(true) }", "{ Ok(false) }"]),
    ("", &["{}"]),
];

/// Words of answers and what they become.
const WORDS: &[(&str, &str)] = &[
    ("UNAUTHORIZED", "OK"),
    ("FORBIDDEN", "OK"),
    ("NOT_FOUND", "OK"),
    ("BAD_REQUEST", "INTERNAL_SERVER_ERROR"),
    ("CONFLICT", "CREATED"),
    ("is_some", "is_none"),
    ("is_none", "is_some"),
    ("is_ok", "is_err"),
    ("is_err", "is_ok"),
    ("is_empty", "is_ascii"),
    ("any", "all"),
    ("all", "any"),
    ("min", "max"),
    ("max", "min"),
];

/// What may be changed of a Rust source.
pub(super) fn changes(source: &str) -> Result<Vec<Change>, Error> {
    let tree = parsed(tree_sitter_rust::LANGUAGE.into(), source)?;
    // Tests of its own end a file.
    let end = source.find("#[cfg(test)]").unwrap_or(source.len());
    let mut changes = Vec::new();
    visit(tree.root_node(), &mut |node| {
        if node.end_byte() <= end {
            of_node(node, source, &mut changes);
        }
    });
    Ok(changes)
}

fn of_node(node: Node<'_>, source: &str, changes: &mut Vec<Change>) {
    let text = &source[node.byte_range()];
    match node.kind() {
        "binary_expression" => {
            let Some(operator) = node.child_by_field_name("operator") else { return };
            let sign = match &source[operator.byte_range()] {
                "==" => "===",
                "!=" => "!==",
                sign => sign,
            };
            let others = OPERATORS.iter().find(|(own, _)| *own == sign).map_or(&[][..], |(_, others)| others);
            changes.extend(others.iter().map(|other| {
                let other = other.replace("===", "==").replace("!==", "!=");
                change("operator", &operator, other)
            }));
        }
        "if_expression" => {
            let plain = node.child_by_field_name("condition").filter(|it| !it.kind().starts_with("let"));
            if let Some(condition) = plain {
                changes.extend(["true", "false"].map(|by| change("condition", &condition, by)));
            }
        }
        "unary_expression" if text.starts_with('!') => changes.push(change("negation removed", &node, &text[1..])),
        "integer_literal" => {
            if let Ok(number) = text.replace('_', "").parse::<u64>() {
                changes.push(change("constant", &node, (number + 1).to_string()));
            }
        }
        "boolean_literal" => changes.push(change("constant", &node, if text == "true" { "false" } else { "true" })),
        "identifier" | "field_identifier" => {
            let other = WORDS.iter().find(|(own, _)| *own == text);
            changes.extend(other.map(|(_, other)| change("word", &node, *other)));
        }
        "function_item" => of_function(node, source, changes),
        _ => {}
    }
}

fn of_function(node: Node<'_>, source: &str, changes: &mut Vec<Change>) {
    let Some(body) = node.child_by_field_name("body") else { return };
    let returns = node.child_by_field_name("return_type").map_or("", |it| &source[it.byte_range()]);
    let bodies =
        BODIES.iter().find(|(kind, _)| if kind.is_empty() { returns.is_empty() } else { returns.starts_with(kind) });
    changes.extend(bodies.into_iter().flat_map(|(_, bodies)| *bodies).map(|by| change("body", &body, *by)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_decisions_are_changed_and_its_tests_are_not() {
        let source = "fn may(a: u8) -> bool { if a == 1 { return !done(a); } a.is_some() }\n#[cfg(test)]\nmod tests { fn b() -> bool { 1 == 2 } }";
        let shown: Vec<_> =
            changes(source).unwrap().into_iter().map(|it| (it.operator, source[it.range].to_owned(), it.by)).collect();
        for (operator, from, to) in [
            ("operator", "==", "!="),
            ("condition", "a == 1", "true"),
            ("negation removed", "!done(a)", "done(a)"),
            ("word", "is_some", "is_none"),
        ] {
            assert!(shown.iter().any(|it| it.0 == operator && it.1 == from && it.2 == to), "{from} in {shown:?}");
        }
        assert!(!shown.iter().any(|it| it.1 == "2"), "{shown:?}");
    }
}
