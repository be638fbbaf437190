//! 4.4.5 "A message gets from the POST to the ledger": one payment, followed all the way.

pub mod writes {
    use std::time::Duration;

    use harness::{Cause, Failure, Shown, Stopwatch, Took, Verdict, check, or_none};
    use rust_decimal::Decimal;
    use serde_json::json;
    use support::{Gateway, equals, unread};

    const AMOUNT: u32 = 12_345;

    #[test]
    fn a_payment_is_sent_read_listed_allocated_and_counted() -> Verdict {
        check("4.4.5", async |check| {
            let contract = check.contract();
            let (sms, words) = (contract.sms()?, contract.allocation()?);
            let gateway = Gateway::open(check, "story").await?;
            let group = gateway.writes.make(&gateway.tenant, "group", &[]).await?;
            let member = gateway.writes.make(&gateway.tenant, "member", &[("group", group["id"].clone())]).await?;
            let teller = gateway.writes.person(&gateway.tenant, &words.writer).await?;

            // A teller looks at the dashboard.
            let page = check.page().await?;
            page.hold(&teller.session).await?;
            let dashboard = contract.route_of(&contract.dashboard()?.route);
            page.open(dashboard).await?.expect_on_the_way("the dashboard is on screen")?;
            let before = page.figures().await?;

            // A member pays, and the gateway's device reports it.
            let (text, reference) = gateway.payment(AMOUNT);
            let (sms_id, transaction_id) = gateway.ingest(&gateway.message(text)).await?;
            let answered = Stopwatch::start();

            // The message is kept, one attempt read it, and there is one transaction of it.
            let raw = gateway.raw().await?;
            let attempts = gateway.attempts(&sms_id).await?;
            let transactions = gateway.transactions(&sms_id).await?;
            let ids: Vec<_> = transactions.iter().map(|row| row["id"].as_str()).collect();
            let read = attempts.iter().any(|attempt| attempt[&sms.attempts.status] == *sms.attempts.success);
            if raw.len() != 1 || !sms.raw.is(&raw[0], &sms.raw.success) || !read || ids != [transaction_id.as_deref()] {
                return Err(Failure::failed("a message leaves its row, its attempt and its transaction")
                    .expected(format!(
                        "1 raw row with {}, an attempt with {}, the transaction {}",
                        sms.raw.success,
                        sms.attempts.success,
                        or_none(transaction_id)
                    ))
                    .seen(format!("{} raw rows, {} attempts, transactions {}", raw.len(), attempts.len(), named(&ids)))
                    .at(format!("{} {sms_id}", sms.raw.table)));
            }

            let status = &transactions[0][&contract.ledger()?.status];
            if *status != *words.open {
                return Err(Failure::failed("a payment comes into the ledger to be allocated")
                    .expected(format!("{}: {}", contract.ledger()?.status, words.open))
                    .seen(format!("{}: {status}", contract.ledger()?.status))
                    .at(format!("{} {}", contract.ledger()?.table, named(&ids))));
            }

            // The teller opens the ledger: it is there, not allocated.
            let shown = page.open_unallocated(&reference).await?;
            let took = answered.took();
            let took = Took { waited: took.waited + shown.took().waited, ..took };
            let limit = Duration::from_millis(sms.in_ledger_within_ms);
            check.measured(format!("in the ledger after {} ms", took.wall.as_millis()));
            if took.wall > limit {
                return Err(Failure::failed("a payment is in the ledger's view soon")
                    .caused_by(Cause::Slow)
                    .expected(format!("within {} ms of the endpoint's answer", limit.as_millis()))
                    .seen(format!("{} ms", took.wall.as_millis()))
                    .unless_kept_waiting(took, limit));
            }

            // The teller gives it to the member.
            page.allocate(&reference, &member, "by the release check").await?.expect_quiet()?;
            let now = gateway.transactions(&sms_id).await?;
            let (status, owner) = (&now[0][&words.sets.status], &now[0][&words.sets.member]);
            if *status != *words.done || *owner != member["id"] {
                return Err(Failure::failed("the payment is the member's")
                    .caused_by(Cause::Database)
                    .expected(format!("{}: {}, {}: {}", words.sets.status, words.done, words.sets.member, member["id"]))
                    .seen(format!("{}: {status}, {}: {owner}", words.sets.status, words.sets.member)));
            }
            let audit = contract.audit()?;
            let (entity, accepted) = (equals(&now[0]["id"]), format!("in.({})", audit.accepted.join(",")));
            let query = [(audit.entity.as_str(), entity.as_str()), (&audit.action, &accepted)];
            let events = gateway.service.select(&audit.table, &query).await.map_err(unread(&audit.table))?;
            if events.len() != 1 || events[0][&audit.actor] != json!(teller.id) {
                return Err(Failure::failed("the audit log has the allocation")
                    .caused_by(Cause::Database)
                    .expected(format!("1 event by {}", teller.id))
                    .seen(format!("{} events: {}", events.len(), json!(events)))
                    .at(&audit.table));
            }

            // The figures have moved by the amount, and are those of the rows.
            page.open(dashboard).await?.expect_on_the_way("the dashboard is on screen again")?;
            let after = page.figures().await?;
            let mut expected = Vec::new();
            for kpi in &contract.dashboard()?.kpis {
                expected.push(kpi.of_rows(&gateway.service, contract.data()?, &gateway.tenant.id).await?);
            }
            let amount = Decimal::from(AMOUNT);
            let moved = before.iter().zip(&after).any(|(before, after)| after.grown(*before, amount) == amount);
            if moved && after.iter().zip(&expected).all(|(shown, figure)| shown.is(*figure)) {
                return Ok(());
            }
            let listed = |figures: &[Shown]| figures.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let figures: Vec<_> = expected.iter().map(ToString::to_string).collect();
            Err(Failure::failed("the figures move by the amount of the payment")
                .expected(format!("{}, some of them {AMOUNT} more than {}", figures.join(", "), listed(&before)))
                .seen(listed(&after)))
        })
    }

    fn named(ids: &[Option<&str>]) -> String {
        ids.iter().map(|id| or_none(*id)).collect::<Vec<_>>().join(", ")
    }
}
