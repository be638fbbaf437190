//! 4.3.3 "Allocating a transaction works".

pub mod writes {
    use harness::{Cause, ClientError, Failure, Section, Verdict, check, check_if_promised};
    use rstest::rstest;
    use serde_json::{Value, json};
    use support::{Desk, differences, equals, unread};

    /// How often two people try at the same instant.
    const ROUNDS: usize = 50;

    /// Columns of the ledger that any change may touch.
    const BOOKKEEPING: [&str; 1] = ["updated_at"];

    #[test]
    fn the_function_allocates() -> Verdict {
        check("4.3.3", async |check| {
            let desk = Desk::open(check, "ours").await?;
            let teller = desk.person(&check.contract().allocation()?.writer).await?;
            desk.allocate(&desk.rest(&teller)?, &desk.payment, &desk.member, "by the function")
                .await
                .map_err(|error| refused_to_a_writer(&error))?;
            is_allocated(&desk, &teller.id, Some("by the function")).await?;
            takes_no_second_record(&desk).await
        })
    }

    /// What a person does: find the row, allocate it in the dialog, see it leave the list and the figures follow.
    #[test]
    fn the_dialog_allocates() -> Verdict {
        check_if_promised(&[Section::Dashboard, Section::Data], "4.3.3", async |check| {
            let desk = Desk::open(check, "dialog").await?;
            let (contract, words) = (check.contract(), check.contract().allocation()?);
            let teller = desk.person(&words.writer).await?;
            let page = check.page().await?;
            page.hold(&teller.session).await?;
            let dashboard = contract.route_of(&contract.dashboard()?.route);
            page.open(dashboard).await?.expect_on_the_way("the dashboard is on screen")?;
            let before = page.figures().await?;

            let reference = desk.payment[&contract.ledger()?.reference].as_str().unwrap_or_default();
            page.open_unallocated(reference).await?;
            page.allocate(reference, &desk.member, "by the dialog").await?.expect_quiet()?;
            is_allocated(&desk, &teller.id, words.note_field.as_ref().map(|_| "by the dialog")).await?;

            page.open(dashboard).await?.expect_on_the_way("the dashboard is on screen again")?;
            let after = page.figures().await?;
            let mut expected = Vec::new();
            for kpi in &contract.dashboard()?.kpis {
                expected.push(kpi.of_rows(&desk.service, contract.data()?, &desk.tenant.id).await?);
            }
            let are_expected = after.iter().zip(&expected).all(|(shown, figure)| shown.is(*figure));
            if are_expected && after != before {
                return Ok(());
            }
            Err(Failure::failed("the figures follow an allocation")
                .expected(format!("{}, which is not {}", listed(&expected), listed(&before)))
                .seen(listed(&after)))
        })
    }

    #[rstest]
    #[case::of_what_is_allocated_already(Attempt::Again)]
    #[case::to_a_member_of_another_institution(Attempt::ToAnotherInstitution)]
    #[case::by_an_auditor(Attempt::ByAReader)]
    #[case::by_another_institutions_staff(Attempt::ByAnotherInstitution)]
    #[case::by_a_visitor(Attempt::ByAVisitor)]
    fn an_allocation_is_refused(#[case] attempt: Attempt) -> Verdict {
        check("4.3.3", async |check| {
            let desk = Desk::open(check, "ours").await?;
            let words = check.contract().allocation()?;
            let teller = desk.rest(&desk.person(&words.writer).await?)?;
            let (mut rest, mut member) = (teller.clone(), desk.member.clone());
            match attempt {
                Attempt::Again => {
                    desk.allocate(&teller, &desk.payment, &desk.member, "first")
                        .await
                        .map_err(|error| refused_to_a_writer(&error))?;
                    member = desk.writes.make(&desk.tenant, "member", &[("group", desk.group["id"].clone())]).await?;
                }
                Attempt::ToAnotherInstitution => {
                    let elsewhere = desk.writes.institution("other").await?;
                    member = desk.writes.make(&elsewhere, "member", &[("group", Value::Null)]).await?;
                }
                Attempt::ByAReader => rest = desk.rest(&desk.person(&words.reader).await?)?,
                Attempt::ByAnotherInstitution => {
                    let elsewhere = desk.writes.institution("other").await?;
                    rest = desk.rest(&desk.writes.person(&elsewhere, &words.writer).await?)?;
                }
                Attempt::ByAVisitor => rest = check.deployment().rest()?,
            }
            let (before, records) = (desk.now(&desk.payment).await?, desk.records(&desk.payment).await?);
            let answer = desk.allocate(&rest, &desk.payment, &member, "must not be").await;
            let (after, records_after) = (desk.now(&desk.payment).await?, desk.records(&desk.payment).await?);

            let claim = attempt.claim();
            if before != after || records != records_after {
                let (before, after) = differences(&before, &after, &[]);
                return Err(Failure::failed(claim)
                    .expected(format!("nothing changed, {records} allocation records\n{before}"))
                    .seen(format!("{records_after} allocation records\n{after}"))
                    .at(format!("rpc/{}", words.function)));
            }
            match answer {
                Err(ClientError::Refused(refusal)) if refusal.status.is_client_error() => {}
                Ok(answer) if answer["success"] == false => {}
                Ok(answer) => {
                    return Err(Failure::failed(claim)
                        .expected("a refusal")
                        .seen(format!("success, though nothing was changed: {answer}"))
                        .at(format!("rpc/{}", words.function)));
                }
                Err(error) => return Err(Failure::undecided(claim).expected("a refusal").seen(error.to_string())),
            }
            if attempt == Attempt::Again {
                return Ok(());
            }
            // The control: nothing else kept the payment from being allocated.
            desk.allocate(&teller, &desk.payment, &desk.member, "control").await.map(drop).map_err(|error| {
                Failure::undecided(claim)
                    .expected("the same payment allocated by a writer, as a control")
                    .seen(error.to_string())
            })
        })
    }

    /// Amount, time, payer, reference and currency stay what they were, whoever asks.
    #[test]
    fn the_facts_of_a_transaction_never_change() -> Verdict {
        check("4.3.3", async |check| {
            let desk = Desk::open(check, "ours").await?;
            let (words, table) = (check.contract().allocation()?, &check.contract().ledger()?.table);
            let manager = desk.rest(&desk.person(&words.manager).await?)?;
            let payment = equals(&desk.payment["id"]);
            let query = [("id", payment.as_str())];
            let before = desk.now(&desk.payment).await?;
            let mut changed = Vec::new();
            for (column, value) in &words.facts {
                for (who, rest) in [("the institution's manager", &manager), ("the service", &desk.service)] {
                    // Whether it was refused shows in the row: an update that reaches nothing is a success, too.
                    let _ = rest.update(&desk.writes, table, &query, &json!({ column: value })).await;
                    let now = desk.now(&desk.payment).await?;
                    if now[column] != before[column] {
                        changed.push(format!("{column}: {} instead of {}, by {who}", now[column], before[column]));
                        // A fault may protect nothing at all: the next attempt starts from what is known.
                        let _ =
                            desk.service.update(&desk.writes, table, &query, &json!({ column: before[column] })).await;
                    }
                }
            }
            if !changed.is_empty() || words.facts.is_empty() {
                return Err(Failure::failed("the facts of a transaction never change")
                    .expected(
                        words
                            .facts
                            .keys()
                            .map(|column| format!("{column}: {}", before[column]))
                            .collect::<Vec<_>>()
                            .join("\n"),
                    )
                    .seen(changed.join("\n"))
                    .at(format!("/rest/v1/{table}")));
            }
            // The control: an update of what is no fact reaches the row.
            let note = &words.sets.note;
            let noted = desk.service.update(&desk.writes, table, &query, &json!({ note: "control" })).await;
            match desk.now(&desk.payment).await?[note] == "control" {
                true => Ok(()),
                false => Err(Failure::undecided("an update reaches the transaction at all")
                    .expected(format!("{note}: \"control\""))
                    .seen(noted.err().map_or_else(|| "no change".to_owned(), |error| error.to_string()))),
            }
        })
    }

    /// Two people allocate the same payment at the same instant: one succeeds.
    #[test]
    fn of_two_people_at_the_same_instant_one_allocates() -> Verdict {
        check("4.3.3", async |check| {
            let desk = Desk::open(check, "ours").await?;
            let words = check.contract().allocation()?;
            let one = desk.rest(&desk.person(&words.writer).await?)?;
            let other = desk.rest(&desk.person(&words.second_writer).await?)?;
            for round in 1..=ROUNDS {
                let payment = desk.writes.make(&desk.tenant, "transaction", &[("amount", json!(round))]).await?;
                let (first, second) = tokio::join!(
                    desk.allocate(&one, &payment, &desk.member, "one"),
                    desk.allocate(&other, &payment, &desk.member, "other")
                );
                let successes = [&first, &second].iter().filter(|answer| answer.is_ok()).count();
                let (records, events) = (desk.records(&payment).await?, desk.events(&payment).await?.len());
                if (successes, records, events) != (1, 1, 1) {
                    return Err(Failure::failed("of two people at the same instant exactly one allocates")
                        .expected("1 success, 1 allocation record, 1 audit event")
                        .seen(format!("{successes} successes, {records} allocation records, {events} audit events in round {round} of {ROUNDS}"))
                        .at(format!("rpc/{}", words.function)));
                }
            }
            Ok(())
        })
    }

    /// Who tries what must not be.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Attempt {
        Again,
        ToAnotherInstitution,
        ByAReader,
        ByAnotherInstitution,
        ByAVisitor,
    }

    impl Attempt {
        fn claim(self) -> &'static str {
            match self {
                Attempt::Again => "what is allocated is not allocated again",
                Attempt::ToAnotherInstitution => "a payment is not given to a member of another institution",
                Attempt::ByAReader => "an auditor allocates nothing",
                Attempt::ByAnotherInstitution => "staff of another institution allocates nothing here",
                Attempt::ByAVisitor => "somebody who is not signed in allocates nothing",
            }
        }
    }

    fn refused_to_a_writer(error: &ClientError) -> Failure {
        error.failure("somebody who may allocate can").caused_by(Cause::Database).expected("200 with success")
    }

    fn listed(figures: &[impl ToString]) -> String {
        figures.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// The table of allocations refuses a second record of a payment, to another member, also where nobody else looks.
    async fn takes_no_second_record(desk: &Desk<'_>) -> Verdict {
        let record = &desk.check.contract().allocation()?.record;
        let query = (record.transaction.as_str(), equals(&desk.payment["id"]));
        let rows = desk.service.select(&record.table, &[(query.0, &query.1)]).await.map_err(unread(&record.table))?;
        let other = desk.writes.make(&desk.tenant, "member", &[("group", desk.group["id"].clone())]).await?;
        let mut second = rows.into_iter().next().unwrap_or_default();
        if let Some(second) = second.as_object_mut() {
            second.remove("id");
            second.insert(record.member.clone(), other["id"].clone());
        }
        // Whether it was refused shows in the table.
        let _ = desk.service.insert(&desk.writes, &record.table, &second).await;
        match desk.records(&desk.payment).await? {
            1 => Ok(()),
            records => Err(Failure::failed("a payment is given to one member, whoever writes the record")
                .expected("1 record, and a second one refused by the table")
                .seen(format!("{records} records, of two members"))
                .at(record.table.as_str())
                .advice(format!("make {} of {} unique", record.transaction, record.table))
                .caused_by(Cause::Database)),
        }
    }

    /// Status, member, group, actor, time and note, if there is one, are set, there is one record, and nothing else has
    /// changed.
    async fn is_allocated(desk: &Desk<'_>, actor: &str, note: Option<&str>) -> Verdict {
        let words = desk.check.contract().allocation()?;
        let (now, records, sets) = (desk.now(&desk.payment).await?, desk.records(&desk.payment).await?, &words.sets);
        let mut expected = vec![
            (&sets.status, json!(words.done)),
            (&sets.member, desk.member["id"].clone()),
            (&sets.group, desk.group["id"].clone()),
            (&sets.actor, json!(actor)),
        ];
        expected.extend(note.map(|note| (&sets.note, json!(note))));
        let mut wrong: Vec<_> =
            expected.iter().filter(|(column, value)| now[column.as_str()] != *value).cloned().collect();
        if !desk.is_recent(&now[&sets.time]) {
            wrong.push((&sets.time, json!("a time within this check")));
        }
        let lines = |row: &dyn Fn(&str, &Value) -> String| {
            wrong
                .iter()
                .map(|(column, value)| format!("{column}: {}", row(column, value)))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let table = &desk.check.contract().ledger()?.table;
        let failure = |claim: &str| Failure::failed(claim).at(format!("{table} {}", now["id"]));
        if !wrong.is_empty() {
            return Err(failure("an allocation says who gave the payment to whom, when and why")
                .expected(lines(&|_, value| value.to_string()))
                .seen(lines(&|column, _| now[column].to_string())));
        }
        let set = [&sets.status, &sets.member, &sets.group, &sets.actor, &sets.note, &sets.time].map(String::as_str);
        let (before, after) = differences(&desk.payment, &now, &[&set[..], &BOOKKEEPING].concat());
        if !after.is_empty() {
            return Err(failure("an allocation leaves the facts of the payment alone").expected(before).seen(after));
        }
        if records != 1 {
            return Err(failure("an allocation leaves one record").expected("1").seen(records.to_string()));
        }
        Ok(())
    }
}
