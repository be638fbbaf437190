//! What the texts of a column are made of.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Formats, views::written};
use jiff::Zoned;
use serde_json::Value;

use super::{DAY, at, column, is_time, paths, uuid};

/// Codes that a portal may have words for, at most.
const MOST_CODES: usize = 12;

/// What lines are made of: a value as it is or in a format, a word for a code, or a text with values in it.
pub(super) fn template(lines: &[(&str, &Value)], formats: &mut Formats, now: &Zoned) -> Option<String> {
    let values = values(lines, formats, now);
    let is_all = |(_, texts): &&(String, Vec<String>)| texts.iter().zip(lines).all(|(text, (line, _))| text == line);
    if let Some((inside, _)) = values.iter().find(is_all) {
        return Some(format!("{{{inside}}}"));
    }
    words_for(lines, formats).or_else(|| numbers_of(lines, &values)).or_else(|| text_with(lines, &values))
}

/// A number with the word for one or for many.
fn numbers_of(lines: &[(&str, &Value)], values: &[(String, Vec<String>)]) -> Option<String> {
    values.iter().find_map(|(inside, texts)| {
        let mut words: BTreeMap<bool, &str> = BTreeMap::new();
        let fits = texts.iter().zip(lines).all(|(text, (line, _))| {
            let word = line.strip_prefix(text.as_str()).and_then(|rest| rest.strip_prefix(' '));
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
            word.is_some_and(|word| is_number && *words.entry(text == "1").or_insert(word) == word)
        });
        let (one, many) = (words.get(&true)?, words.get(&false)?);
        (fits && one != many).then(|| format!("{{{inside}|plural:{one}/{many}}}"))
    })
}

/// Each value of the rows in each of its formats, with its text in each row; the plain ones first.
fn values(lines: &[(&str, &Value)], formats: &Formats, now: &Zoned) -> Vec<(String, Vec<String>)> {
    let all: BTreeSet<_> = lines.iter().flat_map(|(_, row)| paths(row)).collect();
    // As the portal asked for them.
    let first = lines.first().map(|(_, row)| paths(row)).unwrap_or_default();
    let rest = all.into_iter().filter(|path| !first.contains(path)).collect::<Vec<_>>();
    let mut paths: Vec<_> = first.into_iter().chain(rest).collect();
    let of = |path: &str| {
        lines.iter().map(|(_, row)| at(row, path)).find(|value| !value.is_null()).cloned().unwrap_or_default()
    };
    // A day of its own says a day rather than a time does.
    paths.sort_by_key(|path| of(path).as_str().is_none_or(|text| !is_time(text) || text.len() > DAY));
    let currencies: Vec<_> = paths
        .iter()
        .filter(|path| {
            of(path).as_str().is_some_and(|text| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()))
        })
        .cloned()
        .collect();
    let ways = |path: &String| -> Vec<String> {
        let money =
            || std::iter::once("|money".to_owned()).chain(currencies.iter().map(|column| format!("|money:{column}")));
        match of(path) {
            Value::Array(_) => vec!["|count".to_owned()],
            Value::Number(_) => std::iter::once(String::new()).chain(money()).collect(),
            Value::String(text) if is_time(&text) && text.len() == DAY => ["", "|day"].map(str::to_owned).to_vec(),
            Value::String(text) if is_time(&text) => ["", "|moment", "|day"].map(str::to_owned).to_vec(),
            Value::String(text) if text.parse::<f64>().is_ok() => {
                std::iter::once(String::new()).chain(money()).collect()
            }
            Value::String(_) => ["", "|words"].map(str::to_owned).to_vec(),
            _ => vec![],
        }
    };
    let insides = paths.iter().flat_map(|path| ways(path).into_iter().map(move |way| format!("{path}{way}")));
    let texts = |inside: String| {
        let column = column("", &[format!("{{{inside}}}")], None);
        let nothing = Formats { nothing: String::new(), ..formats.clone() };
        let texts =
            lines.iter().map(|(_, row)| written(&nothing, now, &column, row)).collect::<Result<Vec<_>, _>>().ok()?;
        texts.iter().any(|text| !text.is_empty()).then_some((inside, texts))
    };
    insides.filter_map(texts).collect()
}

/// A code that the portal has words for, or a yes and a no.
fn words_for(lines: &[(&str, &Value)], formats: &mut Formats) -> Option<String> {
    let first = lines.first().map(|(_, row)| *row)?;
    let mut paths = paths(first);
    // A yes or a no is likelier than a code that happens to go with it.
    paths.sort_by_key(|path| !at(first, path).is_boolean());
    for path in paths {
        let mut words: BTreeMap<String, &str> = BTreeMap::new();
        let fits = lines.iter().all(|(line, row)| {
            let code = match at(row, &path) {
                Value::String(text) if is_code(text) => text.clone(),
                Value::Bool(flag) => flag.to_string(),
                _ => return false,
            };
            let is_known = formats.labels.get(&code).is_none_or(|word| word == line);
            // A number that goes with it is no word for it.
            let is_word = !line.is_empty() && !line.contains(char::is_numeric);
            is_known && is_word && *words.entry(code).or_insert(line) == *line
        });
        let different: BTreeSet<_> = words.values().collect();
        // As many codes as rows say nothing: any column could be the code of any other.
        let is_told =
            (2..=MOST_CODES).contains(&words.len()) && different.len() == words.len() && words.len() < lines.len();
        if !fits || !is_told {
            continue;
        }
        if let (Some(yes), Some(no)) = (words.get("true"), words.get("false")) {
            return Some(format!("{{{path}|then:{yes}/{no}}}"));
        }
        formats.labels.extend(words.into_iter().map(|(code, word)| (code, word.to_owned())));
        return Some(format!("{{{path}|label}}"));
    }
    None
}

/// A text that is the same in each line but for the values in it, of which one at least is another in each row.
fn text_with(lines: &[(&str, &Value)], values: &[(String, Vec<String>)]) -> Option<String> {
    let differs = |texts: &[String]| texts.iter().collect::<BTreeSet<_>>().len() > 1;
    let mut values: Vec<_> = values.iter().filter(|(_, texts)| differs(texts)).collect();
    // A long text is there by chance the least.
    values.sort_by_key(|(_, texts)| std::cmp::Reverse(texts.iter().map(String::len).sum::<usize>()));
    let rests: Vec<_> = lines.iter().map(|(line, _)| *line).collect();
    let mut steps = MOST_STEPS;
    continued(&rests, &values, &mut steps).filter(|template| template.contains('{'))
}

/// Steps of the search for a text, at most.
const MOST_STEPS: usize = 2_000;

/// What the rests of all lines are made of.
fn continued(rests: &[&str], values: &[&(String, Vec<String>)], steps: &mut usize) -> Option<String> {
    if rests.iter().all(|rest| rest.is_empty()) {
        return Some(String::new());
    }
    *steps = steps.checked_sub(1)?;
    for (inside, texts) in values {
        let stripped = rests.iter().zip(texts).map(|(rest, text)| rest.strip_prefix(text.as_str()));
        if let Some(template) = stripped.collect::<Option<Vec<_>>>().and_then(|rests| continued(&rests, values, steps))
        {
            return Some(format!("{{{inside}}}{template}"));
        }
    }
    let letter = rests.first()?.chars().next().filter(|letter| !['{', '}'].contains(letter))?;
    let rests: Option<Vec<_>> = rests.iter().map(|rest| rest.strip_prefix(letter)).collect();
    Some(format!("{letter}{}", continued(&rests?, values, steps)?))
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && !uuid(text) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
