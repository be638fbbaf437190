//! Somebody's attempt at what a contract lists as a right.

use std::collections::BTreeMap;

use harness::{Cause, Check, ClientError, Failure, Person, RestClient, Right, Tenant, Verdict, Writes};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{equals, unread};

/// Somebody's attempt at something.
pub struct Attempt<'a> {
    /// The check that it is part of.
    pub check: &'a Check,
    /// The permission to change the deployment.
    pub writes: Writes<'a>,
    /// Where.
    pub tenant: &'a Tenant,
    /// As whom.
    pub person: &'a Person,
    /// The database as they see it.
    pub rest: &'a RestClient,
    /// With the service's key.
    pub service: &'a RestClient,
    /// What stands for `{code}`.
    pub mark: String,
}

/// What is made for an attempt; null where it needs none.
#[derive(Default)]
struct Rows {
    row: Value,
    other: Value,
    member: Value,
}

/// What became of an attempt.
pub struct Tried {
    /// Whether somebody could, judged by what became of the row.
    pub succeeded: bool,
    /// The row that was made for it; null where it needs none.
    pub row: Value,
    /// The column by which it is found.
    pub key: String,
    /// What its event has to say.
    pub tells: Value,
}

impl Attempt<'_> {
    /// Makes what it needs, and tries.
    ///
    /// # Errors
    /// Undecided when the row cannot be made or looked at.
    pub async fn tried(&self, right: &Right) -> Verdict<Tried> {
        let rows = self.row(right).await?;
        let key = self.key(right.row.as_deref())?;
        let tells = self.filled(&right.tells, &rows);
        Ok(Tried { succeeded: self.succeeds(right, &rows, key).await?, row: rows.row, key: key.to_owned(), tells })
    }

    fn key(&self, kind: Option<&str>) -> Verdict<&str> {
        kind.map_or(Ok("id"), |kind| Ok(self.writes.recipe(kind)?.key()))
    }

    async fn succeeds(&self, right: &Right, row: &Rows, key: &str) -> Verdict<bool> {
        let values = self.filled(&right.values, row);
        if let Some((name, value)) = unfilled(&values) {
            return Err(Failure::undecided(format!("the contract says with what somebody may {}", right.name))
                .expected("{institution}, {code}, {row}, {other}, {member} or {now}")
                .seen(format!("{name} = {value:?}")));
        }
        if let Some(function) = &right.call {
            let answer = self.rest.call(&self.writes, function, &values).await;
            if let Ok(answer) = &answer {
                names_all(right, function, answer)?;
                self.says_what_became(right, function, answer, row)?;
            }
            return answered(right, answer.map(drop));
        }
        if let Some(function) = &right.edge {
            let edge = self.check.deployment().function(function)?;
            let receipt = edge.ask_as(&self.writes, &self.person.session, &values).await;
            return match receipt.status.map(|status| status.as_u16()) {
                Some(200..=299) => names_all(right, function, &receipt.json()).map(|()| true),
                Some(400..=499) => Ok(false),
                _ => Err(Failure::undecided(format!("the edge function says whether somebody may {}", right.name))
                    .seen(receipt.to_string())
                    .at(edge.url().as_str())),
            };
        }
        if let Some(table) = &right.insert {
            return answered(right, self.rest.add(&self.writes, table, &values).await);
        }
        let id = equals(&row.row[key]);
        let query = [(key, id.as_str())];
        if let Some(table) = &right.read {
            let columns = right.columns.join(",");
            let read = self.rest.select(table, &[(key, &id), ("select", &columns)]).await;
            let reads = matches!(&read, Ok(rows) if !rows.is_empty());
            return answered(right, read.map(drop)).map(|_| reads);
        }
        let table = right.update.as_ref().or(right.delete.as_ref()).map_or("", String::as_str);
        // Whether it is refused is no matter: what counts is the row.
        let _ = match right.update {
            Some(_) => self.rest.update(&self.writes, table, &query, &values).await,
            None => self.rest.delete(&self.writes, table, &query).await,
        };
        let now = self.service.select(table, &query).await;
        let now = now.map_err(|error| Failure::undecided(format!("{table} can be read")).seen(error.to_string()))?;
        let columns = values.as_object().into_iter().flatten().map(|(column, _)| column);
        let is_changed = |now: &Value| columns.clone().any(|column| now[column] != row.row[column]);
        Ok(now.first().is_none_or(is_changed))
    }

    fn says_what_became(&self, right: &Right, function: &str, answer: &Value, rows: &Rows) -> Verdict {
        let promised = self.filled(&right.says, rows);
        let wrong = promised.as_object().into_iter().flatten().find(|(field, value)| answer[field] != **value);
        let Some((field, value)) = wrong else { return Ok(()) };
        Err(Failure::failed(format!("the answer of {function} says what became of it"))
            .expected(format!("{field}: {value}"))
            .seen(format!("{field}: {}", answer[field]))
            .at(format!("rpc/{function}"))
            .caused_by(Cause::Database))
    }

    /// The row that it is about, in the state that it is about, and what else there has to be: another row of its kind, a
    /// member.
    async fn row(&self, right: &Right) -> Verdict<Rows> {
        let Some(kind) = right.row.as_deref() else { return Ok(Rows::default()) };
        let needs = |name: &str| {
            right
                .values
                .values()
                .chain(right.state.values())
                .any(|value| value.as_str() == Some(&format!("{{{name}}}")))
        };
        let device = match kind {
            "message" => self.make("device", &[]).await?["id"].clone(),
            _ => Value::Null,
        };
        let given = [("device", device)];
        let other = if needs("other") { self.make(kind, &given).await? } else { Value::Null };
        let member = if needs("member") { self.make("member", &[]).await? } else { Value::Null };
        let row = match kind {
            "institution" => self.read(kind, &json!(self.tenant.id)).await?,
            "profile" => self.read(kind, &json!(self.colleague().await?.id)).await?,
            _ => self.make(kind, &given).await?,
        };
        for further in &right.with {
            self.make(further, &[(kind, row[self.key(Some(kind))?].clone())]).await?;
        }
        let mut rows = Rows { row, other, member };
        if right.state.is_empty() {
            return Ok(rows);
        }
        let table = &self.writes.recipe(kind)?.table;
        let (query, state) = (equals(&rows.row["id"]), self.filled(&right.state, &rows));
        let unmade =
            |error: ClientError| Failure::undecided(format!("a {kind} can be {state}")).seen(error.to_string());
        self.service.update(&self.writes, table, &[("id", &query)], &state).await.map_err(unmade)?;
        rows.row =
            self.service.select(table, &[("id", &query)]).await.map_err(unmade)?.into_iter().next().unwrap_or_default();
        Ok(rows)
    }

    /// Somebody else of the same institution.
    async fn colleague(&self) -> Verdict<Person> {
        for role in self.check.contract().roles() {
            let person = self.writes.person(self.tenant, role).await?;
            if person.id != self.person.id {
                return Ok(person);
            }
        }
        Err(Failure::undecided("an institution has colleagues").expected("two roles").seen("one"))
    }

    /// A row that is there, by the column of its kind.
    async fn read(&self, kind: &str, id: &Value) -> Verdict<Value> {
        let recipe = self.writes.recipe(kind)?;
        let rows = self.service.select(&recipe.table, &[(recipe.key(), &equals(id))]).await;
        let rows = rows.map_err(unread(&recipe.table))?;
        let none = || Failure::undecided(format!("there is the {kind} of an attempt")).seen("none");
        rows.into_iter().next().ok_or_else(none)
    }

    async fn make(&self, kind: &str, given: &[(&str, Value)]) -> Verdict<Value> {
        let mut values: Vec<(&str, Value)> =
            vec![("group", Value::Null), ("amount", 100.into()), ("active", true.into())];
        match given {
            [(name, value)] if !value.is_null() => {
                values.retain(|(own, _)| own != name);
                values.push((name, value.clone()));
            }
            _ => values.push(("device", format!("{}-{kind}", self.mark).into())),
        }
        self.writes.make(self.tenant, kind, &values).await
    }

    fn filled(&self, values: &BTreeMap<String, Value>, rows: &Rows) -> Value {
        values.iter().map(|(name, value)| (name.clone(), self.fill(value, rows))).collect::<Map<_, _>>().into()
    }

    fn fill(&self, value: &Value, rows: &Rows) -> Value {
        let id = |row: &Value| row["id"].as_str().unwrap_or_default().to_owned();
        match value {
            Value::String(text) => text
                .replace("{institution}", &self.tenant.id)
                .replace("{code}", &self.mark)
                .replace("{row}", &id(&rows.row))
                .replace("{other}", &id(&rows.other))
                .replace("{member}", &id(&rows.member))
                .replace("{now}", &Timestamp::now().to_string())
                .into(),
            Value::Array(values) => values.iter().map(|value| self.fill(value, rows)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.fill(value, rows))).collect::<Map<_, _>>().into()
            }
            other => other.clone(),
        }
    }
}

/// A name in braces that stands for nothing.
fn unfilled(values: &Value) -> Option<(&String, &str)> {
    let is_name = |text: &&str| {
        let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        name.is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
    };
    values.as_object()?.iter().find_map(|(name, value)| Some((name, value.as_str().filter(is_name)?)))
}

/// A function's answer has what whoever calls it reads there.
fn names_all(right: &Right, function: &str, answer: &Value) -> Verdict {
    let lacking: Vec<_> = right.answers.iter().filter(|name| answer[name.as_str()].is_null()).cloned().collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let seen: Vec<_> = answer.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    Err(Failure::failed(format!("the answer of {function} has what callers read in it"))
        .expected(right.answers.join(", "))
        .seen(seen.join(", "))
        .at(format!("rpc/{function}"))
        .caused_by(Cause::Database))
}

fn answered(right: &Right, answer: Result<(), ClientError>) -> Verdict<bool> {
    match answer {
        Ok(()) => Ok(true),
        Err(ClientError::Refused(refusal)) if refusal.status.is_client_error() => Ok(false),
        Err(error) => Err(Failure::undecided(format!("the database says whether somebody may {}", right.name))
            .seen(error.to_string())),
    }
}
