//! 4.4.4 "A message counts exactly once", where a payment is not one message: parts of a long one, in any order, beside
//! the whole; the same payment without an id; and its reversal.

pub mod writes {
    use std::collections::BTreeMap;

    use futures_util::{StreamExt, TryStreamExt, stream};
    use harness::{Direction, Failure, Message, Owes, Sample, Verdict, check};
    use jiff::{SignedDuration, Timestamp};
    use rstest::rstest;
    use serde_json::Value;
    use support::{Gateway, unique};

    /// How many are on their way at a time.
    const AT_A_TIME: usize = 8;

    /// What a device may report of one payment: the text's parts by their numbers, 9 being the whole.
    #[rstest]
    #[case::in_order("mtn_long_masked", &[1, 2])]
    #[case::the_last_first("mtn_long_masked", &[2, 1])]
    #[case::three_parts("mtn_long_masked", &[11, 12, 13])]
    #[case::three_parts_backwards("mtn_long_masked", &[13, 12, 11])]
    #[case::and_the_whole("mtn_long_masked", &[1, 2, 9])]
    #[case::the_whole_first("mtn_long_masked", &[9, 1])]
    #[case::the_beginning_and_the_whole("mtn_long_masked", &[1, 9])]
    #[case::of_a_short_form("mtn_short_ft_id", &[2, 1])]
    #[case::of_airtel("airtel_received_tid", &[1, 2])]
    #[case::of_a_bank("bk_credited", &[2, 1])]
    #[case::of_a_deposit("mtn_bank_deposit_cash", &[1, 2])]
    #[case::without_a_number("airtel_received_by_name", &[1, 2])]
    fn parts_are_one_payment(#[case] name: &str, #[case] order: &[usize]) -> Verdict {
        check("4.4.4", async |check| {
            let gateway = Gateway::open(check, &format!("{name} {order:?}")).await?;
            let sample = gateway.sample(name)?;
            let letters: Vec<char> = sample.text.chars().collect();
            let (half, third) = (letters.len() / 2, letters.len() / 3);
            let part = |from: usize, to: usize| letters[from..to].iter().collect::<String>();
            for number in order {
                let text = match number {
                    1 => part(0, half),
                    2 => part(half, letters.len()),
                    11 => part(0, third),
                    12 => part(third, 2 * third),
                    13 => part(2 * third, letters.len()),
                    _ => sample.text.clone(),
                };
                gateway.ingest(&Message { sender: sample.sender.clone(), ..gateway.message(text) }).await?;
            }
            let payments = gateway.ledger().await?;
            expect_one(&gateway, &payments, sample.fields.amount.as_deref())?;
            each_names(&gateway, &payments[0]).await
        })
    }

    /// Two parts that are further apart than the contract says are not one message.
    #[test]
    fn parts_of_another_day_are_not_joined() -> Verdict {
        check("4.4.4", async |check| {
            let gateway = Gateway::open(check, "late parts").await?;
            let sample = gateway.sample("mtn_long_masked")?;
            let (first, last) = sample.text.split_at(sample.text.len() / 2);
            let early = Message { sender: sample.sender.clone(), ..gateway.message(first) };
            let window = SignedDuration::from_secs(i64::try_from(check.contract().sms()?.parts_within_s).unwrap_or(0));
            let late = &early.received_at + window + SignedDuration::from_mins(1);
            gateway.ingest(&early).await?;
            gateway.ingest(&Message { received_at: late, text: last.to_owned(), ..early }).await?;
            match gateway.ledger().await?.len() {
                0 => Ok(()),
                made => Err(Failure::failed("parts that are far apart are not one message")
                    .expected(format!("no transaction of parts more than {window:#} apart"))
                    .seen(format!("{made} transactions"))
                    .at("fixtures/sms")),
            }
        })
    }

    #[test]
    fn parts_that_are_near_each_other_are_joined() -> Verdict {
        check("4.4.4", async |check| {
            let gateway = Gateway::open(check, "near parts").await?;
            let sample = gateway.sample("mtn_long_masked")?;
            let (first, last) = sample.text.split_at(sample.text.len() / 2);
            let early = Message { sender: sample.sender.clone(), ..gateway.message(first) };
            let window = i64::try_from(check.contract().sms()?.parts_within_s).unwrap_or(0);
            let late = &early.received_at + SignedDuration::from_secs(window * 9 / 10);
            gateway.ingest(&early).await?;
            gateway.ingest(&Message { received_at: late, text: last.to_owned(), ..early }).await?;
            let payments = gateway.ledger().await?;
            expect_one(&gateway, &payments, sample.fields.amount.as_deref())?;
            each_names(&gateway, &payments[0]).await
        })
    }

    /// Where the payer's name goes on in a part that is not there yet, the others wait for it.
    #[test]
    fn a_part_that_is_missing_is_waited_for() -> Verdict {
        check("4.4.4", async |check| {
            let gateway = Gateway::open(check, "missing part").await?;
            let sample = gateway.sample("mtn_received_transaction_id_and_ref")?;
            let name = sample.fields.payer_name.clone().unwrap_or_default();
            let cut = |text: &str| sample.text.find(text).unwrap_or_default();
            let (from, to) = (cut(&name) + name.find(' ').unwrap_or_default(), cut(&name) + name.len());
            let part = |text: &str| Message { sender: sample.sender.clone(), ..gateway.message(text) };
            for text in [&sample.text[..from], &sample.text[to..]] {
                gateway.ingest(&part(text)).await?;
            }
            let column = &check.contract().sms()?.transaction.payer_name;
            if let Some(early) = gateway.ledger().await?.first() {
                return Err(Failure::failed("a part that is missing is waited for")
                    .expected("no transaction while the end of the payer's name is missing")
                    .seen(format!("one, with {column}: {}", early[column]))
                    .at("fixtures/sms"));
            }
            gateway.ingest(&part(&sample.text[from..to])).await?;
            let payments = gateway.ledger().await?;
            expect_one(&gateway, &payments, sample.fields.amount.as_deref())?;
            if payments[0][column] == *name {
                return Ok(());
            }
            Err(Failure::failed("what the parts say together is in the ledger")
                .expected(format!("{column}: {name}"))
                .seen(format!("{column}: {}", payments[0][column]))
                .at("fixtures/sms"))
        })
    }

    /// What ends behind the payer's name may go on in another part: only of forms that say no more it is all.
    #[test]
    fn a_beginning_without_its_end_is_waited_for() -> Verdict {
        check("4.4.4", async |check| {
            let sms = check.contract().sms()?;
            let run = check.deployment().writes().await?.run();
            let unread = |why| Failure::undecided("the corpus of messages can be read").seen(why);
            let mut beginnings: BTreeMap<String, (Sample, String)> = BTreeMap::new();
            for sample in Sample::all().map_err(unread)? {
                let sample = sample.in_run(run, Timestamp::now());
                let rule = sample.rule.clone().filter(|rule| sms.rules.contains(rule) && !sms.whole.contains(rule));
                if let (Some(rule), Some(text)) = (rule, beginning(&sample)) {
                    beginnings.entry(rule).or_insert((sample, text));
                }
            }
            check.measured(format!("{} rules", beginnings.len()));
            let booked = stream::iter(&beginnings)
                .map(async |(rule, (sample, text))| {
                    let gateway = Gateway::open(check, "beginnings").await?;
                    let message = Message { sender: sample.sender.clone(), ..gateway.message(text) };
                    let (sms_id, _) = gateway.ingest(&message).await?;
                    let payments = gateway.transactions(&sms_id).await?;
                    Ok::<_, Failure>(payments.first().map(|payment| (rule, text, payment.clone())))
                })
                .buffered(AT_A_TIME)
                .try_collect::<Vec<_>>()
                .await?;
            let mut booked = booked.into_iter().flatten();
            match booked.next() {
                None if !beginnings.is_empty() => Ok(()),
                None => Err(Failure::undecided("the corpus has messages that go on behind their payer").seen("none")),
                Some((rule, text, payment)) => Err(Failure::failed("a beginning without its end is waited for")
                    .expected("no transaction of a text that ends behind its payer")
                    .seen(format!(
                        "{} of {} are booked; that of {rule:?}: {payment}",
                        1 + booked.count(),
                        beginnings.len()
                    ))
                    .fact("message", text)
                    .at("fixtures/sms")),
            }
        })
    }

    /// A payment's text up to its payer's name and the stop behind it, where more of it follows: an id, a balance.
    fn beginning(sample: &Sample) -> Option<String> {
        let name = sample.fields.payer_name.as_ref()?;
        let end = sample.text.find(name.as_str())? + name.len();
        let end = end + usize::from(sample.text[end..].starts_with('.'));
        let (begin, rest) = sample.text.split_at(end);
        let has_id = sample.fields.transaction_id.as_ref().is_some_and(|id| begin.contains(id.as_str()));
        let sum = sample.fields.amount.as_ref()?.split('.').next()?;
        let goes_on = !has_id && begin.replace(',', "").contains(sum) && rest.contains(char::is_alphanumeric);
        let is_owed = sample.direction == Direction::In && sample.owes == Owes::Exact;
        (is_owed && goes_on).then(|| begin.to_owned())
    }

    /// The parts are of another sender or another device: then they are not of one message.
    #[rstest]
    #[case::of_another_sender(true)]
    #[case::of_another_device(false)]
    fn parts_of_others_are_not_joined(#[case] same_device: bool) -> Verdict {
        check("4.4.4", async |check| {
            let label = format!("foreign parts {same_device}");
            let (gateway, other) = (Gateway::open(check, &label).await?, Gateway::open(check, &label).await?);
            let sample = gateway.sample("mtn_long_masked")?;
            let (first, last) = sample.text.split_at(sample.text.len() / 2);
            gateway.ingest(&Message { sender: sample.sender.clone(), ..gateway.message(first) }).await?;
            let last = if same_device {
                Message { sender: unique(&gateway.writes), ..gateway.message(last) }
            } else {
                Message { sender: sample.sender.clone(), ..other.message(last) }
            };
            gateway.ingest(&last).await?;
            match gateway.ledger().await?.len() {
                0 => Ok(()),
                made => Err(Failure::failed("a part is joined with parts of its own sender and device only")
                    .expected("no transaction")
                    .seen(format!("{made} transactions"))
                    .at("fixtures/sms")),
            }
        })
    }

    /// Without an id, payer, sum and the time in the text are the payment.
    #[test]
    fn a_payment_without_an_id_that_two_devices_report_is_one() -> Verdict {
        check("4.4.4", async |check| {
            let (gateway, other) =
                (Gateway::open(check, "without id").await?, Gateway::open(check, "without id").await?);
            let sample = gateway.sample("mtn_short_without_id")?;
            let first = Message { sender: sample.sender.clone(), ..gateway.message(&sample.text) };
            gateway.ingest(&first).await?;
            let later = &first.received_at + SignedDuration::from_mins(7);
            let again = other.message(&sample.text);
            other.ingest(&Message { sender: sample.sender.clone(), received_at: later, ..again }).await?;
            let payments = gateway.ledger().await?;
            expect_one(&gateway, &payments, sample.fields.amount.as_deref())?;
            each_names(&gateway, &payments[0]).await?;
            each_names(&other, &payments[0]).await
        })
    }

    /// The control: the same payer and sum a minute later is another payment.
    #[test]
    fn payments_at_two_times_are_two() -> Verdict {
        check("4.4.4", async |check| {
            let gateway = Gateway::open(check, "two times").await?;
            let sample = gateway.sample("mtn_short_without_id")?;
            let message = gateway.message("");
            let earlier = message.received_at.timestamp() - SignedDuration::from_mins(1);
            let another = gateway.sample_at("mtn_short_without_id", earlier)?;
            for text in [&sample.text, &another.text] {
                gateway.ingest(&Message { sender: sample.sender.clone(), ..gateway.message(text) }).await?;
            }
            match gateway.ledger().await?.len() {
                2 => Ok(()),
                made => Err(Failure::failed("two payments are two")
                    .expected("2 transactions")
                    .seen(format!("{made}"))
                    .fact("message", another.text)
                    .at("fixtures/sms")),
            }
        })
    }

    /// Whichever comes first, the payment is no longer anybody's to allocate, and the reversal says which one it took.
    #[rstest]
    #[case::behind_it(false)]
    #[case::before_it(true)]
    fn a_reversal_takes_its_payment_back(#[case] reversal_first: bool) -> Verdict {
        check("4.4.4", async |check| {
            let gateway = Gateway::open(check, &format!("reversed {reversal_first}")).await?;
            let (receipt, id) = gateway.payment(4400);
            let reversal = format!("The transaction {id} of 4,400 RWF has been reversed.");
            let mut texts = [receipt, reversal.clone()];
            if reversal_first {
                texts.reverse();
            }
            for text in texts {
                gateway.ingest(&gateway.message(text)).await?;
            }
            let (sms, payments) = (check.contract().sms()?, gateway.ledger().await?);
            expect_one(&gateway, &payments, Some("4400"))?;
            let state = &payments[0][&sms.transaction.state];
            let rows = gateway.raw().await?;
            let taken = rows.iter().find(|row| row[&sms.raw.text] == *reversal).map(|row| &row[&sms.raw.payment]);
            if *state == *sms.transaction.reversed && taken == Some(&payments[0]["id"]) {
                return Ok(());
            }
            Err(Failure::failed("a reversal takes its payment back")
                .expected(format!(
                    "{}: {}, and {} of the reversal names it",
                    sms.transaction.state, sms.transaction.reversed, sms.raw.payment
                ))
                .seen(format!(
                    "{}: {state}, {}: {}",
                    sms.transaction.state,
                    sms.raw.payment,
                    taken.unwrap_or(&Value::Null)
                ))
                .fact("message", reversal)
                .at(&sms.raw.table))
        })
    }

    /// Its control: a reversal of something else takes nothing.
    #[test]
    fn a_reversal_of_another_payment_takes_nothing() -> Verdict {
        check("4.4.4", async |check| {
            let gateway = Gateway::open(check, "not reversed").await?;
            let (receipt, id) = gateway.payment(4500);
            gateway.ingest(&gateway.message(receipt)).await?;
            for other in [format!("{id}9"), unique(&gateway.writes)] {
                let text = format!("The transaction {other} of 4,500 RWF has been reversed.");
                gateway.ingest(&gateway.message(text)).await?;
            }
            let (sms, payments) = (check.contract().sms()?, gateway.ledger().await?);
            expect_one(&gateway, &payments, Some("4500"))?;
            let state = &payments[0][&sms.transaction.state];
            if *state != *sms.transaction.reversed {
                return Ok(());
            }
            Err(Failure::failed("a reversal takes the payment back that it names, and no other")
                .expected(format!("{} is not {}", sms.transaction.state, sms.transaction.reversed))
                .seen(state.to_string())
                .at(&sms.raw.table))
        })
    }

    /// Whether each message of the device counts as read and names the payment that it stands for.
    async fn each_names(gateway: &Gateway<'_>, payment: &Value) -> Verdict {
        let raw = &gateway.check.contract().sms()?.raw;
        let rows = gateway.raw().await?;
        let stands = |row: &Value| raw.is(row, &raw.success) && row[&raw.payment] == payment["id"];
        let shown = |row: &Value| {
            let text = row[&raw.text].as_str().unwrap_or_default();
            format!("{}: {}, {}: {}, of {text:?}", raw.status, row[&raw.status], raw.payment, row[&raw.payment])
        };
        let others: Vec<_> = rows.iter().filter(|row| !stands(row)).map(shown).collect();
        if others.is_empty() && !rows.is_empty() {
            for row in &rows {
                gateway.expect_counted(&gateway.attempts(row["id"].as_str().unwrap_or_default()).await?)?;
            }
            return Ok(());
        }
        Err(Failure::failed("each message of a payment counts as read and names it")
            .expected(format!("{}: {}, {}: {}", raw.status, raw.success, raw.payment, payment["id"]))
            .seen(if rows.is_empty() { "no message of the device".to_owned() } else { others.join("\n") })
            .at(&raw.table))
    }

    fn expect_one(gateway: &Gateway<'_>, payments: &[Value], amount: Option<&str>) -> Verdict {
        let column = &gateway.check.contract().sms()?.transaction.amount;
        let number = |text: &str| text.parse::<f64>().ok();
        match payments {
            [one] if number(&one[column].to_string().replace('"', "")) == amount.and_then(number) => Ok(()),
            _ => Err(Failure::failed("one payment is one transaction, however its messages come")
                .expected(format!("1 transaction of {}", amount.unwrap_or_default()))
                .seen(format!(
                    "{}: {}",
                    payments.len(),
                    payments.iter().map(|row| row[column].to_string()).collect::<Vec<_>>().join(", ")
                ))
                .at(&gateway.check.contract().ledger()?.table)),
        }
    }
}
