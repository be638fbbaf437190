//! What a change makes of the screens that show it: one's own and somebody else's, at the edges of each window, page by
//! page, and in the audit log.

pub mod writes {
    use std::sync::Arc;

    use harness::{
        Allocation, Cause, Check, Failure, Person, Section, Tenant, Verdict, Wanted, Writes, check_if_promised,
        views::written_amount,
    };
    use jiff::{Timestamp, ToSpan, Zoned, tz::TimeZone};
    use rstest::rstest;
    use serde_json::json;
    use support::Desk;

    use crate::views::Looked;

    const NEEDS: &[Section] = &[Section::Views, Section::Data];

    /// Payments on both sides of each edge: of midnight, of the week, of the month, of 24 hours and of 48, in the portal's
    /// own zone and where UTC would have it.
    #[rstest]
    #[case::of_the_dashboard("dashboard", "4.3.1", auditor)]
    #[case::of_the_reports("reports", "4.1.7", auditor)]
    #[case::of_the_queue("allocation queue", "4.3.3", teller)]
    fn each_edge_is_where_it_is_promised(
        #[case] view: &str,
        #[case] step: &str,
        #[case] who: fn(&Allocation) -> (&str, &'static str),
    ) -> Verdict {
        check_if_promised(&[Section::Views, Section::Data, Section::Make, Section::Allocation], step, async |check| {
            // Each view has its own: what the other one makes meanwhile would be on this one.
            let (role, who) = who(check.contract().allocation()?);
            let (writes, tenant, person) = place(check, &format!("edges of {view}"), role).await?;
            for (at, time) in edges(check)?.into_iter().enumerate() {
                let amount = format!("{}.25", 1_u64 << at);
                let values = [("amount", json!(amount)), ("now", json!(time.to_string()))];
                writes.make(&tenant, "transaction", &values).await?;
            }
            let page = check.page().await?;
            page.hold(&person.session).await?;
            let seen = Looked::by_person(check, view, who, &tenant)?;
            seen.open(&page).await?;
            seen.compare(&page).await?;
            let (first, last) = last_week(&now(check)?).map_err(undecided)?;
            seen.compare_days(&page, &first, &last).await
        })
    }

    /// The role of who reads, and a word for them.
    fn auditor(words: &Allocation) -> (&str, &'static str) {
        (&words.reader, "an auditor")
    }

    /// The role of who allocates, and a word for them.
    fn teller(words: &Allocation) -> (&str, &'static str) {
        (&words.writer, "a teller")
    }

    /// The first and the last of the six days before today.
    fn last_week(now: &Zoned) -> Result<(Zoned, Zoned), jiff::Error> {
        let today = now.start_of_day()?;
        Ok((today.checked_sub(6.days())?, today.checked_sub(1.day())?))
    }

    fn undecided(error: jiff::Error) -> Failure {
        Failure::undecided("the edges of days can be determined").seen(error.to_string())
    }

    /// Now in the portal's own zone.
    fn now(check: &Check) -> Verdict<Zoned> {
        let zone = TimeZone::get(&check.contract().data()?.time_zone).map_err(undecided)?;
        Ok(Timestamp::now().to_zoned(zone))
    }

    /// Times around each edge of a window that a view may have.
    fn edges(check: &Check) -> Verdict<Vec<Timestamp>> {
        around(&now(check)?).map_err(undecided)
    }

    fn around(now: &Zoned) -> Result<Vec<Timestamp>, jiff::Error> {
        let today = now.start_of_day()?;
        let (week, month) = (today.checked_sub(6.days())?, today.first_of_month()?.start_of_day()?);
        let mut times = Vec::new();
        for midnight in [today.clone(), today.checked_add(1.day())?, week, month] {
            let midnight = midnight.timestamp();
            for shift in [0.minutes(), (-1).seconds(), 70.minutes(), (-70).minutes()] {
                times.push(midnight.checked_add(shift)?);
            }
        }
        for hours in [24_i64, 48] {
            for minutes in [5_i64, -5] {
                times.push(now.timestamp().checked_sub((hours * 60 + minutes).minutes())?);
            }
        }
        Ok(times)
    }

    async fn place<'c>(check: &'c Check, label: &str, role: &str) -> Verdict<(Writes<'c>, Arc<Tenant>, Person)> {
        let writes = check.deployment().writes().await?;
        let tenant = writes.institution(label).await?;
        let person = writes.person(&tenant, role).await?;
        Ok((writes, tenant, person))
    }

    /// Who did it stands in the log on screen.
    #[test]
    fn the_log_on_screen_names_who_did_it() -> Verdict {
        check_if_promised(NEEDS, "4.3.4", async |check| {
            let desk = Desk::open(check, "log").await?;
            let words = check.contract().allocation()?;
            let (teller, auditor) = (desk.person(&words.writer).await?, desk.person(&words.reader).await?);
            desk.allocate(&desk.rest(&teller)?, &desk.payment, &desk.member, "for the log on screen")
                .await
                .map_err(|error| error.failure("somebody who may allocate can").caused_by(Cause::Database))?;
            let page = check.page().await?;
            page.hold(&auditor.session).await?;
            let seen = Looked::by_person(check, "audit log", "an auditor", &desk.tenant)?;
            let visit = seen.open(&page).await?;
            seen.compare(&page).await?;
            let rows = page.browser().texts(&seen.list()?.rows).await?;
            if rows.iter().any(|row| row.contains(&teller.email)) {
                return Ok(());
            }
            Err(Failure::failed("the log on screen names who did it")
                .expected("an event with the address of the teller who allocated a payment")
                .seen(format!("{} events, none with it", rows.len()))
                .at(visit.url()))
        })
    }

    /// Others' payments and allocations reach a ledger that is open, also in a page that the browser has kept
    /// and shows again, and its filter stays as it was chosen.
    #[test]
    fn an_open_ledger_follows_others_and_keeps_its_filter() -> Verdict {
        let needs = [Section::Views, Section::Data, Section::Allocation, Section::Ledger];
        check_if_promised(&needs, "4.3.2", async |check| {
            let desk = Desk::open(check, "follows").await?;
            let (contract, words) = (check.contract(), check.contract().allocation()?);
            let (teller, auditor) = (desk.person(&words.writer).await?, desk.person(&words.reader).await?);
            let seen = Looked::by_person(check, "transactions", "an auditor", &desk.tenant)?;
            let page = check.page().await?;
            page.hold(&auditor.session).await?;
            seen.open(&page).await?;
            let ledger = contract.ledger()?;
            let view = Wanted::view(contract, contract.page_of(contract.view("transactions")?));
            let visit = page.browser().keep_and_show_again(&view).await?;
            visit.expect_ready("a view is on screen for whoever comes back to it by the browser's own button")?;
            // Before anything is allocated: what comes in afterwards would take that along.
            let another = desk.writes.make(&desk.tenant, "transaction", &[("amount", json!(750))]).await?;
            let claim = "a ledger that the browser kept, and shows again, follows what comes in";
            let followed = seen.compare_list(&page, seen.list()?, claim).await;
            followed.map_err(|failure| failure.caused_by(Cause::FrontEnd))?;
            let filter = format!("eq.{}", words.done);
            let done = ledger.statuses.iter().find(|status| status.filter == filter);
            let done = done.ok_or_else(|| Failure::undecided("the contract has a button for what is allocated"))?;
            page.browser().click_text(&ledger.status_buttons, &done.button).await?;
            let mut list = seen.list()?.clone();
            list.filters.insert(ledger.status.clone(), filter);
            list.search = None;
            seen.compare_list(&page, &list, "the filter shows its rows").await?;

            for payment in [&desk.payment, &another] {
                desk.allocate(&desk.rest(&teller)?, payment, &desk.member, "by somebody else")
                    .await
                    .map_err(|error| error.failure("somebody who may allocate can").caused_by(Cause::Database))?;
                seen.compare_list(&page, &list, "an open ledger follows what others do, within its filter").await?;
                // What comes in now must not reset the filter before the next look.
                desk.writes.make(&desk.tenant, "transaction", &[("amount", json!(500))]).await?;
            }
            Ok(())
        })
    }

    /// More than two pages: the rest comes when it is asked for, and stays when a payment comes in.
    #[test]
    fn the_rest_of_a_long_ledger_comes_when_asked_for() -> Verdict {
        let needs = [Section::Views, Section::Data, Section::More, Section::Allocation];
        check_if_promised(&needs, "4.3.2", async |check| {
            let contract = check.contract();
            let (ledger, more) = (contract.ledger()?, contract.more()?);
            let (writes, tenant, person) = place(check, "long", &contract.allocation()?.reader).await?;
            for number in 0..2 * ledger.page + 5 {
                let time = Timestamp::now() - i64::try_from(number).unwrap_or_default().minutes();
                let values = [("amount", json!(100 + number)), ("now", json!(time.to_string()))];
                writes.make(&tenant, "transaction", &values).await?;
            }
            let seen = Looked::by_person(check, "transactions", "an auditor", &tenant)?;
            let page = check.page().await?;
            page.hold(&person.session).await?;
            seen.open(&page).await?;
            seen.compare(&page).await?;
            let rows = &seen.list()?.rows;
            for page_number in 1..=2 {
                let next = format!("{rows}:nth-child({})", page_number * ledger.page + 1);
                // A portal may bring the rest at once.
                if page.browser().texts(rows).await?.len() as u64 > page_number * ledger.page {
                    break;
                }
                if !page.browser().press_text("button", more).await? {
                    return Err(Failure::failed("a long ledger offers its rest")
                        .expected(format!("{more:?}"))
                        .seen("none"));
                }
                let visit = page.browser().wait_for(&Wanted::anything(contract).selector(next)).await?;
                let is_offered = page.browser().texts("button").await?.iter().any(|text| text == more);
                if is_offered && page.browser().focus().await?.0.is_empty() {
                    return Err(Failure::failed(format!("{more:?} can be pressed again"))
                        .expected("the focus where it was, for whoever has no pointer")
                        .seen("the focus nowhere")
                        .at(visit.url())
                        .caused_by(Cause::FrontEnd));
                }
            }
            let mut list = seen.list()?.clone();
            list.limit = None;
            seen.compare_list(&page, &list, &format!("{more:?} shows the rest")).await?;
            writes.make(&tenant, "transaction", &[("amount", json!(99))]).await?;
            seen.compare_list(&page, &list, "the rest stays when a payment comes in").await
        })
    }

    /// Who allocates a payment sees it leave each list of what waits.
    #[rstest]
    #[case::the_queue("allocation queue", "4.3.3")]
    #[case::reconciliation("reconciliation", "4.1.6")]
    fn what_is_allocated_leaves_the_list(#[case] view: &str, #[case] step: &str) -> Verdict {
        let needs = [Section::Views, Section::Data, Section::Allocation, Section::Ledger, Section::Controls];
        check_if_promised(&needs, step, async |check| {
            let desk = Desk::open(check, view).await?;
            let (contract, words) = (check.contract(), check.contract().allocation()?);
            let teller = desk.person(&words.writer).await?;
            let seen = Looked::by_person(check, view, "a teller", &desk.tenant)?;
            let page = check.page().await?;
            page.hold(&teller.session).await?;
            seen.open(&page).await?;
            let (list, reference) =
                (seen.list()?, desk.payment[&contract.ledger()?.reference].as_str().unwrap_or_default());
            seen.compare_list(&page, list, "what waits is listed").await?;
            page.ask_for_member(&list.rows, reference, &desk.member, "from the list").await?;
            page.give(&desk.member).await?;
            let gone = Wanted::anything(contract).gone(reference);
            page.browser().wait_for(&gone).await?.expect_ready("a payment that is allocated leaves the list")?;
            let said = page.browser().texts(&page.toast()?).await?.join(" ");
            let payment = &desk.payment;
            let amount = written_amount(contract, &payment["amount"], payment["currency"].as_str())?;
            let name = desk.member["full_name"].as_str().unwrap_or_default();
            if !said.contains(&amount) || !said.contains(name) {
                return Err(Failure::failed("the view says which amount went to whom")
                    .expected(format!("{amount} and the member's name"))
                    .seen(if said.is_empty() { "no message" } else { "a message with another amount or name" })
                    .caused_by(Cause::FrontEnd));
            }
            seen.compare_list(&page, list, "the list is what still waits").await
        })
    }
}
