//! What a page costs: opened, and left alone.

use harness::{Check, Failure, Section, Verdict, Visit, Wanted, check_if_promised};
use rstest::rstest;

pub mod signed_in {
    use super::*;

    /// Requests and kilobytes of an opened view; requests and memory of one that is left alone.
    #[rstest]
    #[case::the_dashboard("dashboard")]
    #[case::the_ledger("transactions")]
    fn a_view_stays_within_its_budget(#[case] view: &str) -> Verdict {
        check_if_promised(&[Section::Budget, Section::Views], "pre.2.4", async |check| {
            let budget = check.contract().budget()?;
            let Cost { opened, alone, kilobytes, growth } = Cost::of(check, view).await?;
            let data = format!("{}/rest/v1/", check.deployment().api()?.url.as_str().trim_end_matches('/'));
            let asked =
                |visit: &Visit, prefix: &str| visit.requests(prefix).filter(|it| it.method() != "OPTIONS").count();
            let figures = [
                ("requests of an opened view", asked(&opened, "http") as u64, budget.requests as u64),
                ("kilobytes of an opened view", kilobytes, budget.kilobytes),
                (
                    "requests for data of a view that is left alone",
                    asked(&alone, &data) as u64,
                    budget.requests_left_alone as u64,
                ),
                ("kilobytes of memory more of a view that is left alone", growth, budget.growth_kb),
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

    #[rstest]
    #[case::the_dashboard("dashboard")]
    #[case::the_ledger("transactions")]
    fn the_console_stays_quiet(#[case] view: &str) -> Verdict {
        check_if_promised(&[Section::Budget, Section::Views], "3.3.4", async |check| {
            let budget = check.contract().budget()?;
            let Cost { opened, alone, .. } = Cost::of(check, view).await?;
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

pub mod writes {
    use harness::Recipe;
    use secrecy::ExposeSecret;
    use serde_json::Value;
    use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

    use super::*;

    /// Rows of another institution, in a transaction that is taken back.
    const VOLUME: u32 = 30_000;

    /// What may be read for a page of a small institution, whatever the others have.
    const READ_AT_MOST: f64 = 5_000.0;

    /// Another institution's ledger grows by 30,000 rows: an index finds one's own page without reading them.
    #[test]
    fn anothers_volume_costs_nothing() -> Verdict {
        check_if_promised(&[Section::Ledger, Section::Data, Section::Make, Section::Views], "pre.2.4", async |check| {
            let (contract, claim) = (check.contract(), "a page of the ledger is found by an index");
            check.deployment().writes().await?;
            let url = check.deployment().database(claim)?;
            let undecided = |error: sqlx::Error| Failure::undecided(claim).seen(error.to_string());
            let session = check.deployment().session("ADMIN_A").await?;
            let user = session.user["id"].as_str().unwrap_or_default().to_owned();
            let mut connection = PgConnection::connect(url.expose_secret()).await.map_err(undecided)?;
            let mut work = connection.begin().await.map_err(undecided)?;
            let other = check.deployment().institution("B")?;
            let recipe = contract.make()?.get("transaction").ok_or_else(|| Failure::undecided(claim))?;
            work.execute(AssertSqlSafe(filled(recipe, &other))).await.map_err(undecided)?;
            let table = &recipe.table;
            work.execute(AssertSqlSafe(format!("analyze public.{table}"))).await.map_err(undecided)?;
            let claims = serde_json::json!({ "sub": user, "role": "authenticated" });
            work.execute(AssertSqlSafe(format!(
                "select set_config('request.jwt.claims', '{claims}', true); set local role authenticated; set local enable_seqscan = off"
            )))
            .await
            .map_err(undecided)?;
            let mut over = Vec::new();
            for view in contract.views()?.filter(|view| !view.lists.is_empty()) {
                for list in &view.lists {
                    let kind = contract.kind_of(list)?;
                    let (Some(limit), true) = (list.limit, kind.table == *table) else { continue };
                    let order = list.order.replace(".desc", " desc").replace(".asc", " asc");
                    let filters = list.filters.iter().filter_map(|(column, filter)| {
                        filter.strip_prefix("eq.").map(|value| format!("{column} = '{value}'"))
                    });
                    let filters: Vec<_> = [String::from("true")].into_iter().chain(filters).collect();
                    let query = format!(
                        "explain (analyze, format json) select * from public.{table} where {} order by {order} limit {limit}",
                        filters.join(" and ")
                    );
                    let (plan,): (Value,) =
                        sqlx::query_as(AssertSqlSafe(query)).fetch_one(&mut *work).await.map_err(undecided)?;
                    let read = read(&plan[0]["Plan"], table);
                    if read > READ_AT_MOST {
                        over.push(format!("{read} rows for {}", view.name));
                    }
                }
            }
            work.rollback().await.map_err(undecided)?;
            if over.is_empty() {
                return Ok(());
            }
            Err(Failure::failed(claim)
                .expected(format!("at most {READ_AT_MOST} rows read, though another institution has {VOLUME} more"))
                .seen(over.join("\n"))
                .advice("look for a migration that dropped or forgot an index of the ledger"))
        })
    }

    /// Payments of an institution, made as the contract says.
    fn filled(recipe: &Recipe, institution: &str) -> String {
        let columns: Vec<_> = recipe.values.keys().map(String::as_str).collect();
        let row = serde_json::to_string(&recipe.values).unwrap_or_default();
        let row = row.replace("{institution}", institution).replace("{amount}", "1000").replace("{now}", "NOW");
        let row = row.replace("{reference}", "VOLUME-NUMBER").replace('\'', "''");
        format!(
            "insert into public.{table} ({columns}) select {picked} from generate_series(1, {VOLUME}) n
             cross join lateral jsonb_populate_record(null::public.{table},
               replace(replace('{row}', 'NUMBER', n::text), '\"NOW\"', to_json(now() - n * interval '1 minute')::text)::jsonb) r",
            table = recipe.table,
            columns = columns.join(", "),
            picked = columns.iter().map(|column| format!("r.{column}")).collect::<Vec<_>>().join(", "),
        )
    }

    /// Rows that a plan reads of a table, those that it then leaves out included.
    fn read(plan: &Value, table: &str) -> f64 {
        let number = |name: &str| plan[name].as_f64().unwrap_or_default();
        let own = if plan["Relation Name"] == *table {
            (number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck"))
                * number("Actual Loops").max(1.0)
        } else {
            0.0
        };
        own + plan["Plans"].as_array().into_iter().flatten().map(|plan| read(plan, table)).sum::<f64>()
    }
}

/// What a view costs.
struct Cost {
    opened: Visit,
    alone: Visit,
    kilobytes: u64,
    growth: u64,
}

impl Cost {
    async fn of(check: &Check, view: &str) -> Verdict<Self> {
        let (contract, budget) = (check.contract(), check.contract().budget()?);
        let page = check.signed_in(contract.smoke.persona.get_ref()).await?;
        let opened = page.open(contract.page_of(contract.view(view)?)).await?;
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
