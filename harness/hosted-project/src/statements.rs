//! A file's statements, each with its line: as `psql` takes them apart, without what only `psql` understands.

/// A statement and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The line, the first being 1.
    pub line: usize,
    /// The byte of the script.
    pub at: usize,
    /// The text with its semicolon.
    pub sql: String,
}

/// The statements of a script.
pub fn statements(script: &str) -> Vec<Statement> {
    let (mut found, mut begin, mut at, mut is_blank) = (Vec::new(), 0, 0, true);
    let line = |at: usize| script[..at].matches('\n').count() + 1;
    while let Some(next) = script[at..].chars().next() {
        let rest = &script[at..];
        if is_blank {
            begin = at;
            // What psql is told, and rows that follow COPY.
            if next == '\\' {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
        }
        let skipped = skipped(rest);
        let is_code = skipped.is_none() && !next.is_whitespace();
        let is_comment = rest.starts_with("--") || rest.starts_with("/*");
        at += skipped.unwrap_or(next.len_utf8());
        if is_code && next == ';' {
            if !is_blank {
                let sql = script[begin..at].to_owned();
                let is_copy = is_copy_from_stdin(&sql);
                found.push(Statement { line: line(begin), at: begin, sql });
                if is_copy {
                    found.pop();
                    at += script[at..].find("\n\\.").map_or(script.len() - at, |end| end + 3);
                }
            }
            is_blank = true;
        } else {
            is_blank &= next.is_whitespace() || is_comment;
        }
    }
    if !is_blank {
        found.push(Statement { line: line(begin), at: begin, sql: script[begin..].to_owned() });
    }
    found
}

/// How long a comment, a text, a quoted name or a dollar-quoted body is that this begins with.
fn skipped(rest: &str) -> Option<usize> {
    let quoted = |quote: char, from: usize| {
        let mut chars = rest[from..].char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                if chars.peek().is_some_and(|(_, next)| *next == quote) {
                    chars.next();
                    continue;
                }
                return from + at + 1;
            }
            if c == '\\' && from == 2 {
                chars.next();
            }
        }
        rest.len()
    };
    if rest.starts_with("--") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(nested(rest));
    }
    if rest.starts_with("E'") || rest.starts_with("e'") {
        return Some(quoted('\'', 2));
    }
    match rest.chars().next()? {
        '\'' => Some(quoted('\'', 1)),
        '"' => Some(quoted('"', 1)),
        '$' => {
            let end = rest[1..].find('$')? + 2;
            let tag = &rest[..end];
            let is_tag = tag[1..end - 1].chars().all(|c| c.is_alphanumeric() || c == '_')
                && !tag[1..].starts_with(|c: char| c.is_ascii_digit());
            is_tag.then(|| rest[end..].find(tag).map_or(rest.len(), |close| end + close + tag.len()))
        }
        _ => None,
    }
}

/// The length of a comment that may have others in it.
fn nested(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn is_copy_from_stdin(sql: &str) -> bool {
    let sql = sql.to_lowercase();
    sql.trim_start().starts_with("copy ") && sql.contains("from stdin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_where_psql_ends_them() {
        let script = "-- a; b\ncreate table t (a text default ';');\n\n/* c; /* d */ ; */\ndo $x$ begin perform ';'; end $x$;\n\\restrict abc\ncopy t from stdin;\n1;2\n\\.\nselect E'\\';', \"a;b\";\nselect 1";
        let found: Vec<_> = statements(script).into_iter().map(|s| (s.line, s.sql)).collect();
        let code = |line, sql: &str| (line, sql.to_owned());
        assert_eq!(
            found,
            [
                code(2, "create table t (a text default ';');"),
                code(5, "do $x$ begin perform ';'; end $x$;"),
                code(10, "select E'\\';', \"a;b\";"),
                code(11, "select 1"),
            ]
        );
    }
}
