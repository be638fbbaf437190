//! Changes of scripts and styles, by their syntax trees: the operators of the field (StrykerJS), and what a portal is made
//! of: handlers, orders, texts, what is hidden.

use tree_sitter::{Language, Node, Parser};

use super::Change;
use crate::Error;

/// Binary operators and what they become.
pub(super) const OPERATORS: &[(&str, &[&str])] = &[
    ("===", &["!=="]),
    ("!==", &["==="]),
    ("<", &["<=", ">="]),
    ("<=", &["<", ">"]),
    (">", &[">=", "<="]),
    (">=", &[">", "<"]),
    ("&&", &["||"]),
    ("||", &["&&"]),
    ("??", &["&&"]),
    ("+", &["-"]),
    ("-", &["+"]),
    ("*", &["/"]),
    ("/", &["*"]),
    ("%", &["*"]),
];

/// Methods and what they become.
const METHODS: &[(&str, &str)] = &[
    ("some", "every"),
    ("every", "some"),
    ("toLowerCase", "toUpperCase"),
    ("toUpperCase", "toLowerCase"),
    ("floor", "ceil"),
    ("max", "min"),
    ("min", "max"),
    ("trim", "toString"),
];

pub(super) fn parsed(language: Language, source: &str) -> Result<tree_sitter::Tree, Error> {
    let mut parser = Parser::new();
    parser.set_language(&language).map_err(|error| error.to_string())?;
    parser.parse(source, None).ok_or_else(|| "a source cannot be parsed".into())
}

/// What may be changed of a script.
pub(super) fn script(source: &str) -> Result<Vec<Change>, Error> {
    let tree = parsed(tree_sitter_javascript::LANGUAGE.into(), source)?;
    let mut changes = Vec::new();
    visit(tree.root_node(), &mut |node| of_script(node, source, &mut changes));
    Ok(changes)
}

/// What may be changed of a style sheet.
pub(super) fn style(source: &str) -> Result<Vec<Change>, Error> {
    let tree = parsed(tree_sitter_css::LANGUAGE.into(), source)?;
    let mut changes = Vec::new();
    visit(tree.root_node(), &mut |node| {
        let text = &source[node.byte_range()];
        let Some((property, _)) = text.split_once(':').filter(|_| node.kind() == "declaration") else { return };
        // Colours and corners are nobody's promise.
        if ["display", "visibility", "overflow", "overflow-x", "position", "width", "max-width", "transform"]
            .contains(&property)
        {
            changes.push(change("declaration removed", &node, ""));
        }
        if property == "display" && !text.contains("none") {
            changes.push(change("display none", &node, "display: none;"));
        }
    });
    Ok(changes)
}

pub(super) fn visit<'t>(node: Node<'t>, each: &mut impl FnMut(Node<'t>)) {
    each(node);
    for at in 0..node.child_count() {
        if let Some(child) = node.child(at) {
            visit(child, each);
        }
    }
}

pub(super) fn change(operator: &'static str, node: &Node<'_>, by: impl Into<String>) -> Change {
    Change { operator: operator.into(), range: node.byte_range(), by: by.into() }
}

fn of_script(node: Node<'_>, source: &str, changes: &mut Vec<Change>) {
    let text = &source[node.byte_range()];
    match node.kind() {
        "binary_expression" => {
            let Some(operator) = node.child_by_field_name("operator") else { return };
            let sign = &source[operator.byte_range()];
            let others = OPERATORS.iter().find(|(own, _)| *own == sign).map_or(&[][..], |(_, others)| others);
            changes.extend(others.iter().map(|other| change("operator", &operator, *other)));
        }
        "if_statement" => {
            if let Some(condition) = node.child_by_field_name("condition") {
                changes.extend(["(true)", "(false)"].map(|by| change("condition", &condition, by)));
            }
        }
        "ternary_expression" => {
            if let Some(condition) = node.child_by_field_name("condition") {
                changes.extend(["true", "false"].map(|by| change("condition", &condition, by)));
            }
        }
        "number" => {
            if let Ok(number) = text.replace('_', "").parse::<f64>() {
                changes.push(change("constant", &node, (number + 1.0).to_string()));
                if number > 1.0 {
                    changes.push(change("constant", &node, "0"));
                }
            }
        }
        "string" => of_text(node, text, source, changes),
        "true" => changes.push(change("constant", &node, "false")),
        "false" => changes.push(change("constant", &node, "true")),
        "unary_expression" if text.starts_with('!') => changes.push(change("negation removed", &node, &text[1..])),
        "await_expression" => changes.push(change("await removed", &node, text["await ".len()..].to_owned())),
        "expression_statement"
            if node.named_child(0).is_some_and(|it| ["call_expression", "await_expression"].contains(&it.kind())) =>
        {
            changes.push(change("call removed", &node, ";"));
        }
        "pair" => of_pair(node, text, source, changes),
        "property_identifier" => {
            let is_method = node.parent().and_then(|it| it.parent()).is_some_and(|it| it.kind() == "call_expression");
            let other = METHODS.iter().find(|(own, _)| *own == text && is_method);
            changes.extend(other.map(|(_, other)| change("method", &node, *other)));
        }
        "return_statement" if node.named_child_count() > 0 => {
            changes.push(change("nothing returned", &node, "return;"))
        }
        _ => {}
    }
}

/// Texts, and the words of queries.
fn of_text(node: Node<'_>, text: &str, source: &str, changes: &mut Vec<Change>) {
    let is_import = node.parent().is_some_and(|it| it.kind().starts_with("import") || it.kind() == "export_statement")
        || text.contains("/assets/");
    if is_import || text.len() <= 2 || node.parent().is_some_and(|pair| is_class(pair, source)) {
        return;
    }
    for (own, other) in [(".desc", ".asc"), (".asc", ".desc"), ("eq.", "neq.")] {
        if text.contains(own) {
            changes.push(change("query", &node, text.replacen(own, other, 1)));
        }
    }
    changes.push(change("text emptied", &node, "\"\""));
}

/// A class is what it looks like, which is changed in the style sheets.
fn is_class(pair: Node<'_>, source: &str) -> bool {
    pair.kind() == "pair" && pair.child_by_field_name("key").is_some_and(|key| &source[key.byte_range()] == "class")
}

/// Handlers, and the parts of queries and attributes.
fn of_pair(node: Node<'_>, text: &str, source: &str, changes: &mut Vec<Change>) {
    if is_class(node, source) {
        return;
    }
    let end = node.end_byte() + usize::from(source[node.end_byte()..].starts_with(','));
    let operator = if text.starts_with("on") { "handler removed" } else { "property removed" };
    changes.push(Change { operator: operator.into(), range: node.start_byte()..end, by: String::new() });
}
