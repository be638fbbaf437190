//! Post-Deployment Monitoring: the table's figures that loading the portal shows. Those of messages are the SMS suite's.

pub mod signed_in {
    use harness::{Check, Failure, Route, Verdict, check};

    /// "Dashboard load time".
    #[test]
    fn the_dashboard_loads_in_time() -> Verdict {
        check("post.3.1", async |check| loads_in_time(check, &check.contract().dashboard.route).await)
    }

    /// "Transaction list load".
    #[test]
    fn the_list_of_transactions_loads_in_time() -> Verdict {
        check("post.3.2", async |check| loads_in_time(check, &check.contract().ledger.route).await)
    }

    /// Each of several loads: one that is slow now and then is slow for somebody.
    async fn loads_in_time(check: &Check, name: &str) -> Verdict {
        let (contract, mut took) = (check.contract(), Vec::new());
        let route: &Route = contract.route_of(name);
        let page = check.signed_in(contract.smoke.persona.get_ref()).await?;
        for _ in 0..contract.monitoring.loads {
            let visit = page.open(route).await?;
            visit.expect_ready(format!("{} shows its view", route.path))?;
            took.push(visit.load_time().as_millis());
        }
        took.sort_unstable();
        let (Some(slowest), Some(median)) = (took.last(), took.get(took.len() / 2)) else {
            return Err(Failure::undecided(format!("{} loads in time", route.path))
                .expected("loads = 1 or more in [monitoring] of the contract")
                .seen("0"));
        };
        let figures = format!("median {median} ms, p95 {} ms of {}", p95(&took), took.len());
        check.measured(&figures);
        check.figure(p95(&took) as f64, route.within_ms as f64, "ms");
        if p95(&took) < u128::from(route.within_ms) {
            return Ok(());
        }
        Err(Failure::failed(format!("{} loads in time", route.path))
            .expected(format!("p95 below {} ms", route.within_ms))
            .seen(format!("{figures}, the slowest {slowest} ms"))
            .at(check.deployment().site().url(&route.path).as_str()))
    }

    /// Of sorted figures; of fewer than twenty the last.
    fn p95(sorted: &[u128]) -> u128 {
        let at = (sorted.len() * 95).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied().unwrap_or_default()
    }

    /// "Error rate", of what this run saw: the vendors' logs are not asked.
    #[test]
    fn few_answers_are_errors() -> Verdict {
        check("post.3.3", async |check| {
            let (contract, promise) = (check.contract(), &check.contract().monitoring);
            let page = check.signed_in(contract.smoke.persona.get_ref()).await?;
            let (mut all, mut errors, mut absent) = (0, Vec::new(), String::new());
            // So many are more than promised, whatever is answered after them.
            let too_many = promise.errors_below_percent / 100.0 * promise.errors_of_at_least as f64;
            // Each load brings an answer or more.
            for route in contract.routes().cycle().take(promise.errors_of_at_least) {
                let (visit, before) = (page.open(route).await?, errors.len());
                let answered = visit.requests("http").filter(|it| it.status().is_some() || it.is_server_error());
                for request in answered {
                    all += 1;
                    errors.extend(request.is_server_error().then(|| request.to_string()));
                }
                if !visit.is_ready() && errors.len() == before {
                    absent = format!(", then {} did not show its view", route.path);
                }
                if all >= promise.errors_of_at_least || errors.len() as f64 >= too_many || !absent.is_empty() {
                    break;
                }
            }
            let percent = 100.0 * errors.len() as f64 / all.max(1) as f64;
            let told = format!("{percent:.1} % of {all} answers that this run saw");
            check.measured(&told);
            check.figure(percent, promise.errors_below_percent, "%");
            if all < promise.errors_of_at_least && (errors.len() as f64) < too_many {
                return Err(Failure::undecided("few answers are errors")
                    .expected(format!("{} answers or more", promise.errors_of_at_least))
                    .seen(told + &absent)
                    .at(check.deployment().site().url("/").as_str()));
            }
            if percent < promise.errors_below_percent {
                return Ok(());
            }
            check.keep("errors.txt", "text/plain", errors.join("\n"));
            Err(Failure::failed("few answers are errors")
                .expected(format!("below {} %", promise.errors_below_percent))
                .seen(format!("{told}; each is in the evidence, errors.txt"))
                .at(check.deployment().site().url("/").as_str()))
        })
    }
}
