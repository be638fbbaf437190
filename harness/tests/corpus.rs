//! What the embedded portal makes of each message of `fixtures/sms`, as one table that a person reads.

use std::fmt::Write;

use harness::Sample;
use held_texts::hold;
use jiff::Timestamp;
use portal::Portal;
use sqlx::{Connection, PgConnection, Row};

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_outcomes_is_the_known_one() {
    let portal = Portal::builder().start().await.unwrap();
    let mut database = PgConnection::connect(portal.database_url()).await.unwrap();
    let mut table = String::new();
    for sample in Sample::all().unwrap() {
        let sample = sample.in_run("00000000", Timestamp::now());
        // A device of its own: parts of other messages are none of this one's.
        sqlx::query(
            "insert into sms_sources (institution_id, name, device_identifier)
             select id, $1, $1 from institutions order by name limit 1",
        )
        .bind(&sample.name)
        .execute(&mut database)
        .await
        .unwrap();
        let row = sqlx::query(
            "with answer as materialized (select ingest_sms($1, $2, $3, now()) as body)
             select answer.body ->> 'parse_status', answer.body ->> 'transaction_id',
                    (answer.body ->> 'sms_id')::uuid from answer",
        )
        .bind(&sample.name)
        .bind(&sample.sender)
        .bind(&sample.text)
        .fetch_one(&mut database)
        .await
        .unwrap();
        let (status, transaction): (Option<String>, Option<String>) = (row.get(0), row.get(1));
        let sms: uuid::Uuid = row.get(2);
        let read: String = match transaction {
            None => sqlx::query_scalar("select coalesce(parse_error, '') from momo_sms_raw where id = $1")
                .bind(sms)
                .fetch_one(&mut database)
                .await
                .unwrap(),
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
