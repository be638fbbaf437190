//! Relations that repeat what other rows say: names beside payments, memberships. They say it of each row, also once it was
//! changed.

pub mod writes {
    use std::collections::{BTreeMap, BTreeSet};

    use harness::{Cause, Failure, Mirror, Section, Verdict, check_if_promised};
    use rstest_reuse::apply;
    use serde_json::Value;
    use support::unread;

    use crate::{mirrors, states::writes::in_every_state};

    /// What is repeated of a row, by the relation's column.
    type Repeated<'m> = BTreeMap<&'m str, String>;

    /// Differences that a report shows.
    const SHOWN: usize = 4;

    /// Row by row, as somebody reads it who sees all of an institution.
    #[apply(mirrors)]
    fn what_repeats_rows_says_what_they_say(#[case] mirror: &'static str, #[case] step: &'static str) -> Verdict {
        let step = if step.is_empty() { "4.3.2" } else { step };
        let needs = [Section::Mirrors, Section::States, Section::Data, Section::Make];
        check_if_promised(&needs, step, async |check| {
            let (contract, tenant) = (check.contract(), in_every_state(check).await?);
            let mirror = contract.mirror(mirror)?;
            let own = (contract.data()?.tenant.as_str(), format!("eq.{}", tenant.id));
            let select = selected(mirror);
            let filters = mirror.filters.iter().map(|(column, filter)| (column.as_str(), filter.as_str()));
            let query: Vec<_> = [(own.0, own.1.as_str()), ("select", &select)].into_iter().chain(filters).collect();
            let rows = check.deployment().service()?.all(&mirror.table, "id", &query).await;
            let rows = rows.map_err(unread(&mirror.table))?;
            let manager = check.deployment().writes().await?.person(&tenant, contract.highest_role()?).await?;
            let rest = check.deployment().rest()?.signed_in(&manager.session);
            let seen =
                rest.all(&mirror.relation, &mirror.key, &[(own.0, &own.1)]).await.map_err(unread(&mirror.relation))?;
            let expected = rows.iter().map(|row| (plain(&row["id"]), repeated(mirror, row, |_, path| path))).collect();
            let seen = seen.iter().map(|row| (plain(&row[&mirror.key]), repeated(mirror, row, |column, _| column)));
            compare(mirror, &expected, seen.collect())
        })
    }

    fn compare(
        mirror: &Mirror,
        expected: &BTreeMap<String, Repeated<'_>>,
        seen: Vec<(String, Repeated<'_>)>,
    ) -> Verdict {
        let (mut differences, mut there) = (Vec::new(), BTreeSet::new());
        for (id, repeated) in &seen {
            let again = if there.insert(id) { "" } else { ", once more" };
            match expected.get(id) {
                None => differences.push(format!("{id}: no row to repeat{again}")),
                Some(own) => {
                    let others =
                        own.iter().filter(|(column, value)| repeated[*column] != **value).map(|(column, _)| *column);
                    let others = others.collect::<Vec<_>>().join(", ");
                    if !others.is_empty() || !again.is_empty() {
                        let what = if others.is_empty() { "the same".to_owned() } else { format!("another {others}") };
                        differences.push(format!("{id}: {what}{again}"));
                    }
                }
            }
        }
        differences.extend(expected.keys().filter(|id| !there.contains(id)).map(|id| format!("{id}: not there")));
        if differences.is_empty() && !expected.is_empty() {
            return Ok(());
        }
        let all = differences.len();
        differences.truncate(SHOWN);
        if all > SHOWN {
            differences.push(format!("and {} more", all - SHOWN));
        }
        Err(Failure::failed(format!("{} repeats each row of {} as it is now, once", mirror.relation, mirror.table))
            .expected(format!(
                "{} rows with {}",
                expected.len(),
                mirror.columns.keys().cloned().collect::<Vec<_>>().join(", ")
            ))
            .seen(differences.join("\n"))
            .at(&mirror.relation)
            .caused_by(Cause::Database))
    }

    /// The columns to ask the table for, those of rows that it names within them.
    fn selected(mirror: &Mirror) -> String {
        let mut own = BTreeSet::from(["id".to_owned()]);
        let mut others = BTreeMap::<_, BTreeSet<_>>::new();
        for path in mirror.columns.values() {
            match path.split_once('.') {
                Some((other, column)) => drop(others.entry(other).or_default().insert(column)),
                None => drop(own.insert(path.clone())),
            }
        }
        let within = |(other, columns): (_, BTreeSet<_>)| {
            format!("{other}({})", columns.into_iter().collect::<Vec<_>>().join(","))
        };
        own.extend(others.into_iter().map(within));
        own.into_iter().collect::<Vec<_>>().join(",")
    }

    /// What a row says, found by the name that the relation or the table has for it.
    fn repeated<'m>(mirror: &'m Mirror, row: &Value, name: impl Fn(&'m str, &'m str) -> &'m str) -> Repeated<'m> {
        let value = |(column, path): (&'m String, &'m String)| (column.as_str(), plain(at(row, name(column, path))));
        mirror.columns.iter().map(value).collect()
    }

    fn at<'r>(row: &'r Value, path: &str) -> &'r Value {
        path.split('.').fold(row, |row, name| &row[name])
    }

    fn plain(value: &Value) -> String {
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }
}
