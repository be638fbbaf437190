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

/// The code of a function, without its comments and with its texts empty.
pub fn code_of(source: &str) -> String {
    stripped(source, |_| "''")
}

/// The same with its texts.
pub fn without_comments(source: &str) -> String {
    stripped(source, |text| text)
}

fn stripped<'s>(source: &'s str, shown: impl Fn(&'s str) -> &'s str) -> String {
    let (mut code, mut rest) = (String::with_capacity(source.len()), source);
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '\'' => {
                let end = rest[1..].find('\'').map_or(rest.len(), |end| end + 2);
                code.push_str(shown(&rest[..end]));
                end
            }
            other => {
                code.push(other);
                other.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    code
}

/// Whether code has a name in it, as a word.
pub fn names_word(code: &str, name: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word.eq_ignore_ascii_case(name))
}

/// What stands between the `OR`s of an expression.
pub fn alternatives(text: &str) -> Vec<&str> {
    parted(text, " OR ")
}

/// What stands between such words of an expression, outside of its parentheses.
pub fn parted<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    inner.and_then(|inner| balanced(inner, word)).or_else(|| balanced(text, word)).unwrap_or_else(|| vec![text])
}

/// The same of what is in no parentheses itself; none where it closes one that it did not open.
fn balanced<'t>(text: &'t str, word: &str) -> Option<Vec<&'t str>> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0 && text[at..].starts_with(word) => {
                parts.push(text[begin..at].trim());
                begin = at + word.len();
            }
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    parts.push(text[begin..].trim());
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_has_neither_comments_nor_texts() {
        let source = "select 'a--b' -- copy it\n/* http_get( */, x";
        assert_eq!(code_of(source), "select '' \n, x");
        assert_eq!(without_comments(source), "select 'a--b' \n, x");
    }

    #[test]
    fn alternatives_are_those_of_the_whole() {
        assert_eq!(alternatives("(is_published OR (a = b) OR f())"), ["is_published", "(a = b)", "f()"]);
        assert_eq!(alternatives("(a OR b) AND (c OR d)"), ["(a OR b) AND (c OR d)"]);
        assert_eq!(parted("(a = b) AND (c = d)", " AND "), ["(a = b)", "(c = d)"]);
        assert_eq!(alternatives("true"), ["true"]);
    }
}
