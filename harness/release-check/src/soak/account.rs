//! The account of a soak: what the endpoint reported of each message, held against what the database has of it. Compact
//! data and no I/O; a message costs a few bytes, however often it is sent.

use std::collections::BTreeMap;

use harness::{Ingest, Receipt};
use serde::Serialize;
use uuid::Uuid;

use super::plan::Plan;

/// Messages that a failure names; the others are counted.
const NAMED: usize = 20;

/// Details that are kept of one message.
const NOTES: usize = 3;

/// What is known of one message.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    sent: bool,
    /// The row that answers named; the first, where they name several.
    reported: Option<Uuid>,
    /// Answers named several.
    contradicted: bool,
    /// How often an answer said that it is new.
    new: u8,
    /// A send took more than one request, or had no answer: the answer that it is new may be lost.
    answer_lost: bool,
    refused: bool,
    unanswered: bool,
    rows: u8,
    /// A row has another id than answers reported, another device or another status.
    row_differs: bool,
    payments: u8,
    /// A transaction has another amount, or comes from another row.
    payment_differs: bool,
}

/// Takes answers and rows in any order.
#[derive(Debug)]
pub struct Book<'p> {
    plan: &'p Plan,
    entries: Vec<Entry>,
    totals: Totals,
    /// What is known of a message besides, for the first ones that there is something of.
    notes: BTreeMap<u32, Vec<String>>,
    /// Rows that no message was sent for.
    strange: Differences,
}

/// The sums of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Sends that were ended.
    pub sent: u32,
    /// Different messages among them.
    pub originals: u32,
    /// Answers: a new message.
    pub ingested: u32,
    /// Answers: one that was stored before.
    pub duplicates: u32,
    /// Answers: not taken.
    pub refused: u32,
    /// Sends that nobody said anything definite of.
    pub unanswered: u32,
    /// Rows of messages in the database.
    pub rows: u32,
    /// Transactions in the database.
    pub transactions: u32,
    /// Messages that were reported as taken, and have no row or no transaction.
    pub lost: u32,
    /// Messages with several rows or transactions.
    pub doubled: u32,
}

/// What is not as it should be, one line each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// The first ones.
    pub named: Vec<String>,
    /// How many more.
    pub more: usize,
}

impl Differences {
    pub fn add(&mut self, line: impl FnOnce() -> String) {
        if self.named.len() < NAMED { self.named.push(line()) } else { self.more += 1 }
    }

    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }
}

/// A closed account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    #[serde(flatten)]
    pub totals: Totals,
    pub differences: Differences,
}

impl Account {
    /// Messages of which something else does not agree than how many there are.
    pub fn otherwise_wrong(&self) -> u32 {
        let all = u32::try_from(self.differences.named.len() + self.differences.more).unwrap_or(u32::MAX);
        all.saturating_sub(self.totals.lost + self.totals.doubled)
    }
}

impl<'p> Book<'p> {
    pub fn new(plan: &'p Plan) -> Self {
        let entries = vec![Entry::default(); plan.messages as usize];
        Self { plan, entries, totals: Totals::default(), notes: BTreeMap::new(), strange: Differences::default() }
    }

    /// Sends that brought no definite answer until now.
    pub fn unanswered(&self) -> u32 {
        self.totals.unanswered
    }

    /// What became of a send of the message with this number.
    pub fn answered(&mut self, number: u32, receipt: &Receipt) {
        let Some(entry) = self.entries.get_mut(number as usize) else { return };
        entry.sent = true;
        entry.answer_lost |= receipt.tries > 1;
        self.totals.sent += 1;
        let sms_id = match &receipt.outcome {
            Ingest::Ingested { sms_id, .. } => {
                entry.new = entry.new.saturating_add(1);
                self.totals.ingested += 1;
                sms_id
            }
            Ingest::Duplicate { sms_id, .. } => {
                self.totals.duplicates += 1;
                sms_id
            }
            Ingest::Refused(_) => {
                entry.refused = true;
                self.totals.refused += 1;
                return self.note(number, vec![format!("refused: {receipt}")]);
            }
            Ingest::Unavailable { .. } => {
                (entry.unanswered, entry.answer_lost) = (true, true);
                self.totals.unanswered += 1;
                return self.note(number, vec![format!("no definite answer: {receipt}")]);
            }
        };
        match (sms_id.parse().ok(), entry.reported) {
            (Some(reported), None) => entry.reported = Some(reported),
            (reported, before) if reported == before => {}
            (_, before) => {
                entry.contradicted = true;
                let before = before.map_or_else(|| "a UUID".to_owned(), |id| id.to_string());
                self.note(number, vec![format!("reported as {sms_id}, and before as {before}")]);
            }
        }
    }

    /// A row of the messages in the database: whose text it is, its id, which device it names and whether its status is
    /// the one of a message that was understood.
    pub fn row(&mut self, text: &str, id: &str, device: usize, understood: bool) {
        self.totals.rows += 1;
        let number = self.plan.number_of_text(text);
        let Some((number, entry)) = number.and_then(|number| Some((number, self.entries.get_mut(number as usize)?)))
        else {
            return self.strange.add(|| format!("a row of a message that nobody sent: {id}, {text}"));
        };
        entry.rows = entry.rows.saturating_add(1);
        let mut wrong = Vec::new();
        if !understood {
            wrong.push("its row does not say that it was understood".to_owned());
        }
        if device != Plan::device(number) {
            wrong.push("its row names another device".to_owned());
        }
        if let Some(reported) = entry.reported.filter(|reported| id.parse() != Ok(*reported)) {
            wrong.push(format!("its row is {id}, not {reported} as reported"));
        }
        entry.row_differs |= !wrong.is_empty();
        self.note(number, wrong);
    }

    /// A transaction in the database: the provider's id of the payment, the amount as a number, and the row of the
    /// message that it comes from.
    pub fn payment(&mut self, id: &str, amount: Option<f64>, source: &str) {
        self.totals.transactions += 1;
        let number = self.plan.number(id);
        let Some((number, entry)) = number.and_then(|number| Some((number, self.entries.get_mut(number as usize)?)))
        else {
            return self.strange.add(|| format!("a transaction of a message that nobody sent: {id}"));
        };
        entry.payments = entry.payments.saturating_add(1);
        let (mut wrong, expected) = (Vec::new(), Plan::amount(number));
        if amount != Some(f64::from(expected)) {
            let seen = amount.map_or_else(|| "none".to_owned(), |amount| amount.to_string());
            wrong.push(format!("its transaction's amount is {seen}, not {expected}"));
        }
        if let Some(reported) = entry.reported.filter(|reported| source.parse() != Ok(*reported)) {
            wrong.push(format!("its transaction comes from the row {source}, not {reported} as reported"));
        }
        entry.payment_differs |= !wrong.is_empty();
        self.note(number, wrong);
    }

    /// Keeps what a reader wants to know, for as many messages as are named.
    fn note(&mut self, number: u32, texts: Vec<String>) {
        if !texts.is_empty() && (self.notes.len() < NAMED || self.notes.contains_key(&number)) {
            let notes = self.notes.entry(number).or_default();
            notes.extend(texts);
            notes.truncate(NOTES);
        }
    }

    /// Adds up.
    pub fn close(mut self) -> Account {
        let mut differences = Differences::default();
        for (number, entry) in (0..).zip(&self.entries) {
            if entry.sent {
                self.totals.originals += 1;
            }
            self.totals.lost += u32::from(entry.is_lost());
            self.totals.doubled += u32::from(entry.is_doubled());
            let mut wrong = entry.miscounts();
            match self.notes.get(&number) {
                Some(notes) => wrong.extend_from_slice(notes),
                None => wrong.extend(entry.marks().map(str::to_owned)),
            }
            if !wrong.is_empty() {
                differences.add(|| format!("{}: {}", self.plan.id(number), wrong.join("; ")));
            }
        }
        differences.more += self.strange.more;
        for line in self.strange.named {
            differences.add(|| line);
        }
        Account { totals: self.totals, differences }
    }
}

impl Entry {
    fn is_lost(&self) -> bool {
        self.reported.is_some() && (self.rows == 0 || self.payments == 0)
    }

    fn is_doubled(&self) -> bool {
        self.rows > 1 || self.payments > 1
    }

    /// What is there too often or too rarely.
    fn miscounts(&self) -> Vec<String> {
        // What was reported is there; what had no answer may be there or not; nothing is there of anything else.
        let is_certain = self.reported.is_some();
        let times = |seen: u8, what: &str| match seen {
            0 if is_certain => Some(format!("lost: no {what}")),
            1 if !is_certain && !self.unanswered => Some(format!("a {what}, though no answer said so")),
            0 | 1 => None,
            _ => Some(format!("{seen} {what}s")),
        };
        let told_new = match self.new {
            0 if is_certain && !self.answer_lost => Some("stored, and no answer said that it was new".to_owned()),
            0 | 1 => None,
            _ => Some(format!("reported {} times that it was new", self.new)),
        };
        [told_new, times(self.rows, "row"), times(self.payments, "transaction")].into_iter().flatten().collect()
    }

    /// What is wrong and was not noted in detail.
    fn marks(&self) -> impl Iterator<Item = &'static str> {
        [
            (self.refused, "refused"),
            (self.unanswered, "no definite answer"),
            (self.contradicted, "reported as different rows"),
            (self.row_differs, "its row differs"),
            (self.payment_differs, "its transaction differs"),
        ]
        .into_iter()
        .filter_map(|(is_so, text)| is_so.then_some(text))
    }
}

/// What the person who ran it reads: the sum, and what does not agree with it.
impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Totals { sent, ingested, duplicates, refused, unanswered, .. } = self.totals;
        write!(f, "sent {sent} = {ingested} ingested + {duplicates} duplicates + {refused} refused")?;
        if unanswered > 0 {
            write!(f, " + {unanswered} without a definite answer")?;
        }
        let Differences { named, more } = &self.differences;
        if named.is_empty() {
            let Totals { originals, rows, transactions, .. } = self.totals;
            let agrees = "the database agrees row by row";
            write!(f, "\n{agrees}: {originals} messages, {rows} rows, {transactions} transactions")?;
            return match originals.saturating_sub(ingested) {
                0 => Ok(()),
                lost => write!(f, "\nof {lost} the answer that they were new was lost on its way"),
            };
        }
        match named.len() + more {
            1 => write!(f, "\n1 message does not agree:")?,
            wrong => write!(f, "\n{wrong} messages do not agree:")?,
        }
        for line in named {
            write!(f, "\n  {line}")?;
        }
        if *more > 0 {
            write!(f, "\n  and {more} more")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
