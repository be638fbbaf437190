//! The part of a contract that §4.4 is about: the ingest endpoint and what it leaves in the database.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::corpus::Direction;

/// The way from a gateway's message to the ledger.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// Name of the edge function that takes messages.
    pub function: String,
    /// The header that its key goes into.
    pub key_header: String,
    /// A body longer than this may be refused, in bytes.
    pub body_at_most: usize,
    /// Rules that this portal's parser promises to know; what the corpus says of others is held as "safe".
    pub rules: Vec<String>,
    /// Those of them whose messages are whole without an id and a balance: what ends behind their payer may be all.
    #[serde(default)]
    pub whole: Vec<String>,
    /// A message is answered within so long, in milliseconds.
    pub answers_within_ms: u64,
    /// What refusals say.
    pub refusals: Refusals,
    /// A transaction is in the ledger's view after at most so long, in milliseconds.
    pub in_ledger_within_ms: u64,
    /// What the row of a device says of its messages; none where it says nothing.
    pub device: Option<SmsDevice>,
    /// Messages as they came in.
    pub raw: Raw,
    /// What was tried to read them.
    pub attempts: Attempts,
    /// What becomes of them.
    pub transaction: SmsTransaction,
    /// What an AI proposes for those that no rule reads; may be left out where none does.
    pub readings: Option<Readings>,
    /// Which time of a payment counts, and how exactly it is kept.
    pub times: Times,
    /// Parts of one message are one within so long, in seconds.
    pub parts_within_s: u64,
    /// The share of messages that were not understood.
    pub failed_parses: FailedParses,
    /// The share of messages that nobody has understood so far.
    pub unread: Unread,
}

/// What the last soak has to show before a release.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Soak {
    /// So many messages, or more.
    pub messages: u32,
    /// It is no older, in days.
    pub within_days: i64,
}

/// Which time of a payment counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// Where a text says when it happened; without that it is when the message arrived.
    pub counts: Counts,
    /// How exactly it is kept, in milliseconds.
    pub within_ms: u64,
}

/// A time of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counts {
    /// The one in the text.
    Text,
    /// When the message arrived.
    Arrival,
}

/// What refusals say in `error`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusals {
    /// Of no key and a wrong one, 401.
    pub key: String,
    /// Of a body that is no JSON, 400.
    pub json: String,
    /// Of a body without a field, 400; `{field}` is its name.
    pub field: String,
    /// Of a date that is none, 400.
    pub date: String,
    /// Of anything but POST, 405.
    pub method: String,
}

/// What the row of a device says of its messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsDevice {
    /// The table.
    pub table: String,
    /// Column of how many there were.
    pub messages: String,
    /// Column of when the last one came.
    pub seen: String,
}

/// Messages as they came in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// The table.
    pub table: String,
    /// Column of the text.
    pub text: String,
    /// Column of the sender.
    pub sender: String,
    /// Column of the device's id.
    pub source: String,
    /// Column of when the device got the message.
    pub received_at: String,
    /// Column of what became of it.
    pub status: String,
    /// The status of one that was understood.
    pub success: String,
    /// The status of one that waits.
    pub pending: String,
    /// The status of one that was given up.
    pub error: String,
    /// Column of what kind of text it is, as far as that is known.
    pub kind: String,
    /// What texts are called that became no payment, by what became of the money in them; nothing where that is no matter.
    #[serde(default)]
    pub kinds: BTreeMap<Direction, Vec<String>>,
    /// Column of the payment that it stands for, whether it brought it in, repeats it, is a part of it or takes it back.
    pub payment: String,
}

/// What was tried to read a message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempts {
    /// The table.
    pub table: String,
    /// Column of the message's id.
    pub sms: String,
    /// Column of its number among those of its message, from 1 on; none where they are not counted.
    pub number: Option<String>,
    /// Column of how it ended.
    pub status: String,
    /// The status of one that led to a transaction.
    pub success: String,
    /// The status of one that read nothing; none where that is none of its own.
    pub error: Option<String>,
    /// Column of why such a one read nothing; none where that is not kept.
    pub why: Option<String>,
    /// Column of the rule that read it, a field of JSON as `column.field`; none where that is not kept.
    pub rule: Option<String>,
}

/// What an AI proposes for a message that no rule reads: booked when the text says it, and not otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readings {
    /// The function that takes a proposal, as the service calls it.
    pub function: String,
    /// Its argument for the message's id.
    pub sms: String,
    /// Its argument for what was read.
    pub reading: String,
    /// The field of its answer with what became of the message, as the message's own row says it; none where it does not.
    pub status: Option<String>,
    /// The table with a row of each institution that says whether it wants proposals; a new one does not.
    pub settings: String,
    /// What that row has where they are wanted.
    pub wanted: BTreeMap<String, Value>,
    /// A text that no rule reads; `{id}` stands for the provider's id.
    pub text: String,
    /// What it says, under the names of `transaction`, and what the function takes beside that.
    pub right: BTreeMap<String, Value>,
    /// What the text does not say, each beside what is right.
    pub wrong: Vec<BTreeMap<String, Value>>,
    /// Texts in which the same is read, and which are no payment received.
    pub never: Vec<String>,
}

/// Columns of a transaction that a message fills.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsTransaction {
    /// Id of the message that it came from.
    pub source: String,
    /// The amount.
    pub amount: String,
    /// The currency.
    pub currency: String,
    /// Who paid.
    pub payer_name: String,
    /// The payer's number, as people write it in the country.
    pub payer_phone: String,
    /// The provider's id of the payment.
    pub transaction_id: String,
    /// When it happened.
    pub occurred_at: String,
    /// Column of whether it still counts.
    pub state: String,
    /// The state of one that was taken back.
    pub reversed: String,
}

/// The runbook's "Failed SMS parses < 5 %".
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedParses {
    /// The share that is still good is below this, in percent.
    pub below_percent: f64,
    /// With fewer messages than this a share says nothing.
    pub at_least: u64,
    /// Spans of time until now, in hours.
    pub hours: Vec<u32>,
}

/// Messages that wait: a provider has new words, and nobody noticed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unread {
    /// The share of a sender's messages that is still good is below this, in percent.
    pub below_percent: f64,
    /// With fewer messages of a sender than this a share says nothing.
    pub at_least: u64,
    /// A message that has waited for so long is unread, in minutes.
    pub after_minutes: u32,
    /// The span of time until now, in hours.
    pub hours: u32,
    /// Which kinds of text wait to be read, in PostgREST's words; a receipt of money that went out does not.
    pub kinds: String,
}

impl Attempts {
    /// The rule by which an attempt says that it read its message; none where that is not kept.
    pub fn rule_of<'a>(&self, attempt: &'a Value) -> Option<&'a Value> {
        let rule = self.rule.as_ref()?;
        Some(rule.split('.').fold(attempt, |value, name| &value[name]))
    }

    /// The column of the reason that an attempt owes, having read nothing.
    pub fn owes_why(&self, attempt: &Value) -> Option<&str> {
        let error = self.error.as_ref()?;
        self.why.as_deref().filter(|_| attempt[&self.status] == **error)
    }
}

impl Raw {
    /// A status as a value to compare with.
    pub fn is(&self, row: &Value, status: &str) -> bool {
        row[&self.status] == *status
    }
}
