//! 4.4.6 "A device speaks for its institution only".

pub mod writes {
    use harness::{
        Cause, Failure, Ingest, IngestRefusal, Message, RestClient, Section, Verdict, check, check_if_promised,
    };
    use rstest::rstest;
    use support::{Gateway, unique, unread};

    /// Neither a sender that another institution knows nor anything in the text changes whose message it is.
    #[test]
    fn a_message_is_its_devices_institutions() -> Verdict {
        check("4.4.6", async |check| {
            let (ours, theirs) = (Gateway::open(check, "ours").await?, Gateway::open(check, "other").await?);
            let sender = unique(&ours.writes);
            let known = Message { sender: sender.clone(), ..theirs.message(theirs.payment(1000).0) };
            theirs.ingest(&known).await?;
            let (text, id) = ours.payment(7000);
            let message = Message { sender, ..ours.message(format!("{text}. For {}", theirs.tenant.id)) };
            let (sms_id, _) = ours.ingest(&message).await?;
            let tenant = &check.contract().data()?.tenant;
            let rows = [ours.raw().await?, ours.transactions(&sms_id).await?].concat();
            let strayed = rows.iter().find(|row| row[tenant] != *ours.tenant.id);
            let (here, there) = (ours.payments(&id).await?, theirs.payments(&id).await?);
            if strayed.is_none() && rows.len() == 2 && (here, there) == (1, 0) {
                return Ok(());
            }
            Err(Failure::failed("what a device reports belongs to its institution")
                .expected(format!("a raw row and a transaction of institution {}, none of another", ours.tenant.id))
                .seen(strayed.map_or_else(
                    || format!("{} rows; {here} transactions in its institution, {there} in the other", rows.len()),
                    ToString::to_string,
                ))
                .at("/rest/v1"))
        })
    }

    #[rstest]
    #[case::inactive(true)]
    #[case::unknown(false)]
    fn a_device_that_is_not_in_service_writes_nothing(#[case] registered: bool) -> Verdict {
        check("4.4.6", async |check| {
            let gateway = Gateway::with_device(check, "ours", false).await?;
            let control = Gateway::open(check, "ours").await?;
            let (text, id) = control.payment(8000);
            let mut message = Message { sender: unique(&gateway.writes), ..gateway.message(&text) };
            if !registered {
                message.device = unique(&gateway.writes);
            }
            let receipt = gateway.send(&message).await?;
            let stored = stored(&control, &text).await?;
            let refused = matches!(receipt.outcome, Ingest::Refused(IngestRefusal::Device(_)));
            if !refused || stored > 0 || control.payments(&id).await? > 0 {
                return Err(Failure::failed("a device that is not in service writes nothing")
                    .expected("400 with an error and device_identifier, no row")
                    .seen(format!("{receipt}; {stored} rows"))
                    .at(gateway.ingest.url().as_str()));
            }
            // The control: from a device in service the same text is stored, and found the same way.
            control.ingest(&Message { device: control.message("").device, ..message }).await?;
            match self::stored(&control, &text).await? {
                1 => Ok(()),
                found => Err(Failure::undecided("a stored message is found by its text")
                    .expected("1")
                    .seen(found.to_string())),
            }
        })
    }

    #[test]
    fn the_text_of_a_message_is_seen_in_its_institution_only() -> Verdict {
        check_if_promised(&[Section::Allocation], "4.4.6", async |check| {
            let (ours, theirs) = (Gateway::open(check, "ours").await?, Gateway::open(check, "other").await?);
            let role = &check.contract().allocation()?.manager;
            let (reader, owner) =
                (ours.writes.person(&ours.tenant, role).await?, theirs.writes.person(&theirs.tenant, role).await?);
            let rest = check.deployment().rest()?;
            let (reader, owner) = (rest.clone().signed_in(&reader.session), rest.clone().signed_in(&owner.session));
            let (text, id) = theirs.payment(9000);
            let (sms_id, _) = theirs.ingest(&theirs.message(&text)).await?;
            let sms = check.contract().sms()?;
            let places = [
                (&sms.raw.table, &sms.raw.text, format!("eq.{text}")),
                (&sms.attempts.table, &sms.attempts.sms, format!("eq.{sms_id}")),
                (&check.contract().ledger()?.table, &sms.transaction.transaction_id, format!("eq.{id}")),
            ];
            for (table, column, filter) in &places {
                let count =
                    async |rest: &RestClient| rest.count(table, &[(column, filter)]).await.map_err(unread(table));
                for (who, rest) in
                    [("a manager of another institution", &reader), ("somebody who is not signed in", &rest)]
                {
                    // No permission at all is as good as no rows.
                    let seen = count(rest).await.unwrap_or(0);
                    if seen > 0 {
                        return Err(Failure::failed("another institution's messages are invisible")
                            .caused_by(Cause::Database)
                            .expected("no row")
                            .seen(format!("{seen} rows, to {who}"))
                            .at(format!("/rest/v1/{table}?{column}={filter}")));
                    }
                }
                if count(&owner).await? == 0 {
                    return Err(Failure::undecided("another institution's messages are invisible")
                        .expected("a row that its own manager sees, as a control")
                        .seen("none")
                        .at(format!("/rest/v1/{table}?{column}={filter}")));
                }
            }
            Ok(())
        })
    }

    async fn stored(gateway: &Gateway<'_>, text: &str) -> Verdict<u64> {
        let raw = &gateway.check.contract().sms()?.raw;
        gateway.service.count(&raw.table, &[(&raw.text, &format!("eq.{text}"))]).await.map_err(unread(&raw.table))
    }
}
