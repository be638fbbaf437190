//! What the lists of a portal are made of: the texts on screen, held against the rows that the portal was given.

mod handles;
mod learn;
mod template;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use harness::{Column, Formats, views::written};
use jiff::Zoned;
use serde::Deserialize;
use serde_json::Value;

use super::draft::{quoted, quoted_key};

pub(super) use handles::Handles;
pub(super) use learn::learn;
use template::template;

/// A list on screen.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Shown {
    /// CSS selector of its rows.
    rows: String,
    columns: Vec<Place>,
    /// The texts of its first rows.
    cells: Vec<Vec<String>>,
    /// How many rows there are.
    all: usize,
}

/// A column of a table, or a place in a card.
#[derive(Debug, Clone, Deserialize)]
struct Place {
    label: String,
    selector: Option<String>,
}

/// Rows that the portal was given for a table.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub table: String,
    pub query: Vec<(String, String)>,
    pub rows: Vec<Value>,
    /// Whether it is one row and no list, as `single()` of supabase-js asks for.
    pub is_single: bool,
}

/// What opened from the first row of a list and from the last.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    /// CSS selector of the list's rows.
    pub rows: String,
    /// CSS selector of what opened.
    pub within: String,
    /// Terms with what stood beside them, for each of the rows.
    pub pairs: Vec<Vec<(String, String)>>,
    /// What the portal was given for each.
    pub answers: Vec<Vec<Answer>>,
}

/// A list as the contract has it.
#[derive(Debug)]
pub(super) struct List<'w> {
    answer: &'w Answer,
    rows: &'w str,
    columns: Vec<Column>,
    /// Labels of columns that are made of something else.
    unknown: Vec<&'w str>,
    order: String,
    filters: BTreeMap<&'w str, &'w str>,
    limit: Option<usize>,
}

/// Parts of the names of columns that hold data of people.
const PERSONAL: [&str; 8] = ["name", "nom", "mail", "phone", "address", "birth", "payee", "payer"];

/// The first of those that have most.
trait First: Iterator + Sized {
    fn first_of_most(self, key: impl Fn(&Self::Item) -> usize) -> Option<Self::Item> {
        let mut best: Option<(usize, Self::Item)> = None;
        for item in self {
            let count = key(&item);
            if best.as_ref().is_none_or(|(most, _)| count > *most) {
                best = Some((count, item));
            }
        }
        best.map(|(_, item)| item)
    }
}

impl<I: Iterator> First for I {}

/// The length of `2026-11-27`.
const DAY: usize = 10;

fn is_time(text: &str) -> bool {
    text.len() >= DAY
        && text.as_bytes()[..DAY].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// The paths of a row's own values and of those of the rows that it belongs to.
fn paths(row: &Value) -> Vec<String> {
    let Some(row) = row.as_object() else { return Vec::new() };
    row.iter()
        .flat_map(|(name, value)| match value {
            Value::Object(_) => paths(value).into_iter().map(|path| format!("{name}.{path}")).collect(),
            // Other rows that PostgREST counted, and did not give.
            Value::Array(rows) if rows.len() == 1 && rows[0]["count"].is_number() => vec![format!("{name}.0.count")],
            _ => vec![name.clone()],
        })
        .collect()
}

fn at<'v>(row: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(row, |value, key| {
        value.get(key).or_else(|| value.get(key.parse::<usize>().ok()?)).unwrap_or(&Value::Null)
    })
}

fn column(label: &str, shows: &[String], selector: Option<&str>) -> Column {
    let is_personal = |template: &String| PERSONAL.iter().any(|part| template.to_lowercase().contains(part));
    let personal = shows.iter().any(is_personal);
    Column { label: label.to_owned(), shows: shows.to_vec(), selector: selector.map(str::to_owned), personal }
}

impl Shown {
    /// CSS selector of its rows.
    pub fn rows(&self) -> &str {
        &self.rows
    }

    /// How many of its rows were read.
    pub fn shown(&self) -> usize {
        self.cells.len()
    }

    /// What the list is made of, of those answers that the portal had when it was shown: the one that says most, the latest
    /// of them first. `labels` are words for codes, which the contract has once.
    pub fn explained<'w>(
        &'w self,
        answers: &'w [Answer],
        formats: &mut Formats,
        now: &Zoned,
        tenant: &str,
    ) -> Option<List<'w>> {
        let tried = answers.iter().rev().filter_map(|answer| {
            let mut own = formats.clone();
            let list = self.made_of(answer, &mut own, now, tenant)?;
            Some((list, own))
        });
        let (list, learned) = tried.first_of_most(|(list, _)| list.columns.len())?;
        *formats = learned;
        Some(list)
    }

    fn made_of<'w>(&'w self, answer: &'w Answer, formats: &mut Formats, now: &Zoned, tenant: &str) -> Option<List<'w>> {
        if answer.rows.len() < self.cells.len() {
            return None;
        }
        let as_given: Vec<_> = answer.rows.iter().take(self.cells.len()).collect();
        let sorted = self.by_content(&answer.rows);
        let arranged = [Some((true, as_given)), sorted.map(|rows| (false, rows))].into_iter().flatten();
        let (is_as_given, rows, columns) = arranged
            .map(|(is_as_given, rows)| {
                let mut own = formats.clone();
                let columns: Vec<_> = (0..self.columns.len()).map(|at| self.column(at, &rows, &mut own, now)).collect();
                (is_as_given, rows, columns, own)
            })
            .first_of_most(|(_, _, columns, _)| columns.iter().flatten().count())
            .map(|(is_as_given, rows, columns, own)| {
                *formats = own;
                (is_as_given, rows, columns)
            })?;
        let found = columns.iter().filter(|column| column.is_some()).count();
        let tells = |(at, column): (usize, &Option<Column>)| {
            column.is_some() && self.cells.iter().any(|cells| cells[at] != self.cells[0][at])
        };
        // Texts that are the same in all rows could be of any table.
        let is_told = if rows.len() == 1 { found > 1 } else { columns.iter().enumerate().any(tells) };
        if !is_told || found * 2 < columns.len() {
            return None;
        }
        let unknown = self.columns.iter().zip(&columns).filter(|(_, column)| column.is_none());
        let unknown = unknown.map(|(place, _)| place.label.as_str()).collect();
        let asked = |name: &str| answer.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let order = match asked("order").filter(|_| is_as_given) {
            Some(order) => order.to_owned(),
            None => order_of(&rows)?,
        };
        Some(List {
            answer,
            rows: &self.rows,
            columns: columns.into_iter().flatten().collect(),
            unknown,
            order,
            filters: filters(answer, tenant)?,
            limit: match asked("limit").and_then(|limit| limit.parse().ok()) {
                _ if self.all < answer.rows.len() => Some(self.all),
                limit => limit.filter(|limit| self.all <= *limit),
            },
        })
    }

    /// What stands of these rows beside terms; nothing where less than two of them are of the rows, or none tells one from
    /// another.
    fn about<'w>(&'w self, answer: &'w Answer, formats: &mut Formats, now: &Zoned) -> Option<List<'w>> {
        let rows: Vec<_> = answer.rows.iter().collect();
        let columns: Vec<_> = (0..self.columns.len()).map(|at| self.column(at, &rows, formats, now)).collect();
        let differs = |at: usize| self.cells.iter().any(|cells| cells[at] != self.cells[0][at]);
        let told = columns.iter().enumerate().filter(|(_, column)| column.is_some());
        if told.clone().count() < 2 || rows.len() > 1 && !told.clone().any(|(at, _)| differs(at)) {
            return None;
        }
        let unknown = self.columns.iter().zip(&columns).filter(|(_, column)| column.is_none());
        Some(List {
            answer,
            rows: &self.rows,
            unknown: unknown.map(|(place, _)| place.label.as_str()).collect(),
            columns: columns.into_iter().flatten().collect(),
            order: String::new(),
            filters: BTreeMap::new(),
            limit: None,
        })
    }

    /// The rows in the order of the screen, where a portal sorts or chooses what it was given.
    fn by_content<'r>(&self, rows: &'r [Value]) -> Option<Vec<&'r Value>> {
        let mut left: Vec<&Value> = rows.iter().collect();
        let mut found = Vec::new();
        for cells in &self.cells {
            let lines: BTreeSet<_> = cells.iter().flat_map(|cell| cell.lines()).collect();
            let alike = |row: &Value| {
                let texts = paths(row)
                    .into_iter()
                    .filter(|path| at(row, path).as_str().is_some_and(|text| lines.contains(text)));
                texts.count()
            };
            let (place, _) = left
                .iter()
                .enumerate()
                .map(|(place, row)| (place, alike(row)))
                .filter(|(_, alike)| *alike > 0)
                .first_of_most(|(_, alike)| *alike)?;
            found.push(left.remove(place));
        }
        Some(found)
    }

    /// What a column is made of.
    fn column(&self, place: usize, rows: &[&Value], formats: &mut Formats, now: &Zoned) -> Option<Column> {
        let Place { label, selector } = &self.columns[place];
        let cells: Vec<_> = self.cells.iter().map(|cells| cells[place].as_str()).collect();
        if cells.iter().all(|cell| cell.is_empty()) || selector.is_some() && cells.iter().any(|cell| cell.is_empty()) {
            return None;
        }
        let most = cells.iter().filter(|cell| **cell != formats.nothing).map(|cell| cell.lines().count()).max()?;
        let full: Vec<_> = (0..rows.len())
            .filter(|row| cells[*row].lines().count() == most && cells[*row] != formats.nothing)
            .collect();
        let mut shows = Vec::new();
        for line in 0..most {
            let lines: Vec<_> =
                full.iter().map(|row| (cells[*row].lines().nth(line).unwrap_or_default(), rows[*row])).collect();
            shows.push(template(&lines, formats, now)?);
        }
        let column = column(label, &shows, selector.as_deref());
        let fits = |(cell, row): (&&str, &&Value)| written(formats, now, &column, row).is_ok_and(|text| text == **cell);
        cells.iter().zip(rows).all(fits).then_some(column)
    }
}

/// The order that rows are in, by one of their columns.
fn order_of(rows: &[&Value]) -> Option<String> {
    if rows.len() < 3 {
        return None;
    }
    let names = rows.first()?.as_object()?.keys();
    let is_sorted = |name: &str, descending: bool| {
        rows.windows(2).all(|pair| {
            let [first, second] = if descending { [pair[1], pair[0]] } else { [pair[0], pair[1]] };
            match (&first[name], &second[name]) {
                (Value::String(first), Value::String(second)) => first.to_lowercase() < second.to_lowercase(),
                (Value::Number(first), Value::Number(second)) => first.as_f64() < second.as_f64(),
                _ => false,
            }
        })
    };
    let orders = names.flat_map(|name| [(name, false), (name, true)]);
    let found = orders.into_iter().find(|(name, descending)| is_sorted(name, *descending));
    found.map(|(name, descending)| format!("{name}.{}", if descending { "desc" } else { "asc" }))
}

/// What the portal asked for beside its own tenant's rows; nothing where that holds for one person or one time only.
fn filters<'w>(answer: &'w Answer, tenant: &str) -> Option<BTreeMap<&'w str, &'w str>> {
    let others = ["select", "order", "limit", "offset", "columns", tenant];
    let own = answer.query.iter().filter(|(name, _)| !others.contains(&name.as_str()));
    let filters: BTreeMap<_, _> = own.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let is_general = |value: &&&str| !value.split(['.', ',', '(', ')', '"']).any(|part| is_time(part) || uuid(part));
    filters.values().all(|value| is_general(&value)).then_some(filters)
}

fn uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

impl Opened {
    /// Nothing as yet.
    pub fn of(rows: &str) -> Self {
        Self { rows: rows.to_owned(), within: String::new(), pairs: Vec::new(), answers: Vec::new() }
    }

    /// The kind of what opened, where rows of one table explain it, and its table.
    pub fn kind(&self, kind: &str, formats: &mut Formats, now: &Zoned) -> Option<String> {
        let (first, others) = self.pairs.split_first()?;
        let columns: Vec<_> = first.iter().map(|(term, _)| Place { label: term.clone(), selector: None }).collect();
        if others.iter().any(|pairs| pairs.iter().map(|(term, _)| term).ne(first.iter().map(|(term, _)| term))) {
            return None;
        }
        let cells = self.pairs.iter().map(|pairs| pairs.iter().map(|(_, text)| text.clone()).collect()).collect();
        let shown = Shown { rows: self.within.clone(), columns, cells, all: self.pairs.len() };
        let answers = self.together();
        let explained = answers.iter().filter_map(|answer| {
            let mut own = formats.clone();
            let list = shown.about(answer, &mut own, now)?;
            Some((list.columns.len(), list.kind(kind), own))
        });
        let (_, text, learned) = explained.first_of_most(|(columns, ..)| *columns)?;
        *formats = learned;
        Some(text)
    }

    /// The rows of each question that was asked for all of them, one for each.
    fn together(&self) -> Vec<Answer> {
        let Some((first, others)) = self.answers.split_first() else { return Vec::new() };
        let select = |answer: &Answer| answer.query.iter().find(|(name, _)| name == "select").cloned();
        let alike = |one: &Answer| {
            let rows = others.iter().map(|answers| {
                let is_same = |other: &&Answer| other.table == one.table && select(other) == select(one);
                answers.iter().find(is_same).map(|answer| answer.rows.clone())
            });
            let rows = std::iter::once(Some(one.rows.clone())).chain(rows).collect::<Option<Vec<_>>>()?;
            let is_one = rows.iter().all(|rows| rows.len() == 1);
            is_one.then(|| Answer { rows: rows.concat(), query: select(one).into_iter().collect(), ..one.clone() })
        };
        first.iter().filter_map(alike).collect()
    }
}

impl List<'_> {
    /// The table that its rows are of.
    pub fn table(&self) -> &str {
        &self.answer.table
    }

    /// The kind of its rows, as a contract has it.
    pub fn kind(&self, kind: &str) -> String {
        let mut text = format!(
            "\n[kinds.{}]\ntable = {}\nselect = {}\n",
            quoted_key(kind),
            quoted(self.table()),
            quoted(&self.select())
        );
        if !self.unknown.is_empty() {
            let _ = writeln!(
                text,
                "# Made of something else than these rows, and not looked at: {}",
                self.unknown.join(", ")
            );
        }
        text += "columns = [\n";
        for Column { label, shows, selector, personal } in &self.columns {
            let shows: Vec<_> = shows.iter().map(|template| quoted(template)).collect();
            let selector =
                selector.as_ref().map_or_else(String::new, |selector| format!(", selector = {}", quoted(selector)));
            let personal = if *personal { ", personal = true" } else { "" };
            let _ = writeln!(
                text,
                "  {{ label = {}, shows = [{}]{selector}{personal} }},",
                quoted(label),
                shows.join(", ")
            );
        }
        text += "]\n";
        text
    }

    /// CSS selector of its rows.
    pub fn rows(&self) -> &str {
        self.rows
    }

    /// The list of that kind, as a view of a contract has it.
    pub fn list(&self, kind: &str) -> String {
        let mut list = format!(
            "[[views.lists]]\nkind = {}\nrows = {}\norder = {}\n",
            quoted(kind),
            quoted(self.rows),
            quoted(&self.order)
        );
        if !self.filters.is_empty() {
            let filters: Vec<_> =
                self.filters.iter().map(|(name, value)| format!("{} = {}", quoted_key(name), quoted(value))).collect();
            let _ = writeln!(list, "filters = {{ {} }}", filters.join(", "));
        }
        if let Some(limit) = self.limit {
            let _ = writeln!(list, "limit = {limit}");
        }
        list
    }

    /// What the portal asked for, or the columns that are shown and ordered by.
    fn select(&self) -> String {
        let asked =
            self.answer.query.iter().find(|(name, _)| name == "select").map_or("*", |(_, value)| value.as_str());
        if asked != "*" {
            return asked.split_whitespace().collect();
        }
        let row = self.answer.rows.first();
        let names = row.and_then(Value::as_object).into_iter().flat_map(|row| row.keys());
        let ordered: Vec<_> = self.order.split(',').map(|part| part.split('.').next().unwrap_or(part)).collect();
        let templates: String =
            self.columns.iter().flat_map(|column| column.shows.iter().map(String::as_str)).collect();
        let is_used = |name: &str| {
            ["}", "|", ":"].iter().any(|end| templates.contains(&format!("{{{name}{end}")))
                || templates.contains(&format!(":{name}}}"))
        };
        let names = names.filter(|name| name.as_str() == "id" || ordered.contains(&name.as_str()) || is_used(name));
        names.cloned().collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(super) fn formats() -> Formats {
        let formats = "day = '%-d %b %Y'\nmoney = '{amount} €'\ncurrency = 'EUR'\nnothing = '–'\n\
            months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']";
        toml::from_str(formats).unwrap()
    }

    pub(super) fn now() -> Zoned {
        "2026-11-27T12:00:00[UTC]".parse().unwrap()
    }

    pub(super) fn shown(labels: &[&str], cells: &[&[&str]]) -> Shown {
        let columns = labels.iter().map(|label| Place { label: (*label).to_owned(), selector: None }).collect();
        let cells: Vec<Vec<_>> = cells.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        Shown { rows: "main table tbody tr".to_owned(), columns, all: cells.len(), cells }
    }

    pub(super) fn answer(table: &str, query: &str, rows: Value) -> Answer {
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Answer { table: table.to_owned(), query, rows: serde_json::from_value(rows).unwrap(), is_single: false }
    }

    /// The kind and the list that are proposed.
    fn proposed(shown: &Shown, answers: &[Answer]) -> Option<String> {
        let (mut formats, now) = learn(formats(), &[shown], answers, &now());
        let list = shown.explained(answers, &mut formats, &now, "shop_id")?;
        Some(format!("{}{}", list.kind(list.table()), list.list(list.table())))
    }

    pub(super) fn orders() -> Answer {
        answer(
            "orders",
            "select=*,customers(first,last)&shop_id=eq.1&state=neq.void&order=made_at.desc&limit=20",
            json!([
                { "id": 9, "shop_id": 1, "made_at": "2026-11-05T21:30:00Z", "day": "2026-11-05", "total": 1200.5, "state": "IN_WORK",
                  "paid": false, "items": [{}, {}], "notes": [{ "count": 1 }], "customers": { "first": "Ada", "last": "Lovelace" } },
                { "id": 8, "shop_id": 1, "made_at": "2026-11-04T08:05:00Z", "day": "2026-11-04", "total": 40, "state": "DONE",
                  "paid": true, "items": [], "notes": [{ "count": 3 }], "customers": null },
                { "id": 7, "shop_id": 1, "made_at": "2026-10-31T12:00:00Z", "day": "2026-10-31", "total": 7, "state": "DONE",
                  "paid": true, "items": [{}], "notes": [{ "count": 0 }], "customers": { "first": "Grace", "last": "Hopper" } },
            ]),
        )
    }

    #[test]
    fn columns_are_made_of_values_formats_words_and_texts() {
        let labels = ["No", "Made", "Day", "Customer", "Total", "State", "Paid", "Items", "Notes", "Said"];
        let list = shown(
            &labels,
            &[
                &[
                    "#9",
                    "5 Nov 2026, 23:30",
                    "5 Nov 2026",
                    "Ada Lovelace",
                    "1,200.50 €",
                    "In work",
                    "No",
                    "2",
                    "1 note",
                    "two",
                ],
                &["#8", "4 Nov 2026, 10:05", "4 Nov 2026", "–", "40 €", "Done", "Yes", "0", "3 notes", "three"],
                &[
                    "#7",
                    "31 Oct 2026, 14:00",
                    "31 Oct 2026",
                    "Grace Hopper",
                    "7 €",
                    "Done",
                    "Yes",
                    "1",
                    "0 notes",
                    "one",
                ],
            ],
        );
        insta::assert_snapshot!(proposed(&list, &[orders()]).unwrap().trim(), @r##"
        [kinds.orders]
        table = "orders"
        select = "*,customers(first,last)"
        # Made of something else than these rows, and not looked at: Said
        columns = [
          { label = "No", shows = ["#{id}"] },
          { label = "Made", shows = ["{made_at|moment}"] },
          { label = "Day", shows = ["{day|day}"] },
          { label = "Customer", shows = ["{customers.first} {customers.last}"] },
          { label = "Total", shows = ["{total|money}"] },
          { label = "State", shows = ["{state|words}"] },
          { label = "Paid", shows = ["{paid|then:Yes/No}"] },
          { label = "Items", shows = ["{items|count}"] },
          { label = "Notes", shows = ["{notes.0.count|plural:note/notes}"] },
        ]
        [[views.lists]]
        kind = "orders"
        rows = "main table tbody tr"
        order = "made_at.desc"
        filters = { state = "neq.void" }
        limit = 20
        "##);
    }

    #[test]
    fn a_portal_that_sorts_and_chooses_by_itself_is_followed() {
        let list = shown(&["No", "Total"], &[&["7", "7 €"], &["8", "40 €"], &["9", "1,200.50 €"]]);
        let mut answer = orders();
        answer.query.retain(|(name, _)| name == "select");
        for row in &mut answer.rows {
            row["no"] = json!(row["id"].to_string());
        }
        let text = proposed(&list, &[answer]).unwrap();
        assert!(text.contains("order = \"id.asc\"") && !text.contains("filters"), "{text}");
    }

    #[test]
    fn what_opens_from_a_row_is_explained_by_the_rows_that_were_asked_for_then() {
        let pairs = |name: &str, state: &str, said: &str| {
            [("Who", name), ("State", state), ("Said", said)]
                .map(|(term, text)| (term.to_owned(), text.to_owned()))
                .to_vec()
        };
        let one = |id: u32, name: &str, state: &str| {
            let query = format!("select=name,state&id=eq.{id}");
            vec![answer("parts", &query, json!([{ "name": name, "state": state }]))]
        };
        let opened = Opened {
            within: "dialog[open]".to_owned(),
            pairs: vec![pairs("Nut", "In work", "much"), pairs("Bolt", "Done", "little")],
            answers: vec![one(1, "Nut", "IN_WORK"), one(2, "Bolt", "DONE")],
            ..Opened::of("main tr")
        };
        let kind = |opened: &Opened| opened.kind("parts-details", &mut formats(), &now());
        insta::assert_snapshot!(kind(&opened).unwrap().trim(), @r#"
        [kinds.parts-details]
        table = "parts"
        select = "name,state"
        # Made of something else than these rows, and not looked at: Said
        columns = [
          { label = "Who", shows = ["{name}"], personal = true },
          { label = "State", shows = ["{state|words}"] },
        ]
        "#);
        // What says the same of both rows is about neither, and so is what nobody was asked for.
        assert!(
            kind(&Opened {
                pairs: vec![opened.pairs[0].clone(); 2],
                answers: vec![opened.answers[0].clone(); 2],
                ..opened.clone()
            })
            .is_none()
        );
        assert!(kind(&Opened { answers: vec![Vec::new(), Vec::new()], ..opened }).is_none());
    }

    #[test]
    fn the_rows_that_explain_most_are_a_list_s_own_and_others_are_none_s() {
        let list = shown(&["Name", "State"], &[&["Nut", "DONE"], &["Bolt", "DONE"]]);
        assert!(proposed(&list, &[orders()]).is_none());
        let parts = |query| {
            answer("parts", query, json!([{ "name": "Nut", "state": "DONE" }, { "name": "Bolt", "state": "DONE" }]))
        };
        let text = proposed(&list, &[parts("order=name.desc"), orders()]).unwrap();
        assert!(text.contains("table = \"parts\"") && text.contains("select = \"name,state\""), "{text}");
        // What is asked for by somebody's id, or since a time, is no list of everybody's at any time.
        for query in
            ["order=name.desc&owner=eq.11111111-1111-4111-8111-111111111111", "order=name.desc&made_at=gte.2026-11-01"]
        {
            assert!(proposed(&list, &[parts(query)]).is_none(), "{query}");
        }
        // Neither is one whose order nobody knows, or one whose texts are the same in all rows.
        assert!(proposed(&list, &[parts("")]).is_none());
        let same = shown(&["State"], &[&["DONE"], &["DONE"]]);
        assert!(proposed(&same, &[parts("order=name.desc")]).is_none());
    }
}
