//! Names, texts and settings as SQL writes them.

/// A name in SQL.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in SQL, which has no NUL.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''").replace('\0', "");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// A claim of a request, set for the transaction.
pub fn setting(name: &str, value: &str) -> String {
    format!("set_config({}, {}, true)", literal(name), literal(value))
}
