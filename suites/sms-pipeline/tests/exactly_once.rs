//! 4.4.4 "A message counts exactly once": a message is one with the same sender, text (trimmed, case-folded) and minute;
//! a payment is one with the same id of the provider's.

pub mod writes {
    use futures_util::future::join_all;
    use harness::{Failure, Ingest, Message, Receipt, Verdict, check, or_none};
    use jiff::{SignedDuration, Zoned, tz::TimeZone};
    use rstest::rstest;
    use support::{Gateway, unique};

    /// How often a message is sent at the same instant.
    const AT_ONCE: usize = 50;

    #[rstest]
    #[case::again(|message: Message| message)]
    #[case::in_other_case(|message: Message| Message { text: message.text.to_uppercase(), sender: message.sender.to_lowercase(), ..message })]
    #[case::with_blanks_around_it(|message: Message| Message { text: format!("  {}\n", message.text), sender: format!(" {} ", message.sender), ..message })]
    #[case::later_in_the_minute(|message: Message| Message { received_at: &message.received_at + SignedDuration::from_secs(58), ..message })]
    #[case::in_another_time_zone(|message: Message| Message { received_at: message.received_at.with_time_zone(TimeZone::fixed(jiff::tz::offset(-5))), ..message })]
    #[case::with_another_id_of_the_gateway(|message: Message| Message { message_id: Some("another".to_owned()), sim_slot: Some(2), ..message })]
    fn the_same_message_counts_once(#[case] vary: fn(Message) -> Message) -> Verdict {
        check("4.4.4", async |check| {
            let gateway = Gateway::open(check, "ours").await?;
            let (text, id) = gateway.payment(3000);
            let message = Message { received_at: full_minute(), ..gateway.message(text) };
            let (sms_id, _) = gateway.ingest(&message).await?;
            let again = gateway.send(&vary(message)).await?;
            expect_duplicate(&gateway, &again, &sms_id)?;
            expect_counts(&gateway, 1, &id, 1).await
        })
    }

    /// The control of the deduplication: what is another message is not lost.
    #[rstest]
    #[case::from_another_sender(|message: Message| Message { sender: format!("{} 2", message.sender), ..message })]
    #[case::of_the_next_minute(|message: Message| Message { received_at: &message.received_at + SignedDuration::from_secs(60), ..message })]
    #[case::of_an_hour_later(|message: Message| Message { received_at: &message.received_at + SignedDuration::from_hours(1), ..message })]
    #[case::with_another_text(|message: Message| Message { text: format!("{} 2", message.text), ..message })]
    fn another_message_is_kept(#[case] vary: fn(Message) -> Message) -> Verdict {
        check("4.4.4", async |check| {
            let gateway = Gateway::open(check, "ours").await?;
            // Without an id of a payment, two of them are two.
            let message = gateway.message("JEAN BAPTISTE has sent you 1000 RWF");
            let message = Message { received_at: full_minute(), sender: unique(&gateway.writes), ..message };
            let (first, _) = gateway.ingest(&message).await?;
            let (second, _) = gateway.ingest(&vary(message)).await?;
            let raw = gateway.raw().await?.len();
            if first != second && raw == 2 {
                return Ok(());
            }
            Err(Failure::failed("two messages are two")
                .expected("2 raw rows with ids of their own")
                .seen(format!("{raw} raw rows, {first} and {second}"))
                .at(&check.contract().sms()?.raw.table))
        })
    }

    /// Over the minute's edge the message is another one; the payment is not.
    #[test]
    fn a_payment_reported_in_two_minutes_counts_once() -> Verdict {
        check("4.4.4", async |check| {
            let gateway = Gateway::open(check, "ours").await?;
            let (text, id) = gateway.payment(4000);
            let before = full_minute() - SignedDuration::from_millis(500);
            let message = Message { received_at: before.clone(), ..gateway.message(text) };
            gateway.ingest(&message).await?;
            let after = Message { received_at: before + SignedDuration::from_secs(1), ..message };
            gateway.ingest(&after).await?;
            expect_counts(&gateway, 2, &id, 1).await
        })
    }

    #[test]
    fn a_payment_reported_by_two_devices_counts_once() -> Verdict {
        check("4.4.4", async |check| {
            let (gateway, other) = (Gateway::open(check, "ours").await?, Gateway::open(check, "ours").await?);
            let (text, id) = gateway.payment(5000);
            let (_, first) = gateway.ingest(&Message { received_at: full_minute(), ..gateway.message(&text) }).await?;
            // Another device got it a minute later.
            let (_, second) = other
                .ingest(&Message {
                    received_at: full_minute() + SignedDuration::from_mins(1),
                    ..other.message(text.to_lowercase())
                })
                .await?;
            if first.is_none() || first != second {
                return Err(Failure::failed("both answers name the one transaction")
                    .expected(format!("{} twice", or_none(first.as_ref())))
                    .seen(format!("{} and {}", or_none(first), or_none(second))));
            }
            expect_counts(&gateway, 1, &id, 1).await
        })
    }

    #[test]
    fn a_message_sent_many_times_at_once_counts_once() -> Verdict {
        check("4.4.4", async |check| {
            let gateway = Gateway::open(check, "ours").await?;
            let (text, id) = gateway.payment(6000);
            let message = Message { received_at: full_minute(), ..gateway.message(text) };
            let receipts = join_all((0..AT_ONCE).map(|_| gateway.send(&message))).await;
            let receipts = receipts.into_iter().collect::<Verdict<Vec<_>>>()?;
            let new: Vec<_> = receipts
                .iter()
                .filter_map(|receipt| match &receipt.outcome {
                    Ingest::Ingested { sms_id, .. } => Some(sms_id),
                    _ => None,
                })
                .collect();
            let [sms_id] = new.as_slice() else {
                return Err(Failure::failed("of many identical messages one is new")
                    .expected(format!("1 new, {} duplicates", AT_ONCE - 1))
                    .seen(format!("{} new", new.len()))
                    .at(gateway.ingest.url().as_str()));
            };
            for receipt in receipts.iter().filter(|receipt| !matches!(receipt.outcome, Ingest::Ingested { .. })) {
                expect_duplicate(&gateway, receipt, sms_id)?;
            }
            expect_counts(&gateway, 1, &id, 1).await
        })
    }

    fn expect_duplicate(gateway: &Gateway<'_>, receipt: &Receipt, sms_id: &str) -> Verdict {
        match &receipt.outcome {
            Ingest::Duplicate { sms_id: shown, .. } if shown == sms_id => Ok(()),
            _ => Err(Failure::failed("the same message again is answered as a duplicate of the first")
                .expected(format!("duplicate: true, sms_id: {sms_id}"))
                .seen(receipt.to_string())
                .at(gateway.ingest.url().as_str())),
        }
    }

    async fn expect_counts(gateway: &Gateway<'_>, rows: usize, id: &str, payments: u64) -> Verdict {
        let seen = (gateway.raw().await?.len(), gateway.payments(id).await?);
        if seen == (rows, payments) {
            return gateway.expect_heard(rows).await;
        }
        Err(Failure::failed("nothing is lost and nothing is doubled")
            .expected(format!("{rows} raw rows of the device, {payments} transactions with the id {id}"))
            .seen(format!("{} raw rows, {} transactions", seen.0, seen.1))
            .at("/rest/v1"))
    }

    /// The minute before this one: a whole one, which does not end while the check runs.
    fn full_minute() -> Zoned {
        let second = Zoned::now().timestamp().as_second();
        let minute = jiff::Timestamp::from_second(second - second % 60 - 60).unwrap_or_default();
        minute.to_zoned(TimeZone::UTC)
    }
}
