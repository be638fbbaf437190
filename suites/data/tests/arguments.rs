//! Arguments that may be left out: what is not given stays as it is.

pub mod writes {
    use std::collections::BTreeMap;

    use harness::{Cause, Changes, Failure, Right, Section, Verdict, check_if_promised};
    use serde_json::{Map, Value, json};
    use support::{equals, unread};

    /// Each argument alone changes its column, and no other.
    #[test]
    fn what_is_left_out_stays_as_it_is() -> Verdict {
        check_if_promised(&[Section::Rights, Section::Make], "4.1.8", async |check| {
            let writes = check.deployment().writes().await?;
            let (tenant, service) = (writes.institution("left out").await?, check.deployment().service()?);
            let rights = check.contract().rights()?.iter();
            let mut rights =
                rights.filter_map(|right| Some((right, right.call.as_ref()?, right.changes.as_ref()?))).peekable();
            if rights.peek().is_none() {
                return Err(Failure::not_run(
                    "the contract says which columns arguments change: `changes` in [[rights]]",
                ));
            }
            for (right, function, changes) in rights {
                let nobody = || Failure::undecided(format!("somebody may {}", right.name)).seen("no role");
                let person = writes.person(&tenant, right.roles.first().ok_or_else(nobody)?).await?;
                let rest = check.deployment().rest()?.signed_in(&person.session);
                let own = [(changes.by.as_str(), &*equals(&json!(tenant.id)))];
                let row = async || {
                    let rows = service.select(&changes.table, &own).await.map_err(unread(&changes.table))?;
                    Ok::<Value, Failure>(rows.into_iter().next().unwrap_or_default())
                };
                let cannot = |error: harness::ClientError| {
                    Failure::undecided(format!("{} can be other than they will be", changes.table))
                        .seen(error.to_string())
                };
                service.update(&writes, &changes.table, &own, &others(right, changes)).await.map_err(cannot)?;
                for (argument, changed) in &changes.columns {
                    let before = row().await?;
                    let given = right
                        .values
                        .iter()
                        .filter(|(name, _)| *name == argument || !changes.columns.contains_key(*name));
                    let institution =
                        |value: &Value| if value == "{institution}" { json!(tenant.id) } else { value.clone() };
                    let given: Map<_, _> = given.map(|(name, value)| (name.clone(), institution(value))).collect();
                    let asked = rest.call(&writes, function, &given.into()).await;
                    asked.map_err(|error| error.failure(format!("somebody may {}", right.name)))?;
                    let after = row().await?;
                    let mut expected: BTreeMap<_, _> =
                        changes.columns.values().map(|column| (column, &before[column])).collect();
                    expected.insert(changed, &right.values[argument]);
                    expected.retain(|column, value| after[*column] != **value);
                    if !expected.is_empty() {
                        let line = |column: &str, value: &Value| format!("{column}: {value}");
                        let seen: Vec<_> = expected.keys().map(|column| line(column, &after[*column])).collect();
                        let expected: Vec<_> = expected.iter().map(|(column, value)| line(column, value)).collect();
                        return Err(Failure::failed(format!(
                            "{argument} alone changes {changed}, and what is left out stays"
                        ))
                        .expected(expected.join("\n"))
                        .seen(seen.join("\n"))
                        .at(format!("rpc/{function}"))
                        .caused_by(Cause::Database));
                    }
                }
            }
            Ok(())
        })
    }

    /// What the row has before: of what is on or off the other one, so that a default shows.
    fn others(right: &Right, changes: &Changes) -> Value {
        let switched = changes.columns.iter().filter_map(|(argument, column)| {
            let value = right.values.get(argument)?.as_bool()?;
            Some((column.clone(), json!(!value)))
        });
        switched.collect::<Map<_, _>>().into()
    }
}
