//! The SMS lines of the runbook's monitoring table.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Cause, Failure, Section, Verdict, check, check_if_promised};
use jiff::{Timestamp, ToSpan};

use support::{transactions_of, unread};

/// Messages that were given up, of those that came in, over each span that the contract names. A span with few messages
/// says nothing; all of them with few decide nothing.
#[test]
fn few_messages_are_given_up() -> Verdict {
    check("post.3.5", async |check| {
        let (raw, promise) = (&check.contract().sms()?.raw, &check.contract().sms()?.failed_parses);
        let service = check.deployment().service()?;
        let error = format!("eq.{}", raw.error);
        let mut shown = Vec::new();
        let (mut too_many, mut enough) = (false, false);
        for hours in &promise.hours {
            let since = format!("gte.{}", Timestamp::now() - i64::from(*hours).hours());
            let received = (raw.received_at.as_str(), since.as_str());
            let all = service.count(&raw.table, &[received]).await.map_err(unread(&raw.table))?;
            let failed =
                service.count(&raw.table, &[received, (&raw.status, &error)]).await.map_err(unread(&raw.table))?;
            let percent = 100.0 * failed as f64 / all.max(1) as f64;
            if all >= promise.at_least {
                check.figure(percent, promise.below_percent, "%");
            }
            shown.push(format!("{failed} of {all} within {hours} h ({percent:.1} %)"));
            enough |= all >= promise.at_least;
            too_many |= all >= promise.at_least && percent >= promise.below_percent;
        }
        check.measured(shown.join(", "));
        let failure = match (too_many, enough) {
            (false, true) => return Ok(()),
            (true, _) => Failure::failed("few messages are given up"),
            (false, false) => Failure::undecided("few messages are given up"),
        };
        let failure = failure
            .expected(format!("below {} %, of at least {} messages", promise.below_percent, promise.at_least))
            .seen(shown.join(", "))
            .at(format!("{} by {}", raw.table, raw.received_at));
        Err(match too_many {
            true => failure,
            false => failure.advice("a share of so few says nothing: look again when more have come in"),
        })
    })
}

/// Messages that wait longer than the contract says, of those that came from a sender: a provider has changed its words.
/// What is known to be no payment does not wait.
#[test]
fn few_messages_of_a_sender_stay_unread() -> Verdict {
    check("post.3.5", async |check| {
        let (raw, promise) = (&check.contract().sms()?.raw, &check.contract().sms()?.unread);
        let service = check.deployment().service()?;
        let since = format!("gte.{}", Timestamp::now() - i64::from(promise.hours).hours());
        let until = format!("lt.{}", Timestamp::now() - i64::from(promise.after_minutes).minutes());
        let (pending, received) = (format!("eq.{}", raw.pending), raw.received_at.as_str());
        let waiting = [
            (received, since.as_str()),
            (received, until.as_str()),
            (&raw.status, &pending),
            (&raw.kind, &promise.kinds),
        ];
        let rows = service.all(&raw.table, "id", &waiting).await.map_err(unread(&raw.table))?;
        let mut waits: BTreeMap<&str, u64> = BTreeMap::new();
        for sender in rows.iter().filter_map(|row| row[&raw.sender].as_str()) {
            *waits.entry(sender).or_default() += 1;
        }
        let (mut worst, mut too_many, mut shown) = (0.0_f64, false, Vec::new());
        for (sender, waiting) in waits {
            let from = format!("eq.{sender}");
            let all = service
                .count(&raw.table, &[(received, since.as_str()), (&raw.sender, &from)])
                .await
                .map_err(unread(&raw.table))?;
            let percent = 100.0 * waiting as f64 / all.max(1) as f64;
            shown.push(format!("{waiting} of {all} from {} ({percent:.1} %)", masked(sender)));
            if all >= promise.at_least {
                worst = worst.max(percent);
                too_many |= percent >= promise.below_percent;
            }
        }
        check.figure(worst, promise.below_percent, "%");
        let shown = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
        check.measured(format!("unread: {shown}"));
        if !too_many {
            return Ok(());
        }
        Err(Failure::failed("few messages of a sender stay unread")
            .expected(format!(
                "below {} % pending for more than {} min, of a sender's messages within {} h",
                promise.below_percent, promise.after_minutes, promise.hours
            ))
            .seen(shown)
            .at(format!("{} by {}", raw.table, raw.sender))
            .advice("read some of them: the provider may have new words, and the parser needs a pattern for them"))
    })
}

/// A day on which so many messages are expected and none comes is no chance: with fewer a day it may be.
const SURE: u64 = 7;

/// What was received this recently may still be on its way into the ledger.
const UNDER_WAY_MINUTES: i64 = 10;

/// Messages came in on the last day as in the week before, and what was understood of them is in the ledger.
#[test]
fn messages_of_the_day_are_in_the_ledger() -> Verdict {
    check_if_promised(&[Section::Ledger], "post.2.4", async |check| {
        let (sms, ledger) = (check.contract().sms()?, &check.contract().ledger()?.table);
        let (raw, service) = (&sms.raw, check.deployment().service()?);
        let (received, ago) = (raw.received_at.as_str(), |hours: i64| Timestamp::now() - hours.hours());
        let (day, week) = (format!("gte.{}", ago(24)), format!("gte.{}", ago(8 * 24)));
        let of_day = service.count(&raw.table, &[(received, &day)]).await.map_err(unread(&raw.table))?;
        let of_week = service.count(&raw.table, &[(received, &week)]).await.map_err(unread(&raw.table))?;
        let daily = of_week.saturating_sub(of_day) / 7;
        if of_day == 0 {
            let failure = match daily >= SURE {
                true => Failure::failed("messages come in").caused_by(Cause::Functions),
                false => Failure::undecided("messages come in"),
            };
            return Err(failure
                .expected("at least one message within 24 h")
                .seen(format!("none; {daily} a day in the week before"))
                .at(format!("{} by {received}", raw.table))
                .advice("send a payment of one franc to the institution's number, and see whether the gateway's phone is on and passes it on"));
        }

        let until = format!("lt.{}", Timestamp::now() - UNDER_WAY_MINUTES.minutes());
        let understood = [
            ("select", "id"),
            (received, &day),
            (received, &until),
            (&raw.status, &format!("eq.{}", raw.success)),
            (&raw.payment, "is.null"),
        ];
        let rows = service.all(&raw.table, "id", &understood).await.map_err(unread(&raw.table))?;
        let ids: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
        let source = &sms.transaction.source;
        let rows = transactions_of(check, &service, &ids).await?;
        let booked: BTreeSet<&str> = rows.iter().filter_map(|row| row[source].as_str()).collect();
        let missing: Vec<&str> = ids.iter().copied().filter(|id| !booked.contains(id)).collect();
        check.measured(format!(
            "{of_day} messages within 24 h, {daily} a day in the week before; {} of {} understood are in the ledger",
            ids.len() - missing.len(),
            ids.len()
        ));
        let Some(first) = missing.first() else { return Ok(()) };
        Err(Failure::failed("what was understood of the day's messages is in the ledger")
            .caused_by(Cause::Database)
            .expected(format!("a row of {ledger} for each of {} messages", ids.len()))
            .seen(format!("none for {} of them, such as the message {first}", missing.len()))
            .at(format!("{ledger}.{source}"))
            .advice("enter what is missing from the messages themselves, once it is known why they were not"))
    })
}

/// A person's number is nobody else's business.
fn masked(sender: &str) -> String {
    let digits = sender.chars().filter(char::is_ascii_digit).count();
    if digits < 7 {
        sender.to_owned()
    } else {
        format!("a number ending in {}", sender.chars().skip(sender.chars().count() - 3).collect::<String>())
    }
}

pub mod writes {
    use harness::{AnsweredBy, Cause, Failure, Ingest, Section, Verdict, check_if_promised};
    use support::{Gateway, unique};

    /// How many messages are sent one after the other.
    const MESSAGES: usize = 20;

    #[test]
    fn the_function_answers_each_message_without_an_error() -> Verdict {
        check_if_promised(&[Section::Sms, Section::Data, Section::Ledger], "post.3.4", async |check| {
            let gateway = Gateway::open(check, "ours").await?;
            let mut errors = Vec::new();
            for at in 1..=MESSAGES {
                let message = gateway.message(format!("Reminder {at} of {}", unique(&gateway.writes)));
                // Once: a second request would hide an error of the first.
                let receipt = gateway.ingest.send_once(&gateway.writes, &message.body()).await;
                if !matches!(receipt.outcome, Ingest::Ingested { .. }) || receipt.by() != AnsweredBy::Function {
                    errors.push(format!("message {at}: {receipt}"));
                }
            }
            check.measured(format!("{} in {MESSAGES} messages", errors.len()));
            if errors.is_empty() {
                return Ok(());
            }
            Err(Failure::failed("the function answers each message without an error")
                .caused_by(Cause::Functions)
                .expected(format!("0 errors in {MESSAGES} messages"))
                .seen(format!(
                    "{} errors, the first of them\n{}",
                    errors.len(),
                    errors[..errors.len().min(3)].join("\n")
                ))
                .at(gateway.ingest.url().as_str()))
        })
    }
}
