//! Pre-Release, 2. Staging Verification: "Performance benchmarks meet targets", of the database at the contract's volume.

/// What is tried here locks the deployment's tables against migrations, for as long as their schema is read.
mod writes {
    use std::collections::BTreeSet;

    use harness::{Answered, Cause, Failure, Filled, Section, Verdict, at_volume, check_if_promised};

    /// Requests that a report shows; the evidence has all.
    const SHOWN: usize = 5;

    /// By plan and by time: what is fast on a seed of a few rows may read a whole ledger of a year.
    #[test]
    fn what_the_views_ask_for_is_answered_in_time() -> Verdict {
        check_if_promised(&[Section::Volume, Section::Make, Section::Views, Section::Data], "pre.2.4", async |check| {
            let volume = check.contract().volume()?;
            let answered = at_volume(check.deployment(), check.contract()).await?;
            let slowest = answered.iter().map(|it| it.milliseconds).fold(0.0, f64::max);
            check.keep("requests.md", "text/markdown", table(&answered));
            check.measured(format!("{} requests, the slowest in {slowest:.0} ms", answered.len()));
            check.figure(slowest, volume.answers_within_ms as f64, "ms");
            let wrong: Vec<_> = answered.iter().filter(|it| !it.wrong.is_empty()).collect();
            if wrong.is_empty() {
                return Ok(());
            }
            let plans: Vec<_> = wrong.iter().map(|it| (&it.request, &it.plan)).collect();
            check.keep("plans.json", "application/json", serde_json::to_string_pretty(&plans).unwrap_or_default());
            let mut shown: Vec<_> =
                wrong.iter().take(SHOWN).map(|it| format!("{}: {}", it.what, it.wrong.join(", "))).collect();
            if wrong.len() > SHOWN {
                shown.push(format!("and {} more", wrong.len() - SHOWN));
            }
            let mend: BTreeSet<_> = wrong.iter().filter_map(|it| it.mend.as_deref()).collect();
            let mend: Vec<_> = mend.into_iter().take(SHOWN).collect();
            let large = volume.rows.iter().filter(|it| it.rows >= volume.large_from);
            let named = |it: &Filled| it.kind.clone().or(it.table.clone()).unwrap_or_default();
            let rows: Vec<_> = large.map(|it| format!("{} × {}", it.rows, named(it))).collect();
            Err(Failure::failed("what the views ask for is answered in time at the contract's volume")
                .caused_by(Cause::Slow)
                .expected(format!(
                    "each within {} ms, and no table of {} rows or more read from one end to the other",
                    volume.answers_within_ms, volume.large_from
                ))
                .seen(shown.join("\n"))
                .at(format!("a scratch database with the deployment's schema and {}", rows.join(", ")))
                .advice(format!("in a migration: {}; the plans are in the evidence, plans.json", mend.join("; "))))
        })
    }

    fn table(answered: &[Answered]) -> String {
        let line = |it: &Answered| format!("| {} | {:.1} | `{}` |\n", it.what, it.milliseconds, it.request);
        format!("| what | ms | request |\n|---|---|---|\n{}", answered.iter().map(line).collect::<String>())
    }
}
