//! How a portal writes days and times, and what stands for nothing: learnt from what its lists show of rows.

use std::collections::BTreeSet;

use harness::{Formats, views::written};
use jiff::Zoned;
use serde_json::{Value, json};

use super::{Answer, First, Shown, at, column, is_time, paths};

/// How days are written, beside the language's own way.
const DAYS: [&str; 14] = [
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%-m/%-d/%Y",
    "%-d/%-m/%Y",
    "%-d.%-m.%Y",
    "%-d %b %Y",
    "%d %b %Y",
    "%b %-d, %Y",
    "%b %d, %Y",
    "%d-%m-%Y",
    "%-d %B %Y",
    "%B %-d, %Y",
];

/// The same beside a time, where the year goes without saying.
const DAYS_OF_THE_YEAR: [&str; 5] = ["%-d %b", "%d %b", "%b %-d", "%d.%m.", "%d/%m"];

/// What stands between a day and its time, and how times are written.
const BETWEEN: [&str; 4] = [" ", ", ", " · ", " at "];
const TIMES: [&str; 4] = ["%H:%M", "%H:%M:%S", "%-I:%M %p", "%-I:%M:%S %p"];

/// What stands where there is nothing.
const NOTHING: [&str; 5] = ["–", "—", "-", "N/A", "n/a"];

/// Times that the ways to write them are tried with.
const MOST_TIMES: usize = 60;

/// What lists show of rows tells how the portal writes days and times, in which zone, and what stands for nothing.
pub(in crate::contract) fn learn(
    formats: Formats,
    lists: &[&Shown],
    answers: &[Answer],
    now: &Zoned,
) -> (Formats, Zoned) {
    let texts: BTreeSet<&str> =
        lists.iter().flat_map(|list| list.cells.iter().flatten()).flat_map(|cell| cell.lines()).collect();
    let rows = answers.iter().flat_map(|answer| &answer.rows);
    let values = rows.flat_map(|row| paths(row).into_iter().map(|path| at(row, &path).clone()));
    let times: BTreeSet<_> =
        values.filter_map(|value| value.as_str().filter(|text| is_time(text)).map(str::to_owned)).collect();
    let times: Vec<_> =
        times.iter().step_by((times.len() / MOST_TIMES).max(1)).map(|time| json!({ "it": time })).collect();
    let shown = |(formats, now): &(Formats, Zoned), format: &str| {
        let column = column("", &[format!("{{it|{format}}}")], None);
        let is_shown =
            |row: &&Value| written(formats, now, &column, row).is_ok_and(|text| texts.contains(text.as_str()));
        times.iter().filter(is_shown).count()
    };
    let days = || std::iter::once(formats.day.as_str()).chain(DAYS);
    let shapes: BTreeSet<_> = texts.iter().map(|text| shape(text)).collect();
    let has_shape = |formats: &Formats| {
        let sample = written(
            formats,
            now,
            &column("", &["{it|moment}".to_owned()], None),
            &json!({ "it": now.timestamp().to_string() }),
        );
        sample.is_ok_and(|text| shapes.contains(&shape(&text)))
    };
    let moments = days()
        .chain(DAYS_OF_THE_YEAR)
        .flat_map(|day| BETWEEN.into_iter().flat_map(move |between| TIMES.map(|time| format!("{day}{between}{time}"))));
    let moments = moments.map(|moment| Formats { moment: Some(moment), ..formats.clone() });
    let moments: Vec<_> = moments.filter(has_shape).collect();
    // A portal may keep to its own zone, whoever looks.
    let offsets = (-12..=14).filter_map(|hours: i32| now.in_tz(&format!("Etc/GMT{:+}", -hours)).ok());
    let zones: Vec<_> = std::iter::once(now.clone()).chain(offsets).collect();
    let tried = zones.iter().flat_map(|zone| moments.iter().map(move |moment| (moment.clone(), zone.clone())));
    let best = tried.first_of_most(|it| shown(it, "moment")).filter(|best| shown(best, "moment") > 0);
    let (formats, zone) = best.unwrap_or_else(|| (formats.clone(), now.clone()));
    let tried = days().map(|day| (Formats { day: day.to_owned(), ..formats.clone() }, zone.clone()));
    let best = tried.first_of_most(|it| shown(it, "day")).filter(|best| shown(best, "day") > 0);
    let (formats, zone) = best.unwrap_or((formats, zone));
    let nothing = NOTHING.into_iter().find(|nothing| texts.contains(nothing)).map(str::to_owned);
    (Formats { nothing: nothing.unwrap_or_else(|| formats.nothing.clone()), ..formats }, zone)
}

/// A text without what changes with the time that it says: a day may have one digit or two.
fn shape(text: &str) -> String {
    let mut shape: Vec<char> = Vec::new();
    for letter in text.chars() {
        let masked = match letter {
            letter if letter.is_numeric() => '0',
            letter if letter.is_alphabetic() => 'x',
            letter => letter,
        };
        if shape.last() != Some(&masked) || !masked.is_alphanumeric() {
            shape.push(masked);
        }
    }
    shape.into_iter().collect()
}
