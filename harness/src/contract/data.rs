//! The part of a contract that §4.3 is about: figures, ledger, allocation, audit log, and what a tenant is made of.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Window;

/// What the data checklist compares.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Whose screens are compared with the rows: somebody of each institution.
    pub readers: Vec<String>,
    /// IANA name of the zone in which days begin.
    pub time_zone: String,
    /// Whose rows are: institutions' where it is left out.
    #[serde(default)]
    pub rows_of: RowsOf,
    /// The column that says whose a row is.
    pub tenant: String,
    /// By the institution's letter, or by the persona where rows are users': part of a value that stands in these rows and
    /// in none of the others.
    pub canaries: BTreeMap<String, String>,
    /// Relations that a user may read within their institution.
    pub relations: Vec<String>,
}

/// Whose rows are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowsOf {
    /// Institutions', whose members see them.
    #[default]
    Institutions,
    /// Each user's own.
    Users,
}

/// The dashboard.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// Name of its route.
    pub route: String,
    /// CSS selector of a card.
    pub card: String,
    /// CSS selector of the label in a card.
    pub label: String,
    /// CSS selector of the figure in a card; the first one counts.
    pub figure: String,
    /// What each card promises.
    pub kpis: Vec<Kpi>,
}

/// A figure and how it follows from the rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kpi {
    /// The card's label.
    pub label: String,
    /// The relation of the rows.
    pub table: String,
    /// The column to add up; without it rows are counted.
    pub sum: Option<String>,
    /// The column that places a row in time.
    pub time: Option<String>,
    /// The column with a row's day, where it has a day and no time.
    pub day: Option<String>,
    /// Of the last so many days, today being one.
    pub days: Option<u32>,
    /// Of this month until today.
    #[serde(default)]
    pub this_month: bool,
    /// Of the last so many hours, to the second: a window that rolls.
    pub hours: Option<u32>,
    /// Longer ago than so many hours.
    pub older_than_hours: Option<u32>,
    /// The step that the card rounds to at most, to the nearest or down: 1000 where it says `36K`.
    pub rounded_to: Option<u32>,
    /// Further filters, in PostgREST's words.
    #[serde(default)]
    pub filters: BTreeMap<String, String>,
}

/// The ledger on screen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// Name of its route.
    pub route: String,
    /// The relation that it shows.
    pub table: String,
    /// CSS selector of its rows.
    pub rows: String,
    /// The rows of a time only, where it shows no others until somebody chooses another time.
    pub window: Option<Window>,
    /// How it shows the number of rows; `{n}` is the number.
    pub count: String,
    /// Rows that it shows at most before it is asked for more.
    pub page: u64,
    /// Text of the button that shows more of them.
    pub more: Option<String>,
    /// CSS selector of the search field.
    pub search: String,
    /// Column of the references that rows are searched by.
    pub reference: String,
    /// Column of the allocation status.
    pub status: String,
    /// CSS selector of the status buttons.
    pub status_buttons: String,
    /// What the status buttons show.
    pub statuses: Vec<StatusFilter>,
}

/// A status button and the rows behind it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusFilter {
    /// The text.
    pub button: String,
    /// The filter on the status column, in PostgREST's words.
    pub filter: String,
}

/// Giving a transaction to a member.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// The outline of the dialog, as of [`View::outline`](super::View).
    #[serde(default)]
    pub outline: Vec<String>,
    /// CSS selector of the field that narrows the members down, and the member's columns that it looks into.
    pub find: Option<super::Search>,
    /// The member's column whose value proposes the member who has it, where the payment has the same.
    pub likely: Option<String>,
    /// The function.
    pub function: String,
    /// The argument for the transaction.
    pub transaction: String,
    /// The argument for the member.
    pub member: String,
    /// The argument for the note.
    pub note: String,
    /// Columns that it sets on the transaction.
    pub sets: AllocationColumns,
    /// What members have who have left, each enough to be refused.
    pub left: Vec<Map<String, Value>>,
    /// The status before.
    pub open: String,
    /// The status after.
    pub done: String,
    /// The record that it makes.
    pub record: AllocationRecord,
    /// Columns that never change, each with another value to try.
    pub facts: BTreeMap<String, Value>,
    /// Text of the button in a row that opens the dialog; left out where a click on the row does.
    pub button: Option<String>,
    /// CSS selector of the open dialog, drawer or panel.
    pub dialog: String,
    /// CSS selector of the choice of a member, whose options have members' ids as values, or
    pub(super) member_field: Option<String>,
    /// the list that a member is chosen from.
    pub(super) member_entries: Option<MemberEntries>,
    /// CSS selector of the note; left out where there is no field for one.
    pub note_field: Option<String>,
    /// CSS selector of the button that does it; left out where choosing the member does.
    pub submit: Option<String>,
    /// A role that may do it.
    pub writer: String,
    /// Another one.
    pub second_writer: String,
    /// A role that may only read.
    pub reader: String,
    /// The role that may do most in an institution.
    pub manager: String,
}

/// A list of members, of whom one is chosen by a click.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberEntries {
    /// CSS selector of an entry.
    pub selector: String,
    /// The member's column that stands in it.
    pub shows: String,
}

/// How a dialog lets somebody choose a member.
#[derive(Debug, Clone, Copy)]
pub enum MemberChoice<'c> {
    /// A `<select>`, by its CSS selector.
    Field(&'c str),
    /// A list of buttons or rows.
    Entries(&'c MemberEntries),
}

impl Allocation {
    /// How the dialog lets somebody choose a member; [`Contract::read`](super::Contract::read) made sure that there is one.
    pub fn choice(&self) -> MemberChoice<'_> {
        match &self.member_entries {
            Some(entries) => MemberChoice::Entries(entries),
            None => MemberChoice::Field(self.member_field.as_deref().unwrap_or_default()),
        }
    }

    /// What the dialog calls a member: the id, or what stands in their entry.
    pub fn called<'m>(&self, member: &'m Value) -> &'m str {
        let column = match self.choice() {
            MemberChoice::Field(_) => "id",
            MemberChoice::Entries(entries) => entries.shows.as_str(),
        };
        member[column].as_str().unwrap_or_default()
    }
}

/// Columns of a transaction that an allocation sets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllocationColumns {
    /// The allocation status.
    pub status: String,
    /// The member.
    pub member: String,
    /// The member's group.
    pub group: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub time: String,
    /// The note.
    pub note: String,
}

/// The record of an allocation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllocationRecord {
    /// The table.
    pub table: String,
    /// The column for the transaction.
    pub transaction: String,
    /// The column for the member.
    pub member: String,
}

/// Events of the audit log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The table.
    pub table: String,
    /// Column of the event's name.
    pub action: String,
    /// Names that an allocation may have.
    pub accepted: Vec<String>,
    /// Column of who did it.
    pub actor: String,
    /// Column of the address that they had, if there is one: it outlives the account, and shows what a check's own people
    /// did.
    pub email: Option<String>,
    /// Column of what it was done to.
    pub entity: String,
    /// Column of the institution.
    pub tenant: String,
    /// Column of when.
    pub time: String,
    /// When people work.
    pub hours: Option<WorkingHours>,
    /// What shows that events are missing.
    pub sequence: Option<AuditSequence>,
    /// Names of all other events that the portal writes.
    pub actions: Option<Vec<String>>,
    /// The function that answers with a page of it.
    pub pages: Option<AuditPages>,
    /// What leads from an event to the row that it is about.
    pub kinds: Option<AuditKinds>,
    /// Where an event names the columns that an update changed, as the data API writes paths: `metadata->changed`.
    pub changed: Option<String>,
    /// Column of what an event says beside that, an object of JSON.
    pub details: Option<String>,
}

/// Kinds of what events are about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditKinds {
    /// Column of the kind.
    pub column: String,
    /// Where what an event is about is a row, for every kind that the portal's events name.
    pub rows: BTreeMap<String, AuditRows>,
}

/// Rows that events are about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRows {
    /// Their table.
    pub table: String,
    /// The column that has what the events' `entity` has.
    #[serde(default = "id")]
    pub by: String,
}

fn id() -> String {
    "id".to_owned()
}

/// Hours of a day, in the time zone of [`Data`]; those of a night where they end before they begin.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    /// When they begin.
    pub from: jiff::civil::Time,
    /// When they are over.
    pub until: jiff::civil::Time,
}

/// Numbers that a sequence gives to events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSequence {
    /// Their column.
    pub column: String,
    /// So many events has the largest transaction: all of their numbers are missing if it is taken back.
    pub taken_back_at_most: i64,
}

/// A function that answers with a page of events, the newest first: the names of its arguments and of what it answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditPages {
    /// The function.
    pub function: String,
    /// Whose events.
    pub institution: String,
    /// Which page, from 1.
    pub page: String,
    /// How many events a page has.
    pub size: String,
    /// Arguments that choose events, by the column that they are of.
    pub filters: BTreeMap<String, String>,
    /// In the answer, the events.
    pub items: String,
    /// In the answer, how many there are on all pages.
    pub total: String,
    /// In the answer, what repeats an argument, with the argument's name.
    #[serde(default)]
    pub repeats: BTreeMap<String, String>,
}

/// Institutions that may be written to on a deployment that members' money is in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// The ids.
    pub institutions: Vec<uuid::Uuid>,
}

/// Payments that may be there twice.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duplicates {
    /// The relation that lists them.
    pub relation: String,
    /// The column with the later payment's id.
    pub transaction: String,
    /// The column with the earlier payment's id.
    pub earlier: String,
    /// Where an institution chooses how far apart they may be, or
    pub window: Option<ChosenWindow>,
    /// how many minutes that is for all.
    pub minutes: Option<u32>,
    /// The ledger's column that says who paid.
    pub payer: String,
    /// The ledger's columns in which two payments do not differ, each with another value.
    pub differ: BTreeMap<String, Value>,
    /// The ledger's column with a payment's state.
    pub state: String,
    /// States in which a payment is counted no more.
    pub settled: Vec<String>,
}

/// A relation that adds rows up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Short name, part of the test's name.
    pub name: String,
    /// The runbook's step.
    pub step: String,
    /// The relation; a function where `rows` is said.
    pub relation: String,
    /// The function's arguments; `{institution}` is the institution's id.
    #[serde(default)]
    pub arguments: BTreeMap<String, Value>,
    /// The field of the function's answer with the rows, in which days without any may be told as well.
    pub rows: Option<String>,
    /// What it adds up.
    pub table: String,
    /// Filters, in PostgREST's words.
    pub filters: BTreeMap<String, String>,
    /// Columns of the relation that say what a row is of, and the table's columns that they come from; `column|date` is the
    /// day that a time is on.
    pub by: BTreeMap<String, String>,
    /// The column with the number of rows.
    pub count: String,
    /// The table's column that is added up.
    pub sum: String,
    /// Columns with sums, and what the rows of each have.
    pub sums: BTreeMap<String, BTreeMap<String, String>>,
}

/// A relation that repeats what rows of a table say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// Short name, part of the test's name.
    pub name: String,
    /// The runbook's step.
    pub step: String,
    /// The relation.
    pub relation: String,
    /// Whose rows it repeats.
    pub table: String,
    /// Filters of the rows that it repeats, in PostgREST's words.
    #[serde(default)]
    pub filters: BTreeMap<String, String>,
    /// The relation's column with the id of the repeated row.
    pub key: String,
    /// The relation's columns, and where the table has what they repeat: in a column, or in one of a row that it names, such as
    /// `groups.group_name`.
    pub columns: BTreeMap<String, String>,
}

/// Which columns a function's arguments change.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// The table with a row for each institution.
    pub table: String,
    /// Its column that says whose the row is.
    pub by: String,
    /// The column of each argument.
    pub columns: BTreeMap<String, String>,
}

/// A time that an institution chooses.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenWindow {
    /// The table.
    pub table: String,
    /// The column that says whose it is.
    pub tenant: String,
    /// The column with the minutes.
    pub minutes: String,
}

/// A kind of row that checks make.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The table.
    pub table: String,
    /// The columns; `{name}` stands for what the check gives, and the name of another kind for the id of such a row, which
    /// is made with it.
    pub values: BTreeMap<String, Value>,
    /// Columns to set on a row that cannot be deleted any more.
    #[serde(default)]
    pub closed: BTreeMap<String, Value>,
}

impl Recipe {
    /// The column by which a row is found: that of its user where it is somebody's, else its id.
    pub fn key(&self) -> &str {
        let of_user = self.values.iter().find(|(_, value)| value.as_str() == Some("{user}"));
        of_user.map_or("id", |(column, _)| column.as_str())
    }
}

/// What somebody may do within their institution, and who may. One of `call`, `edge`, `read`, `insert`, `update` and `delete`
/// says how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Right {
    /// What it is: "change the settings".
    pub name: String,
    /// A function.
    pub call: Option<String>,
    /// An edge function.
    pub edge: Option<String>,
    /// A table of which `columns` of a row are read.
    pub read: Option<String>,
    /// These columns.
    #[serde(default)]
    pub columns: Vec<String>,
    /// A table that a row is added to.
    pub insert: Option<String>,
    /// A table of which a row is changed.
    pub update: Option<String>,
    /// A table of which a row is deleted.
    pub delete: Option<String>,
    /// The kind of row, of `[make]`, that is made to be read, changed, deleted or named by a function's arguments. Of kind
    /// `institution` it is one's own, of kind `profile` a colleague's.
    pub row: Option<String>,
    /// Kinds of row that are made to belong to it.
    #[serde(default)]
    pub with: Vec<String>,
    /// What the row is brought to before.
    #[serde(default)]
    pub state: BTreeMap<String, Value>,
    /// Arguments or columns.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// Roles that may: within an institution, and those of the platform's people that any right names.
    pub roles: Vec<String>,
    /// The event that it leaves: of the row, where one is made.
    pub event: Option<String>,
    /// What that says in `audit.details`, by the names of its fields.
    #[serde(default)]
    pub tells: BTreeMap<String, Value>,
    /// What the function's answer names.
    #[serde(default)]
    pub answers: Vec<String>,
    /// What some of that has to be.
    #[serde(default)]
    pub says: BTreeMap<String, Value>,
    /// What those of the function's arguments change that may be left out.
    pub changes: Option<Changes>,
}

/// What nobody may make disappear, whatever they may do else.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trail {
    /// Relations whose rows stay, with the column that says whose they are, or the one that leads to a kept row.
    pub kept: Vec<Kept>,
    /// Tables that they hang on, of which users may try to delete rows, by the column that a row is found by.
    pub hangs_on: BTreeMap<String, String>,
    /// Roles that try.
    pub roles: Vec<String>,
}

/// A relation whose rows stay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The relation.
    pub table: String,
    /// The column of the institution, or of the transaction.
    pub by: String,
    /// Columns that may change: who is gone is no longer named.
    #[serde(default)]
    pub but: Vec<String>,
}
