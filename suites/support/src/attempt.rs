//! Somebody's attempt at what a contract lists as a right.

use harness::{ClientError, Failure, RestClient, Right, Tenant, Verdict, Writes};
use serde_json::{Map, Value};

/// Somebody's attempt at something.
pub struct Attempt<'a> {
    /// The permission to change the deployment.
    pub writes: Writes<'a>,
    /// Where.
    pub tenant: &'a Tenant,
    /// As whom.
    pub rest: &'a RestClient,
    /// With the service's key.
    pub service: &'a RestClient,
    /// What stands for `{code}`.
    pub mark: String,
}

impl Attempt<'_> {
    /// Whether somebody could, judged by what became of the row.
    ///
    /// # Errors
    /// Undecided when the row cannot be made or looked at.
    pub async fn succeeds(&self, right: &Right) -> Verdict<bool> {
        let values = self.filled(right);
        if let Some(function) = &right.call {
            return answered(right, self.rest.call(&self.writes, function, &values).await.map(drop));
        }
        if let Some(table) = &right.insert {
            return answered(right, self.rest.add(&self.writes, table, &values).await);
        }
        let row = self.row(right).await?;
        let id = format!("eq.{}", row["id"].as_str().unwrap_or_default());
        let query = [("id", id.as_str())];
        let table = right.update.as_ref().or(right.delete.as_ref()).map_or("", String::as_str);
        // Whether it is refused is no matter: what counts is the row.
        let _ = match right.update {
            Some(_) => self.rest.update(&self.writes, table, &query, &values).await,
            None => self.rest.delete(&self.writes, table, &query).await,
        };
        let now = self.service.select(table, &query).await;
        let now = now.map_err(|error| Failure::undecided(format!("{table} can be read")).seen(error.to_string()))?;
        let columns = values.as_object().into_iter().flatten().map(|(column, _)| column);
        let is_changed = |now: &Value| columns.clone().any(|column| now[column] != row[column]);
        Ok(now.first().is_none_or(is_changed))
    }

    async fn row(&self, right: &Right) -> Verdict<Value> {
        match right.row.as_deref() {
            Some("group") => self.writes.make(self.tenant, "group", &[]).await,
            Some("transaction") => self.writes.make(self.tenant, "transaction", &[("amount", 100.into())]).await,
            _ => self.writes.make(self.tenant, "member", &[("group", Value::Null)]).await,
        }
    }

    fn filled(&self, right: &Right) -> Value {
        let fill = |value: &Value| match value.as_str() {
            Some(text) => text.replace("{institution}", &self.tenant.id).replace("{code}", &self.mark).into(),
            None => value.clone(),
        };
        right.values.iter().map(|(name, value)| (name.clone(), fill(value))).collect::<Map<_, _>>().into()
    }
}

fn answered(right: &Right, answer: Result<(), ClientError>) -> Verdict<bool> {
    match answer {
        Ok(()) => Ok(true),
        Err(ClientError::Refused(refusal)) if refusal.status.is_client_error() => Ok(false),
        Err(error) => Err(Failure::undecided(format!("the database says whether somebody may {}", right.name))
            .seen(error.to_string())),
    }
}
