//! Changes of migrations, by their tokens, those of function bodies included. What PostgreSQL does not take is stillborn.

use std::ops::Range;

use sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Location, Token, Tokenizer},
};

use super::Change;
use crate::Error;

/// A token and where it stands.
struct Placed {
    token: Token,
    range: Range<usize>,
}

/// Words and what they become.
const WORDS: &[(&str, &[&str])] = &[
    ("and", &["or"]),
    ("or", &["and"]),
    ("not", &[""]),
    ("left", &[""]),
    ("distinct", &[""]),
    ("unique", &[""]),
    ("desc", &["asc"]),
    ("asc", &["desc"]),
    ("sum", &["max", "count"]),
    ("count", &["max"]),
    ("min", &["max"]),
    ("max", &["min"]),
    ("true", &["false"]),
    ("false", &["true"]),
    ("cascade", &["set null"]),
    ("definer", &["invoker"]),
    ("invoker", &["definer"]),
    ("least", &["greatest"]),
    ("greatest", &["least"]),
    ("before", &["after"]),
    ("exists", &["not exists"]),
    ("is_active", &["true"]),
];

/// Beginnings of statements that may be missing.
const LEFT_OUT: &[&str] = &[
    "create index",
    "create unique",
    "create trigger",
    "create policy",
    "grant",
    "revoke",
    "alter table",
    "alter default",
];

/// What may be changed of a migration.
pub(super) fn changes(source: &str, random: &mut fastrand::Rng) -> Result<Vec<Change>, Error> {
    let tokens = placed(source, 0)?;
    let mut changes = left_out(source, &tokens);
    let mut all = Vec::new();
    for placed_token in tokens {
        // A block that is run once checks the schema and makes nothing.
        let is_block = |word: &str| word.eq_ignore_ascii_case("do");
        if let Token::DollarQuotedString(_) = &placed_token.token
            && last_word(&all).is_some_and(is_block)
        {
            continue;
        }
        if let Token::DollarQuotedString(quoted) = &placed_token.token {
            let inside =
                placed_token.range.start + source[placed_token.range.clone()].find(&quoted.value).unwrap_or_default();
            all.extend(placed(&quoted.value, inside)?);
        } else {
            all.push(placed_token);
        }
    }
    let texts: Vec<_> =
        all.iter().filter(|it| matches!(it.token, Token::SingleQuotedString(_))).map(|it| it.range.clone()).collect();
    for (at, Placed { token, range }) in all.iter().enumerate() {
        let mut push = |operator: &'static str, by: String| {
            changes.push(Change { operator: operator.into(), range: range.clone(), by })
        };
        match token {
            // Of a setting, and no comparison.
            Token::Eq if last_word(&all[..at]).is_some_and(|word| word == "search_path") => {}
            Token::Eq => push("comparison", "<>".to_owned()),
            Token::Neq => push("comparison", "=".to_owned()),
            Token::Lt => push("comparison", "<=".to_owned()),
            Token::LtEq => push("comparison", "<".to_owned()),
            Token::Gt => push("comparison", ">=".to_owned()),
            Token::GtEq => push("comparison", ">".to_owned()),
            Token::Plus => push("arithmetic", "-".to_owned()),
            Token::Minus => push("arithmetic", "+".to_owned()),
            Token::Number(number, _) => {
                if let Ok(number) = number.parse::<i64>() {
                    push("constant", (number + 1).to_string());
                }
            }
            Token::SingleQuotedString(text) => of_text(text, source, &texts, random, &mut push),
            Token::Word(word) if word.value.eq_ignore_ascii_case("count") && is_before(&all, at, &["(", "*"]) => {}
            Token::Word(word) if word.value.eq_ignore_ascii_case("unique") && is_before(&all, at, &["("]) => {
                if let Some(end) = all[at..].iter().find(|it| it.token == Token::RParen) {
                    let range = range.start..end.range.end;
                    changes.push(Change { operator: "constraint".into(), range, by: "check (true)".to_owned() });
                }
            }
            Token::Word(word) => {
                let others = WORDS.iter().find(|(own, _)| word.value.eq_ignore_ascii_case(own));
                others.into_iter().flat_map(|(_, others)| *others).for_each(|other| push("word", (*other).to_owned()));
            }
            _ => {}
        }
    }
    Ok(changes)
}

fn of_text(
    text: &str,
    source: &str,
    texts: &[Range<usize>],
    random: &mut fastrand::Rng,
    push: &mut impl FnMut(&'static str, String),
) {
    if text == "Africa/Kigali" {
        push("time zone", "'UTC'".to_owned());
    } else if let Some((number, unit)) =
        text.split_once(' ').and_then(|(number, unit)| Some((number.parse::<i64>().ok()?, unit)))
    {
        push("interval", format!("'{} {unit}'", number * 2));
    } else if is_word(text) {
        // Words of the same spelling: a status for another status, a column for another column.
        let is_alike = |other: &&str| is_word(other) && is_upper(other) == is_upper(text) && *other != text;
        let others: Vec<_> =
            texts.iter().map(|range| source[range.clone()].trim_matches('\'')).filter(is_alike).collect();
        if let Some(other) = random.choice(&others) {
            push("another text", format!("'{other}'"));
        }
    }
}

/// Whether a text is a word of the schema, and no sentence or pattern.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 30 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_upper(text: &str) -> bool {
    text.bytes().all(|byte| !byte.is_ascii_lowercase())
}

/// Whether these tokens follow the one at a place.
fn is_before(placed: &[Placed], at: usize, tokens: &[&str]) -> bool {
    let mut following =
        placed[at + 1..].iter().filter(|it| !matches!(it.token, Token::Whitespace(_))).map(|it| it.token.to_string());
    tokens.iter().all(|token| following.next().is_some_and(|other| other == *token))
}

/// The last word before what follows.
fn last_word(placed: &[Placed]) -> Option<&str> {
    placed.iter().rev().find_map(|it| match &it.token {
        Token::Whitespace(_) => None,
        Token::Word(word) => Some(Some(word.value.as_str())),
        _ => Some(None),
    })?
}

/// Statements that are left out as a whole.
fn left_out(source: &str, tokens: &[Placed]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut from = None;
    for Placed { token, range } in tokens {
        match token {
            Token::Whitespace(_) => {}
            Token::SemiColon => {
                let statement: Range<usize> = from.take().unwrap_or(range.start)..range.end;
                let text = source[statement.clone()].to_lowercase();
                if LEFT_OUT.iter().any(|beginning| text.starts_with(beginning)) {
                    changes.push(Change { operator: "statement left out".into(), range: statement, by: String::new() });
                }
            }
            _ => from = from.or(Some(range.start)),
        }
    }
    changes
}

fn placed(source: &str, offset: usize) -> Result<Vec<Placed>, Error> {
    let tokens =
        Tokenizer::new(&PostgreSqlDialect {}, source).tokenize_with_location().map_err(|error| error.to_string())?;
    let lines: Vec<usize> = [0].into_iter().chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let byte = |place: Location| {
        let start =
            lines.get(usize::try_from(place.line).unwrap_or(1).saturating_sub(1)).copied().unwrap_or(source.len());
        let column = usize::try_from(place.column).unwrap_or(1).saturating_sub(1);
        source[start..].char_indices().nth(column).map_or(source.len(), |(at, _)| start + at)
    };
    let place = |token: sqlparser::tokenizer::TokenWithSpan| Placed {
        range: byte(token.span.start) + offset..byte(token.span.end) + offset,
        token: token.token,
    };
    Ok(tokens.into_iter().map(place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgresql_would_not_take_is_no_change() {
        let source =
            "create table t (a int, unique (a, b));\nset search_path = '';\nselect count(*), count(a) where a = 1;";
        let changes = changes(source, &mut fastrand::Rng::with_seed(1)).unwrap();
        let becomes = |it: &Change| format!("{}{}{}", &source[..it.range.start], it.by, &source[it.range.end..]);
        let all: Vec<_> = changes.iter().map(becomes).collect();
        assert!(all.iter().any(|text| text.contains("a int, check (true));")), "{all:?}");
        assert!(all.iter().any(|text| text.contains("count(*), max(a)")), "{all:?}");
        assert!(all.iter().any(|text| text.contains("a <> 1")), "{all:?}");
        assert!(!all.iter().any(|text| text.contains("max(*)") || text.contains("path <>")), "{all:?}");
    }

    #[test]
    fn changes_stand_where_their_tokens_do() {
        let source = "create index i on t (a);\n-- é\ncreate function f() returns int language sql as $$ select 1 where a = 'é' and b $$;";
        let mut random = fastrand::Rng::with_seed(1);
        let changes = changes(source, &mut random).unwrap();
        let shown: Vec<_> =
            changes.iter().map(|it| (it.operator.as_ref(), &source[it.range.clone()], it.by.as_str())).collect();
        for expected in [
            ("statement left out", "create index i on t (a);", ""),
            ("comparison", "=", "<>"),
            ("word", "and", "or"),
            ("constant", "1", "2"),
        ] {
            assert!(shown.contains(&expected), "{expected:?} in {shown:?}");
        }
    }
}
