//! Changes of the servers' sources, by their syntax trees, after cargo-mutants: operators, conditions, constants, answers,
//! and functions that do nothing. What does not compile is stillborn.

use std::ops::Range;

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
    changes.retain(|change| !is_on_purpose(source, change));
    Ok(changes)
}

/// Whether a change is of a line that breaks the sound server on purpose.
fn is_on_purpose(source: &str, change: &Change) -> bool {
    let start = source[..change.range.start].rfind('\n').map_or(0, |at| at + 1);
    let end = source[change.range.end..].find('\n').map_or(source.len(), |at| change.range.end + at);
    source[start..end].contains("Defect")
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

/// What a change is a part of that can have a switch, and the same with the switch: on, it is what it becomes. None where
/// there is no place for one, as in patterns, constants and the arguments of macros.
pub(super) fn switch(source: &str, change: &Change, number: usize) -> Result<Option<(Range<usize>, String)>, Error> {
    let tree = parsed(tree_sitter_rust::LANGUAGE.into(), source)?;
    let Range { start, end } = change.range;
    let Some(node) = tree.root_node().descendant_for_byte_range(start, end) else { return Ok(None) };
    let Some(whole) = expression(node, &change.operator).filter(|node| may_ask(*node)) else { return Ok(None) };
    let (range, own) = (whole.byte_range(), &source[whole.byte_range()]);
    let other = format!("{}{}{}", &source[range.start..start], change.by, &source[end..range.end]);
    let is_on = format!("crate::mutant::is({number})");
    let text = if change.operator == "body" {
        let inner = |text: &str| text.trim().trim_start_matches('{').trim_end_matches('}').to_owned();
        format!("{{ if {is_on} {{ return {}; }} {}", inner(&other).trim(), own[1..].trim_start())
    } else {
        format!("(if {is_on} {{ {other} }} else {{ {own} }})")
    };
    Ok(Some((range, text)))
}

/// The expression that a change changes.
fn expression<'t>(node: Node<'t>, operator: &str) -> Option<Node<'t>> {
    match operator {
        "operator" => node.parent().filter(|it| it.kind() == "binary_expression"),
        "word" => {
            let parent = node.parent()?;
            match parent.kind() {
                "field_expression" => parent.parent().filter(|it| it.kind() == "call_expression"),
                "scoped_identifier" => match parent.parent() {
                    Some(call) if call.kind() == "call_expression" => Some(call),
                    _ => Some(parent),
                },
                _ => None,
            }
        }
        _ => Some(node),
    }
}

/// Whether an expression is evaluated when the program runs.
fn may_ask(node: Node<'_>) -> bool {
    let mut at = node.parent();
    while let Some(parent) = at {
        let kind = parent.kind();
        if kind.ends_with("pattern")
            || [
                "const_item",
                "static_item",
                "attribute_item",
                "array_type",
                "use_declaration",
                "token_tree",
                "let_chain",
            ]
            .contains(&kind)
        {
            return false;
        }
        if kind == "block" {
            // What a function is made of; a block of a constant has one above it.
            at = parent.parent().filter(|it| it.kind() != "function_item");
            continue;
        }
        at = Some(parent).and_then(|it| it.parent()).filter(|it| it.kind() != "function_item");
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_turns_an_expression_into_another_and_a_constant_has_none() {
        let source = "const N: u8 = 3;\nfn may(a: Option<u8>) -> bool { if a.is_some() { return N == 4; } matches!(a, Some(5)) }";
        let shown: Vec<_> = changes(source)
            .unwrap()
            .into_iter()
            .filter_map(|it| switch(source, &it, 7).unwrap().map(|(range, text)| (source[range].to_owned(), text)))
            .collect();
        let is_on = "crate::mutant::is(7)";
        for (from, to) in [
            ("a.is_some()", format!("(if {is_on} {{ a.is_none() }} else {{ a.is_some() }})")),
            ("a.is_some()", format!("(if {is_on} {{ true }} else {{ a.is_some() }})")),
            ("N == 4", format!("(if {is_on} {{ N != 4 }} else {{ N == 4 }})")),
            ("4", format!("(if {is_on} {{ 5 }} else {{ 4 }})")),
        ] {
            assert!(shown.contains(&(from.to_owned(), to)), "{from} in {shown:#?}");
        }
        assert!(
            shown.iter().any(|(_, to)| to.starts_with(&format!("{{ if {is_on} {{ return true; }} if a"))),
            "{shown:#?}"
        );
        assert!(!shown.iter().any(|(from, _)| from == "3" || from == "5"), "{shown:#?}");
    }

    #[test]
    fn a_servers_decisions_are_changed_and_its_tests_are_not() {
        let source = "fn may(a: u8) -> bool { if a == 1 { return !done(a); } a.is_some() }\nfn has(a: Defect) -> bool { a == 3 }\n#[cfg(test)]\nmod tests { fn b() -> bool { 1 == 2 } }";
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
        assert!(!shown.iter().any(|it| it.1 == "2" || it.1 == "3"), "{shown:?}");
    }
}
