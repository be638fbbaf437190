//! Whether two SQL texts are the same statements: without comments, white space, and what separates statements. The CLI keeps
//! each statement by itself, with the comments in front of it.

/// Whether both run the same.
pub fn same_statements(one: &str, other: &str) -> bool {
    compact(one) == compact(other)
}

/// The text without comments, white space and semicolons. What is quoted keeps its comments, which are none.
fn compact(sql: &str) -> String {
    let (mut kept, mut rest, mut before) = (String::new(), sql, ' ');
    while let Some(first) = rest.chars().next() {
        let (length, is_comment) = part(rest, before);
        let (part, after) = rest.split_at(length);
        if !is_comment {
            kept.extend(part.chars().filter(|letter| !letter.is_whitespace() && !matches!(letter, ';' | '\u{feff}')));
        }
        (rest, before) = (after, part.chars().next_back().unwrap_or(first));
    }
    kept
}

/// The length of the comment, the quoted text or the letter that `sql` begins with, and whether it is a comment.
fn part(sql: &str, before: char) -> (usize, bool) {
    let until = |from: usize, end: &str| sql[from..].find(end).map_or(sql.len(), |at| from + at + end.len());
    if sql.starts_with("--") {
        return (sql.find('\n').unwrap_or(sql.len()), true);
    }
    if sql.starts_with("/*") {
        return (nested(sql), true);
    }
    let length = match sql.as_bytes()[0] {
        b'\'' if matches!(before, 'e' | 'E') => with_escapes(sql),
        b'\'' => until(1, "'"),
        b'"' => until(1, "\""),
        b'$' if !before.is_alphanumeric() => dollar(sql).map_or(1, |tag| until(tag.len(), tag)),
        _ => sql.chars().next().map_or(1, char::len_utf8),
    };
    (length, false)
}

/// A comment that may hold others.
fn nested(sql: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let (open, close) = (sql[at..].find("/*"), sql[at..].find("*/"));
        match (open, close) {
            (Some(open), Some(close)) if open < close => (depth, at) = (depth + 1, at + open + 2),
            (_, Some(close)) => (depth, at) = (depth.saturating_sub(1), at + close + 2),
            (_, None) => return sql.len(),
        }
        if depth == 0 {
            return at;
        }
    }
}

/// A text in which a backslash takes the next letter with it.
fn with_escapes(sql: &str) -> usize {
    let mut letters = sql.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '\'' => return at + 1,
            _ => {}
        }
    }
    sql.len()
}

/// `$$` or `$name$`.
fn dollar(sql: &str) -> Option<&str> {
    let end = 1 + sql[1..].find('$')?;
    let name = &sql[1..end];
    let is_name = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    (is_name && !name.starts_with(|first: char| first.is_ascii_digit())).then(|| &sql[..=end])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// As the CLI keeps a file, its statements joined.
    #[rstest]
    #[case::comments_in_front(
        "-- first\ncreate table a ();\n-- second\ncreate table b ();\n",
        "-- first\ncreate table a ();\n-- second\ncreate table b ()"
    )]
    #[case::comment_behind(
        "create table a (); -- of a\ncreate table b ();",
        "create table a ();\n-- of a\ncreate table b ()"
    )]
    #[case::the_end_is_a_comment("select 1;\n-- done\n", "select 1")]
    #[case::block("/* one /* two */ ; */ select 1;", "select 1")]
    #[case::lines_of_windows("select\r\n1;\r\n", "select\n1")]
    #[case::byte_order_mark("\u{feff}select 1;", "select 1")]
    fn the_same(#[case] file: &str, #[case] kept: &str) {
        assert!(same_statements(file, kept), "{:?} and {:?}", compact(file), compact(kept));
    }

    #[rstest]
    #[case::in_a_text("select '-- a'", "select '-- b'")]
    #[case::in_an_escaped_text(r"select E'\'-- a'", r"select E'\'-- b'")]
    #[case::in_a_body("do $$ -- a\n $$", "do $$ -- b\n $$")]
    #[case::in_a_named_body("do $a$ $$ -- a\n $$ $a$", "do $a$ $$ -- b\n $$ $a$")]
    #[case::in_a_name("select \"/* a */\"", "select \"/* b */\"")]
    #[case::one_more("select 1; select 2;", "select 1")]
    fn not_the_same(#[case] one: &str, #[case] other: &str) {
        assert!(!same_statements(one, other), "{:?}", compact(one));
    }

    #[test]
    fn what_is_never_closed_has_an_end() {
        for sql in ["/* a", "/*/* a */", "'a", "E'a\\", "$$ a", "\"a", "$", "--", "é$é$"] {
            assert!(same_statements(sql, sql), "{sql}");
        }
    }
}
