//! The laws of the grammar, held against the embedded portal's parser: variants of every structure by its SQL function,
//! and payments that arrive in parts, again, by two devices and in any order.

#![expect(clippy::unwrap_used, reason = "a test panics where it cannot go on")]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use harness::{Fields, Variant, variants};
use jiff::{SignedDuration, Timestamp};
use portal::Portal;
use serde_json::Value;
use sqlx::{Connection, PgConnection};

const SEED: u64 = 19;
const COUNT: usize = 10_000;
/// How many texts go into one statement.
const AT_A_TIME: usize = 500;
/// Three times the goal of a quiet machine: beside other tests it may take longer, and not without end.
const WITHIN: Duration = Duration::from_secs(60);

/// What the portal makes of each, by one connection.
async fn read_all(url: &str, variants: &[Variant]) -> Vec<Value> {
    let mut database = PgConnection::connect(url).await.unwrap();
    let mut all = Vec::new();
    for some in variants.chunks(AT_A_TIME) {
        all.extend(read(&mut database, some).await);
    }
    all
}

async fn read(database: &mut PgConnection, variants: &[Variant]) -> Vec<Value> {
    let (texts, senders): (Vec<_>, Vec<_>) =
        variants.iter().map(|variant| (variant.text.clone(), variant.sender.clone())).unzip();
    sqlx::query_scalar(
        "select parse_sms_deterministic(v.text) || jsonb_build_object('trusted', private.trusts_sender(i.id, v.sender))
         from unnest($1::text[], $2::text[]) with ordinality as v(text, sender, at)
         cross join (select id from institutions order by name limit 1) i
         order by v.at",
    )
    .bind(texts)
    .bind(senders)
    .fetch_all(database)
    .await
    .unwrap()
}

/// What the portal would book.
fn booked(read: &Value) -> Option<Fields> {
    let text = |name: &str| match &read[name] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let is_booked = read["matched"] == true && read["trusted"] == true && read["confidence"].as_f64() >= Some(0.85);
    is_booked.then(|| Fields {
        amount: text("amount"),
        currency: text("currency"),
        payer_name: text("payer_name"),
        payer_phone: text("payer_phone"),
        transaction_id: text("momo_tx_id"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_variants_keep_the_laws() {
    let portal = Portal::builder().start().await.unwrap();
    let variants = variants(SEED, COUNT, Timestamp::now());
    let start = Instant::now();
    let (first, second) = variants.split_at(COUNT / 2);
    let url = portal.database_url();
    let (first, second) = tokio::join!(read_all(url, first), read_all(url, second));
    let (mut broken, mut unread, mut plain) = (Vec::new(), BTreeMap::<String, usize>::new(), 0);
    for (variant, read) in variants.iter().zip(first.into_iter().chain(second)) {
        let booked = booked(&read);
        let said = read["occurred_at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let law = booked.as_ref().and_then(|fields| {
            let misread = said.is_some() && said != variant.said_at;
            variant.broken_by(fields).or_else(|| misread.then(|| format!("the time is the text's, not {said:?}")))
        });
        if let Some(law) = law {
            broken.push(format!("{}: {law}\n    {:?}\n    {read}", variant.about, variant.text));
        }
        plain += usize::from(variant.is_plain);
        if variant.is_plain && booked.is_none() {
            let why = format!("{} ({:?})", read["error"], variant.text);
            *unread.entry(why).or_default() += 1;
        }
    }
    let took = start.elapsed();
    assert!(
        broken.is_empty(),
        "{} laws broken, the first of them\n{}",
        broken.len(),
        broken[..broken.len().min(40)].join("\n")
    );
    let missed: usize = unread.values().sum();
    let shown: Vec<_> = unread.keys().take(12).cloned().collect();
    assert!(plain > COUNT / 5, "{plain}");
    assert!(missed * 100 <= plain * 5, "{missed} of {plain} payments are not read, such as\n{}", shown.join("\n"));
    assert!(took < WITHIN, "{took:?}");
}

/// A message as a device reports it.
struct Report {
    device: usize,
    text: String,
    seconds: i64,
}

/// The messages of a payment in parts or whole, some of them again, from two devices, in any order, and perhaps its
/// reversal.
fn reports(variant: &Variant, random: &mut fastrand::Rng) -> (Vec<Report>, bool) {
    let mut reports = Vec::new();
    let letters: Vec<char> = variant.text.chars().collect();
    let in_parts = letters.len() > 60 && random.bool();
    if in_parts {
        let third = letters.len() / 3;
        let mut cuts = match random.bool() {
            true => vec![random.usize(20..letters.len() - 10)],
            false => vec![random.usize(20..third.max(21)), random.usize(third * 2..letters.len() - 10)],
        };
        // An id of letters may have any length: behind its half nobody knows that there is more.
        let code = variant.fields.transaction_id.as_deref().filter(|id| id.starts_with('G'));
        let place = code.and_then(|id| variant.text.find(id).map(|at| variant.text[..at].chars().count()));
        let within = |cut: &usize| place.is_some_and(|start| (start + 1..=start + 12).contains(cut));
        // The payer's words are judged where their label is in another part: such a payment waits for people.
        let words = payers_words(&variant.text);
        cuts.retain(|cut| !within(cut) && !words.contains(cut));
        let mut start = 0;
        for end in cuts.into_iter().chain([letters.len()]) {
            let text = letters[start..end].iter().collect();
            reports.push(Report { device: 0, text, seconds: random.i64(0..30) });
            start = end;
        }
    } else {
        reports.push(Report { device: 0, text: variant.text.clone(), seconds: random.i64(0..30) });
    }
    if random.bool() || !in_parts {
        reports.push(Report { device: 1, text: variant.text.clone(), seconds: random.i64(0..150) });
    }
    if random.bool() {
        reports.push(Report { device: 1, text: variant.text.clone(), seconds: random.i64(60..170) });
    }
    let reversal = variant.fields.transaction_id.as_ref().filter(|_| random.bool());
    if let Some(id) = reversal {
        let text = format!("Transaction {id} of {} RWF has been reversed.", random.u32(1..9_999));
        reports.push(Report { device: 0, text, seconds: random.i64(0..170) });
    }
    let is_reversed = reversal.is_some();
    random.shuffle(&mut reports);
    (reports, is_reversed)
}

/// Where a text has what the payer wrote, in letters.
fn payers_words(text: &str) -> std::ops::Range<usize> {
    let letters = |end: usize| text[..end].chars().count();
    let Some((before, behind)) = text.split_once("Message from sender:") else { return 0..0 };
    let start = text.len() - behind.len();
    let end = behind.rfind("alance:").map_or(text.len(), |at| start + at);
    letters(before.len())..letters(end)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_payment_is_one_transaction() {
    let portal = Portal::builder().start().await.unwrap();
    let mut database = PgConnection::connect(portal.database_url()).await.unwrap();
    let institution: uuid::Uuid =
        sqlx::query_scalar("select id from institutions order by name limit 1").fetch_one(&mut database).await.unwrap();
    let mut random = fastrand::Rng::with_seed(SEED);
    // With a time or an id a payment is distinguished from another one; an id that may have any length is not cut.
    let payments = variants(SEED + 1, 1_600, Timestamp::now()).into_iter().filter(|variant| {
        let id = variant.fields.transaction_id.as_deref();
        variant.is_plain
            && (id.is_some() || variant.said_at.is_some())
            && id.is_none_or(|id| !variant.text.trim_end().ends_with(id))
    });
    let (mut seen, mut broken) = (0, Vec::new());
    for (number, payment) in payments.enumerate() {
        let (reports, is_reversed) = reports(&payment, &mut random);
        // Each payment has devices and minutes of its own, so that parts of others do not meet it.
        let devices = [format!("{number}-a"), format!("{number}-b")];
        sqlx::query(
            "insert into sms_sources (institution_id, name, device_identifier) select $1, d, d from unnest($2) d",
        )
        .bind(institution)
        .bind(&devices)
        .execute(&mut database)
        .await
        .unwrap();
        let before: i64 = count(&mut database).await;
        for report in &reports {
            let at = Timestamp::now() + SignedDuration::from_secs(report.seconds) - SignedDuration::from_mins(4 * seen);
            sqlx::query("select ingest_sms($1, $2, $3, $4::timestamptz)")
                .bind(&devices[report.device])
                .bind(&payment.sender)
                .bind(&report.text)
                .bind(at.to_string())
                .execute(&mut database)
                .await
                .unwrap();
        }
        let made = count(&mut database).await - before;
        let reversed: bool = sqlx::query_scalar(
            "select allocation_status = 'reversed' from transactions order by created_at desc limit 1",
        )
        .fetch_one(&mut database)
        .await
        .unwrap();
        seen += 1;
        if made != 1 || reversed != is_reversed {
            let texts: Vec<_> = reports.iter().map(|report| format!("{} {:?}", report.device, report.text)).collect();
            broken.push(format!(
                "{}: {made} transactions, reversed: {reversed}\n    {}",
                payment.about,
                texts.join("\n    ")
            ));
        }
    }
    assert!(seen >= 250, "{seen}");
    assert!(broken.is_empty(), "{} of {seen}\n{}", broken.len(), broken[..broken.len().min(8)].join("\n"));
}

async fn count(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from transactions").fetch_one(database).await.unwrap()
}
