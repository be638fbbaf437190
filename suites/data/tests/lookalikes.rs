//! Two members of one name, one group and one phone: each gets what is theirs.

pub mod writes {
    use harness::{Cause, Failure, Verdict, check};
    use serde_json::{Value, json};
    use support::Desk;

    /// By the function and by the dialog, to the older and to the younger of the two.
    #[test]
    fn of_two_members_of_one_name_the_chosen_one_gets_the_payment() -> Verdict {
        check("4.3.3", async |check| {
            let desk = Desk::open(check, "lookalikes").await?;
            let teller = desk.person(&check.contract().allocation()?.writer).await?;
            let rest = desk.rest(&teller)?;
            let name = json!(format!("LOOK ALIKE {}", desk.writes.run()));
            let same = [("group", desk.group["id"].clone()), ("name", name)];
            let (older, younger) = (
                desk.writes.make(&desk.tenant, "member", &same).await?,
                desk.writes.make(&desk.tenant, "member", &same).await?,
            );
            for (member, which) in [(&younger, "younger"), (&older, "older")] {
                let payment = desk.writes.make(&desk.tenant, "transaction", &[("amount", json!(1000))]).await?;
                desk.allocate(&rest, &payment, member, "by the function")
                    .await
                    .map_err(|error| error.failure("somebody who may allocate can").caused_by(Cause::Database))?;
                belongs(&desk, &payment, member, &format!("the {which} of two, by the function")).await?;
            }
            let page = check.page().await?;
            page.hold(&teller.session).await?;
            for (member, which) in [(&younger, "younger"), (&older, "older")] {
                let payment = desk.writes.make(&desk.tenant, "transaction", &[("amount", json!(2000))]).await?;
                let reference = payment[&check.contract().ledger()?.reference].as_str().unwrap_or_default();
                page.open_unallocated(reference).await?;
                page.allocate(reference, member, "by the dialog").await?;
                belongs(&desk, &payment, member, &format!("the {which} of two, by the dialog")).await?;
            }
            Ok(())
        })
    }

    async fn belongs(desk: &Desk<'_>, payment: &Value, member: &Value, which: &str) -> Verdict {
        let words = desk.check.contract().allocation()?;
        let now = desk.now(payment).await?;
        let owner = &now[&words.sets.member];
        if *owner == member["id"] {
            return Ok(());
        }
        Err(Failure::failed("a payment goes to the member who was chosen, not to another one of the same name")
            .expected(format!("{}: {} ({which})", words.sets.member, member["id"]))
            .seen(owner.to_string())
            .at(format!("{} {}", desk.check.contract().ledger()?.table, now["id"])))
    }
}
