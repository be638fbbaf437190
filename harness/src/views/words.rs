//! Values as people read them: `{column|format}` of a contract, filled from a row.

use jiff::{Timestamp, Zoned, civil};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::{
    contract::{Column, Formats, Grouped},
    failure::{Failure, Verdict},
    figures::amount,
};

/// How one deployment writes values, now.
pub(super) struct Words<'c> {
    formats: &'c Formats,
    now: Zoned,
}

impl<'c> Words<'c> {
    pub fn new(formats: &'c Formats, now: Zoned) -> Self {
        Self { formats, now }
    }

    /// Now, in the portal's own time zone.
    pub fn now(&self) -> &Zoned {
        &self.now
    }

    /// What a cell of this column shows of a row.
    pub fn cell(&self, column: &Column, row: &Value) -> Verdict<String> {
        let lines = column.shows.iter().map(|template| self.fill(template, row)).collect::<Verdict<Vec<_>>>()?;
        let lines: Vec<_> = lines.iter().map(|line| squeezed(line)).filter(|line| !line.is_empty()).collect();
        Ok(if lines.is_empty() { self.formats.nothing.clone() } else { lines.join("\n") })
    }

    /// One row for each group: its `key`, the number of its `rows`, their `total`, and its first row.
    pub fn group(&self, grouped: &Grouped, rows: Vec<Value>) -> Verdict<Vec<Value>> {
        let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
        for row in rows {
            let key = self.fill(&grouped.by, &row)?;
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((key, vec![row])),
            }
        }
        let mut sums = Vec::new();
        for (key, rows) in groups {
            let total = rows.iter().map(|row| amount(&row[&grouped.sum])).sum::<Option<Decimal>>();
            let total = total.ok_or_else(|| unwritten(&grouped.sum, "no amount"))?;
            let mut line = Map::from_iter([("key".to_owned(), json!(key)), ("rows".to_owned(), json!(rows.len()))]);
            line.insert("total".to_owned(), json!(total.to_string()));
            line.insert("first".to_owned(), rows.into_iter().next().unwrap_or_default());
            sums.push((total, Value::Object(line)));
        }
        if grouped.largest_first {
            sums.sort_by_key(|(total, _)| std::cmp::Reverse(*total));
        }
        Ok(sums.into_iter().map(|(_, line)| line).collect())
    }

    /// An amount with its currency.
    pub fn money(&self, amount: Decimal, currency: Option<&str>) -> String {
        let text = format!("{:.2}", amount.abs());
        let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
        let digits: Vec<_> = whole.bytes().collect();
        let thousands: Vec<_> = digits.rchunks(3).rev().map(String::from_utf8_lossy).collect();
        let sign = if amount.is_sign_negative() && !amount.is_zero() { "-" } else { "" };
        let (point, comma) = if self.formats.decimal_comma { (",", ".") } else { (".", ",") };
        let is_left_out = cents == "00" && !self.formats.always_cents;
        let cents = if is_left_out { String::new() } else { format!("{point}{cents}") };
        let between = self.formats.thousands.as_deref().unwrap_or(comma);
        let amount = format!("{sign}{}{cents}", thousands.join(between));
        let currency = currency.unwrap_or(&self.formats.currency);
        self.formats.money.replace("{currency}", currency).replace("{amount}", &amount)
    }

    fn fill(&self, template: &str, row: &Value) -> Verdict<String> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, (inside, after))) =
            rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            filled += before;
            filled += &self.value(inside, row)?;
            rest = after;
        }
        Ok(filled + rest)
    }

    /// `path|format|format`.
    fn value(&self, inside: &str, row: &Value) -> Verdict<String> {
        let mut parts = inside.split('|');
        let path = parts.next().unwrap_or_default();
        let mut value = path.split('.').fold(row, part).clone();
        for format in parts {
            let (name, argument) = format.split_once(':').unwrap_or((format, ""));
            value = self.format(name, argument, &value, row).map_err(|why| unwritten(inside, &why))?;
        }
        Ok(plain(&value))
    }

    fn format(&self, name: &str, argument: &str, value: &Value, row: &Value) -> Result<Value, String> {
        let written = match name {
            "or" if plain(value).is_empty() => argument.to_owned(),
            "or" => plain(value),
            "count" => count(value, argument).to_string(),
            "plural" => {
                let (one, many) = argument.split_once('/').unwrap_or((argument, argument));
                format!("{} {}", plain(value), if plain(value) == "1" { one } else { many })
            }
            "then" => {
                let (column, otherwise) = argument.split_once('/').unwrap_or((argument, ""));
                if value.as_bool() == Some(true) {
                    row.get(column).map_or_else(|| column.to_owned(), plain)
                } else {
                    otherwise.to_owned()
                }
            }
            "label" => self.formats.labels.get(&plain(value)).cloned().unwrap_or_else(|| plain(value)),
            "words" => words(&plain(value)),
            _ if value.is_null() => String::new(),
            "money" => {
                let amount = amount(value).ok_or("no amount")?;
                self.money(amount, row[argument].as_str())
            }
            "day" => self.written(value, &self.formats.day)?,
            "moment" => {
                self.written(value, self.formats.moment.as_ref().ok_or("no formats.moment in the contract")?)?
            }
            "age" => age(self.now.timestamp().duration_since(time(value)?).as_mins()),
            unknown => return Err(format!("no format is called {unknown:?}")),
        };
        Ok(written.into())
    }

    fn written(&self, value: &Value, format: &str) -> Result<String, String> {
        let zone = self.now.time_zone().clone();
        // A column may have days without a time.
        let time = match value.as_str().and_then(|text| text.parse::<civil::Date>().ok()) {
            Some(day) if value.as_str().is_some_and(|text| !text.contains(':')) => day.to_zoned(zone),
            _ => Ok(time(value)?.to_zoned(zone)),
        };
        let time = time.map_err(|error| error.to_string())?;
        let month = usize::try_from(time.month() - 1).unwrap_or_default();
        let month = match self.formats.months.get(month) {
            None if format.contains("%b") => return Err("no formats.months in the contract".to_owned()),
            month => month.map_or("", String::as_str),
        };
        Ok(time.strftime(&format.replace("%b", month)).to_string())
    }
}

/// What a part of a path leads to: a column, or a row of a list by its number.
fn part<'v>(value: &'v Value, key: &str) -> &'v Value {
    match (value, key.parse::<usize>()) {
        (Value::Array(rows), Ok(at)) => rows.get(at).unwrap_or(&Value::Null),
        _ => &value[key],
    }
}

fn unwritten(what: &str, why: &str) -> Failure {
    Failure::undecided(format!("the contract says how {{{what}}} is written")).seen(why)
}

fn time(value: &Value) -> Result<Timestamp, String> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| "no time".to_owned())
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How many rows are embedded; with `column=value`, of those that have it.
fn count(value: &Value, argument: &str) -> usize {
    let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
    match argument.split_once('=') {
        Some((column, wanted)) => rows.iter().filter(|row| plain(&row[column]) == wanted).count(),
        None => rows.len(),
    }
}

/// `LOAN_REPAYMENT` as `Loan repayment`.
fn words(code: &str) -> String {
    let text = code.replace('_', " ").to_lowercase();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// How long ago, in the largest unit that says enough.
fn age(minutes: i64) -> String {
    match (minutes.max(0), minutes.max(0) / 60) {
        (minutes, 0) => format!("{minutes} min"),
        (_, hours @ 1..48) => format!("{hours} h"),
        (_, hours) => format!("{} d", hours / 24),
    }
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(now: &str) -> Words<'static> {
        let formats = crate::contract::Contract::sacco_plus().unwrap().formats().unwrap().clone();
        Words::new(Box::leak(Box::new(formats)), now.parse().unwrap())
    }

    #[test]
    fn a_row_of_a_list_is_found_by_its_number() {
        let row = json!({ "orders": [{ "count": 3 }], "7": "seven" });
        let of = |path: &str| path.split('.').fold(&row, part).clone();
        assert_eq!([of("orders.0.count"), of("orders.1.count"), of("7")], [json!(3), Value::Null, json!("seven")]);
    }

    #[test]
    fn values_are_written_as_the_portal_writes_them() {
        let words = words("2026-09-07T10:00:00+02:00[Africa/Kigali]");
        let row = json!({
            "amount": 1234567.5, "whole": "25000.00", "currency": "USD", "at": "2026-09-06T22:05:00Z", "on": "2026-09-08", "none": null,
            "type": "LOAN_REPAYMENT", "role": "INSTITUTION_TREASURER", "active": true, "status": "ACTIVE",
            "members": [{ "status": "ACTIVE" }, { "status": "INACTIVE" }],
        });
        for (template, expected) in [
            ("{amount|money:currency}", "USD 1,234,567.50"),
            ("{whole|money}", "RWF 25,000"),
            ("{at|moment}", "7 Sept, 00:05"),
            ("{at|day}", "7 Sept 2026"),
            ("{on|day}", "8 Sept 2026"),
            ("{at|age}", "9 h"),
            ("{none|moment}", ""),
            ("{none|or:Unknown payer}", "Unknown payer"),
            ("{type|words}", "Loan repayment"),
            ("{role|label}", "Teller"),
            ("{active|then:status/INACTIVE}", "ACTIVE"),
            ("{members|count:status=ACTIVE|plural:member/members}", "1 member"),
            ("{members|count|plural:member/members} of us", "2 members of us"),
        ] {
            assert_eq!(words.fill(template, &row).unwrap(), expected, "{template}");
        }
        assert!(words.fill("{amount|dozens}", &row).unwrap_err().to_string().contains("no format is called"));
    }

    #[test]
    fn amounts_may_have_a_comma_for_a_point() {
        let mut formats = crate::contract::Contract::sacco_plus().unwrap().formats().unwrap().clone();
        (formats.decimal_comma, formats.always_cents, formats.money) = (true, true, "{amount} €".to_owned());
        let words = Words::new(&formats, "2026-09-07T10:00:00+02:00[Europe/Berlin]".parse().unwrap());
        assert_eq!(words.money("-1234567.5".parse().unwrap(), None), "-1.234.567,50 €");
        assert_eq!(words.money("12".parse().unwrap(), None), "12,00 €");
    }

    #[test]
    fn thousands_may_have_a_space_or_an_apostrophe() {
        let mut formats = crate::contract::Contract::sacco_plus().unwrap().formats().unwrap().clone();
        formats.money = "{amount} €".to_owned();
        for (decimal_comma, thousands, expected) in [(true, " ", "-1 234 567,50 €"), (false, "’", "-1’234’567.50 €")]
        {
            (formats.decimal_comma, formats.thousands) = (decimal_comma, Some(thousands.to_owned()));
            let words = Words::new(&formats, "2026-09-07T10:00:00+02:00[Europe/Paris]".parse().unwrap());
            assert_eq!(words.money("-1234567.5".parse().unwrap(), None), expected);
        }
    }

    #[test]
    fn groups_are_added_up_and_the_largest_comes_first() {
        let words = words("2026-01-07T10:00:00+02:00[Africa/Kigali]");
        let row = |name: &str, amount: &str| json!({ "name": name, "amount": amount });
        let rows = vec![row("a", "1.50"), row("b", "9"), row("a", "2")];
        let grouped = Grouped { by: "{name}".to_owned(), sum: "amount".to_owned(), largest_first: true };
        let groups = words.group(&grouped, rows).unwrap();
        let shown: Vec<_> = groups.iter().map(|group| (plain(&group["key"]), plain(&group["total"]))).collect();
        assert_eq!(shown, [("b".to_owned(), "9".to_owned()), ("a".to_owned(), "3.50".to_owned())]);
        assert_eq!(groups[1]["rows"], 2);
    }
}
