//! 4.3.4 "Audit log shows new events".

pub mod signed_in {
    use std::collections::BTreeMap;

    use harness::{Audit, AuditPages, Cause, Failure, RestClient, Section, Verdict, check_if_promised};
    use serde_json::Value;
    use support::unread;

    use crate::institutions::owner;

    /// So many events make a page here.
    const SIZE: usize = 3;

    /// Among so many of the newest events a kind is looked for that is rare: what ignores the argument answers with others.
    const NEWEST: &str = "200";

    /// What is read again if it differs: others may act meanwhile.
    const TRIES: usize = 3;

    /// Page by page, and of one kind, as somebody of the institution asks for them.
    #[test]
    fn each_page_of_the_log_has_its_events() -> Verdict {
        check_if_promised(&[Section::Audit, Section::Data], "4.3.4", async |check| {
            let (contract, audit) = (check.contract(), check.contract().audit()?);
            let pages = audit.pages.as_ref().ok_or_else(|| {
                Failure::undecided("the contract says which function pages the log")
                    .expected("[audit.pages]")
                    .seen("none")
            })?;
            let reader = contract.data()?.readers.first().map(String::as_str).unwrap_or_default();
            let institution = owner(check, reader).await?;
            let rest = check.deployment().rest()?.signed_in(&check.deployment().session(reader).await?);
            let log = Log { audit, pages, institution, service: check.deployment().service()?, rest };
            let newest = log.events(&[], &[("limit", NEWEST)]).await?;
            log.expect_page(1, None).await?;
            log.expect_page(2, None).await?;
            for column in pages.filters.keys() {
                let mut values = BTreeMap::<&str, usize>::new();
                newest.iter().filter_map(|row| row[column].as_str()).for_each(|it| *values.entry(it).or_default() += 1);
                let rarest = values.into_iter().min_by_key(|(_, count)| *count);
                let unknown = || Failure::undecided(format!("there are events with a {column}")).seen("none");
                log.expect_page(1, Some((column, rarest.ok_or_else(unknown)?.0))).await?;
            }
            Ok(())
        })
    }

    /// The log of one institution, as the service and as one of its people read it.
    struct Log<'c> {
        audit: &'c Audit,
        pages: &'c AuditPages,
        institution: String,
        service: RestClient,
        rest: RestClient,
    }

    impl Log<'_> {
        async fn events(&self, chosen: &[(&str, &str)], more: &[(&str, &str)]) -> Verdict<Vec<Value>> {
            let own = format!("eq.{}", self.institution);
            let order = format!("{}.desc,id.asc", self.audit.time);
            let mut query = vec![(self.audit.tenant.as_str(), own.as_str()), ("order", &order)];
            query.extend(chosen.iter().chain(more));
            self.service.select(&self.audit.table, &query).await.map_err(unread(&self.audit.table))
        }

        /// Events of a page and how many there are of all, as the rows have them and as the function answers.
        async fn both(&self, page: usize, chosen: Option<(&str, &str)>) -> Verdict<[(Vec<String>, u64); 2]> {
            let ids = |rows: &[Value]| rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect();
            let filter = chosen.map(|(column, value)| (column, format!("eq.{value}")));
            let filter: Vec<_> = filter.iter().map(|(column, value)| (*column, value.as_str())).collect();
            let (size, offset, number) = (SIZE.to_string(), ((page - 1) * SIZE).to_string(), page.to_string());
            let rows = self.events(&filter, &[("limit", &size), ("offset", &offset)]).await?;
            let own = format!("eq.{}", self.institution);
            let query: Vec<_> = [(self.audit.tenant.as_str(), own.as_str())].into_iter().chain(filter).collect();
            let total = self.service.count(&self.audit.table, &query).await.map_err(unread(&self.audit.table))?;

            let pages = self.pages;
            let mut arguments = vec![
                (pages.institution.as_str(), self.institution.as_str()),
                (&pages.page, &number),
                (&pages.size, &size),
            ];
            arguments.extend(chosen.map(|(column, value)| (pages.filters[column].as_str(), value)));
            let answer =
                self.rest.call_read_only(&pages.function, &arguments).await.map_err(unread(&pages.function))?;
            self.repeats(&answer, &arguments)?;
            let items = answer[&pages.items].as_array().map(Vec::as_slice).unwrap_or_default();
            Ok([(ids(&rows), total), (ids(items), answer[&pages.total].as_u64().unwrap_or_default())])
        }

        /// What the answer says of itself is what was asked for.
        fn repeats(&self, answer: &Value, arguments: &[(&str, &str)]) -> Verdict {
            for (key, argument) in &self.pages.repeats {
                let asked = arguments.iter().find(|(name, _)| name == argument).map_or("nothing", |(_, value)| value);
                let said = answer[key].as_str().map_or_else(|| answer[key].to_string(), str::to_owned);
                if said != asked {
                    return Err(Failure::failed("a page of the audit log says which one it is")
                        .expected(format!("{key}: {asked}"))
                        .seen(format!("{key}: {said}"))
                        .at(format!("rpc/{}", self.pages.function))
                        .caused_by(Cause::Database));
                }
            }
            Ok(())
        }

        async fn expect_page(&self, page: usize, chosen: Option<(&str, &str)>) -> Verdict {
            let mut tries = 1;
            let [expected, seen] = loop {
                let both = self.both(page, chosen).await?;
                if both[0] == both[1] {
                    return Ok(());
                }
                if tries == TRIES {
                    break both;
                }
                tries += 1;
            };
            let shown = |(ids, total): (Vec<String>, u64)| format!("{} of {total}: {}", ids.len(), ids.join(", "));
            let of = chosen.map_or_else(String::new, |(column, value)| format!(", {column} {value:?}"));
            Err(Failure::failed("each page of the audit log has its events, the newest first")
                .expected(shown(expected))
                .seen(shown(seen))
                .at(format!("rpc/{}, page {page}{of}", self.pages.function))
                .caused_by(Cause::Database))
        }
    }
}

pub mod writes {
    use harness::{Failure, Section, Verdict, check, check_if_promised};
    use serde_json::{Value, json};
    use support::{Attempt, Desk, differences, equals, unread};

    use crate::trace::Trace;

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

    /// Each kind of change that people make leaves one event, with who did it and where, of what was changed.
    #[test]
    fn every_kind_of_change_leaves_its_event() -> Verdict {
        check_if_promised(&[Section::Rights, Section::Make], "4.3.4", async |check| {
            let (audit, writes) = (check.contract().audit()?, check.deployment().writes().await?);
            let (tenant, service) = (writes.institution("events").await?, check.deployment().service()?);
            let manager = check.contract().allocation()?.manager.as_str();
            let person = writes.person(&tenant, manager).await?;
            let rest = check.deployment().rest()?.signed_in(&person.session);
            let mut trace = Trace::new(audit, &service, &tenant, &person);
            for (at, right) in check.contract().rights()?.iter().enumerate() {
                let (Some(event), true) = (&right.event, right.roles.iter().any(|role| role == manager)) else {
                    continue;
                };
                let mark = format!("RC-{}-EVENT-{at}", writes.run());
                let attempt =
                    Attempt { check, writes, tenant: &tenant, person: &person, rest: &rest, service: &service, mark };
                let before = trace.events(event).await?;
                let tried = attempt.tried(right).await?;
                if !tried.succeeded {
                    return Err(Failure::undecided(format!("{manager} may {}, to leave an event", right.name))
                        .seen("a refusal"));
                }
                let mut left = trace.events(event).await?;
                left.retain(|event| !before.contains(event));
                trace.compare(right, event, &tried, &left).await?;
            }
            trace.is_whole()?;
            trace.leads_to_rows().await
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
