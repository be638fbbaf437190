//! 4.4.3 "A message is read rightly or not at all": each message of `fixtures/sms` gets what it is owed.

pub mod writes {
    use futures_util::future::try_join3;
    use harness::{Check, Counts, Direction, Failure, Message, Outcome, Owes, Sample, Sms, Verdict, check, or_none};
    use jiff::Timestamp;
    use rstest_reuse::apply;
    use rust_decimal::Decimal;
    use serde_json::Value;
    use support::{Gateway, unread};
    use tokio::sync::OnceCell;

    use crate::samples;

    #[apply(samples)]
    fn a_message_gets_what_it_is_owed(#[case] name: &str) -> Verdict {
        check("4.4.3", async |check| {
            let sample = Sample::all()
                .map_err(|why| Failure::undecided("the corpus of messages can be read").seen(why))?
                .iter()
                .find(|sample| sample.name == name)
                .ok_or_else(|| Failure::undecided(format!("the corpus has a message {name:?}")).at("fixtures/sms"))?;
            messages_are_taken(check).await?;
            let gateway = Gateway::open(check, institution_of(sample)).await?;
            let message = gateway.message("");
            let sample = sample.in_run(gateway.writes.run(), message.received_at.timestamp());
            let message = Message { sender: sample.sender.clone(), text: sample.text.clone(), ..message };
            let (sms_id, shown) = gateway.ingest(&message).await?;

            let sms = check.contract().sms()?;
            let kept = try_join3(gateway.transactions(&sms_id), gateway.raw(), gateway.attempts(&sms_id)).await?;
            let (transactions, rows, attempts) = kept;
            judge(sms, &sample, &transactions, message.received_at.timestamp())?;
            let transaction = transactions.first();
            let about =
                |failure: Failure| failure.fact("message", &sample.text).at(format!("{} {sms_id}", sms.raw.table));
            if shown.as_deref() != transaction.and_then(|row| row["id"].as_str()) {
                return Err(about(
                    Failure::failed("the answer names the transaction that the message became")
                        .expected(or_none(transaction.and_then(|row| row["id"].as_str())))
                        .seen(or_none(shown)),
                ));
            }

            // The bookkeeping says the same.
            let raw = rows.iter().find(|row| row["id"] == *sms_id).unwrap_or(&Value::Null);
            if raw[&sms.raw.text] != *sample.text || raw[&sms.raw.sender] != *sample.sender {
                return Err(about(
                    Failure::failed("a message is kept as it came")
                        .expected(format!(
                            "{}: {:?}, {}: {:?}",
                            sms.raw.sender, sample.sender, sms.raw.text, sample.text
                        ))
                        .seen(format!(
                            "{}: {}, {}: {}",
                            sms.raw.sender, raw[&sms.raw.sender], sms.raw.text, raw[&sms.raw.text]
                        )),
                ));
            }
            let arrived = raw[&sms.raw.received_at].as_str().and_then(|at| at.parse::<Timestamp>().ok());
            if !same_time(sms, arrived, message.received_at.timestamp()) {
                return Err(about(
                    Failure::failed("when a message arrived is kept with it")
                        .expected(format!("{}: {}", sms.raw.received_at, message.received_at.timestamp()))
                        .seen(format!("{}: {}", sms.raw.received_at, raw[&sms.raw.received_at])),
                ));
            }
            accounted(sms, &sample, raw, &attempts, transaction.is_some()).map_err(about)?;
            gateway.expect_counted(&attempts).map_err(about)?;
            match (sample.owes, sample.direction, transaction) {
                (Owes::Exact | Owes::Safe, Direction::In, None) => waits(&gateway, &sms_id).await.map_err(about),
                _ => Ok(()),
            }
        })
    }

    /// Whether a message of money that came in, which no rule has read, is among those that somebody has to read.
    async fn waits(gateway: &Gateway<'_>, sms_id: &str) -> Verdict {
        let sms = gateway.check.contract().sms()?;
        let (id, pending) = (format!("eq.{sms_id}"), format!("eq.{}", sms.raw.pending));
        let waiting = [("id", id.as_str()), (&sms.raw.status, &pending), (&sms.raw.kind, &sms.unread.kinds)];
        if gateway.service.count(&sms.raw.table, &waiting).await.map_err(unread(&sms.raw.table))? == 1 {
            return Ok(());
        }
        let rows = gateway.raw().await?;
        let raw = rows.iter().find(|row| row["id"] == *sms_id).unwrap_or(&Value::Null);
        Err(Failure::failed("a payment that no rule reads waits for somebody to read it")
            .expected(format!("{}: {}, {}: {}", sms.raw.status, sms.raw.pending, sms.raw.kind, sms.unread.kinds))
            .seen(format!("{}: {}, {}: {}", sms.raw.status, raw[&sms.raw.status], sms.raw.kind, raw[&sms.raw.kind])))
    }

    /// Whether the last attempt says what became of the message: that and by which rule it was read, or why not.
    fn accounted(sms: &Sms, sample: &Sample, raw: &Value, attempts: &[Value], is_read: bool) -> Verdict {
        let Some(last) = attempts.last() else {
            return Err(Failure::failed("each attempt to read a message is logged")
                .expected(format!("a row in {}", sms.attempts.table))
                .seen("none"));
        };
        let status = &last[&sms.attempts.status];
        if sms.raw.is(raw, &sms.raw.success) != is_read || (*status == *sms.attempts.success) != is_read {
            return Err(Failure::failed("a message counts as read when, and only when, there is a transaction of it")
                .expected(if is_read { "both say success" } else { "neither says success" })
                .seen(format!(
                    "{}: {}, last of {} attempts: {status}",
                    sms.raw.status,
                    raw[&sms.raw.status],
                    attempts.len(),
                )));
        }
        let read_by = sms.attempts.rule_of(last).filter(|_| is_read);
        if let (Some(read_by), Some(rule)) = (read_by, sample.rule.as_ref().filter(|rule| sms.rules.contains(rule)))
            && *read_by != **rule
        {
            return Err(Failure::failed("an attempt says which rule read the message")
                .expected(rule.as_str())
                .seen(read_by.to_string()));
        }
        let kind = &raw[&sms.raw.kind];
        if let Some(kinds) = sms.raw.kinds.get(&sample.direction).filter(|_| !is_read)
            && !kinds.iter().any(|own| *kind == **own)
        {
            return Err(Failure::failed("a text that is no payment is called what it is")
                .expected(format!("{}: {}", sms.raw.kind, kinds.join(" or ")))
                .seen(format!("{}: {kind}", sms.raw.kind)));
        }
        match sms.attempts.owes_why(last) {
            Some(why) if last[why].as_str().is_none_or(str::is_empty) => {
                Err(Failure::failed("an attempt that reads nothing says why")
                    .expected(format!("{why}: a text"))
                    .seen(format!("{why}: {}", last[why])))
            }
            _ => Ok(()),
        }
    }

    /// Where a payment is known by nothing but its text, it has an institution of its own.
    fn institution_of(sample: &Sample) -> &str {
        let has_id = sample.fields.transaction_id.is_some();
        if sample.owes == Owes::Exact && !has_id { &sample.name } else { "ours" }
    }

    /// An endpoint that takes no message at all is one failure and not one for each message.
    async fn messages_are_taken(check: &Check) -> Verdict {
        static TAKEN: OnceCell<Verdict> = OnceCell::const_new();
        let mut is_first = false;
        let taken = TAKEN
            .get_or_init(async || {
                is_first = true;
                let gateway = Gateway::open(check, "ours").await?;
                let hello = support::unique(&gateway.writes);
                gateway.ingest(&gateway.message(format!("Hello from {hello}"))).await.map(drop)
            })
            .await;
        match taken {
            Ok(()) => Ok(()),
            // What was not run is so for every message.
            Err(failure) if is_first || failure.outcome() != Outcome::Failed => Err(failure.clone()),
            Err(_) => Err(Failure::undecided("the endpoint takes messages, so that it can be seen how they are read")
                .expected("a first message is stored")
                .seen("it is not")
                .advice("see the failed check of this step: it says what the endpoint answers")
                .shared()),
        }
    }

    /// Whether what became of a message is what it is owed by a portal that knows these rules.
    fn judge(sms: &Sms, sample: &Sample, transactions: &[Value], received_at: Timestamp) -> Verdict {
        let about = |failure: Failure| failure.fact("message", &sample.text).at("fixtures/sms");
        let knows = sample.rule.as_ref().is_some_and(|rule| sms.rules.contains(rule));
        let transaction = match (sample.owes, transactions) {
            (Owes::Exact, []) if knows => {
                return Err(about(
                    Failure::failed("a payment that the portal promises to read is in the ledger")
                        .expected(format!("a transaction: {}", shown(sms, sample)))
                        .seen("none"),
                ));
            }
            (_, []) => return Ok(()),
            (Owes::Never, [transaction, ..]) => {
                return Err(about(
                    Failure::failed("a message of no payment received makes no transaction")
                        .expected(format!("none, the money being: {:?}", sample.direction))
                        .seen(seen(sms, transaction)),
                ));
            }
            (Owes::Exact | Owes::Safe, [transaction]) => transaction,
            (_, several) => {
                return Err(about(Failure::failed("a message makes one transaction").expected("1").seen(format!(
                    "{}:\n{}",
                    several.len(),
                    seen(sms, &several[0])
                ))));
            }
        };
        let exact = sample.owes == Owes::Exact;
        let wrong = fields(sms, sample).into_iter().find_map(|(column, owed)| {
            let is = text(&transaction[column]);
            let fits = match owed {
                Some(owed) => {
                    is.as_deref() == Some(owed) || (column == sms.transaction.amount && same(is.as_deref(), owed))
                }
                None => !exact || is.is_none(),
            };
            (!fits).then(|| (column, owed.unwrap_or("(empty)").to_owned(), is.unwrap_or("(empty)".to_owned())))
        });
        let owed_time = match sms.times.counts {
            Counts::Text => sample.said_at.unwrap_or(received_at),
            Counts::Arrival => received_at,
        };
        let column = sms.transaction.occurred_at.as_str();
        let at = transaction[column].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let wrong = wrong.or_else(|| {
            let shown = || text(&transaction[column]).unwrap_or("(empty)".to_owned());
            (!same_time(sms, at, owed_time)).then(|| (column, owed_time.to_string(), shown()))
        });
        let Some((column, owed, is)) = wrong else { return Ok(()) };
        Err(about(
            Failure::failed("what the ledger has is what the message says")
                .expected(format!("{column}: {owed}"))
                .seen(format!("{column}: {is}"))
                .fact("beside", seen(sms, transaction)),
        ))
    }

    /// As exactly as the contract says that times are kept.
    fn same_time(sms: &Sms, one: Option<Timestamp>, other: Timestamp) -> bool {
        let within = i128::from(sms.times.within_ms) * 1_000_000;
        one.is_some_and(|one| (one.as_nanosecond() - other.as_nanosecond()).abs() <= within)
    }

    /// The columns and what a message says of each.
    fn fields<'s>(sms: &'s Sms, sample: &'s Sample) -> [(&'s str, Option<&'s str>); 5] {
        let (columns, fields) = (&sms.transaction, &sample.fields);
        [
            (&columns.amount, &fields.amount),
            (&columns.currency, &fields.currency),
            (&columns.payer_name, &fields.payer_name),
            (&columns.payer_phone, &fields.payer_phone),
            (&columns.transaction_id, &fields.transaction_id),
        ]
        .map(|(column, field)| (column.as_str(), field.as_deref()))
    }

    fn shown(sms: &Sms, sample: &Sample) -> String {
        let shown = fields(sms, sample).map(|(column, field)| format!("{column}: {}", field.unwrap_or("(empty)")));
        shown.join(", ")
    }

    fn seen(sms: &Sms, row: &Value) -> String {
        let columns = &sms.transaction;
        let columns = [
            &columns.amount,
            &columns.currency,
            &columns.payer_name,
            &columns.payer_phone,
            &columns.transaction_id,
            &columns.occurred_at,
        ];
        let seen = columns.map(|column| format!("{column}: {}", text(&row[column]).unwrap_or("(empty)".to_owned())));
        seen.join(", ")
    }

    fn text(value: &Value) -> Option<String> {
        match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    fn same(one: Option<&str>, other: &str) -> bool {
        let number = |text: &str| text.parse::<Decimal>().ok();
        one.and_then(number).zip(number(other)).is_some_and(|(one, other)| one == other)
    }
}
