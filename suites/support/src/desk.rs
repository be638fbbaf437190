//! A desk at which payments are allocated: a tenant of the check's own, people in it, a member in a group, and a payment
//! that nobody has allocated yet.

use std::sync::Arc;

use harness::{Allocation, Check, ClientError, Failure, Person, RestClient, Tenant, Verdict, Writes};
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};

use crate::{equals, unread};

/// Clocks may be this far apart.
const SKEW_SECONDS: i64 = 30;

/// A desk of one check. Rows are those that the database answered with when they were made.
pub struct Desk<'c> {
    /// Whose desk it is.
    pub check: &'c Check,
    /// What permits it to write.
    pub writes: Writes<'c>,
    /// The tenant that it is in.
    pub tenant: Arc<Tenant>,
    /// The database with the service's key.
    pub service: RestClient,
    /// The member's group.
    pub group: Value,
    /// Whom the payment may be allocated to.
    pub member: Value,
    /// A payment that nobody has allocated.
    pub payment: Value,
    words: &'c Allocation,
    opened: Timestamp,
}

impl<'c> Desk<'c> {
    /// A desk in the tenant with this label.
    pub async fn open(check: &'c Check, label: &str) -> Verdict<Self> {
        let (writes, words) = (check.deployment().writes().await?, check.contract().allocation()?);
        let (tenant, service) = (writes.institution(label).await?, check.deployment().service()?);
        let group = writes.make(&tenant, "group", &[]).await?;
        let member = writes.make(&tenant, "member", &[("group", group["id"].clone())]).await?;
        let payment = writes.make(&tenant, "transaction", &[("amount", json!(2500.75))]).await?;
        Ok(Self { check, writes, tenant, service, group, member, payment, words, opened: Timestamp::now() })
    }

    /// Somebody with this role in the desk's tenant.
    pub async fn person(&self, role: &str) -> Verdict<Person> {
        self.writes.person(&self.tenant, role).await
    }

    /// The database as this person sees it.
    pub fn rest(&self, person: &Person) -> Verdict<RestClient> {
        Ok(self.check.deployment().rest()?.signed_in(&person.session))
    }

    /// Asks for the allocation of a payment to a member.
    pub async fn allocate(
        &self,
        rest: &RestClient,
        payment: &Value,
        member: &Value,
        note: &str,
    ) -> Result<Value, ClientError> {
        let words = self.words;
        let mut arguments = Map::new();
        arguments.insert(words.transaction.clone(), payment["id"].clone());
        arguments.insert(words.member.clone(), member["id"].clone());
        arguments.insert(words.note.clone(), note.into());
        rest.call(&self.writes, &words.function, &arguments.into()).await
    }

    /// A payment as it is now.
    pub async fn now(&self, payment: &Value) -> Verdict<Value> {
        let rows =
            self.service.select(&self.check.contract().ledger()?.table, &[("id", &equals(&payment["id"]))]).await;
        rows.map_err(unread("the payment"))?.into_iter().next().ok_or_else(|| {
            Failure::failed("the payment is still in the ledger").expected(payment.to_string()).seen("no such row")
        })
    }

    /// How many records an allocation of the payment has left.
    pub async fn records(&self, payment: &Value) -> Verdict<u64> {
        let record = &self.words.record;
        let query = [(record.transaction.as_str(), equals(&payment["id"]))];
        self.service.count(&record.table, &[(query[0].0, &query[0].1)]).await.map_err(unread(&record.table))
    }

    /// The events of the payment's allocation.
    pub async fn events(&self, payment: &Value) -> Verdict<Vec<Value>> {
        let audit = self.check.contract().audit()?;
        let (entity, accepted) = (equals(&payment["id"]), format!("in.({})", audit.accepted.join(",")));
        let query = [(audit.entity.as_str(), entity.as_str()), (&audit.action, &accepted)];
        self.service.select(&audit.table, &query).await.map_err(unread(&audit.table))
    }

    /// Whether a time is between the opening of the desk and now, as far as clocks can be trusted.
    pub fn is_recent(&self, time: &Value) -> bool {
        let (from, to) = (self.opened - SKEW_SECONDS.seconds(), Timestamp::now() + SKEW_SECONDS.seconds());
        time.as_str().and_then(|time| time.parse::<Timestamp>().ok()).is_some_and(|time| (from..=to).contains(&time))
    }
}

/// Where two rows differ, as `column: value` lines of each.
pub fn differences(one: &Value, other: &Value, but: &[&str]) -> (String, String) {
    let columns = one.as_object().into_iter().chain(other.as_object()).flat_map(Map::keys);
    let mut columns: Vec<_> =
        columns.filter(|column| !but.contains(&column.as_str()) && one[*column] != other[*column]).collect();
    columns.sort();
    columns.dedup();
    let shown =
        |row: &Value| columns.iter().map(|column| format!("{column}: {}", row[*column])).collect::<Vec<_>>().join("\n");
    (shown(one), shown(other))
}
