//! What the embedded portal makes of each message of `fixtures/sms`, as one table that a person reads.

use std::fmt::Write;

use harness::Sample;
use held_texts::hold;
use portal::Portal;
use sqlx::{Connection, PgConnection, Row};

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_outcomes_is_the_known_one() {
    let portal = Portal::builder().start().await.unwrap();
    let mut database = PgConnection::connect(portal.database_url()).await.unwrap();
    let device: String =
        sqlx::query_scalar("select device_identifier from sms_sources where is_active order by 1 limit 1")
            .fetch_one(&mut database)
            .await
            .unwrap();
    let mut table = String::new();
    for sample in Sample::all().unwrap() {
        let sample = sample.in_run("00000000");
        let row = sqlx::query(
            "with answer as materialized (select ingest_sms($1, $2, $3, now()) as body)
             select answer.body ->> 'parse_status', answer.body ->> 'transaction_id' from answer",
        )
        .bind(&device)
        .bind(&sample.sender)
        .bind(&sample.text)
        .fetch_one(&mut database)
        .await
        .unwrap();
        let (status, transaction): (Option<String>, Option<String>) = (row.get(0), row.get(1));
        let read = match transaction {
            None => String::new(),
            Some(id) => sqlx::query_scalar(
                "select concat_ws(', ', amount || ' ' || currency, payer_name, payer_phone, momo_tx_id)
                 from transactions where id = $1::uuid",
            )
            .bind(id)
            .fetch_one(&mut database)
            .await
            .unwrap(),
        };
        let owes = format!("{:?}", sample.owes).to_lowercase();
        let line = format!("{:<52} {owes:<6} {:<8} {read}", sample.name, status.unwrap_or_default());
        writeln!(table, "{}", line.trim_end()).unwrap();
    }
    assert!(hold("sms", "outcomes", &table, None));
}
