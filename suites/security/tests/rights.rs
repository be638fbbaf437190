//! Who may do what within an institution, by the contract, on whatever deployment: judged by what became of a row.

pub mod writes {
    use harness::{
        Check, ClientError, Failure, RestClient, Right, Section, Tenant, Verdict, Writes, check_if_promised,
    };
    use serde_json::{Map, Value};

    /// Each right for each role, with a row of its own.
    #[test]
    fn each_role_may_do_what_the_contract_says() -> Verdict {
        check_if_promised(&[Section::Rights, Section::Trail, Section::Make], "pre.2.5", async |check| {
            let writes = check.deployment().writes().await?;
            let tenant = writes.institution("rights").await?;
            let (mut expected, mut seen) = (Vec::new(), Vec::new());
            for role in &check.contract().trail()?.roles {
                let person = writes.person(&tenant, role).await?;
                let rest = check.deployment().rest()?.signed_in(&person.session);
                for (at, right) in check.contract().rights()?.iter().enumerate() {
                    let mark = format!("RC-{}-{at}-{}", writes.run(), role.to_lowercase());
                    let attempt = Attempt { check, writes, tenant: &tenant, rest: &rest, mark };
                    let may = attempt.succeeds(right).await?;
                    if may != right.roles.contains(role) {
                        let word = |may: bool| if may { "may" } else { "may not" };
                        expected.push(format!("{role} {} {}", word(!may), right.name));
                        seen.push(format!("{role} {} {}", word(may), right.name));
                    }
                }
            }
            if expected.is_empty() {
                return Ok(());
            }
            Err(Failure::failed("each role may do what the contract says, and nothing else")
                .expected(expected.join("\n"))
                .seen(seen.join("\n"))
                .advice("take back the grant or the policy that allows it; if it is meant, change [[rights]] of the contract"))
        })
    }

    /// Somebody's attempt at something.
    struct Attempt<'a> {
        check: &'a Check,
        writes: Writes<'a>,
        tenant: &'a Tenant,
        rest: &'a RestClient,
        mark: String,
    }

    impl Attempt<'_> {
        async fn succeeds(&self, right: &Right) -> Verdict<bool> {
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
            let now = self.check.deployment().service()?.select(table, &query).await;
            let now =
                now.map_err(|error| Failure::undecided(format!("{table} can be read")).seen(error.to_string()))?;
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
}
