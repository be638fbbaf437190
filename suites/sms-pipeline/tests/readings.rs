//! 4.4.3 for what an AI proposes where no rule reads a message.

pub mod writes {
    use std::collections::BTreeMap;

    use harness::{Failure, Readings, Section, Verdict, check_if_promised};
    use serde_json::{Map, Value, json};
    use support::{Gateway, unique, unread};

    /// What the checks of this module need.
    const NEEDS: [Section; 3] = [Section::Data, Section::Ledger, Section::Readings];

    #[test]
    fn a_proposal_is_booked_when_the_text_says_it_and_not_otherwise() -> Verdict {
        check_if_promised(&NEEDS, "4.4.3", async |check| {
            let readings = check.contract().sms_readings()?;
            let gateway = Gateway::open(check, "readings").await?;
            let id = unique(&gateway.writes);
            let (sms_id, _) = gateway.ingest(&gateway.message(readings.text.replace("{id}", &id))).await?;
            let right = filled(&readings.right, &id);
            expect_refused(&gateway, readings, &sms_id, &right).await?;
            want(&gateway, readings).await?;
            for wrong in &readings.wrong {
                let mut reading = right.clone();
                reading.extend(filled(wrong, &id));
                expect_refused(&gateway, readings, &sms_id, &reading).await?;
            }
            let answer = propose(&gateway, readings, &sms_id, &right).await?;
            expect_booked(&gateway, &sms_id, &right, &answer).await?;
            expect_refused_again(&gateway, readings, &sms_id, &right).await?;
            expect_logged(&gateway, &sms_id, readings.wrong.len() + 4).await
        })
    }

    #[test]
    fn what_is_no_payment_is_none_whatever_is_read_in_it() -> Verdict {
        check_if_promised(&NEEDS, "4.4.3", async |check| {
            let readings = check.contract().sms_readings()?;
            let gateway = Gateway::open(check, "readings of others").await?;
            want(&gateway, readings).await?;
            for text in &readings.never {
                let id = unique(&gateway.writes);
                let (sms_id, _) = gateway.ingest(&gateway.message(text.replace("{id}", &id))).await?;
                expect_refused(&gateway, readings, &sms_id, &filled(&readings.right, &id)).await?;
            }
            // The control: the same is booked of a text that says it.
            let id = unique(&gateway.writes);
            let (sms_id, _) = gateway.ingest(&gateway.message(readings.text.replace("{id}", &id))).await?;
            let right = filled(&readings.right, &id);
            let answer = propose(&gateway, readings, &sms_id, &right).await?;
            expect_booked(&gateway, &sms_id, &right, &answer).await
        })
    }

    fn filled(fields: &BTreeMap<String, Value>, id: &str) -> Map<String, Value> {
        let fill = |value: &Value| value.as_str().map_or(value.clone(), |text| text.replace("{id}", id).into());
        fields.iter().map(|(name, value)| (name.clone(), fill(value))).collect()
    }

    /// Lets the institution want proposals.
    async fn want(gateway: &Gateway<'_>, readings: &Readings) -> Verdict {
        let (column, tenant) = (&gateway.check.contract().data()?.tenant, format!("eq.{}", gateway.tenant.id));
        let (query, wanted) = ([(column.as_str(), tenant.as_str())], json!(readings.wanted));
        let changed = gateway.service.update(&gateway.writes, &readings.settings, &query, &wanted).await;
        changed.map_err(|error| {
            Failure::undecided("an institution can want what an AI proposes")
                .seen(error.to_string())
                .at(&readings.settings)
        })
    }

    async fn propose(
        gateway: &Gateway<'_>,
        readings: &Readings,
        sms_id: &str,
        reading: &Map<String, Value>,
    ) -> Verdict<Value> {
        let arguments = json!({ &readings.sms: sms_id, &readings.reading: reading });
        let answer = gateway.service.call(&gateway.writes, &readings.function, &arguments).await;
        answer.map_err(unread(&readings.function))
    }

    async fn expect_refused(
        gateway: &Gateway<'_>,
        readings: &Readings,
        sms_id: &str,
        reading: &Map<String, Value>,
    ) -> Verdict {
        let answer = propose(gateway, readings, sms_id, reading).await?;
        let booked = gateway.transactions(sms_id).await?;
        let is_refused = answer["success"] == false && answer["error"].as_str().is_some_and(|why| !why.is_empty());
        if is_refused && booked.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("what an AI proposes is refused, with a reason, where the text does not say it")
            .expected("success: false, an error in words and no transaction")
            .seen(format!("{answer}; {} transactions", booked.len()))
            .fact("proposed", json!(reading).to_string())
            .at(format!("rpc/{}", readings.function)))
    }

    /// A message that is read already.
    async fn expect_refused_again(
        gateway: &Gateway<'_>,
        readings: &Readings,
        sms_id: &str,
        reading: &Map<String, Value>,
    ) -> Verdict {
        let answer = propose(gateway, readings, sms_id, reading).await?;
        let booked = gateway.transactions(sms_id).await?.len();
        if answer["success"] == false && booked == 1 {
            return Ok(());
        }
        Err(Failure::failed("a message that is read already is not read again")
            .expected("success: false and 1 transaction")
            .seen(format!("{answer}; {booked} transactions"))
            .at(format!("rpc/{}", readings.function)))
    }

    /// The row is what was proposed, and the answer and the message name it.
    async fn expect_booked(
        gateway: &Gateway<'_>,
        sms_id: &str,
        reading: &Map<String, Value>,
        answer: &Value,
    ) -> Verdict {
        let sms = gateway.check.contract().sms()?;
        let (rows, raw) = (gateway.transactions(sms_id).await?, gateway.raw().await?);
        let (row, columns) = (rows.first().unwrap_or(&Value::Null), &sms.transaction);
        let says = [
            (&columns.amount, "amount"),
            (&columns.currency, "currency"),
            (&columns.payer_name, "payer_name"),
            (&columns.payer_phone, "payer_phone"),
            (&columns.transaction_id, "transaction_id"),
        ];
        let is = |column: &str, field: &str| {
            let said = reading.get(field).unwrap_or(&Value::Null);
            match (row[column].as_f64(), said.as_f64()) {
                (Some(one), Some(other)) => (one - other).abs() < 0.005,
                _ => row[column] == *said,
            }
        };
        let message = raw.iter().find(|raw| raw["id"] == *sms_id).unwrap_or(&Value::Null);
        let status = gateway.check.contract().sms_readings()?.status.as_ref();
        let is_named = answer["success"] == true
            && answer["transaction_id"] == row["id"]
            && status.is_none_or(|status| answer[status] == *sms.raw.success)
            && sms.raw.is(message, &sms.raw.success)
            && message[&sms.raw.payment] == row["id"];
        if rows.len() == 1 && is_named && says.iter().all(|(column, field)| is(column, field)) {
            return Ok(());
        }
        Err(Failure::failed("what an AI proposes is booked as it is, where the text says it")
            .expected(format!("1 transaction: {}, named by the answer and the message", json!(reading)))
            .seen(format!("{answer}; {} transactions: {row}; the message: {message}", rows.len()))
            .at(&gateway.check.contract().ledger()?.table))
    }

    /// Each proposal is logged, with the reason of each that was refused.
    async fn expect_logged(gateway: &Gateway<'_>, sms_id: &str, times: usize) -> Verdict {
        let columns = &gateway.check.contract().sms()?.attempts;
        let attempts = gateway.attempts(sms_id).await?;
        let lacks_why = |attempt: &&Value| {
            columns.owes_why(attempt).is_some_and(|why| attempt[why].as_str().is_none_or(str::is_empty))
        };
        let successes = attempts.iter().filter(|attempt| attempt[&columns.status] == *columns.success).count();
        if attempts.len() != times || successes != 1 || attempts.iter().any(|attempt| lacks_why(&attempt)) {
            return Err(Failure::failed("each proposal is logged, and why it was refused")
                .expected(format!("{times} attempts, 1 of them a success, the others with a reason"))
                .seen(format!("{}, {successes} of them successes: {}", attempts.len(), json!(attempts)))
                .at(&columns.table));
        }
        gateway.expect_counted(&attempts)
    }
}
