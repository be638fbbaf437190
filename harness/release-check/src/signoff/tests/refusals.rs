//! What no sign-off is made of.

use std::fs;

use harness::run::Chosen;

use super::*;

fn production() -> Made {
    Made::passed(Target::Production, an_hour_ago())
}

#[test]
fn a_whole_run_of_production_is_taken_by_itself_and_by_its_id() {
    let run = production();
    let runs = Runs::of(&[&run]);
    assert_eq!(runs.find(&[]).unwrap().runs[0].manifest.id, run.manifest.id);
    assert_eq!(runs.find(&[&run]).unwrap().runs.len(), 1);
}

#[test]
fn no_run_at_all() {
    let refusal = Runs::of(&[]).refusal(&[]);
    assert_eq!(
        refusal,
        "<runs> has no whole run of production that left nothing out\n\
         verify it first: release-check verify --target production"
    );
}

#[test]
fn a_run_of_the_embedded_portal_for_production() {
    let embedded = Made::passed(Target::Embedded, an_hour_ago());
    let runs = Runs::of(&[&embedded]);
    assert!(runs.refusal(&[]).contains("has no whole run of production"));
    let id = &embedded.manifest.id;
    assert_eq!(runs.refusal(&[&embedded]), format!("{id} verified embedded, not production"));
}

#[test]
fn results_half_relabelled() {
    let mut embedded = Made::passed(Target::Embedded, an_hour_ago());
    embedded.manifest.target = Some(Target::Production);
    let half = embedded.results.len() / 2;
    embedded.results.iter_mut().take(half).for_each(|result| result.target = Some(Target::Production));
    let refusal = Runs::of(&[&embedded]).refusal(&[&embedded]);
    assert!(
        refusal.contains("is not whole: sample::check_") && refusal.contains("of the target embedded"),
        "{refusal}"
    );
}

#[test]
fn a_run_of_2018() {
    let run = Made::passed(Target::Production, "2018-05-05T05:05:05Z".parse().unwrap());
    assert_eq!(
        Runs::of(&[&run]).refusal(&[]),
        format!("{} began at 2018-05-05 05:05Z, longer ago than --max-age 24h", run.manifest.id)
    );
}

#[test]
fn a_run_of_2018_with_a_result_of_today() {
    let mut run = Made::passed(Target::Production, "2018-05-05T05:05:05Z".parse().unwrap());
    run.results[0].finished = an_hour_ago();
    assert!(Runs::of(&[&run]).refusal(&[&run]).contains("longer ago than --max-age"));
}

#[test]
fn a_run_of_2099() {
    let run = Made::passed(Target::Production, "2099-05-05T05:05:05Z".parse().unwrap());
    let refusal = Runs::of(&[&run]).refusal(&[&run]);
    assert_eq!(refusal, format!("{} is dated in the future: 2099-05-05 05:05Z", run.manifest.id));
}

#[test]
fn a_run_in_which_one_result_is_of_2099() {
    let mut run = production();
    run.results[3].finished = "2099-05-05T05:05:05Z".parse().unwrap();
    assert!(Runs::of(&[&run]).refusal(&[&run]).ends_with(" is dated in the future: 2099-05-05 05:05Z"));
}

#[test]
fn one_result_for_a_step_that_has_two_checks() {
    let mut run = production();
    let second = harness::run::Planned { name: "sample::second".to_owned(), ..run.manifest.checks[0].clone() };
    run.manifest.checks.push(second);
    let refusal = Runs::of(&[&run]).refusal(&[&run]);
    assert!(refusal.ends_with("is not whole: sample::second lacks a result that counts, it has no result: it did not run to its end, or could not keep its evidence"), "{refusal}");
}

#[test]
fn a_result_that_contradicts_itself() {
    let mut run = production();
    run.end("4.1.6", Outcome::Failed, "P2", "frontend");
    run.result("4.1.6").outcome = Outcome::Passed;
    let refusal = Runs::of(&[&run]).refusal(&[&run]);
    assert!(refusal.contains("its result contradicts itself: it passed, and has a failure"), "{refusal}");
}

#[test]
fn a_run_that_was_altered_after_its_end() {
    let run = production();
    let runs = Runs::of(&[&run]);
    let result = runs.path().join(&run.manifest.id).join("0000-check.json");
    let text = fs::read_to_string(&result).unwrap();
    fs::write(&result, text + " ").unwrap();
    assert!(runs.refusal(&[&run]).ends_with("is not whole: 0000-check.json was altered after the run had ended"));
}

#[test]
fn a_run_that_did_not_end() {
    let run = production();
    let runs = Runs::of(&[&run]);
    fs::remove_file(runs.path().join(&run.manifest.id).join("ended.json")).unwrap();
    assert!(runs.refusal(&[&run]).ends_with("the run did not end: it was killed, or it is still going on"));
}

#[test]
fn a_later_run_that_is_not_whole_is_passed_over_by_name() {
    let whole = production();
    let mut killed = Made::passed(Target::Production, an_hour_ago() + SignedDuration::from_mins(30));
    killed.results.pop();
    let basis = Runs::of(&[&whole, &killed]).find(&[]).unwrap();
    assert_eq!(basis.runs[0].manifest.id, whole.manifest.id);
    assert!(basis.passed_over.unwrap().starts_with(&killed.manifest.id));
}

#[test]
fn a_run_of_a_selection() {
    let mut run = production();
    run.manifest.chosen = Chosen { suites: vec!["smoke".to_owned()], step: Some("4.1".to_owned()), filter: Vec::new() };
    let runs = Runs::of(&[&run]);
    assert!(runs.refusal(&[]).contains("has no whole run"));
    assert!(runs.refusal(&[&run]).contains("was selective (--suite smoke --step 4.1)"));
}

/// Two runs, of one suite each, that together are everything.
fn shards() -> [Made; 2] {
    ["one", "other"].map(|suite| {
        let mut run = production();
        let own = |name: &str| name.ends_with(['0', '2', '4', '6', '8']) == (suite == "one");
        run.manifest.id = format!("{}-{suite}", run.manifest.id);
        run.manifest.chosen.suites = vec![suite.to_owned()];
        run.manifest.checks.retain(|check| own(&check.name));
        run.results.retain(|result| own(&result.name));
        run.results.iter_mut().for_each(|result| result.run.clone_from(&run.manifest.id));
        run
    })
}

#[test]
fn shards_that_together_are_everything_are_one() {
    let [one, other] = shards();
    let runs = Runs::of(&[&one, &other]);
    assert_eq!(runs.find(&[&one, &other]).unwrap().runs.len(), 2);
    assert!(runs.refusal(&[&one]).contains("was selective (--suite one)"));
}

#[test]
fn shards_that_together_leave_a_step_out() {
    let [one, mut other] = shards();
    let step = other.manifest.checks.remove(0).step;
    other.results.retain(|result| result.step != step);
    let refusal = Runs::of(&[&one, &other]).refusal(&[&one, &other]);
    assert_eq!(refusal, format!("the named runs together are not everything: no run covers {step}"));
}

#[test]
fn a_filtered_shard_covers_nothing() {
    let [one, mut other] = shards();
    other.manifest.chosen.filter = vec!["dashboard".to_owned()];
    assert!(Runs::of(&[&one, &other]).refusal(&[&one, &other]).contains("together are not everything"));
}

#[test]
fn shards_of_different_things() {
    type Change = fn(&mut Made);
    let changes: [(&str, Change); 4] = [
        ("the release commit", |made| made.manifest.release_commit = Some("abc".to_owned())),
        ("the contract", |made| made.manifest.contract.sha256.push('0')),
        ("the runbook", |made| made.manifest.runbook.sha256.push('0')),
        ("the harness", |made| made.manifest.harness.dirty = true),
    ];
    for (what, change) in changes {
        let [one, mut other] = shards();
        change(&mut other);
        let refusal = Runs::of(&[&one, &other]).refusal(&[&one, &other]);
        assert!(refusal.ends_with(&format!("are not runs of one thing: they differ in {what}")), "{refusal}");
    }
}

#[test]
fn a_run_during_which_another_release_went_live() {
    let mut run = production();
    run.seen.commit = Some("1111111 and 2222222".to_owned());
    assert_eq!(
        Runs::of(&[&run]).refusal(&[]),
        format!(
            "{} saw several commits: 1111111, 2222222\nverify again when the deployment has ended",
            run.manifest.id
        )
    );
}

#[test]
fn a_proof_of_another_release_proves_nothing() {
    let run = production();
    let mut staging = Made::passed(Target::Staging, an_hour_ago());
    assert_eq!(Runs::of(&[&run, &staging]).find(&[]).unwrap().proofs.len(), 1);
    staging.seen.commit = Some("0000000".to_owned());
    let runs = Runs::of(&[&run, &staging]);
    assert_eq!(runs.find(&[]).unwrap().proofs.len(), 0);
    let proofs = [staging.manifest.id.clone().into()];
    let wanted = Wanted { target: Target::Production, named: &[], proofs: &proofs, max_age: Span::new().hours(24) };
    let refusal = Basis::find(&wanted, runs.path()).err().unwrap().to_string();
    assert_eq!(refusal, format!("{} proves nothing: it verified another release", staging.manifest.id));
}
