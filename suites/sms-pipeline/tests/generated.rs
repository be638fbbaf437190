//! 4.4.3 and 4.4.4 for texts that nobody wrote down: variants of the providers' structures by seed, which keep the laws
//! of the grammar whatever the parser is like.

pub mod writes {
    use futures_util::{StreamExt, TryStreamExt, stream};
    use harness::{Failure, Fields, Ingest, Message, Sms, Variant, Verdict, check, variants};
    use jiff::Timestamp;
    use serde_json::Value;
    use support::Gateway;

    const SEED: u64 = 2026;
    const VARIANTS: usize = 200;
    /// The texts are the same in every run: 2025-01-01.
    const LONG_AGO: Timestamp = Timestamp::constant(1_735_689_600, 0);
    /// How many are on their way at a time.
    const AT_A_TIME: usize = 8;

    #[test]
    fn what_is_no_payment_is_none_and_no_field_is_made_up() -> Verdict {
        check("4.4.3", async |check| {
            let gateway = Gateway::open(check, "generated").await?;
            let variants = variants(SEED, VARIANTS, LONG_AGO);
            let ids: Vec<_> = stream::iter(&variants)
                .map(|variant| sent(&gateway, variant))
                .buffered(AT_A_TIME)
                .try_collect()
                .await?;
            let taken: Vec<_> = ids.iter().filter_map(Option::as_deref).collect();
            let (rows, sms) = (gateway.transactions_of(&taken).await?, check.contract().sms()?);
            let broken: Vec<_> = (variants.iter().zip(&ids))
                .flat_map(|(variant, id)| rows.iter().map(move |row| (variant, id, row)))
                .filter(|(_, id, row)| id.is_some() && row[&sms.transaction.source].as_str() == id.as_deref())
                .filter_map(|(variant, _, row)| Some((variant.broken_by(&booked(sms, row))?, variant, row)))
                .collect();
            check.measured(format!("{} of {VARIANTS} variants break a law", broken.len()));
            let Some((law, variant, seen)) = broken.first() else { return Ok(()) };
            Err(Failure::failed(law)
                .expected("each of the generated messages keeps the laws")
                .seen(format!("{} of {VARIANTS} do not; the first became {seen}", broken.len()))
                .fact("message", &variant.text)
                .at(format!("{}, from {}", variant.about, variant.sender)))
        })
    }

    /// The id of a variant's message, where the endpoint takes it.
    async fn sent(gateway: &Gateway<'_>, variant: &Variant) -> Verdict<Option<String>> {
        // What is cut off could be taken for the beginning of another one, so that it has a device of its own.
        let own = match variant.is_plain {
            true => None,
            false => Some(Gateway::open(gateway.check, "generated").await?),
        };
        let gateway = own.as_ref().unwrap_or(gateway);
        let message = gateway.message(&variant.text);
        let message = Message { sender: variant.sender.clone(), ..message };
        Ok(match gateway.send(&message).await?.outcome {
            Ingest::Ingested { sms_id, .. } | Ingest::Duplicate { sms_id, .. } => Some(sms_id),
            _ => None,
        })
    }

    /// What a row of the ledger says.
    fn booked(sms: &Sms, row: &Value) -> Fields {
        let columns = &sms.transaction;
        let text = |column: &str| match &row[column] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        Fields {
            amount: text(&columns.amount),
            currency: text(&columns.currency),
            payer_name: text(&columns.payer_name),
            payer_phone: text(&columns.payer_phone),
            transaction_id: text(&columns.transaction_id),
        }
    }
}
