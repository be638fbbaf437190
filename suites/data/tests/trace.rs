//! What changes leave in the audit log: an event for each, and what it is about.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Audit, Cause, Failure, Person, RestClient, Right, Tenant, Verdict};
use serde_json::Value;
use support::{Tried, equals, unread};

/// The events of somebody's changes.
pub struct Trace<'a> {
    audit: &'a Audit,
    service: &'a RestClient,
    tenant: &'a Tenant,
    person: &'a Person,
    /// Tables and ids of rows that were deleted on the way.
    deleted: BTreeSet<(String, String)>,
    expected: Vec<String>,
    seen: Vec<String>,
}

impl<'a> Trace<'a> {
    /// Of what this person does in this institution.
    pub fn new(audit: &'a Audit, service: &'a RestClient, tenant: &'a Tenant, person: &'a Person) -> Self {
        let (expected, seen) = Default::default();
        Self { audit, service, tenant, person, deleted: BTreeSet::new(), expected, seen }
    }

    /// The person's events of this name.
    pub async fn events(&self, name: &str) -> Verdict<Vec<Value>> {
        let audit = self.audit;
        let (actor, named) = (format!("eq.{}", self.person.id), format!("eq.{name}"));
        self.read(&[(audit.actor.as_str(), actor.as_str()), (&audit.action, &named)]).await
    }

    /// The institution's events, with the columns that an update changed as `changed`.
    async fn read(&self, chosen: &[(&str, &str)]) -> Verdict<Vec<Value>> {
        let audit = self.audit;
        let own = format!("eq.{}", self.tenant.id);
        let columns = audit.changed.as_ref().map_or_else(|| "*".to_owned(), |path| format!("*,changed:{path}"));
        let mut query = vec![(audit.tenant.as_str(), own.as_str()), ("select", &columns)];
        query.extend(chosen);
        self.service.select(&audit.table, &query).await.map_err(unread(&audit.table))
    }

    /// Whether a change left one event, of its row, that names what was changed.
    pub async fn compare(&mut self, right: &Right, name: &str, tried: &Tried, left: &[Value]) -> Verdict {
        let Tried { row, key, tells, .. } = tried;
        let [event] = left else {
            self.differ(right, &format!("1 event {name}, by who did it"), &left.len().to_string());
            return Ok(());
        };
        let (id, about) = (&row[key], &event[&self.audit.entity]);
        if !row.is_null() && id != about {
            self.differ(right, &format!("{name} of {id}"), &format!("of {about}"));
        }
        let details = self.audit.details.as_ref().map_or(&Value::Null, |column| &event[column]);
        for (field, value) in tells.as_object().into_iter().flatten() {
            if details[field] != *value {
                self.differ(
                    right,
                    &format!("{name} says {field}: {value}"),
                    &format!("says {field}: {}", details[field]),
                );
            }
        }
        if let Some(table) = &right.delete {
            self.deleted.insert((table.clone(), equals(id)));
        }
        if let (Some(table), Some(_)) = (&right.update, &self.audit.changed) {
            let now = self.service.select(table, &[(key, &equals(id))]).await.map_err(unread(table))?;
            let now = now.into_iter().next().unwrap_or_default();
            let named: BTreeSet<_> =
                event["changed"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let is_right = right.values.keys().all(|column| named.contains(column.as_str()))
                && named.iter().all(|column| now[column] != row[column]);
            if !is_right {
                let expected: Vec<_> = right.values.keys().map(String::as_str).collect();
                let named: Vec<_> = named.into_iter().collect();
                self.differ(
                    right,
                    &format!("{name} names {}", expected.join(", ")),
                    &format!("names {}", named.join(", ")),
                );
            }
        }
        Ok(())
    }

    fn differ(&mut self, right: &Right, expected: &str, seen: &str) {
        self.expected.push(format!("{}: {expected}", right.name));
        self.seen.push(format!("{}: {seen}", right.name));
    }

    /// Whether each change left what it has to.
    pub fn is_whole(&self) -> Verdict {
        if self.expected.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("every kind of change leaves its event: who made it, where and of what")
            .expected(self.expected.join("\n"))
            .seen(self.seen.join("\n"))
            .at(self.audit.table.as_str()))
    }

    /// Whether every event of the institution, of whatever made it, leads by its kind to a row.
    pub async fn leads_to_rows(&self) -> Verdict {
        let Some(kinds) = &self.audit.kinds else { return Ok(()) };
        let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for event in self.read(&[]).await? {
            events.entry(event[&kinds.column].as_str().unwrap_or_default().to_owned()).or_default().push(event);
        }
        let (mut expected, mut seen) = (Vec::new(), Vec::new());
        for (kind, events) in &events {
            let names: BTreeSet<_> = events.iter().filter_map(|event| event[&self.audit.action].as_str()).collect();
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            let Some(rows) = kinds.rows.get(kind) else {
                expected.push(format!("{names}: of a kind that the contract names"));
                seen.push(format!("{names}: of {kind:?}"));
                continue;
            };
            let lost = self.lost(&rows.table, &rows.by, events).await?;
            if lost > 0 {
                expected.push(format!("{names}: of {kind}, each with its row in {}", rows.table));
                seen.push(format!("{names}: {lost} of {} without", events.len()));
            }
        }
        if expected.is_empty() && !events.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("each event leads to the row that it is about")
            .expected(expected.join("\n"))
            .seen(seen.join("\n"))
            .at(self.audit.table.as_str())
            .caused_by(Cause::Database))
    }

    /// How many of these events are about no row of this table.
    async fn lost(&self, table: &str, by: &str, events: &[Value]) -> Verdict<usize> {
        let ids: BTreeSet<_> = events.iter().map(|event| equals(&event[&self.audit.entity])).collect();
        let any: Vec<_> = ids.iter().filter_map(|id| id.strip_prefix("eq.")).collect();
        let rows = self.service.select(table, &[(by, &format!("in.({})", any.join(","))), ("select", by)]).await;
        let there: BTreeSet<_> = rows.map_err(unread(table))?.iter().map(|row| equals(&row[by])).collect();
        let is_known = |event: &&Value| {
            let id = equals(&event[&self.audit.entity]);
            there.contains(&id) || self.deleted.contains(&(table.to_owned(), id))
        };
        Ok(events.len() - events.iter().filter(is_known).count())
    }
}
