//! What people see, held against the rows: the lists, cards and figures of a view as the contract has them, computed from
//! rows that are read with the service's key, and read off the screen.

mod controls;
mod outline;
mod reading;
mod rows;
mod words;

use std::collections::BTreeMap;

use jiff::Zoned;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    browser::Page,
    client::{ClientError, RestClient},
    contract::{Column, Contract, Count, Figures, Formats, Kind, Kpi, List, Offer, View},
    failure::{Failure, Verdict},
    figures::{self, now_in},
};

pub use outline::{outline_difference, outline_of};
pub use rows::Pressed;
use words::Words;

/// Types of fields whose values are picked, not typed.
const PICKED: [&str; 5] = ["date", "datetime-local", "month", "time", "week"];

/// How long a list may take to follow its rows once its view is there, in milliseconds.
const PATIENCE_MS: u64 = 2500;

/// Differences that a report shows; more of them say nothing new.
const SHOWN: usize = 4;

/// A row of a list as it has to be.
#[derive(Debug, Clone)]
pub struct Line {
    /// What is read of the row, or of the first row of its group.
    pub row: Value,
    cells: Vec<String>,
}

/// A list as it has to be.
#[derive(Debug, Clone)]
pub struct Expected<'c> {
    /// What the contract says of it.
    pub list: &'c List,
    /// Its rows, in their order.
    pub lines: Vec<Line>,
    columns: Vec<&'c Column>,
    /// The rows of the pages that follow.
    beyond: Vec<Line>,
    total: usize,
    nothing: &'c str,
}

/// A list as it is on screen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Shown {
    rows: Vec<Vec<Option<String>>>,
    counts: Vec<String>,
    text: String,
}

/// Where a screen and its rows differ: what the rows say, and what the screen says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// By the rows.
    pub expected: String,
    /// On screen.
    pub seen: String,
}

/// What a cell of a column shows of a row, as these formats write it at this time in its zone.
///
/// # Errors
/// Undecided when the row has what cannot be written so.
pub fn written(formats: &Formats, now: &Zoned, column: &Column, row: &Value) -> Verdict<String> {
    Words::new(formats, now.clone()).cell(column, row)
}

fn rows(number: usize) -> String {
    if number == 1 { "1 row".to_owned() } else { format!("{number} rows") }
}

fn unread(list: &List) -> impl Fn(ClientError) -> Failure {
    move |error| Failure::undecided(format!("the rows of {} can be read", list.kind)).seen(error.to_string())
}

impl<'c> Expected<'c> {
    /// The list as its rows have it, for an institution or, without one, for somebody who sees all.
    ///
    /// # Errors
    /// Undecided when the rows cannot be read, or say what cannot be written.
    pub async fn of_rows(
        contract: &'c Contract,
        rest: &RestClient,
        list: &'c List,
        institution: Option<&str>,
    ) -> Verdict<Self> {
        let (kind, data) = (contract.kind_of(list)?, contract.data()?);
        let words = Words::new(contract.formats()?, now_in(&data.time_zone)?);
        let query = query(list, kind, &data.tenant, institution, words.now())?;
        let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut rows = rest.select(&kind.table, &query).await.map_err(unread(list))?;
        let total = rows.len();
        if let Some(grouped) = &list.grouped {
            rows = words.group(grouped, rows)?;
        }
        let limit = list.limit.unwrap_or(usize::MAX);
        rows.truncate(if list.pages.is_some() { usize::MAX } else { limit });
        let columns: Vec<_> = list.columns.as_ref().unwrap_or(&kind.columns).iter().chain(&list.extra).collect();
        let line = |row: Value| {
            let cells = columns.iter().map(|column| words.cell(column, &row)).collect::<Verdict<_>>()?;
            Ok(Line { row, cells })
        };
        let mut lines = rows.into_iter().map(line).collect::<Verdict<Vec<_>>>()?;
        let beyond = lines.split_off(limit.min(lines.len()));
        Ok(Self { list, lines, columns, beyond, total, nothing: &contract.formats()?.nothing })
    }

    /// The page after this one, if there are rows for it.
    #[must_use]
    pub fn next_page(&self) -> Option<Self> {
        let mut lines = self.beyond.clone();
        let beyond = lines.split_off(self.list.limit.unwrap_or(lines.len()).min(lines.len()));
        (!lines.is_empty()).then(|| Self { lines, beyond, ..self.clone() })
    }

    /// The same list with those rows only.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&Value) -> bool) -> Self {
        let lines: Vec<_> = self.lines.iter().filter(|line| keep(&line.row)).cloned().collect();
        Self { total: lines.len(), lines, beyond: Vec::new(), ..self.clone() }
    }

    /// The rows in which one of the searched columns holds a text, in whatever case.
    #[must_use]
    pub fn found(&self, columns: &[String], text: &str) -> Self {
        let wanted = text.to_lowercase();
        let holds =
            |row: &Value, column: &str| row[column].as_str().is_some_and(|it| it.to_lowercase().contains(&wanted));
        self.only(|row| columns.iter().any(|column| holds(row, column)))
    }

    fn cells(&self) -> Vec<&[String]> {
        self.lines.iter().map(|line| line.cells.as_slice()).collect()
    }

    fn count(&self, count: &Count) -> String {
        let text = count.one.as_ref().filter(|_| self.lines.len() == 1).unwrap_or(&count.text);
        text.replace("{n}", &self.lines.len().to_string()).replace("{total}", &self.total.to_string())
    }

    /// The buttons of each row that somebody in this role has, where the list has any.
    pub fn offers(&self, role: &str) -> Option<Vec<Vec<&str>>> {
        let has = |offer: &Offer, row: &Value| {
            let is = |(column, values): (&String, &Vec<String>)| {
                row[column].as_str().is_some_and(|value| values.iter().any(|it| it == value))
            };
            offer.roles.iter().any(|it| it == role) && offer.when.iter().all(is)
        };
        let of_row = |line: &Line| {
            self.list.offers.iter().filter(|offer| has(offer, &line.row)).map(|it| it.button.as_str()).collect()
        };
        (!self.list.offers.is_empty()).then(|| self.lines.iter().map(of_row).collect())
    }

    /// Where the screen differs, if it does.
    fn difference(&self, shown: &Shown) -> Option<Difference> {
        let seen: Vec<Vec<_>> =
            shown.rows.iter().map(|row| row.iter().map(|cell| cell.clone().unwrap_or_default()).collect()).collect();
        let expected = self.cells();
        if expected.len() != seen.len() {
            return Some(self.number(&seen));
        }
        if expected.iter().zip(&seen).any(|(one, other)| *one != other.as_slice()) {
            return Some(if self.is_permuted(&seen) { self.order(&seen) } else { self.columns(shown) });
        }
        let count = self.list.count.as_ref().map(|count| self.count(count));
        if let Some(count) = count.filter(|count| !shown.counts.contains(count)) {
            return Some(Difference { expected: format!("{count:?}"), seen: format!("{:?}", shown.counts) });
        }
        let empty = self.list.empty.as_ref().filter(|text| self.lines.is_empty() && !shown.text.contains(*text));
        empty.map(|text| Difference {
            expected: format!("{text:?}, since there are no rows"),
            seen: "no rows and not this text".to_owned(),
        })
    }

    fn number(&self, seen: &[Vec<String>]) -> Difference {
        let lacking = self.lines.iter().enumerate().filter(|(_, line)| !seen.contains(&line.cells));
        let lacking: Vec<_> = lacking.take(SHOWN).map(|(at, line)| self.name(at, line)).collect();
        let more = seen.iter().filter(|row| !self.lines.iter().any(|line| line.cells == **row)).count();
        let mut said = vec![rows(seen.len())];
        if !lacking.is_empty() {
            said.push(format!("not there: {}", lacking.join(", ")));
        }
        if more > 0 {
            said.push(format!("{more} that no row of {} accounts for", self.list.kind));
        }
        Difference { expected: rows(self.lines.len()), seen: said.join("; ") }
    }

    fn is_permuted(&self, seen: &[Vec<String>]) -> bool {
        let (mut one, mut other): (Vec<_>, Vec<_>) = (self.cells(), seen.iter().map(Vec::as_slice).collect());
        one.sort();
        other.sort();
        one == other
    }

    fn order(&self, seen: &[Vec<String>]) -> Difference {
        let at = self.lines.iter().zip(seen).position(|(line, row)| line.cells != *row).unwrap_or_default();
        let stands = seen.iter().position(|row| *row == self.lines[at].cells).unwrap_or_default();
        Difference {
            expected: format!("the order {}: {} is row {}", self.list.order, self.name(at, &self.lines[at]), at + 1),
            seen: format!("it is row {}", stands + 1),
        }
    }

    fn columns(&self, shown: &Shown) -> Difference {
        let (mut expected, mut seen) = (Vec::new(), Vec::new());
        for (at, (line, row)) in self.lines.iter().zip(&shown.rows).enumerate() {
            for (column, (own, cell)) in self.columns.iter().zip(line.cells.iter().zip(row)) {
                if cell.as_ref() != Some(own) && expected.len() < SHOWN {
                    let (own, cell) = self.described(column, own, cell.as_deref());
                    let name = self.name(at, line);
                    expected.push(format!("{name}, {:?}: {own}", column.label));
                    seen.push(format!("{name}, {:?}: {cell}", column.label));
                }
            }
        }
        Difference { expected: expected.join("\n"), seen: seen.join("\n") }
    }

    /// A cell as it has to be and as it is, without what people have a right to keep to themselves.
    fn described(&self, column: &Column, own: &str, cell: Option<&str>) -> (String, String) {
        let is_kept = column.personal && own != self.nothing;
        let expected = if is_kept { column.shows.join(" / ") } else { format!("{own:?}") };
        let seen = match cell {
            None => "no such column".to_owned(),
            Some(cell) if cell.is_empty() || cell == self.nothing => format!("{cell:?}"),
            Some(_) if column.personal => "something else".to_owned(),
            Some(cell) => format!("{cell:?}"),
        };
        (expected, seen)
    }

    fn name(&self, at: usize, line: &Line) -> String {
        match line.row["id"].as_str() {
            Some(id) => format!("row {} ({id})", at + 1),
            None => format!("row {}", at + 1),
        }
    }
}

/// What a list asks of `/rest/v1`, for somebody of an institution or for somebody who sees all: the relation, and the query.
///
/// # Errors
/// Undecided where the contract lacks its kind or its days.
pub fn asked<'c>(
    contract: &'c Contract,
    list: &List,
    institution: Option<&str>,
) -> Verdict<(&'c str, Vec<(String, String)>)> {
    let (kind, data) = (contract.kind_of(list)?, contract.data()?);
    let mut query = query(list, kind, &data.tenant, institution, &now_in(&data.time_zone)?)?;
    query.extend(list.limit.map(|limit| ("limit".to_owned(), limit.to_string())));
    Ok((&kind.table, query))
}

fn query(
    list: &List,
    kind: &Kind,
    tenant: &str,
    institution: Option<&str>,
    now: &Zoned,
) -> Verdict<Vec<(String, String)>> {
    let tenant = kind.tenant.as_deref().unwrap_or(tenant);
    let mut query: Vec<_> = institution.map(|id| (tenant.to_owned(), format!("eq.{id}"))).into_iter().collect();
    query.extend(list.filters.clone());
    if let Some(window) = &list.window {
        query.extend(window.bounds(now)?);
    }
    query.push(("select".to_owned(), kind.select.clone()));
    query.push(("order".to_owned(), list.order.clone()));
    Ok(query)
}

impl Figures {
    /// Each figure with how it has to be written, by its label.
    ///
    /// # Errors
    /// Undecided when the rows cannot be read.
    pub async fn of_rows(
        &self,
        contract: &Contract,
        rest: &RestClient,
        institution: &str,
    ) -> Verdict<Vec<(Decimal, String)>> {
        let (data, words) = (contract.data()?, Words::new(contract.formats()?, now_in(&contract.data()?.time_zone)?));
        let mut written = Vec::new();
        for kpi in &self.kpis {
            let figure = kpi.of_rows(rest, data, institution).await?;
            written.push((figure, write(&words, kpi, figure)));
        }
        Ok(written)
    }
}

/// An amount as the portal writes it, in the currency of its row.
///
/// # Errors
/// Undecided where it is no amount.
pub fn written_amount(contract: &Contract, value: &Value, currency: Option<&str>) -> Verdict<String> {
    let words = Words::new(contract.formats()?, now_in(&contract.data()?.time_zone)?);
    let amount =
        figures::amount(value).ok_or_else(|| Failure::undecided("an amount can be read").seen(value.to_string()))?;
    Ok(words.money(amount, currency))
}

fn write(words: &Words<'_>, kpi: &Kpi, figure: Decimal) -> String {
    if kpi.sum.is_some() { words.money(figure, None) } else { figure.normalize().to_string() }
}

impl Page<'_> {
    /// Holds a list against its rows, once the view is on screen; waits a little for it to follow them.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn compare(&self, expected: &Expected<'_>) -> Verdict<Option<Difference>> {
        let columns: Vec<_> = expected
            .columns
            .iter()
            .map(|column| json!({ "label": column.label, "selector": column.selector }))
            .collect();
        let count = expected.list.count.as_ref();
        let wanted = json!({
            "rows": expected.list.rows,
            "columns": columns,
            "count": count.map(|count| count.selector.as_str()),
            "cells": expected.cells(),
            "nothing": expected.nothing,
            "text": count.map(|count| expected.count(count)),
            "limit_ms": PATIENCE_MS,
        });
        let answer = self.browser().ask(include_str!("list.js"), vec![wanted]).await?;
        let shown: Shown = serde_json::from_value(answer)
            .map_err(|error| Failure::undecided("a list can be read off the screen").seen(error.to_string()))?;
        Ok(expected.difference(&shown))
    }

    /// The figure of each card, as it is written, by its label.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn cards(&self, figures: &Figures) -> Verdict<BTreeMap<String, String>> {
        let script = "const [card, label, figure, answer] = arguments;
            const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
            const text = (element, selector) => [...element.querySelectorAll(selector)].filter(visible)[0]?.innerText.replace(/\\s+/g, \" \").trim() ?? \"\";
            answer([...document.querySelectorAll(card)].filter(visible).map((element) => [text(element, label), text(element, figure)]));";
        let arguments = [&figures.card, &figures.label, &figures.figure].map(|text| text.as_str().into());
        let cards: Vec<(String, String)> =
            serde_json::from_value(self.browser().ask(script, arguments.to_vec()).await?).unwrap_or_default();
        Ok(cards.into_iter().collect())
    }

    /// Puts a text into a search field in the place of what is there: its first letter, and at once the others, wherever
    /// the focus is by then.
    ///
    /// # Errors
    /// Undecided when there is no such field.
    pub async fn search(&self, field: &str, text: &str) -> Verdict {
        let script = "const [selector, answer] = arguments;
            const field = document.querySelector(selector);
            field?.select?.();
            answer(field?.type ?? null);";
        let kind = self.browser().ask(script, vec![field.into()]).await?;
        if kind.as_str().is_some_and(|kind| PICKED.contains(&kind)) {
            return self.choose_day(field, text).await;
        }
        let (first, others) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
        self.browser().type_into(field, first).await?;
        self.browser().type_on(others).await
    }
}

impl Page<'_> {
    /// Chooses a day, a time or both in such a field, as its calendar does.
    ///
    /// # Errors
    /// Undecided when there is no such field.
    pub async fn choose_day(&self, field: &str, day: &str) -> Verdict {
        let script = "const [selector, day, answer] = arguments;
            const field = document.querySelector(selector);
            // Not the field's own property, by which some apps learn that they have set it themselves.
            if (field) Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, day);
            for (const name of ['input', 'change']) field?.dispatchEvent(new Event(name, { bubbles: true }));
            answer(field?.value === day);";
        if self.browser().ask(script, vec![field.into(), day.into()]).await? == true {
            return Ok(());
        }
        Err(Failure::undecided("there is a field for a day")
            .expected(format!("{field} takes {day:?}"))
            .seen("no such field, or it does not"))
    }
}

impl View {
    /// The same view of other days: whatever is of a time is of that from `first` until before `end`.
    #[must_use]
    pub fn of_days(&self, contract: &Contract, first: &Zoned, end: &Zoned) -> Self {
        let between = |column: &str| {
            let (first, end) = (first.timestamp(), end.timestamp());
            ("and".to_owned(), format!("({column}.gte.{first},{column}.lt.{end})"))
        };
        let mut view = Self { figures: self.cards(contract), ..self.clone() };
        for list in &mut view.lists {
            list.filters.extend(list.window.take().map(|window| between(&window.time)));
        }
        for kpi in view.figures.iter_mut().flat_map(|figures| &mut figures.kpis) {
            if let Some(time) = kpi.time.take().filter(|_| kpi.this_month) {
                kpi.filters.extend([between(&time)]);
            }
        }
        view
    }

    /// The figures of the view, those of the dashboard included.
    pub fn cards(&self, contract: &Contract) -> Option<Figures> {
        let dashboard = contract.dashboard().ok().filter(|dashboard| self.route.as_ref() == Some(&dashboard.route));
        let of_dashboard = dashboard.map(|dashboard| Figures {
            card: dashboard.card.clone(),
            label: dashboard.label.clone(),
            figure: dashboard.figure.clone(),
            kpis: dashboard.kpis.clone(),
        });
        self.figures.clone().or(of_dashboard)
    }
}
