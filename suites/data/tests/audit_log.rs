//! 4.3.4 "Audit log shows new events".

pub mod signed_in {
    use std::collections::BTreeMap;

    use harness::{Cause, Failure, Section, Verdict, check_if_promised};
    use serde_json::Value;
    use support::unread;

    /// So many events make a page here.
    const SIZE: usize = 3;

    /// Page by page, and of one kind, as somebody of the institution asks for them.
    #[test]
    fn each_page_of_the_log_has_its_events() -> Verdict {
        check_if_promised(&[Section::Audit, Section::Data], "4.3.4", async |check| {
            let (contract, audit) = (check.contract(), check.contract().audit()?);
            let Some(pages) = &audit.pages else { return Ok(()) };
            let reader = contract.data()?.readers.first().map(String::as_str).unwrap_or_default();
            let letter = contract.personas.get(reader).and_then(|persona| persona.institution.as_deref());
            let institution = check.deployment().institution(letter.unwrap_or_default())?;
            let (own, order) = (format!("eq.{institution}"), format!("{}.desc,id.asc", audit.time));
            let query = [(audit.tenant.as_str(), own.as_str()), ("order", &order)];
            let rows =
                check.deployment().service()?.select(&audit.table, &query).await.map_err(unread(&audit.table))?;
            let rest = check.deployment().rest()?.signed_in(&check.deployment().session(reader).await?);
            let text = |row: &Value, column: &str| row[column].as_str().unwrap_or_default().to_owned();
            let mut asked: Vec<(usize, BTreeMap<&str, String>)> = vec![(1, BTreeMap::new()), (2, BTreeMap::new())];
            // The rarest value tells most: what ignores the argument answers with others.
            for column in pages.filters.keys() {
                let mut values = BTreeMap::<String, usize>::new();
                rows.iter().for_each(|row| *values.entry(text(row, column)).or_default() += 1);
                let rarest = values.into_iter().min_by_key(|(_, count)| *count);
                asked.extend(rarest.map(|(value, _)| (1, BTreeMap::from([(column.as_str(), value)]))));
            }
            for (page, chosen) in asked {
                let (number, size) = (page.to_string(), SIZE.to_string());
                let mut arguments = vec![
                    (pages.institution.as_str(), institution.as_str()),
                    (&pages.page, &number),
                    (&pages.size, &size),
                ];
                arguments
                    .extend(chosen.iter().map(|(column, value)| (pages.filters[*column].as_str(), value.as_str())));
                let answer = rest.call_read_only(&pages.function, &arguments).await.map_err(unread(&pages.function))?;
                let of_kind: Vec<_> = rows
                    .iter()
                    .filter(|row| chosen.iter().all(|(column, value)| text(row, column) == *value))
                    .collect();
                let expected: Vec<_> =
                    of_kind.iter().skip((page - 1) * SIZE).take(SIZE).map(|row| text(row, "id")).collect();
                let items = answer[&pages.items].as_array().map(Vec::as_slice).unwrap_or_default();
                let seen: Vec<_> = items.iter().map(|row| text(row, "id")).collect();
                let total = answer[&pages.total].as_u64().and_then(|total| usize::try_from(total).ok());
                if seen != expected || total != Some(of_kind.len()) {
                    return Err(Failure::failed("each page of the audit log has its events, the newest first")
                        .expected(format!("{} of {} events: {}", expected.len(), of_kind.len(), expected.join(", ")))
                        .seen(format!("{} of {}: {}", seen.len(), answer[&pages.total], seen.join(", ")))
                        .at(format!("rpc/{}, page {page} {chosen:?}", pages.function))
                        .caused_by(Cause::Database));
                }
            }
            Ok(())
        })
    }
}

pub mod writes {
    use harness::{Failure, Section, Verdict, check, check_if_promised};
    use serde_json::{Value, json};
    use support::{Attempt, Desk, differences, equals, unread};

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

    /// Each kind of change that people make leaves one event, with who did it and where.
    #[test]
    fn every_kind_of_change_leaves_its_event() -> Verdict {
        check_if_promised(&[Section::Rights, Section::Make], "4.3.4", async |check| {
            let (audit, writes) = (check.contract().audit()?, check.deployment().writes().await?);
            let (tenant, service) = (writes.institution("events").await?, check.deployment().service()?);
            let manager = check.contract().allocation()?.manager.as_str();
            let person = writes.person(&tenant, manager).await?;
            let rest = check.deployment().rest()?.signed_in(&person.session);
            let (mut expected, mut seen) = (Vec::new(), Vec::new());
            for (at, right) in check.contract().rights()?.iter().enumerate() {
                let (Some(event), true) = (&right.event, right.roles.iter().any(|role| role == manager)) else {
                    continue;
                };
                let mark = format!("RC-{}-EVENT-{at}", writes.run());
                let attempt =
                    Attempt { check, writes, tenant: &tenant, person: &person, rest: &rest, service: &service, mark };
                let (actor, own) = (format!("eq.{}", person.id), format!("eq.{}", tenant.id));
                let named = format!("eq.{event}");
                let query = [(audit.actor.as_str(), actor.as_str()), (&audit.tenant, &own), (&audit.action, &named)];
                let count = async || service.count(&audit.table, &query).await.map_err(unread(&audit.table));
                let before = count().await?;
                if !attempt.succeeds(right).await? {
                    return Err(Failure::undecided(format!("{manager} may {}, to leave an event", right.name))
                        .seen("a refusal"));
                }
                let events = count().await?.saturating_sub(before);
                if events != 1 {
                    expected.push(format!("{}: 1 event {event}, by who did it", right.name));
                    seen.push(format!("{}: {events}", right.name));
                }
            }
            if expected.is_empty() {
                return Ok(());
            }
            Err(Failure::failed("every kind of change leaves its event, with who made it and where")
                .expected(expected.join("\n"))
                .seen(seen.join("\n"))
                .at(audit.table.as_str()))
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
