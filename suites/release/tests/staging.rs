//! Pre-Release, 2. Staging Verification: "Staging environment mirrors production configuration".

use harness::{Facts, Failure, Verdict, check, difference_table};

#[test]
fn staging_mirrors_production() -> Verdict {
    check("pre.2.1", async |check| {
        let (here, there) = (check.deployment(), check.deployment().counterpart().await?);
        let (ours, theirs) = (Facts::of(here).await?, Facts::of(there).await?);
        let differences = ours.differences(&theirs);
        let (name, other) = (here.target().to_string(), format!("{} to mirror", there.target()));
        check.keep("mirror.md", "text/markdown", difference_table(&differences, &name, &other));
        if differences.is_empty() {
            check.measured(format!("{} facts, no difference", ours.count()));
            return Ok(());
        }
        Err(Failure::failed("staging and production are configured alike")
            .expected(format!("{} facts that are the same in both", ours.count().max(theirs.count())))
            .differing(&differences, &name, &other)
            .advice("bring both to what the repository says (supabase db push, functions deploy, secrets set), then run the checks on staging again"))
    })
}
