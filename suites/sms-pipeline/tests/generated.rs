//! 4.4.3 and 4.4.4 for texts that nobody wrote down: variants of the providers' structures by seed, which keep the laws
//! of the grammar whatever the parser is like.

pub mod writes {
    use futures_util::{StreamExt, stream};
    use harness::{Failure, Fields, Ingest, Message, Variant, Verdict, check, variants};
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
            let sent = stream::iter(&variants).map(|variant| law_broken(&gateway, variant));
            let broken: Vec<_> = sent.buffered(AT_A_TIME).collect::<Vec<_>>().await;
            let broken = broken.into_iter().collect::<Verdict<Vec<_>>>()?;
            let broken: Vec<_> = broken.into_iter().flatten().collect();
            check.measured(format!("{} of {VARIANTS} variants break a law", broken.len()));
            let Some((law, variant, seen)) = broken.first() else { return Ok(()) };
            Err(Failure::failed(law)
                .expected("each of the generated messages keeps the laws")
                .seen(format!("{} of {VARIANTS} do not; the first became {seen}", broken.len()))
                .fact("message", &variant.text)
                .at(format!("{}, from {}", variant.about, variant.sender)))
        })
    }

    /// The law that a transaction of a variant breaks, and the transaction.
    async fn law_broken<'v>(
        gateway: &Gateway<'_>,
        variant: &'v Variant,
    ) -> Verdict<Option<(String, &'v Variant, Value)>> {
        // What is cut off could be taken for the beginning of another one, so that it has a device of its own.
        let own = match variant.is_plain {
            true => None,
            false => Some(Gateway::open(gateway.check, "generated").await?),
        };
        let gateway = own.as_ref().unwrap_or(gateway);
        let message = gateway.message(&variant.text);
        let message = Message { sender: variant.sender.clone(), ..message };
        let (Ingest::Ingested { sms_id, .. } | Ingest::Duplicate { sms_id, .. }) =
            gateway.send(&message).await?.outcome
        else {
            return Ok(None);
        };
        let Some(row) = gateway.transactions(&sms_id).await?.into_iter().next() else { return Ok(None) };
        let columns = &gateway.check.contract().sms()?.transaction;
        let text = |column: &str| match &row[column] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let booked = Fields {
            amount: text(&columns.amount),
            currency: text(&columns.currency),
            payer_name: text(&columns.payer_name),
            payer_phone: text(&columns.payer_phone),
            transaction_id: text(&columns.transaction_id),
        };
        Ok(variant.broken_by(&booked).map(|law| (law, variant, row)))
    }
}
