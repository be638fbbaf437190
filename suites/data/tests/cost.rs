//! What a page costs: opened, and left alone.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use harness::{Check, Failure, Section, Verdict, Visit, Wanted, check_if_promised};
use rstest::rstest;
use tokio::sync::OnceCell;

pub mod signed_in {
    use super::*;

    /// Requests and kilobytes of an opened view; requests and memory of one that is left alone.
    #[rstest]
    #[case::the_dashboard(Section::Dashboard)]
    #[case::the_ledger(Section::Ledger)]
    fn a_view_stays_within_its_budget(#[case] view: Section) -> Verdict {
        check_if_promised(&[Section::Budget, view], "pre.2.4", async |check| {
            let budget = check.contract().budget()?;
            let cost = Cost::of(check, view).await?;
            let (opened, alone) = (&cost.opened, &cost.alone);
            let data = check.deployment().api()?.data();
            let figures = [
                ("requests of an opened view", opened.asked("http") as u64, budget.requests as u64),
                ("kilobytes of an opened view", cost.kilobytes, budget.kilobytes),
                (
                    "requests for data of a view that is left alone",
                    alone.asked(&data) as u64,
                    budget.requests_left_alone as u64,
                ),
                ("kilobytes of memory more of a view that is left alone", cost.growth, budget.growth_kb),
            ];
            check.measured(figures.map(|(what, seen, _)| format!("{seen} {what}")).join(", "));
            let over: Vec<_> = figures.into_iter().filter(|(_, seen, limit)| seen > limit).collect();
            if over.is_empty() {
                return Ok(());
            }
            Err(Failure::failed("a view stays within its budget")
                .expected(
                    over.iter()
                        .map(|(what, _, limit)| format!("at most {limit} {what}"))
                        .collect::<Vec<_>>()
                        .join("\n"),
                )
                .seen(over.iter().map(|(_, seen, _)| seen.to_string()).collect::<Vec<_>>().join("\n"))
                .at(alone.url()))
        })
    }

    /// What a view began ends with it.
    #[test]
    fn a_view_that_was_left_asks_for_nothing() -> Verdict {
        check_if_promised(&[Section::Budget, Section::Dashboard, Section::Ledger], "pre.2.4", async |check| {
            let (contract, budget) = (check.contract(), check.contract().budget()?);
            let landing = contract.route_of(&contract.dashboard()?.route);
            let page = check.signed_in(contract.visitor(landing)).await?;
            let Some(button) = &landing.navigation else {
                return Err(Failure::undecided("a view can be left for the dashboard")
                    .expected(format!("navigation of {:?} in [[routes]]", landing.path))
                    .seen("none"));
            };
            page.open(contract.route_of(&contract.ledger()?.route)).await?.expect_ready("the ledger is on screen")?;
            page.navigate(button, &Wanted::view(contract, landing))
                .await?
                .expect_ready("the dashboard is on screen")?;
            page.browser().ask("setTimeout(arguments[1], arguments[0])", vec![budget.left_alone_ms.into()]).await?;
            let alone = page.browser().wait_for(&Wanted::anything(contract)).await?;
            let data = check.deployment().api()?.data();
            let asked = alone.asked(&data);
            if asked <= budget.requests_after_leaving {
                return Ok(());
            }
            Err(Failure::failed("a view that was left asks for nothing more")
                .expected(format!(
                    "at most {} requests for data in {} ms",
                    budget.requests_after_leaving, budget.left_alone_ms
                ))
                .seen(asked.to_string())
                .at(alone.url()))
        })
    }

    /// Where the database does not answer, a view that looks again does not ask more often than where it does.
    #[test]
    fn a_ledger_whose_data_fails_asks_no_more_often() -> Verdict {
        check_if_promised(&[Section::Budget, Section::Ledger], "pre.2.4", async |check| {
            let (contract, budget) = (check.contract(), check.contract().budget()?);
            let ledger = contract.route_of(&contract.ledger()?.route);
            let page = check.signed_in(contract.visitor(ledger)).await?;
            let visit = page.open(ledger).await?;
            visit.expect_ready("the ledger is on screen")?;
            page.browser().cut_off("*/rest/v1/*").await?;
            page.browser().ask("setTimeout(arguments[1], arguments[0])", vec![budget.left_alone_ms.into()]).await?;
            let alone = page.browser().wait_for(&Wanted::anything(contract)).await?;
            let data = check.deployment().api()?.data();
            let asked = alone.asked(&data);
            if asked <= budget.requests_left_alone {
                return Ok(());
            }
            Err(Failure::failed("a view whose data fails does not ask more often")
                .expected(format!(
                    "at most {} requests for data in {} ms",
                    budget.requests_left_alone, budget.left_alone_ms
                ))
                .seen(asked.to_string())
                .at(alone.url()))
        })
    }

    #[rstest]
    #[case::the_dashboard(Section::Dashboard)]
    #[case::the_ledger(Section::Ledger)]
    fn the_console_stays_quiet(#[case] view: Section) -> Verdict {
        check_if_promised(&[Section::Budget, view], "3.3.4", async |check| {
            let budget = check.contract().budget()?;
            let cost = Cost::of(check, view).await?;
            let (opened, alone) = (&cost.opened, &cost.alone);
            alone.expect_quiet()?;
            let warnings = [opened.warnings(), alone.warnings()].concat();
            if warnings.len() <= budget.warnings {
                return Ok(());
            }
            Err(Failure::failed("the console stays quiet while a view is left alone")
                .expected(format!("at most {} warnings in {} ms", budget.warnings, budget.left_alone_ms))
                .seen(format!("{}, the last of which is {:?}", warnings.len(), warnings.last()))
                .at(alone.url()))
        })
    }
}

/// Of one view, as soon as somebody has looked.
type Measured = Arc<OnceCell<Verdict<Arc<Cost>>>>;

/// What a view costs.
struct Cost {
    opened: Visit,
    alone: Visit,
    kilobytes: u64,
    growth: u64,
}

impl Cost {
    /// Of a view, once in a process: it takes its time, and two lines of the runbook look at it.
    async fn of(check: &Check, view: Section) -> Verdict<Arc<Self>> {
        static COSTS: Mutex<BTreeMap<Section, Measured>> = Mutex::new(BTreeMap::new());
        let cell = Arc::clone(COSTS.lock().unwrap_or_else(PoisonError::into_inner).entry(view).or_default());
        cell.get_or_init(async || Self::measured(check, view).await.map(Arc::new)).await.clone()
    }

    async fn measured(check: &Check, view: Section) -> Verdict<Self> {
        let (contract, budget) = (check.contract(), check.contract().budget()?);
        let route = match view {
            Section::Ledger => &contract.ledger()?.route,
            _ => &contract.dashboard()?.route,
        };
        let route = contract.route_of(route);
        let page = check.signed_in(contract.visitor(route)).await?;
        let opened = page.open(route).await?;
        opened.expect_on_the_way("the view is on screen")?;
        let loaded =
            "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
            arguments[0](Math.round(all.reduce((sum, it) => sum + (it.encodedBodySize || 0), 0) / 1000));";
        let kilobytes = page.browser().ask(loaded, vec![]).await?.as_u64().unwrap_or_default();
        let before = page.browser().heap().await?;
        // The page's own clock: what is measured is what it does in this time.
        page.browser().ask("setTimeout(arguments[1], arguments[0])", vec![budget.left_alone_ms.into()]).await?;
        let after = page.browser().heap().await?;
        let alone = page.browser().wait_for(&Wanted::anything(contract)).await?;
        Ok(Self { opened, alone, kilobytes, growth: after.saturating_sub(before) / 1000 })
    }
}
