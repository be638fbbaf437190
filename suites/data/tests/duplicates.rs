//! Payments that may be there twice: of one payer, of one amount, within the time that the institution chose, and no others.

pub mod writes {
    use std::collections::BTreeSet;

    use harness::{Cause, Duplicates, Failure, Section, Tenant, Verdict, Writes, check_if_promised};
    use jiff::{Timestamp, ToSpan};
    use serde_json::{Map, Value, json};
    use support::unread;

    /// The time that the institution of this check chooses, where it does; no portal begins with it.
    const MINUTES: u32 = 45;

    /// A payment after another one, and whether they may be the same.
    struct Pair {
        name: String,
        apart: i64,
        /// What the later one has of its own.
        later: Map<String, Value>,
        /// What the earlier one has of its own.
        earlier: Map<String, Value>,
        listed: bool,
    }

    #[test]
    fn duplicates_are_those_of_the_time_that_was_chosen() -> Verdict {
        let needs = [Section::Duplicates, Section::Data, Section::Make, Section::Allocation, Section::Ledger];
        check_if_promised(&needs, "4.1.6", async |check| {
            let (contract, writes) = (check.contract(), check.deployment().writes().await?);
            let words = contract.duplicates()?;
            let tenant = writes.institution("duplicates").await?;
            let service = check.deployment().service()?;
            let whose = format!("eq.{}", tenant.id);
            if let Some(window) = &words.window {
                let chosen = json!({ &window.minutes: MINUTES });
                let answer = service.update(&writes, &window.table, &[(&window.tenant, &whose)], &chosen).await;
                answer.map_err(|error| {
                    Failure::undecided("an institution can choose the time").seen(error.to_string())
                })?;
            }
            let minutes = i64::from(words.minutes.unwrap_or(MINUTES));
            let mut made = Vec::new();
            for (at, pair) in pairs(words, minutes).into_iter().enumerate() {
                let ids = make(writes, &tenant, words, at, &pair).await?;
                made.push((pair, ids));
            }
            let manager = writes.person(&tenant, &contract.allocation()?.manager).await?;
            let rest = check.deployment().rest()?.signed_in(&manager.session);
            let rows = rest.select(&words.relation, &[(&contract.data()?.tenant, &whose)]).await;
            let rows = rows.map_err(unread(&words.relation))?;
            let text = |row: &Value, column: &str| row[column].as_str().unwrap_or_default().to_owned();
            let seen: BTreeSet<_> =
                rows.iter().map(|row| (text(row, &words.transaction), text(row, &words.earlier))).collect();
            judged(&made, &seen, (&words.relation, minutes))
        })
    }

    fn pairs(words: &Duplicates, minutes: i64) -> Vec<Pair> {
        let pair = |name: &str, apart, listed| Pair {
            name: name.to_owned(),
            apart,
            later: Map::new(),
            earlier: Map::new(),
            listed,
        };
        let apart = |minutes: i64, listed| pair(&format!("{minutes} minutes apart"), minutes, listed);
        let mut pairs = vec![apart(minutes - 1, true), pair("1 minute apart", 1, true), apart(minutes + 1, false)];
        let within = minutes / 4;
        for (column, value) in &words.differ {
            let mut other = pair("of another payer, amount or currency", within, false);
            other.later.insert(column.clone(), value.clone());
            pairs.push(other);
        }
        for state in &words.settled {
            let (mut later, mut earlier) =
                (pair("the later one settled", within, false), pair("the earlier one taken back", within, false));
            later.later.insert(words.state.clone(), json!(state));
            earlier.earlier.insert(words.state.clone(), json!(state));
            pairs.extend([later, earlier]);
        }
        pairs
    }

    /// Makes both; answers with their ids, the later one first.
    async fn make(
        writes: Writes<'_>,
        tenant: &Tenant,
        words: &Duplicates,
        at: usize,
        pair: &Pair,
    ) -> Verdict<(String, String)> {
        let end = Timestamp::now() - 2.hours();
        let payment = async |time: Timestamp, own: &Map<String, Value>| {
            let mut columns = Map::from_iter([(words.payer.clone(), json!(format!("07885560{at:02}")))]);
            columns.extend(own.clone());
            let values = [("amount", json!(4100)), ("now", json!(time.to_string()))];
            let row = writes.make_with(tenant, "transaction", &values, &columns).await?;
            Ok::<_, Failure>(row["id"].as_str().unwrap_or_default().to_owned())
        };
        let earlier = payment(end - pair.apart.minutes(), &pair.earlier).await?;
        Ok((payment(end, &pair.later).await?, earlier))
    }

    fn judged(
        made: &[(Pair, (String, String))],
        seen: &BTreeSet<(String, String)>,
        (relation, minutes): (&str, i64),
    ) -> Verdict {
        let is_seen = |ids: &(String, String)| seen.contains(ids);
        let of = |listed: bool| made.iter().filter(move |(pair, ids)| pair.listed == listed && is_seen(ids) != listed);
        let lines = of(true).map(|(pair, _)| format!("not listed: two payments {}", pair.name));
        let mut lines: Vec<_> =
            lines.chain(of(false).map(|(pair, _)| format!("listed: two payments {}", pair.name))).collect();
        if seen.iter().any(|ids| !made.iter().any(|(_, own)| own == ids)) {
            lines.push("listed: a payment beside one that it has nothing to do with".to_owned());
        }
        lines.dedup();
        if lines.is_empty() {
            return Ok(());
        }
        Err(Failure::failed(
            "payments that may be there twice are those of one payer and amount within the chosen time",
        )
        .expected(format!("pairs of one payer, amount and currency up to {minutes} minutes apart, and no others"))
        .seen(lines.join("\n"))
        .at(relation)
        .caused_by(Cause::Database))
    }
}
