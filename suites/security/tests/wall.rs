//! "RLS Verification", the whole of it: every table, view and function, tried by every kind of user.

use std::panic::{self, AssertUnwindSafe};

use harness::{
    Failure, Verdict, check,
    rls::{Report, probe},
};
use insta::{Settings, assert_snapshot};
use secrecy::ExposeSecret;

#[test]
fn nobody_gets_across() -> Verdict {
    check("sec.1.4", async |check| {
        let claim = "nobody reads or changes what is another institution's";
        let url = check.deployment().database("the wall between institutions was not probed in the database")?;
        let report = probe(url.expose_secret(), check.contract().tenancy()?, None).await.map_err(|error| {
            let text = error.to_string();
            let (seen, advice) = text.split_once('\n').unwrap_or((&text, ""));
            Failure::undecided(claim).expected("a database that can be probed").seen(seen).fact("do", advice.trim())
        })?;
        check.keep("matrix.txt", "text/plain", report.matrix());
        check.keep("findings.txt", "text/plain", format!("{report:#}"));
        check.measured(format!(
            "{} objects, {} actors, {} probes",
            report.cells.len(),
            report.actors.len(),
            report.attempts
        ));
        if !report.findings.is_empty() {
            let findings: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
            return Err(Failure::failed(claim)
                .expected("no way across")
                .seen(findings.join("\n").trim_end().to_owned()));
        }
        if !report.undecided.is_empty() {
            let open: Vec<_> = report.undecided.iter().map(ToString::to_string).collect();
            return Err(Failure::undecided(claim)
                .expected("every object decided for every actor")
                .seen(open.join("\n"))
                .advice("correct what was inferred wrongly in [tenancy] of the contract, or accept the object there with a reason"));
        }
        if check.deployment().is_ours() { as_approved(&report) } else { Ok(()) }
    })
}

/// A right that somebody got or lost is seen by whoever reviews the change, also where it is no way across.
fn as_approved(report: &Report) -> Verdict {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots/security");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // insta reports a difference by a panic.
    let held = panic::catch_unwind(AssertUnwindSafe(|| settings.bind(|| assert_snapshot!("matrix", report.matrix()))));
    held.map_err(|_| {
        Failure::failed("who may do what is as it was approved")
            .expected("the matrix in snapshots/security/matrix.snap")
            .seen("another one: the difference stands above")
            .advice("if every change in it is meant, approve it: INSTA_UPDATE=always cargo test -p security wall")
    })
}
