//! What people see: for each view its lists, cards and figures, and how they follow from the rows.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Kpi, Route};

/// How values are written on screen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Formats {
    /// A day, in strftime's words.
    pub day: String,
    /// A day with its time, in strftime's words, where the portal shows any.
    pub moment: Option<String>,
    /// The short names of the months, for `%b`.
    #[serde(default)]
    pub months: Vec<String>,
    /// An amount: `{currency}` and `{amount}`, whose thousands have commas and whose cents are shown if there are any.
    pub money: String,
    /// Whether cents come after a comma, and thousands have points.
    #[serde(default)]
    pub decimal_comma: bool,
    /// What thousands have instead; a space is any kind of space.
    pub thousands: Option<String>,
    /// Whether cents are shown where there are none.
    #[serde(default)]
    pub always_cents: bool,
    /// The currency of sums.
    pub currency: String,
    /// What stands where there is nothing.
    pub nothing: String,
    /// Names of codes, such as those of roles.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// A kind of row, as one or several lists show it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// The relation.
    pub table: String,
    /// The columns to read, in PostgREST's words.
    pub select: String,
    /// The column that says whose a row is, where it is not [`Data::tenant`](super::Data).
    pub tenant: Option<String>,
    /// What a list shows of a row.
    pub columns: Vec<Column>,
}

/// A column of a list, or a text of a card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The column's heading; of a card any name.
    pub label: String,
    /// Lines made of the row: `{column}` or `{column|format}`, `{rows.0.count}` where PostgREST counts other rows; those
    /// without text are left out.
    pub shows: Vec<String>,
    /// CSS selector within the row; without it the cell below the heading.
    pub selector: Option<String>,
    /// Whether it shows data of people, which no report repeats.
    #[serde(default)]
    pub personal: bool,
}

/// A view.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Short name, part of the test's name.
    pub name: String,
    /// The runbook's step.
    pub step: String,
    /// The route that it is, or
    pub route: Option<String>,
    /// where it is, if the runbook's table has no such route.
    pub page: Option<Route>,
    /// Who looks, by persona: at least one of each institution where institutions differ.
    pub readers: Vec<String>,
    /// What it lists.
    #[serde(default)]
    pub lists: Vec<List>,
    /// Cards with figures.
    pub figures: Option<Figures>,
    /// The days that it is about, where people choose them.
    pub period: Option<Period>,
    /// Buttons that it offers to the first reader.
    #[serde(default)]
    pub buttons: Vec<String>,
    /// Its headings, buttons, fields and tables as the first reader finds them, in their order. Digits are `#`; a line that
    /// ends in ` ?` is there when there are rows for it.
    #[serde(default)]
    pub outline: Vec<String>,
    /// The same of the dialogs that its buttons open, by the button.
    #[serde(default)]
    pub dialogs: BTreeMap<String, Vec<String>>,
    /// Buttons that only some roles are offered, and which.
    #[serde(default)]
    pub only: BTreeMap<String, Vec<String>>,
    /// Buttons that lead elsewhere, and the path that each leads to.
    #[serde(default)]
    pub leads: BTreeMap<String, String>,
}

/// A row in one of the states that rows may be in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The kind of [`Recipe`](super::Recipe); of a `profile` somebody is hired in the role that `with` has.
    pub kind: String,
    /// What later states call its id, in braces.
    pub name: Option<String>,
    /// Columns in the place of the recipe's: `{name}` is the id of an earlier state, `{nothing}` is null, `{now}` and
    /// `{3 hours ago}` are times, `{midnight}` and `{before midnight}` the edges of today in the portal's own zone.
    pub with: BTreeMap<String, Value>,
    /// The same of columns that are changed once the row is there.
    #[serde(default)]
    pub then: BTreeMap<String, Value>,
}

/// Fields in which the days of a view are chosen, both included.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// CSS selector of the field of the first day.
    pub from: String,
    /// CSS selector of the field of the last day.
    pub to: String,
}

/// Cards with figures.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// CSS selector of a card.
    pub card: String,
    /// CSS selector of the label in a card.
    pub label: String,
    /// CSS selector of the figure in a card; the first one counts.
    pub figure: String,
    /// What each card promises.
    pub kpis: Vec<Kpi>,
}

/// A list, a table or a row of cards.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// What its rows are, of the contract's kinds.
    pub kind: String,
    /// CSS selector of its rows.
    pub rows: String,
    /// The order, in PostgREST's words.
    pub order: String,
    /// Filters, in PostgREST's words.
    #[serde(default)]
    pub filters: BTreeMap<String, String>,
    /// The rows of a time only.
    pub window: Option<Window>,
    /// How many rows it shows at most.
    pub limit: Option<usize>,
    /// Rows are taken together, and a row of the list is one of these groups.
    pub grouped: Option<Grouped>,
    /// Columns beside those of its kind.
    #[serde(default)]
    pub extra: Vec<Column>,
    /// In the place of the kind's columns.
    pub columns: Option<Vec<Column>>,
    /// The button of the tab that it is behind.
    pub tab: Option<String>,
    /// How the view says how many there are.
    pub count: Option<Count>,
    /// What the view says where there are none.
    pub empty: Option<String>,
    /// Finding rows by a text.
    pub search: Option<Search>,
    /// The buttons in its rows.
    #[serde(default)]
    pub offers: Vec<Offer>,
    /// The buttons that lead through its pages, of which each shows `limit` rows.
    pub pages: Option<Pages>,
    /// The fields in which people choose which rows are listed.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// What opens when somebody clicks a row.
    pub details: Option<Details>,
}

/// Buttons that lead through the pages of a list, by their texts or names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// To the rows that come next.
    pub next: String,
    /// Back to those before.
    pub previous: String,
}

/// A `<select>` in which people choose which rows are listed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// CSS selector.
    pub field: String,
    /// The filters of each option, by its text, in PostgREST's words; one that lists all rows has none.
    pub options: BTreeMap<String, BTreeMap<String, String>>,
}

/// What opens when somebody clicks a row of a list, and is about that row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Details {
    /// What it shows of the row, of the contract's kinds. A column without selector is what stands beside the term (`dt`)
    /// with its label.
    pub kind: String,
    /// CSS selector of what opens.
    pub within: String,
    /// Text of the button in the row that opens it, where the row itself does not.
    pub button: Option<String>,
}

impl Details {
    /// What is about the row with this id, as a list of that row alone.
    #[must_use]
    pub fn of_row(&self, id: &str) -> List {
        List {
            kind: self.kind.clone(),
            rows: self.within.clone(),
            order: "id.asc".to_owned(),
            filters: [("id".to_owned(), format!("eq.{id}"))].into(),
            window: None,
            limit: None,
            grouped: None,
            extra: Vec::new(),
            columns: None,
            tab: None,
            count: None,
            empty: None,
            search: None,
            offers: Vec::new(),
            pages: None,
            choices: Vec::new(),
            details: None,
        }
    }
}

/// A button in the rows of a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The text.
    pub button: String,
    /// Roles that have it.
    pub roles: Vec<String>,
    /// Columns of the rows that have it, with the values that they then have; all rows without any.
    #[serde(default)]
    pub when: BTreeMap<String, Vec<String>>,
}

impl List {
    /// Whether a column of its own says how long ago something was, which is another time a minute later.
    pub fn tells_ages(&self) -> bool {
        self.extra
            .iter()
            .chain(self.columns.iter().flatten())
            .flat_map(|column| &column.shows)
            .any(|text| text.contains("|age}"))
    }
}

/// Rows of a time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The column that places a row in time.
    pub time: String,
    /// Of the last so many days, today being one.
    pub days: Option<u32>,
    /// Of this month until today.
    #[serde(default)]
    pub this_month: bool,
    /// Of the last so many hours, to the second: a window that rolls.
    pub hours: Option<u32>,
}

/// Rows taken together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grouped {
    /// What rows of a group have in common: a template as of [`Column::shows`].
    pub by: String,
    /// The column that is added up.
    pub sum: String,
    /// Whether the group with the largest sum comes first; else they come as their first rows do.
    #[serde(default)]
    pub largest_first: bool,
}

/// How a view says how many rows there are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// CSS selector.
    pub selector: String,
    /// The text: `{n}` is the number of rows shown, `{total}` of all there are.
    pub text: String,
    /// The text of a single row, where it is another one.
    pub one: Option<String>,
}

/// A search field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// CSS selector.
    pub field: String,
    /// The columns that it looks into.
    pub columns: Vec<String>,
}

/// What distinguishes controls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    /// CSS selector of a view's controls, without those in rows.
    pub selector: String,
    /// Texts of controls that write at once: nobody tries them.
    pub writing: Vec<String>,
    /// Text of the button that tries again what has failed.
    pub retry: Option<String>,
    /// CSS selector of an open dialog.
    pub dialog: String,
    /// Text of the button in a dialog that closes it and does nothing.
    pub cancel: String,
    /// CSS selector of the button that opens the navigation on a narrow screen.
    pub menu: String,
    /// The width of a phone, in pixels.
    pub phone: u32,
    /// The widths in pixels at which nothing may be cut off.
    pub widths: Vec<u32>,
    /// CSS selector of what says that something went wrong.
    pub alert: String,
    /// CSS selector of what says that something was done.
    pub toast: String,
}

/// What people make in a dialog.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// What it makes, with its article.
    pub name: String,
    /// The runbook's step.
    pub step: String,
    /// The view that has it.
    pub view: String,
    /// The kind of the list that shows what was made, where it is not the first one.
    pub list: Option<String>,
    /// The role of who makes it, where it is not the one that allocates.
    pub role: Option<String>,
    /// Text of the button that opens it.
    pub button: String,
    /// Kinds of row of [`Recipe`](super::Recipe) that it takes; `{kind}` is the id of one.
    #[serde(default)]
    pub makes: Vec<String>,
    /// What is filled in.
    pub fields: Vec<Field>,
    /// CSS selector of the button that makes it.
    pub submit: String,
    /// The column, of those that are set, whose value may be there once.
    pub unique: String,
    /// Whether the database takes that value again: it tells the row from others, and nothing is refused.
    #[serde(default)]
    pub repeats: bool,
    /// What the row then has.
    pub sets: BTreeMap<String, Value>,
    /// What names the row once it is made, in the list and in what is announced.
    pub says: String,
    /// What is announced instead, where that does not name the row.
    pub announces: Option<String>,
}

/// A field of a form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// CSS selector.
    pub selector: String,
    /// What is typed; `{name}` and `{code}` are the check's.
    pub value: String,
    /// Whether it is chosen from a list instead.
    #[serde(default)]
    pub choose: bool,
    /// Whether it is a box, which is ticked (`on`) or not (`off`).
    #[serde(default)]
    pub tick: bool,
}

/// What one click does: to a row of a list, or with a form that is part of the view.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What it does.
    pub name: String,
    /// The runbook's step.
    pub step: String,
    /// The view that has it.
    pub view: String,
    /// The role of who does it.
    pub role: String,
    /// Kinds of row of [`Recipe`](super::Recipe) that it takes, in their order; `{kind}` of a later one is the id of an
    /// earlier one.
    #[serde(default)]
    pub makes: Vec<String>,
    /// The column of the last of them whose text tells its row on screen from others.
    pub row: Option<String>,
    /// The kind of the list that the row is in.
    pub list: Option<String>,
    /// What is filled in before.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// CSS selector, within the row, of the button that opens the menu with it, where it stands in one.
    pub menu: Option<String>,
    /// Text of the button, or of the menu's entry.
    pub button: String,
    /// What somebody else makes of a row meanwhile, so that it can be done no more.
    #[serde(default)]
    pub meanwhile: BTreeMap<String, Value>,
    /// What the row then has: `{actor}` is who did it, `{kind}` the id of an earlier row.
    #[serde(default)]
    pub sets: BTreeMap<String, Value>,
    /// What the view says once it is done, and only then.
    pub says: String,
}
