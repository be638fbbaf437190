//! 4.3.1 "Dashboard loads real data (not mock)".

use harness::{Check, Failure, Kpi, Section, Shown, Verdict, check, check_if_promised};
use rstest_reuse::apply;
use rust_decimal::Decimal;

use crate::{institutions::Reader, readers};

pub mod signed_in {
    use super::*;

    /// Each figure on screen is the one computed from the rows, which are read with the service's key.
    #[apply(readers)]
    fn each_figure_is_that_of_the_rows(#[case] reader: &str) -> Verdict {
        check("4.3.1", async |check| {
            let reader = Reader::of(check, reader).await?;
            let (before, others) =
                (of_rows(check, &reader.institution).await?, of_rows(check, &reader.other_institution).await?);
            if before == others {
                return Err(Failure::undecided("the institutions' figures differ")
                    .expected("at least one figure that differs between them")
                    .seen(shown(kpis(check)?, &before))
                    .advice("give the two test institutions payments that differ"));
            }
            let page = check.signed_in(reader.persona).await?;
            let route = check.contract().route_of(&check.contract().dashboard()?.route);
            page.open(route).await?.expect_on_the_way("the dashboard is on screen")?;
            let shown = page.figures().await?;
            if are(&shown, &before) {
                return Ok(());
            }
            // Money may have come in meanwhile.
            let after = of_rows(check, &reader.institution).await?;
            if are(&shown, &after) {
                return Ok(());
            }
            let differs = |(at, kpi): (usize, &Kpi)| {
                let line = |figure: String| format!("{}: {figure}", kpi.label);
                (!shown[at].is(after[at]))
                    .then(|| (line(after[at].normalize().to_string()), line(shown[at].to_string())))
            };
            let (expected, seen): (Vec<_>, Vec<_>) = kpis(check)?.iter().enumerate().filter_map(differs).unzip();
            let claim = "each figure of the dashboard is the one that its rows add up to";
            let failure = if before == after { Failure::failed(claim) } else { Failure::undecided(claim) };
            Err(failure.expected(expected.join("\n")).seen(seen.join("\n")).at(format!(
                "{}, institution {}",
                check.deployment().site().url(&route.path),
                reader.institution
            )))
        })
    }

    /// Neither the dashboard nor the ledger, if there is one, says that its data is made up.
    #[apply(readers)]
    fn nothing_is_made_up(#[case] reader: &str) -> Verdict {
        check_if_promised(&[Section::Mock], "4.3.1", async |check| {
            let (contract, page) = (check.contract(), check.signed_in(reader).await?);
            let ledger = contract.ledger().ok().map(|ledger| &ledger.route);
            for name in [&contract.dashboard()?.route].into_iter().chain(ledger) {
                let visit = page.open(contract.route_of(name)).await?;
                visit.expect_no_mock()?;
                visit.expect_on_the_way("the view is on screen")?;
            }
            Ok(())
        })
    }
}

pub mod writes {
    use super::*;

    /// A payment that comes in while somebody looks changes each figure by what its rows change: by exactly its amount.
    #[test]
    fn a_new_transaction_changes_the_figures_by_its_amount() -> Verdict {
        check_if_promised(&[Section::Allocation], "4.3.1", async |check| {
            let writes = check.deployment().writes().await?;
            let tenant = writes.institution("dashboard").await?;
            let person = writes.person(&tenant, &check.contract().allocation()?.writer).await?;
            let page = check.page().await?;
            page.hold(&person.session).await?;
            let route = check.contract().route_of(&check.contract().dashboard()?.route);
            page.open(route).await?.expect_on_the_way("the dashboard is on screen")?;
            let (shown_before, rows_before) = (page.figures().await?, of_rows(check, &tenant.id).await?);

            let amount = Decimal::new(123_456, 2);
            writes.make(&tenant, "transaction", &[("amount", amount.to_string().into())]).await?;
            page.open(route).await?.expect_on_the_way("the dashboard is on screen again")?;
            let (shown_after, rows_after) = (page.figures().await?, of_rows(check, &tenant.id).await?);

            let expected: Vec<_> = rows_after.iter().zip(&rows_before).map(|(after, before)| after - before).collect();
            let shown_twice = shown_after.iter().zip(&shown_before).zip(&expected);
            let seen: Vec<_> = shown_twice.map(|((after, before), amount)| after.grown(*before, *amount)).collect();
            if !expected.contains(&amount) {
                return Err(Failure::undecided("a payment of today counts in at least one figure")
                    .expected(format!("a figure that grows by {amount}"))
                    .seen(shown(kpis(check)?, &expected)));
            }
            if expected == seen {
                return Ok(());
            }
            if seen.iter().all(Decimal::is_zero) {
                return Err(Failure::failed("a payment reaches the figures once it is in")
                    .expected(shown(kpis(check)?, &expected))
                    .seen("the figures from before it: what is shown is an earlier answer, or none of today's")
                    .at(format!("{}, institution {}", check.deployment().site().url(&route.path), tenant.id)));
            }
            Err(Failure::failed("a payment changes the figures by its amount, and no others")
                .expected(shown(kpis(check)?, &expected))
                .seen(shown(kpis(check)?, &seen))
                .at(format!("{}, institution {}", check.deployment().site().url(&route.path), tenant.id)))
        })
    }
}

fn kpis(check: &Check) -> Verdict<&[Kpi]> {
    Ok(&check.contract().dashboard()?.kpis)
}

async fn of_rows(check: &Check, institution: &str) -> Verdict<Vec<Decimal>> {
    let (service, data) = (check.deployment().service()?, check.contract().data()?);
    let mut figures = Vec::new();
    for kpi in kpis(check)? {
        figures.push(kpi.of_rows(&service, data, institution).await?);
    }
    Ok(figures)
}

/// Whether each figure stands for its number.
fn are(shown: &[Shown], figures: &[Decimal]) -> bool {
    shown.len() == figures.len() && shown.iter().zip(figures).all(|(shown, figure)| shown.is(*figure))
}

fn shown(kpis: &[Kpi], figures: &[Decimal]) -> String {
    kpis.iter()
        .zip(figures)
        .map(|(kpi, figure)| format!("{}: {}", kpi.label, figure.normalize()))
        .collect::<Vec<_>>()
        .join("\n")
}
