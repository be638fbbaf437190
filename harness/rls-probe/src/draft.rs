//! A row that is to be inserted, and its revision when a constraint does not like it: values by type, name, enum and
//! check constraint, one candidate after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::{
    catalog::{Column, Relation},
    names,
    refused::Refused,
    sql::{ident, literal},
};

/// Revisions of one row.
const REVISIONS: usize = 60;

/// A row in the making.
#[derive(Debug, Clone)]
pub struct Draft<'c> {
    relation: &'c Relation,
    columns: BTreeMap<&'c str, Choice>,
    /// Only columns that this role may insert.
    role: Option<&'static str>,
    /// What distinguishes keys when the row is like another one.
    twin: Option<String>,
    revisions: usize,
    /// Checks whose own values are among the candidates.
    widened: BTreeSet<String>,
}

/// What a column may become, in SQL.
#[derive(Debug, Clone)]
struct Choice {
    candidates: Vec<String>,
    at: usize,
    /// Chosen for a purpose: not to be revised.
    fixed: bool,
}

impl Choice {
    /// What it is now.
    fn current(&self) -> Option<&str> {
        self.candidates.get(self.at).map(String::as_str)
    }
}

impl<'c> Draft<'c> {
    /// A row whose values are distinguished by `mark` and `variant`. Columns with a default are left out in variant 0.
    pub fn new(relation: &'c Relation, mark: &str, variant: usize) -> Self {
        let mut columns = BTreeMap::new();
        for column in &relation.columns {
            // A number of one's own choice may be the next one of the sequence, which a trigger's row is to get.
            let is_counted = column.default.as_deref().is_some_and(|default| default.starts_with("nextval("));
            let is_given = is_counted || relation.reference_of(&column.name).is_some();
            let is_varied = variant > 0
                && !is_given
                && (matches!(column.category.as_str(), "B" | "N") || !known_values(relation, column).is_empty());
            if column.generated || (column.default.is_some() && !is_varied) || column.identity {
                continue;
            }
            let candidates = candidates(relation, column, mark, variant);
            columns.insert(column.name.as_str(), Choice { candidates, at: 0, fixed: false });
        }
        Self { relation, columns, role: None, twin: None, revisions: 0, widened: BTreeSet::new() }
    }

    /// As somebody with this role would write it.
    pub fn by(mut self, role: &'static str) -> Self {
        self.role = Some(role);
        self
    }

    /// As a row like another one, of which only keys differ, by this mark.
    pub fn twin(mut self, mark: &str) -> Self {
        self.twin = Some(mark.to_owned());
        self
    }

    /// A value in SQL that a column has to have.
    pub fn set(&mut self, column: &str, sql: String) {
        if let Some(column) = self.relation.column(column) {
            let choice = Choice { candidates: vec![sql], at: 0, fixed: true };
            self.columns.insert(&column.name, choice);
        }
    }

    /// A value in SQL that is tried first, and revised when it is refused.
    pub fn prefer(&mut self, column: &str, sql: String) {
        let Some(column) = self.relation.column(column) else { return };
        match self.columns.get_mut(column.name.as_str()) {
            Some(choice) if choice.fixed => {}
            Some(choice) => choice.candidates.insert(0, sql),
            None => {
                self.columns.insert(&column.name, Choice { candidates: vec![sql], at: 0, fixed: false });
            }
        }
    }

    pub fn leave_out(&mut self, column: &str) {
        self.columns.remove(column);
    }

    /// Whether the role may say what has to be said.
    pub fn is_permitted(&self) -> bool {
        let Some(role) = self.role else { return true };
        self.relation.may(role, "insert")
            && self.relation.columns.iter().all(|column| {
                let is_needed = column.not_null && column.default.is_none() && !column.generated && !column.identity;
                let is_fixed = self.columns.get(column.name.as_str()).is_some_and(|choice| choice.fixed);
                !(is_needed || is_fixed) || column.may(role, "insert")
            })
    }

    /// Columns and values.
    pub fn sql(&self) -> (String, String) {
        let chosen = self.columns.iter().filter_map(|(name, choice)| {
            let column = self.relation.column(name)?;
            let is_permitted = self.role.is_none_or(|role| column.may(role, "insert"));
            is_permitted.then(|| (ident(name), choice.current().unwrap_or("default").to_owned()))
        });
        let (names, values): (Vec<_>, Vec<_>) = chosen.unzip();
        (names.join(", "), values.join(", "))
    }

    /// The statement that inserts it.
    pub fn insert(&self) -> String {
        let (names, values) = self.sql();
        let table = self.relation.sql();
        if names.is_empty() {
            return format!("insert into {table} as t default values");
        }
        let overriding =
            if self.relation.columns.iter().any(|column| column.identity) { "overriding user value " } else { "" };
        format!("insert into {table} as t ({names}) {overriding}values ({values})")
    }

    /// Makes it another row, of which the refusal may not be true. False when there is no other.
    pub fn revise(&mut self, refused: &Refused) -> bool {
        self.revisions += 1;
        if self.revisions > REVISIONS {
            return false;
        }
        match refused.code.as_str() {
            "23514" => {
                let checks = &self.relation.checks;
                let named = checks.iter().find(|check| Some(&check.name) == refused.constraint.as_ref());
                match named {
                    Some(check) => {
                        self.widen(&check.columns, &check.text);
                        self.next_of(&check.columns)
                    }
                    // A domain's.
                    None => {
                        let of_domains = self.relation.columns.iter().filter(|column| column.domain_check.is_some());
                        let names: Vec<_> = of_domains.map(|column| column.name.clone()).collect();
                        self.next_of(&names)
                    }
                }
            }
            "23502" => {
                let Some(column) = refused.column.as_deref().and_then(|name| self.relation.column(name)) else {
                    return false;
                };
                let candidates: Vec<_> = candidates(self.relation, column, "filled", 0);
                let is_new = self.columns.get(column.name.as_str()).is_none_or(|choice| !choice.fixed);
                is_new && {
                    let candidates = candidates.into_iter().filter(|candidate| candidate != "null").collect();
                    self.columns.insert(&column.name, Choice { candidates, at: 0, fixed: false });
                    true
                }
            }
            "23503" => {
                // No such parent: none at all, where that may be.
                let references = &self.relation.references;
                let named = references.iter().find(|reference| Some(&reference.name) == refused.constraint.as_ref());
                let Some(reference) = named else { return false };
                let mut revised = false;
                for name in &reference.columns {
                    if let Some(choice) = self.columns.get_mut(name.as_str())
                        && !choice.fixed
                        && self.relation.column(name).is_some_and(|column| !column.not_null)
                        && choice.current().is_some_and(|sql| sql != "null")
                    {
                        *choice = Choice { candidates: vec!["null".to_owned()], at: 0, fixed: false };
                        revised = true;
                    }
                }
                revised
            }
            "23505" => {
                let named = self.relation.keys.iter().find(|key| Some(&key.name) == refused.constraint.as_ref());
                let Some(key) = named else { return false };
                let Some(mark) = self.twin.clone().filter(|_| self.revisions < 4) else {
                    return self.next_of(&key.columns);
                };
                for name in &key.columns {
                    let (Some(column), Some(choice)) =
                        (self.relation.column(name), self.columns.get_mut(name.as_str()))
                    else {
                        continue;
                    };
                    let candidates = match self.relation.reference_of(name) {
                        _ if choice.fixed => continue,
                        Some(_) if column.not_null => continue,
                        Some(_) => vec!["null".to_owned()],
                        None => candidates(self.relation, column, &mark, 0),
                    };
                    *choice = Choice { candidates, at: 0, fixed: false };
                }
                true
            }
            // A value that its type does not take: the next of every column of such a type.
            code if code.starts_with("22") => {
                let category = match code {
                    "22003" => "N",
                    "22001" => "S",
                    "22007" | "22008" => "D",
                    _ => "",
                };
                let open = self.columns.iter().filter(|(name, choice)| {
                    let of_type = self
                        .relation
                        .column(name)
                        .is_some_and(|column| category.is_empty() || column.category == category);
                    of_type && !choice.fixed && choice.candidates.len() > 1
                });
                let names: Vec<_> = open.map(|(name, _)| (*name).to_owned()).collect();
                self.next_of(&names)
            }
            _ => false,
        }
    }

    /// Where a check spans columns: no value, and the values that the check itself names, are tried first.
    fn widen(&mut self, names: &[String], check: &str) {
        if names.len() < 2 || !self.widened.insert(check.to_owned()) {
            return;
        }
        let named = literals(check);
        // A path may have to begin with what another column says.
        let folders: Vec<_> = names
            .iter()
            .filter(|_| check.contains("'/"))
            .filter_map(|name| {
                let sql = self.columns.get(name.as_str())?.current()?;
                (!matches!(sql, "null" | "default")).then(|| (name.clone(), sql.to_owned()))
            })
            .collect();
        for column in names.iter().filter_map(|name| self.relation.column(name)) {
            let choice = self.columns.entry(&column.name).or_insert_with(|| Choice {
                candidates: vec!["default".to_owned()],
                at: 0,
                fixed: false,
            });
            if choice.fixed || column.generated {
                continue;
            }
            let current = choice.current().map(str::to_owned);
            let within = folders.iter().filter(|(name, _)| column.is_text() && *name != column.name);
            let within = within
                .filter_map(|(_, folder)| Some(format!("({folder})::text || '/' || ({})::text", current.as_ref()?)));
            let within: Vec<_> = within.collect();
            let mut candidates: Vec<_> = current.into_iter().collect();
            candidates.extend(within);
            candidates.extend((!column.not_null).then(|| "null".to_owned()));
            candidates.extend(named.iter().filter(|_| column.is_text()).map(|text| literal(text)));
            candidates.extend(choice.candidates.iter().take(3).cloned());
            candidates.dedup();
            *choice = Choice { candidates, at: 0, fixed: false };
        }
    }

    /// Counts through the candidates of these columns like an odometer.
    fn next_of(&mut self, names: &[String]) -> bool {
        for name in names {
            let Some(column) = self.relation.column(name) else { continue };
            let choice = self.columns.entry(&column.name).or_insert_with(|| Choice {
                candidates: [vec!["default".to_owned()], candidates(self.relation, column, "chosen", 0)].concat(),
                at: 0,
                fixed: false,
            });
            if choice.fixed || column.generated {
                continue;
            }
            if choice.at + 1 < choice.candidates.len() {
                choice.at += 1;
                return true;
            }
            choice.at = 0;
        }
        false
    }
}

/// Values that the schema lists for a column: labels of its enum, literals of a check that it is one of several.
pub fn choices(relation: &Relation, column: &Column) -> Vec<String> {
    if !column.labels.is_empty() {
        return column.labels.clone();
    }
    let lists = relation.checks.iter().filter(|check| check.columns == [column.name.clone()]).map(|check| &check.text);
    static EQUALS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"^(?:CHECK )?(?:(?: OR )?\(*(?:"?\w+"?)\)?(?:::text)? = '(?:[^']|'')*'::[\w ."]+\)*)+$"#)
            .expect("a pattern")
    });
    let is_list = |text: &&String| text.contains("= ANY") || text.contains("IN (") || EQUALS.is_match(text);
    let lists = lists.chain(&column.domain_check).filter(is_list);
    let mut found: Vec<String> = Vec::new();
    for value in lists.flat_map(|text| literals(text)) {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// Values that a column has: those that the schema lists, or that its policies, functions and views compare it with.
pub fn known_values(relation: &Relation, column: &Column) -> Vec<String> {
    let mut listed = choices(relation, column);
    if listed.is_empty() && !column.compared.is_empty() {
        listed.clone_from(&column.compared);
        // What everybody gets is one of them, though nothing is decided by it.
        let by_default = column.default.as_deref().and_then(|default| literals(default).into_iter().next());
        listed.extend(by_default.filter(|text| !column.compared.contains(text)));
    }
    listed
}

/// Values that a column's checks compare it with beside patterns.
pub fn named_alone(relation: &Relation, column: &Column) -> Vec<String> {
    static EQUAL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r" = ('(?:[^']|'')*'::)").expect("a pattern"));
    let checks = relation.checks.iter().filter(|check| check.columns == [column.name.clone()]);
    checks
        .flat_map(|check| EQUAL.captures_iter(&check.text).flat_map(|found| literals(&found[1])).collect::<Vec<_>>())
        .collect()
}

/// The texts that a constraint names.
fn literals(constraint: &str) -> Vec<String> {
    static LITERAL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"'((?:[^']|'')*)'::").expect("a pattern"));
    LITERAL.captures_iter(constraint).map(|found| found[1].replace("''", "'")).collect()
}

/// Patterns that checks ask a text to match, as regular expressions.
fn patterns(relation: &Relation, column: &Column) -> Vec<String> {
    static PATTERN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[^!~](~~?)\*? '((?:[^']|'')*)'").expect("a pattern"));
    let checks = relation.checks.iter().filter(|check| check.columns == [column.name.clone()]).map(|check| &check.text);
    let texts = checks.chain(&column.domain_check);
    let of_text = texts.flat_map(|text| PATTERN.captures_iter(text));
    let patterns = of_text.map(|found| {
        let pattern = found[2].replace("''", "'");
        if &found[1] == "~~" { like(&pattern) } else { pattern }
    });
    patterns.collect()
}

/// A pattern of `like` as a regular expression.
fn like(pattern: &str) -> String {
    let mut chars = pattern.chars();
    let mut expression = String::from("^");
    while let Some(c) = chars.next() {
        match c {
            '%' => expression.push_str("[a-z]*"),
            '_' => expression.push_str("[a-z]"),
            '\\' => expression.push_str(&regex::escape(&chars.next().unwrap_or(c).to_string())),
            _ => expression.push_str(&regex::escape(&c.to_string())),
        }
    }
    expression + "$"
}

/// A text that a pattern matches; `dice` says which.
fn matching(pattern: &str, dice: usize) -> Option<String> {
    fn write(hir: &Hir, dice: &mut usize, text: &mut String) {
        match hir.kind() {
            HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
            HirKind::Class(Class::Unicode(class)) => {
                let is_in = |c: &char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(c));
                let plain = ('a'..='z').chain('0'..='9').chain('A'..='Z').filter(is_in).collect::<Vec<_>>();
                let all = if plain.is_empty() { ('!'..='~').filter(is_in).collect() } else { plain };
                text.extend(all.get(*dice % all.len().max(1)));
                *dice = dice.wrapping_mul(31).wrapping_add(7);
            }
            HirKind::Repetition(repetition) => {
                let times = repetition.max.map_or(repetition.min.max(6), |max| max.min(repetition.min.max(6)));
                (0..times).for_each(|_| write(&repetition.sub, dice, text));
            }
            HirKind::Capture(capture) => write(&capture.sub, dice, text),
            HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, dice, text)),
            HirKind::Alternation(parts) => write(&parts[*dice % parts.len()], dice, text),
            HirKind::Empty | HirKind::Look(_) | HirKind::Class(Class::Bytes(_)) => {}
        }
    }
    // Unicode classes such as \\w would need tables that are not built in.
    let pattern = pattern.replace(r"\d", "[0-9]").replace(r"\w", "[a-z0-9_]").replace(r"\s", " ");
    let hir = regex_syntax::parse(&pattern).ok()?;
    let (mut dice, mut text) = (dice, String::new());
    write(&hir, &mut dice, &mut text);
    Some(text)
}

/// What a column may be given, the likeliest first.
fn candidates(relation: &Relation, column: &Column, mark: &str, variant: usize) -> Vec<String> {
    let mut listed: Vec<_> = choices(relation, column).iter().map(|value| literal(value)).collect();
    if !listed.is_empty() {
        let by = variant % listed.len();
        listed.rotate_left(by);
    } else {
        let digits = mark.bytes().fold(variant, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        listed = patterns(relation, column)
            .iter()
            .filter_map(|pattern| matching(pattern, digits))
            .map(|text| literal(&text))
            .collect();
        listed.extend(by_type(column, &column.name.to_lowercase(), mark, variant));
        let mut compared = column.compared.clone();
        compared.retain(|text| column.length.is_none_or(|length| text.chars().count() <= length));
        let by = variant % compared.len().max(1);
        compared.rotate_left(by);
        listed.splice(0..0, compared.iter().map(|text| literal(text)));
    }
    match column.category.as_str() {
        _ if column.not_null => {}
        // When something was ended, revoked or resolved: it is not, yet.
        "D" if variant != 1 => listed.insert(0, "null".to_owned()),
        _ => listed.push("null".to_owned()),
    }
    listed
}

/// Whether a `numeric(p,s)` has but one digit before the point.
fn is_narrow(kind: &str) -> bool {
    let digits = kind.strip_prefix("numeric(").and_then(|rest| rest.strip_suffix(')')?.split_once(','));
    digits.is_some_and(|(all, behind)| all.parse::<i32>().unwrap_or(9) - behind.parse::<i32>().unwrap_or(0) < 2)
}

/// Values by type, and of texts by name.
pub fn by_type(column: &Column, name: &str, mark: &str, variant: usize) -> Vec<String> {
    // Numbers and phones are shared by the rows of a tenant, as those of one person's are.
    let digits =
        mark.bytes().take(10).fold(7_u64, |sum, byte| (sum * 31 + u64::from(byte)) % 9_999_991) + 10 + variant as u64;
    let texts = |texts: &[&str]| texts.iter().map(|text| literal(text)).collect::<Vec<_>>();
    match (column.category.as_str(), column.base.as_str()) {
        ("B", _) => {
            if variant.is_multiple_of(2) {
                texts(&["true", "false"])
            } else {
                texts(&["false", "true"])
            }
        }
        ("N", _) if is_narrow(&column.kind) => ["1", "0", "0.5"].map(str::to_owned).to_vec(),
        ("N", _) => {
            let small = (digits % 89 + 10).to_string();
            [&[small.as_str()][..], &["1", "0", "100", "1000", "0.5", "-1", "2026"]]
                .concat()
                .iter()
                .map(|n| (*n).to_owned())
                .collect()
        }
        ("D", "time without time zone" | "time with time zone") => texts(&["12:00", "13:00", "11:00"]),
        // What ends one day has not ended.
        ("D", _) if names::is_deadline(name) => {
            ["now() + interval '1 day'", "now()", "now() - interval '1 day'"].map(str::to_owned).to_vec()
        }
        ("D", _) => ["now()", "now() + interval '1 day'", "now() - interval '1 day'"].map(str::to_owned).to_vec(),
        ("T", _) => texts(&["1 day"]),
        ("A", _) => texts(&["{}"]),
        ("I", _) => texts(&["192.0.2.1", "192.0.2.0/24"]),
        ("R", _) => texts(&["[2026-01-01,2026-02-01)", "[1,10)", "empty"]),
        ("G", _) => texts(&["(1,1)"]),
        ("V", _) => texts(&["1"]),
        (_, "uuid") => vec!["gen_random_uuid()".to_owned()],
        (_, "json" | "jsonb") => texts(&["{}", "[]"]),
        (_, "bytea") => [1, 32, 16, 64, 20, 12]
            .map(|bytes| format!("decode(repeat('{:02x}', {bytes}), 'hex')", digits % 256))
            .to_vec(),
        ("S", _) => {
            let slug = mark.to_lowercase().replace('_', "-");
            let (phone, upper, email) = (names::phone_of(digits), names::code_of(digits), names::email_of(&slug));
            let named = names::texts_for(name, &slug, digits);
            let others = [mark, &slug, &upper, "ABC", "abc", "a", "RWF", "RW", "12", "123456", &phone, &email];
            let others =
                others.into_iter().chain(["https://example.com/a", "#aabbcc", "12:00", "2026-01", "1.0.0", "A-1"]);
            let mut all = Vec::new();
            for text in named.iter().map(String::as_str).chain(others) {
                let text: String = text.chars().take(column.length.unwrap_or(usize::MAX)).collect();
                let sql = literal(&text);
                if !all.contains(&sql) {
                    all.push(sql);
                }
            }
            all
        }
        _ => texts(&[mark, "0"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_made_that_a_pattern_matches() {
        for pattern in [
            r"^[A-Z]{2}\d{4}$",
            "^#[0-9a-f]{6}$",
            "^(open|closed)$",
            r"^\+?[0-9]{9,15}$",
            "^[a-z]+/[a-z0-9.+-]+$",
            r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
            &like(r"IN\_%"),
            &like("_%@_%._%"),
        ] {
            for dice in 0..20 {
                let text = matching(pattern, dice).unwrap();
                assert!(Regex::new(pattern).unwrap().is_match(&text), "{pattern}: {text}");
            }
        }
        assert_eq!(matching("(", 0), None);
        assert_eq!(like(r"a\_%.b_"), r"^a_[a-z]*\.b[a-z]$");
    }

    #[test]
    fn a_number_that_holds_one_digit_is_narrow() {
        assert!(is_narrow("numeric(3,2)") && !is_narrow("numeric(12,2)") && !is_narrow("numeric"));
    }
}
