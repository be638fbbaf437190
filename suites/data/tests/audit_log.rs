//! 4.3.4 "Audit log shows new events".

pub mod writes {
    use harness::{Failure, Verdict, check};
    use serde_json::{Value, json};
    use support::{equals, unread};

    use crate::desk::{Desk, differences};

    /// One event, which says who did what to which payment, where and when.
    #[test]
    fn an_allocation_leaves_one_event() -> Verdict {
        check("4.3.4", async |check| {
            let desk = Desk::open(check, "ours").await?;
            let (audit, actor) =
                (check.contract().audit()?, desk.person(&check.contract().allocation()?.writer).await?);
            let event = the_event(&desk).await?;
            let expected = [(&audit.actor, json!(actor.id)), (&audit.tenant, json!(desk.tenant.id))];
            let mut wrong: Vec<_> =
                expected.iter().filter(|(column, value)| event[column.as_str()] != *value).cloned().collect();
            if !desk.is_recent(&event[&audit.time]) {
                wrong.push((&audit.time, json!("a time within this check")));
            }
            if wrong.is_empty() {
                return Ok(());
            }
            let expected = wrong.iter().map(|(column, value)| format!("{column}: {value}"));
            let seen = wrong.iter().map(|(column, _)| format!("{column}: {}", event[column.as_str()]));
            Err(Failure::failed("the event says who did it, in which institution, and when")
                .expected(expected.collect::<Vec<_>>().join("\n"))
                .seen(seen.collect::<Vec<_>>().join("\n"))
                .at(format!("{} {}", audit.table, event["id"])))
        })
    }

    /// The institution's own people see the event, and nobody of another institution does.
    #[test]
    fn an_event_is_seen_in_its_institution_only() -> Verdict {
        check("4.3.4", async |check| {
            let desk = Desk::open(check, "ours").await?;
            let (audit, words) = (check.contract().audit()?, check.contract().allocation()?);
            let event = equals(&the_event(&desk).await?["id"]);
            let elsewhere = desk.writes.institution("other").await?;
            let auditor = desk.rest(&desk.person(&words.reader).await?)?;
            let stranger = desk.rest(&desk.writes.person(&elsewhere, &words.writer).await?)?;
            let query = [("id", event.as_str())];
            let seen = (
                auditor.count(&audit.table, &query).await.map_err(unread(&audit.table))?,
                stranger.count(&audit.table, &query).await.map_err(unread(&audit.table))?,
            );
            if seen == (1, 0) {
                return Ok(());
            }
            Err(Failure::failed("an event is seen in its institution and nowhere else")
                .expected("1 event for its institution's auditor, 0 for staff of another institution")
                .seen(format!("{} and {}", seen.0, seen.1))
                .at(format!("/rest/v1/{}", audit.table)))
        })
    }

    /// Nobody who is signed in can change or delete an event.
    #[test]
    fn an_event_stays_as_it_is() -> Verdict {
        check("4.3.4", async |check| {
            let desk = Desk::open(check, "ours").await?;
            let (audit, words) = (check.contract().audit()?, check.contract().allocation()?);
            let event = the_event(&desk).await?;
            let id = equals(&event["id"]);
            let query = [("id", id.as_str())];
            for role in [&words.manager, &words.writer, &words.reader] {
                let rest = desk.rest(&desk.person(role).await?)?;
                if rest.count(&audit.table, &query).await.map_err(unread(&audit.table))? != 1 {
                    return Err(Failure::undecided(format!("somebody who tries to change an event sees it ({role})"))
                        .expected("1 event")
                        .seen("none"));
                }
                // What became of the attempts shows in the row: one that reaches nothing is a success, too.
                let _ = rest.update(&desk.writes, &audit.table, &query, &json!({ &audit.action: "forged" })).await;
                let _ = rest.delete(&desk.writes, &audit.table, &query).await;
                let now = desk.service.select(&audit.table, &query).await.map_err(unread(&audit.table))?;
                let now = now.into_iter().next().unwrap_or(Value::Null);
                if now != event {
                    let (before, after) = differences(&event, &now, &[]);
                    return Err(Failure::failed("nobody who is signed in can change or delete an event")
                        .expected(if now.is_null() { "the event as it was".to_owned() } else { before })
                        .seen(if now.is_null() { format!("deleted by {role}") } else { format!("{after}, by {role}") })
                        .at(format!("{} {}", audit.table, event["id"])));
                }
            }
            Ok(())
        })
    }

    /// Allocates the desk's payment and finds the one event of it.
    async fn the_event(desk: &Desk<'_>) -> Verdict<Value> {
        let teller = desk.rest(&desk.person(&desk.check.contract().allocation()?.writer).await?)?;
        desk.allocate(&teller, &desk.payment, &desk.member, "for the audit log")
            .await
            .map_err(|error| Failure::undecided("there is an allocation to leave an event").seen(error.to_string()))?;
        let audit = desk.check.contract().audit()?;
        let mut events = desk.events(&desk.payment).await?;
        if events.len() == 1 {
            return Ok(events.remove(0));
        }
        Err(Failure::failed("an allocation leaves one event in the audit log")
            .expected(format!(
                "1 event called {} about transaction {}",
                audit.accepted.join(" or "),
                desk.payment["id"]
            ))
            .seen(format!("{} events", events.len()))
            .at(audit.table.as_str()))
    }
}
