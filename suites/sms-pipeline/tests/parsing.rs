//! 4.4.3 "A message is read rightly or not at all": each message of `fixtures/sms` gets what it is owed.

pub mod writes {
    use futures_util::future::try_join3;
    use harness::{Check, Counts, Failure, Message, Outcome, Owes, Sample, Sms, Verdict, check, or_none};
    use jiff::Timestamp;
    use rstest_reuse::apply;
    use rust_decimal::Decimal;
    use serde_json::Value;
    use support::Gateway;
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
            let Some(last) = attempts.last() else {
                return Err(about(
                    Failure::failed("each attempt to read a message is logged")
                        .expected(format!("a row in {}", sms.attempts.table))
                        .seen("none"),
                ));
            };
            let (says_raw, says_attempt) =
                (sms.raw.is(raw, &sms.raw.success), last[&sms.attempts.status] == *sms.attempts.success);
            if says_raw != transaction.is_some() || says_attempt != transaction.is_some() {
                return Err(about(
                    Failure::failed("a message counts as read when, and only when, there is a transaction of it")
                        .expected(if transaction.is_some() { "both say success" } else { "neither says success" })
                        .seen(format!(
                            "{}: {}, last of {} attempts: {}",
                            sms.raw.status,
                            raw[&sms.raw.status],
                            attempts.len(),
                            last[&sms.attempts.status]
                        )),
                ));
            }
            Ok(())
        })
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
