//! What nobody may make disappear: the ledger, its allocations, the audit log.

pub mod writes {
    use std::collections::BTreeMap;

    use harness::{Cause, Failure, Kept, RestClient, Section, Verdict, check_if_promised};
    use serde_json::Value;
    use support::{Desk, equals, unread};

    /// Rows by their relation and id.
    type Rows = BTreeMap<(String, String), Value>;

    /// Whoever deletes what a payment hangs on, or its people leave: no payment, allocation or event is fewer or other
    /// than before.
    #[test]
    fn nothing_of_the_ledger_disappears() -> Verdict {
        check_if_promised(&[Section::Trail], "4.3.3", async |check| {
            let desk = Desk::open(check, "trail").await?;
            let trail = check.contract().trail()?;
            let teller = desk.person(&check.contract().allocation()?.writer).await?;
            desk.allocate(&desk.rest(&teller)?, &desk.payment, &desk.member, "kept")
                .await
                .map_err(|error| error.failure("somebody who may allocate can").caused_by(Cause::Database))?;
            let before = kept(&desk, &trail.kept).await?;
            for role in &trail.roles {
                let rest = desk.rest(&desk.person(role).await?)?;
                for (table, column) in &trail.hangs_on {
                    // Whether it is refused is no matter: what counts is what is there afterwards.
                    let answer = rest.delete(&desk.writes, table, &[(column, &value_of(&desk, table, column))]).await;
                    let answer = answer.err().map_or_else(|| "success".to_owned(), |error| error.to_string());
                    let who = format!("after {role} deletes from {table}, which answered: {answer}");
                    unchanged(&before, &kept(&desk, &trail.kept).await?, &who)?;
                }
            }
            desk.writes.dismiss(&teller).await?;
            unchanged(&before, &kept(&desk, &trail.kept).await?, "after the account of who allocated it was deleted")
        })
    }

    fn value_of(desk: &Desk<'_>, table: &str, column: &str) -> String {
        let row = match column {
            "institution_id" => return format!("eq.{}", desk.tenant.id),
            "transaction_id" => &desk.payment,
            "member_id" => &desk.member,
            _ if table == "members" => &desk.member,
            _ if table == "groups" => &desk.group,
            _ if table == "institutions" => return format!("eq.{}", desk.tenant.id),
            _ => &desk.payment,
        };
        equals(&row["id"])
    }

    async fn kept(desk: &Desk<'_>, tables: &[Kept]) -> Verdict<Rows> {
        let mut rows = Rows::new();
        for kept in tables {
            for mut row in read(&desk.service, kept, desk).await? {
                let id = row["id"].as_str().unwrap_or_default().to_owned();
                if let Some(row) = row.as_object_mut() {
                    row.retain(|column, _| !kept.but.contains(column));
                }
                rows.insert((kept.table.clone(), id), row);
            }
        }
        Ok(rows)
    }

    /// Of the desk's own institution, or of its payment.
    async fn read(service: &RestClient, kept: &Kept, desk: &Desk<'_>) -> Verdict<Vec<Value>> {
        let whose = match kept.by.as_str() {
            "transaction_id" => equals(&desk.payment["id"]),
            _ => format!("eq.{}", desk.tenant.id),
        };
        service.all(&kept.table, "id", &[(&kept.by, &whose)]).await.map_err(unread(&kept.table))
    }

    fn unchanged(before: &Rows, after: &Rows, when: &str) -> Verdict {
        let (mut gone, mut changed) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
        for (key, row) in before {
            match after.get(key) {
                None => *gone.entry(&key.0).or_default() += 1,
                Some(now) if now != row => *changed.entry(&key.0).or_default() += 1,
                Some(_) => {}
            }
        }
        if gone.is_empty() && changed.is_empty() && !before.is_empty() {
            return Ok(());
        }
        let gone = gone.into_iter().map(|(table, rows)| format!("{rows} of {table} gone"));
        let changed = changed.into_iter().map(|(table, rows)| format!("{rows} of {table} changed"));
        Err(Failure::failed("no payment, allocation or event disappears or changes, whatever is deleted around it")
            .expected(format!("the same {} rows as before", before.len()))
            .seen(format!("{}, {when}", gone.chain(changed).collect::<Vec<_>>().join(", ")))
            .caused_by(Cause::Database))
    }
}
