//! A gateway with a device of the check's own, and a look at what becomes of its messages.

use std::sync::Arc;

use harness::{
    Cause, Check, Failure, Ingest, Message, Receipt, RestClient, Sample, SmsIngest, Tenant, Verdict, Writes,
};
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};

use crate::{equals, unread};

/// So many ids fit into the address of a request.
const IN_A_QUERY: usize = 50;

/// A gateway of one check.
pub struct Gateway<'c> {
    /// Whose gateway it is.
    pub check: &'c Check,
    /// What permits it to write.
    pub writes: Writes<'c>,
    /// The tenant that its device belongs to.
    pub tenant: Arc<Tenant>,
    /// The database with the service's key.
    pub service: RestClient,
    /// The endpoint that it sends to.
    pub ingest: SmsIngest,
    /// The device's row.
    device: Value,
    identifier: String,
}

impl<'c> Gateway<'c> {
    /// A gateway with an active device in the tenant with this label.
    pub async fn open(check: &'c Check, label: &str) -> Verdict<Self> {
        Self::with_device(check, label, true).await
    }

    /// A gateway with a device in the tenant with this label, active or not.
    pub async fn with_device(check: &'c Check, label: &str, active: bool) -> Verdict<Self> {
        let deployment = check.deployment();
        let (writes, ingest) = (deployment.writes().await?, deployment.sms_ingest()?);
        let (tenant, service) = (writes.institution(label).await?, deployment.service()?);
        let identifier = unique(&writes);
        let values = [("device", json!(identifier)), ("active", json!(active))];
        let device = writes.make(&tenant, "device", &values).await?;
        let column = &check.contract().data()?.tenant;
        if device[column] != *tenant.id {
            return Err(Failure::undecided("the device belongs to the institution that may be written to")
                .expected(format!("{column}: {}", tenant.id))
                .seen(device.to_string()));
        }
        Ok(Self { check, writes, tenant, service, ingest, device, identifier })
    }

    /// A message of this device, now.
    pub fn message(&self, text: impl Into<String>) -> Message {
        Message {
            device: self.identifier.clone(),
            sender: "MoMo".to_owned(),
            text: text.into(),
            received_at: Zoned::now(),
            sim_slot: Some(1),
            message_id: None,
        }
    }

    /// Sends a message once: a second request could hide an error of the first.
    pub async fn send(&self, message: &Message) -> Verdict<Receipt> {
        let receipt = self.ingest.send_once(&self.writes, &message.body()).await;
        match &receipt.outcome {
            Ingest::Unavailable { .. } => Err(Failure::failed("the endpoint says at once what became of a message")
                .caused_by(Cause::Functions)
                .expected("200 with success and sms_id")
                .seen(receipt.to_string())
                .at(self.ingest.url().as_str())),
            _ => Ok(receipt),
        }
    }

    /// Sends a message that has to be stored as a new one; answers with the ids of its raw row and its transaction.
    pub async fn ingest(&self, message: &Message) -> Verdict<(String, Option<String>)> {
        let receipt = self.send(message).await?;
        match receipt.outcome {
            Ingest::Ingested { sms_id, transaction_id } => Ok((sms_id, transaction_id)),
            _ => Err(Failure::failed("a new message is stored")
                .expected("200 with success, sms_id and duplicate: false")
                .seen(receipt.to_string())
                .fact("message", &message.text)
                .at(self.ingest.url().as_str())),
        }
    }

    /// Rows of messages from this device: those of one check, which fit into one answer.
    pub async fn raw(&self) -> Verdict<Vec<Value>> {
        let raw = &self.check.contract().sms()?.raw;
        let rows = self.service.select(&raw.table, &[(&raw.source, &equals(&self.device["id"]))]).await;
        rows.map_err(unread(&raw.table))
    }

    /// The transactions that a message has become.
    pub async fn transactions(&self, sms_id: &str) -> Verdict<Vec<Value>> {
        let (ledger, source) =
            (&self.check.contract().ledger()?.table, &self.check.contract().sms()?.transaction.source);
        let rows = self.service.select(ledger, &[(source, &format!("eq.{sms_id}"))]).await;
        rows.map_err(unread(ledger))
    }

    /// The transactions of these messages.
    pub async fn transactions_of(&self, sms_ids: &[&str]) -> Verdict<Vec<Value>> {
        transactions_of(self.check, &self.service, sms_ids).await
    }

    /// All transactions of the tenant: for checks that have an institution of their own.
    pub async fn ledger(&self) -> Verdict<Vec<Value>> {
        let contract = self.check.contract();
        let (ledger, tenant) = (&contract.ledger()?.table, format!("eq.{}", self.tenant.id));
        let rows = self.service.all(ledger, "id", &[(&contract.data()?.tenant, &tenant)]).await;
        rows.map_err(unread(ledger))
    }

    /// A message of the corpus, as this run sends it.
    pub fn sample(&self, name: &str) -> Verdict<Sample> {
        self.sample_at(name, Timestamp::now())
    }

    /// A message of the corpus, as this run would have sent it then.
    pub fn sample_at(&self, name: &str, sent: Timestamp) -> Verdict<Sample> {
        let samples =
            Sample::all().map_err(|why| Failure::undecided("the corpus of messages can be read").seen(why))?;
        let sample = samples.iter().find(|sample| sample.name == name);
        let sample = sample
            .ok_or_else(|| Failure::undecided(format!("the corpus has a message {name:?}")).at("fixtures/sms"))?;
        Ok(sample.in_run(self.writes.run(), sent))
    }

    /// How many transactions of the tenant have this id of the provider's.
    pub async fn payments(&self, transaction_id: &str) -> Verdict<u64> {
        let contract = self.check.contract();
        let query = [
            (contract.data()?.tenant.as_str(), format!("eq.{}", self.tenant.id)),
            (&contract.sms()?.transaction.transaction_id, format!("eq.{transaction_id}")),
        ];
        let query = query.each_ref().map(|(column, filter)| (*column, filter.as_str()));
        self.service.count(&contract.ledger()?.table, &query).await.map_err(unread(&contract.ledger()?.table))
    }

    /// The attempts to read a message, first to last.
    pub async fn attempts(&self, sms_id: &str) -> Verdict<Vec<Value>> {
        let attempts = &self.check.contract().sms()?.attempts;
        let of = format!("eq.{sms_id}");
        let rows = self.service.select(&attempts.table, &[(&attempts.sms, &of), ("order", "created_at")]).await;
        rows.map_err(unread(&attempts.table))
    }

    /// Whether attempts to read a message are counted from one on.
    pub fn expect_counted(&self, attempts: &[Value]) -> Verdict {
        let columns = &self.check.contract().sms()?.attempts;
        let Some(column) = &columns.number else { return Ok(()) };
        let mut numbers: Vec<_> = attempts.iter().map(|attempt| attempt[column].as_u64().unwrap_or(0)).collect();
        numbers.sort_unstable();
        if numbers.iter().copied().eq(1..=attempts.len() as u64) {
            return Ok(());
        }
        Err(Failure::failed("attempts to read a message are counted from one on")
            .expected(format!("{column}: 1 to {}", attempts.len()))
            .seen(format!("{numbers:?}"))
            .at(&columns.table))
    }

    /// Whether the device's own row says how many messages came from it, and when the last one did.
    pub async fn expect_heard(&self, messages: usize) -> Verdict {
        let Some(device) = &self.check.contract().sms()?.device else { return Ok(()) };
        let rows = self.service.select(&device.table, &[("id", &equals(&self.device["id"]))]).await;
        let rows = rows.map_err(unread(&device.table))?;
        let row = rows.first().unwrap_or(&Value::Null);
        let seen = row[&device.seen].as_str().is_some_and(|at| at.parse::<Timestamp>().is_ok());
        if row[&device.messages].as_u64() == u64::try_from(messages).ok() && seen {
            return Ok(());
        }
        Err(Failure::failed("a device's row counts its messages and says when the last one came")
            .expected(format!("{}: {messages}, {}: a time", device.messages, device.seen))
            .seen(format!("{}: {}, {}: {}", device.messages, row[&device.messages], device.seen, row[&device.seen]))
            .at(&device.table))
    }

    /// A text that a parser reads for sure, with an id that nobody has used.
    pub fn payment(&self, amount: u32) -> (String, String) {
        let id = unique(&self.writes);
        (format!("You have received {amount} RWF from RELEASE CHECK (0788999999). Txn ID: {id}"), id)
    }
}

/// The transactions of these messages.
pub async fn transactions_of(check: &Check, service: &RestClient, sms_ids: &[&str]) -> Verdict<Vec<Value>> {
    let (ledger, source) = (&check.contract().ledger()?.table, &check.contract().sms()?.transaction.source);
    let mut rows = Vec::new();
    for some in sms_ids.chunks(IN_A_QUERY) {
        let found = service.select(ledger, &[(source, &format!("in.({})", some.join(",")))]).await;
        rows.extend(found.map_err(unread(ledger))?);
    }
    Ok(rows)
}

/// Something that was never there before, which can be an id of a payment or a device.
pub fn unique(writes: &Writes<'_>) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    // Processes of a run differ in the first part, checks of a process in the second.
    format!("RC{}{:04}", writes.run().to_uppercase(), NEXT.fetch_add(1, Ordering::Relaxed))
}
