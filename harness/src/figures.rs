//! Figures of money and counts: computed from rows, independently of what the portal computes, and read off a screen.

use std::fmt;

use jiff::{Timestamp, ToSpan, Zoned, tz::TimeZone};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

use crate::{
    browser::Page,
    client::RestClient,
    contract::{Data, Kpi, Ledger, Window},
    failure::{Failure, Verdict},
};

/// The first number in a text such as `RWF 62,500.50`, `62.500,50 €` or `4 (€290.00)`; nothing where there is none. Where
/// nobody says whether cents come after a comma ([`Formats::decimal_comma`](crate::contract::Formats)), the text decides.
pub fn figure(text: &str, decimal_comma: Option<bool>) -> Option<Decimal> {
    let (before, number, _) = around_number(text)?;
    let number: String = number.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).collect();
    let of_thousands = if decimal_comma.unwrap_or_else(|| has_decimal_comma(&number)) { '.' } else { ',' };
    let number: Decimal = number.replace(of_thousands, "").replace(',', ".").parse().ok()?;
    let is_negative = before.split_whitespace().any(|word| word.starts_with(['-', '\u{2212}']));
    Some(if is_negative { -number } else { number })
}

/// What stands before the first number of a text, the number with what divides its digits, and what stands after it.
fn around_number(text: &str) -> Option<(&str, &str, &str)> {
    let begin = text.find(|c: char| c.is_ascii_digit())?;
    let mut end = begin;
    while let Some(c) = text[end..].chars().next() {
        let next = text[end + c.len_utf8()..].chars().next();
        let divides = c.is_whitespace() || matches!(c, '.' | ',' | '\'' | '\u{2019}');
        if !(c.is_ascii_digit() || divides && next.is_some_and(|next| next.is_ascii_digit())) {
            break;
        }
        end += c.len_utf8();
    }
    Some((&text[..begin], &text[begin..end], &text[end..]))
}

/// A figure as a screen shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    value: Decimal,
    /// What it was rounded to; zero where it was not.
    step: Decimal,
}

impl Shown {
    /// Whether it stands for this number: it is that, or what rounding leaves of it, to the nearest step or down.
    pub fn is(self, number: Decimal) -> bool {
        if self.step.is_zero() {
            return self.value == number;
        }
        let steps = number / self.step;
        let nearest = steps.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        [nearest, steps.trunc()].into_iter().any(|steps| steps * self.step == self.value)
    }

    /// What it has grown by since another look; `amount`, where that is hidden by rounding.
    pub fn grown(self, since: Self, amount: Decimal) -> Decimal {
        let grown = self.value - since.value;
        let hidden = (grown - amount).abs() <= self.step.max(since.step);
        if hidden { amount } else { grown }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.normalize().fmt(f)
    }
}

/// What stands after a number that counts thousands, millions or thousands of millions, by its place: a power of 1000.
const UNITS: [&[&str]; 3] = [
    &["k", "tsd", "mille", "mil", "thousand"],
    &["m", "mio", "mn", "mln", "million", "millions", "millones", "milhões"],
    &["b", "bn", "mrd", "mld", "md", "billion", "milliard", "milliards"],
];

/// The unit that stands after the number of a text: `K` in `RWF 36.5K`.
fn unit(text: &str) -> Decimal {
    let after = around_number(text).map_or("", |(_, _, after)| after);
    let word: String = after.trim_start().chars().take_while(|c| c.is_alphabetic()).collect();
    let power = UNITS.iter().position(|words| words.contains(&word.to_lowercase().as_str()));
    (0..power.map_or(0, |power| power + 1)).fold(Decimal::ONE, |unit, _| unit * Decimal::ONE_THOUSAND)
}

/// Whether a comma stands before the cents: it comes after all points, and with no point there are one or two digits after
/// it.
fn has_decimal_comma(number: &str) -> bool {
    let Some((before, after)) = number.rsplit_once(',') else { return number.matches('.').count() > 1 };
    match (before.contains('.'), after.contains('.')) {
        (_, true) => false,
        (true, false) => true,
        (false, false) => !before.contains(',') && after.len() < 3,
    }
}

impl Kpi {
    /// The figure in a card's text.
    pub fn read(&self, text: &str, decimal_comma: Option<bool>) -> Option<Shown> {
        let number = figure(text, decimal_comma)?;
        let Some(coarsest) = self.rounded_to else { return Some(Shown { value: number, step: Decimal::ZERO }) };
        let unit = unit(text);
        let step = Decimal::new(1, number.scale()) * unit;
        Some(Shown { value: number * unit, step: step.min(coarsest.into()) })
    }

    /// What the card has to show for an institution, from the rows that `rest` sees.
    ///
    /// # Errors
    /// Undecided when the rows cannot be read or hold no number.
    pub async fn of_rows(&self, rest: &RestClient, data: &Data, institution: &str) -> Verdict<Decimal> {
        let unread = |seen: String| {
            Failure::undecided(format!("{:?} can be computed from the rows of {}", self.label, self.table)).seen(seen)
        };
        let now = now_in(&data.time_zone)?;
        let mut query = vec![(data.tenant.clone(), format!("eq.{institution}"))];
        query.extend(self.filters.clone());
        let bounds = self.bounds(&now).map_err(|error| unread(error.to_string()))?;
        query.extend(bounds);
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let Some(column) = &self.sum else {
            let rows = rest.count(&self.table, &query).await.map_err(|error| unread(error.to_string()))?;
            return Ok(rows.into());
        };
        let select = [("select", column.as_str())];
        let rows = rest.all(&self.table, "id", &[&query[..], &select].concat()).await;
        let rows = rows.map_err(|error| unread(error.to_string()))?;
        let amounts = rows.iter().map(|row| amount(&row[column]).ok_or_else(|| unread(row.to_string())));
        amounts.sum()
    }

    /// Bounds of its time and of its day, each with its column, in PostgREST's words.
    fn bounds(&self, now: &Zoned) -> Result<Vec<(String, String)>, jiff::Error> {
        let mut bounds = Vec::new();
        if let Some(column) = &self.time {
            bounds.extend(self.window(now)?.into_iter().map(|bound| (column.clone(), bound)));
        }
        if let (Some(column), Some([first, end])) = (&self.day, span(now, self.days, self.this_month)?) {
            let of_days = [format!("gte.{}", first.date()), format!("lt.{}", end.date())];
            bounds.extend(of_days.map(|bound| (column.clone(), bound)));
        }
        Ok(bounds)
    }

    /// Bounds of its time, in PostgREST's words.
    fn window(&self, now: &Zoned) -> Result<Vec<String>, jiff::Error> {
        let mut bounds = days(now, self.days, self.this_month)?;
        bounds.extend(since(now, self.hours)?);
        if let Some(hours) = self.older_than_hours {
            bounds.push(format!("lt.{}", now.timestamp().checked_sub(i64::from(hours).hours())?));
        }
        Ok(bounds)
    }
}

/// Bounds in PostgREST's words: from midnight of the first of so many days, or of this month, to the midnight that ends
/// today.
fn days(now: &Zoned, days: Option<u32>, this_month: bool) -> Result<Vec<String>, jiff::Error> {
    let span = span(now, days, this_month)?;
    Ok(span.map_or_else(Vec::new, |[first, end]| {
        vec![format!("gte.{}", first.timestamp()), format!("lt.{}", end.timestamp())]
    }))
}

/// The bound of so many hours that end now.
fn since(now: &Zoned, hours: Option<u32>) -> Result<Option<String>, jiff::Error> {
    let begin = hours.map(|hours| now.timestamp().checked_sub(i64::from(hours).hours())).transpose()?;
    Ok(begin.map(|begin| format!("gte.{begin}")))
}

impl Window {
    /// Bounds of its time, each with its column, in PostgREST's words.
    ///
    /// # Errors
    /// Undecided where the edges of its days cannot be determined.
    pub fn bounds(&self, now: &Zoned) -> Verdict<Vec<(String, String)>> {
        let bounds =
            || Ok::<_, jiff::Error>(days(now, self.days, self.this_month)?.into_iter().chain(since(now, self.hours)?));
        let bounds = bounds()
            .map_err(|error| Failure::undecided("the days of a list can be determined").seen(error.to_string()))?;
        Ok(bounds.map(|bound| (self.time.clone(), bound)).collect())
    }
}

impl Ledger {
    /// Bounds of the time whose rows it shows, each with its column, in PostgREST's words; none where it shows all.
    ///
    /// # Errors
    /// As [`Window::bounds`].
    pub fn bounds(&self, data: &Data) -> Verdict<Vec<(String, String)>> {
        self.window.as_ref().map_or_else(|| Ok(Vec::new()), |window| window.bounds(&now_in(&data.time_zone)?))
    }
}

/// Midnight of the first of so many days, or of this month, and the midnight that ends today.
fn span(now: &Zoned, days: Option<u32>, this_month: bool) -> Result<Option<[Zoned; 2]>, jiff::Error> {
    let today = now.start_of_day()?;
    let first = match days {
        Some(days) => today.checked_sub(i64::from(days.saturating_sub(1)).days())?,
        None if this_month => today.first_of_month()?.start_of_day()?,
        None => return Ok(None),
    };
    Ok(Some([first, today.checked_add(1.day())?]))
}

/// An amount as PostgREST writes `numeric`: a JSON number or a text.
pub(crate) fn amount(value: &Value) -> Option<Decimal> {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().ok()
}

/// Now, on the clocks of a time zone.
///
/// # Errors
/// Undecided where there is no such zone.
pub fn now_in(time_zone: &str) -> Verdict<Zoned> {
    let zone = TimeZone::get(time_zone).map_err(|error| {
        Failure::undecided("the contract names a time zone that is known")
            .expected("an IANA name")
            .seen(error.to_string())
    })?;
    Ok(Timestamp::now().to_zoned(zone))
}

impl Page<'_> {
    /// The figure of each of the dashboard's cards, in the order of the contract.
    ///
    /// # Errors
    /// Failed when a card or its figure is missing; undecided when the browser itself fails.
    pub async fn figures(&self) -> Verdict<Vec<Shown>> {
        let dashboard = self.contract().dashboard()?;
        let script = "const [card, label, figure, answer] = arguments;
            const text = (element, selector) => element.querySelector(selector)?.innerText.trim() ?? \"\";
            answer([...document.querySelectorAll(card)].map((element) => [text(element, label), text(element, figure)]));";
        let arguments =
            vec![dashboard.card.as_str().into(), dashboard.label.as_str().into(), dashboard.figure.as_str().into()];
        let cards: Vec<(String, String)> =
            serde_json::from_value(self.browser().ask(script, arguments).await?).unwrap_or_default();
        let decimal_comma = self.contract().formats().ok().map(|formats| formats.decimal_comma);
        let find = |kpi: &Kpi| {
            let shown =
                cards.iter().find(|(label, _)| label.eq_ignore_ascii_case(&kpi.label)).map(|(_, text)| text.as_str());
            shown.and_then(|text| kpi.read(text, decimal_comma)).ok_or_else(|| {
                Failure::failed(format!("the dashboard shows {:?}", kpi.label))
                    .expected(format!("a card ({}) with that label and a number", dashboard.card))
                    .seen(shown.map_or_else(|| "no such card".to_owned(), |text| format!("{text:?}")))
            })
        };
        dashboard.kpis.iter().map(find).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_with_their_separators_and_currency() {
        for (text, expected) in [
            ("RWF 62,500.50", Some("62500.50")),
            ("7", Some("7")),
            ("-1,000 RWF", Some("-1000")),
            ("1,234,567", Some("1234567")),
            ("1.234,50 €", Some("1234.50")),
            ("−12,5 €", Some("-12.5")),
            ("1.234.567 €", Some("1234567")),
            ("1\u{202f}234,50\u{a0}€", Some("1234.50")),
            ("CHF 1’234’567.50", Some("1234567.50")),
            ("RWF 0.75", Some("0.75")),
            ("4 (€290.00)", Some("4")),
            ("3/5", Some("3")),
            ("–", None),
        ] {
            assert_eq!(figure(text, None), expected.map(|expected| expected.parse().unwrap()), "{text}");
        }
    }

    /// A figure in another notation than the contract's is another figure.
    #[test]
    fn a_contract_knows_what_a_comma_means() {
        for (text, decimal_comma, expected) in [
            ("1.234 €", true, "1234"),
            ("1.234 €", false, "1.234"),
            ("RWF 1,234", false, "1234"),
            ("RWF 12,50", false, "1250"),
            ("62,500.50", true, "62.50050"),
        ] {
            assert_eq!(figure(text, Some(decimal_comma)), Some(expected.parse().unwrap()), "{text}");
        }
    }

    /// What a card may make of a number, and what is another number.
    #[test]
    fn a_rounded_figure_stands_for_what_rounds_to_it() {
        let kpi = Kpi { rounded_to: Some(1000), ..kpi(None, None) };
        for (text, decimal_comma, number, is_it) in [
            ("36K RWF", None, "36499", true),
            ("36K RWF", None, "35500", true),
            ("36K RWF", None, "36999", true), // rounded down
            ("36K RWF", None, "35499", false),
            ("36K RWF", None, "37000", false),
            ("RWF 36.5K", None, "36460", true),
            ("RWF 36.5K", None, "36700", false),
            ("RWF 36,420", None, "36420.40", true),
            ("RWF 36,420", None, "36500", false),
            ("1.2M", None, "1200400", true),
            // Coarser than the contract has it.
            ("1.2M", None, "1240000", false),
            ("0M", None, "36000", false),
            ("1,2 Mio. €", Some(true), "1200000", true),
            ("36 KES", None, "36", true),
            ("-36K", None, "-36400", true),
        ] {
            let shown = kpi.read(text, decimal_comma).unwrap();
            assert_eq!(shown.is(number.parse().unwrap()), is_it, "{text} for {number}: {shown}");
        }
        let exact = Kpi { rounded_to: None, ..kpi };
        assert!(
            !exact.read("36K RWF", None).unwrap().is(Decimal::from(36_000)),
            "who promises no rounding shows the number"
        );
    }

    #[test]
    fn what_a_figure_has_grown_by_may_be_hidden_by_rounding() {
        let of = |value: i64, step: i64| Shown { value: value.into(), step: step.into() };
        let grown = |after: Shown, before: Shown| after.grown(before, Decimal::from(1234));
        assert_eq!(grown(of(36_000, 1000), of(36_000, 1000)), Decimal::ZERO);
        assert_eq!(grown(of(37_000, 1000), of(36_000, 1000)), Decimal::from(1234));
        assert_eq!(grown(of(1300, 0), of(66, 0)), Decimal::from(1234));
        assert_eq!(grown(of(1301, 0), of(66, 0)), Decimal::from(1235));
    }

    fn kpi(days: Option<u32>, older_than_hours: Option<u32>) -> Kpi {
        Kpi {
            label: String::new(),
            table: String::new(),
            sum: None,
            time: None,
            day: Some("booked_on".to_owned()),
            days,
            this_month: false,
            hours: None,
            older_than_hours,
            rounded_to: None,
            filters: Default::default(),
        }
    }

    #[test]
    fn days_begin_at_midnight_of_the_zone() {
        let now: Zoned = "2026-01-07T01:30:00+02:00[Africa/Kigali]".parse().unwrap();
        let window = |kpi: Kpi| kpi.window(&now).unwrap();
        assert_eq!(window(kpi(Some(1), None)), ["gte.2026-01-06T22:00:00Z", "lt.2026-01-07T22:00:00Z"]);
        assert_eq!(window(kpi(Some(7), None)), ["gte.2025-12-31T22:00:00Z", "lt.2026-01-07T22:00:00Z"]);
        assert_eq!(window(kpi(None, Some(24))), ["lt.2026-01-05T23:30:00Z"]);
        assert_eq!(window(Kpi { hours: Some(24), ..kpi(None, None) }), ["gte.2026-01-05T23:30:00Z"]);
        let days = kpi(Some(7), None).bounds(&now).unwrap();
        assert_eq!(
            days.iter().map(|(_, bound)| bound.as_str()).collect::<Vec<_>>(),
            ["gte.2026-01-01", "lt.2026-01-08"]
        );
    }
}
