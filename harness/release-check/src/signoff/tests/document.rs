//! What the document says.

use std::fs;

use insta::{Settings, assert_snapshot};

use super::*;
use crate::signoff::render;

fn status(run: &Made, signed: &Signed) -> Status {
    signed_off(run, &[], signed).unwrap().status
}

/// On staging nothing is left out, so that everything may pass.
fn staging() -> Made {
    Made::passed(Target::Staging, MORNING)
}

#[test]
fn a_success_has_nothing_open() {
    let signed = everything_signed();
    assert_eq!(status(&staging(), &signed), Status::Success);
    assert_eq!(status(&staging(), &Signed::default()), Status::Partial, "nobody signed");
    for (outcome, expected) in
        [(Outcome::NotRun, Status::Partial), (Outcome::Undecided, Status::Partial), (Outcome::Failed, Status::Failed)]
    {
        let mut run = staging();
        run.end("4.1.6", outcome, "P2", "frontend");
        assert_eq!(status(&run, &signed), expected, "{outcome}");
        assert_eq!(status(&run, &Signed::default()), expected, "{outcome}, and nobody signed");
    }
}

#[test]
fn a_run_without_one_of_its_steps_is_no_success() {
    for index in 0..staging().manifest.checks.len() {
        let mut run = staging();
        let check = run.manifest.checks.remove(index);
        run.results.retain(|result| result.name != check.name);
        assert_eq!(status(&run, &everything_signed()), Status::Partial, "nobody ran {}", check.step);
    }
}

#[test]
fn a_weakened_promise_is_open_until_somebody_accepts_it() {
    let mut run = staging();
    run.manifest.weakened = sample::bad_day(1).manifest.weakened;
    let mut signed = everything_signed();
    let document = signed_off(&run, &[], &signed).unwrap();
    assert_eq!((document.status, document.promises.len()), (Status::Partial, 2));
    signed.accepted = document
        .promises
        .iter()
        .map(|promise| Accepted {
            promise: promise.id.clone(),
            by: "Ada".to_owned(),
            at: MORNING,
            note: "until May".to_owned(),
        })
        .collect();
    assert_eq!(status(&run, &signed), Status::Success);
}

#[test]
fn a_person_may_look_where_the_tests_could_not_and_nowhere_else() {
    let mut run = staging();
    let mut signed = everything_signed();
    run.end("pre.1.2", Outcome::NotRun, "", "");
    assert_eq!(status(&run, &signed), Status::Partial, "nobody looked");
    signed.signatures.push(signature("pre.1.2"));
    assert_eq!(status(&run, &signed), Status::Success);
    run.end("pre.1.2", Outcome::Failed, "P2", "build");
    let refused = signed_off(&run, &[], &signed).err().unwrap();
    assert!(refused.is::<Usage>());
    assert_eq!(refused.to_string(), "pre.1.2 is signed for, and its tests did look: FAILED. Take the signature out");
}

#[test]
fn what_production_leaves_out_is_open_until_staging_or_a_person_shows_it() {
    let run = Made::passed(Target::Production, MORNING);
    let mut signed = everything_signed();
    let document = signed_off(&run, &[], &signed).unwrap();
    assert_eq!(document.status, Status::Partial);
    assert!(document.open.iter().all(|open| open.line.state == State::NotRun));
    for open in &document.open {
        signed.signatures.push(signature(open.line.id));
    }
    assert_eq!(status(&run, &signed), Status::Success, "a person answers for it");
    let before = Made::passed(Target::Staging, MORNING - SignedDuration::from_hours(3));
    let document = signed_off(&run, &[before], &everything_signed()).unwrap();
    assert_eq!(document.status, Status::Success, "staging shows it");
    let text = render::markdown(&document).unwrap();
    let left_out =
        "1 check left out here, it writes to the deployment; passed on staging, 2 hours before this run ended";
    assert!(text.contains(left_out) || text.contains(&left_out.replace('2', "3")), "{text}");
}

#[test]
fn the_last_run_of_staging_decides_whether_all_tests_pass_there() {
    let run = Made::passed(Target::Production, MORNING);
    let line = |proofs: &[Made], signed: &Signed| {
        let document = signed_off(&run, proofs, signed).unwrap();
        document.open.into_iter().find(|open| open.line.id == "pre.2.2").map(|open| open.line.state)
    };
    let earlier = Made::passed(Target::Staging, MORNING - SignedDuration::from_hours(5));
    let mut later = Made::passed(Target::Staging, MORNING - SignedDuration::from_hours(3));
    assert_eq!(line(&[], &Signed::default()), Some(State::NotSigned));
    assert_eq!(line(&[earlier.clone(), later.clone()], &Signed::default()), None, "it passed");
    later.end("4.1.6", Outcome::Failed, "P2", "frontend");
    assert_eq!(line(&[earlier, later], &everything_signed()), Some(State::Failed), "and nobody signs it away");
}

#[test]
fn nobody_signs_for_what_others_decide() {
    let refused = |text: &str| Signed::parse(text).err().unwrap().to_string();
    let sign =
        |step: &str| refused(&format!("[[signed]]\nstep = \"{step}\"\nby = \"Ada\"\nat = \"2025-11-23T12:00:00Z\""));
    assert_eq!(sign("4.1.1"), "4.1.1 is verified by tests: nobody can sign for it");
    assert_eq!(sign("signoff.1"), "signoff.1 follows from other steps: sign for those");
    assert_eq!(sign("9.9"), "9.9 is signed for, and is no step of the runbook");
    assert_eq!(
        refused("[[accepted]]\npromise = \"4.1.1\"\nby = \"Ada\"\nat = \"2025-11-23T12:00:00Z\"\nnote = \"\""),
        "4.1.1 is a step and no promise of the contract: sign for it"
    );
    assert_eq!(
        refused("[[signed]]\nstep = \"pre.2.3\"\nby = \"Ada\"\nat = \"2099-11-23T12:00:00Z\""),
        "a signature is dated in the future: 2099-11-23T12:00:00Z"
    );
    assert_eq!(
        refused("[escalation]\nCEO = { name = \"Ada\", contact = \"ada@example.com\" }"),
        "unknown role \"CEO\"; known roles: Technical Lead, DevOps, Product Owner, Database Admin"
    );
}

#[test]
fn two_slow_views_never_advise_to_restore_a_database() {
    let mut run = staging();
    run.end("4.3.2", Outcome::Failed, "P3", "slow");
    run.end("post.3.2", Outcome::Failed, "P3", "slow");
    let text = render::markdown(&signed_off(&run, &[], &everything_signed()).unwrap()).unwrap();
    assert!(!text.contains("Rollback Level") && !text.contains("PITR"), "{text}");
    assert!(text.contains("- Find what is slow: ") && text.contains("(4.3.2, post.3.2; call DevOps: not named)"));
    assert!(text.contains("### 4.3.2 Transactions show institution-scoped data: FAILED\n\nP3 Minor"), "{text}");
    run.end("4.3.2", Outcome::Failed, "P1", "data");
    let text = render::markdown(&signed_off(&run, &[], &everything_signed()).unwrap()).unwrap();
    assert!(text.contains("**Rollback Level 3, Database (use with extreme caution)** applies"), "{text}");
}

#[test]
fn what_failed_stands_first_and_the_most_severe_of_it() {
    let mut run = staging();
    run.end("4.1.2", Outcome::Failed, "P4", "wording");
    run.end("4.1.6", Outcome::Failed, "P1", "access");
    run.end("pre.1.1", Outcome::Undecided, "", "");
    let document = signed_off(&run, &[], &Signed::default()).unwrap();
    let first: Vec<_> = document.open.iter().map(|open| open.line.id).take(3).collect();
    assert_eq!(first, ["4.1.6", "4.1.2", "pre.1.1"]);
}

#[test]
fn only_production_makes_a_release() {
    let embedded = signed_off(&Made::passed(Target::Embedded, MORNING), &[], &everything_signed()).unwrap();
    assert_eq!(embedded.status, Status::Success);
    for text in [render::markdown(&embedded).unwrap(), render::html(&embedded).unwrap()] {
        assert!(text.contains("Rehearsal on embedded") && !text.contains("Release sign-off,"));
        assert!(text.contains("This is a rehearsal on the target embedded: it releases nothing."));
    }
    let production = signed_off(&Made::passed(Target::Production, MORNING), &[], &everything_signed()).unwrap();
    assert_eq!(production.title(), "Release sign-off, version 1.4.0, commit 4f1c2d3e5a6b");
}

fn bad_day() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let run = sample::results(100, folder.path()).unwrap();
    sample::document(&run, &folder.path().join("out")).unwrap();
    folder
}

#[test]
fn the_document_says_what_is_open_and_what_to_do() {
    let day = bad_day();
    let read = |name: &str| fs::read_to_string(day.path().join("out").join(name)).unwrap();
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../../../../snapshots/signoff");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"base64,[\w+/=]{40,}", "base64,<picture>");
    settings.add_filter(r"\b[0-9a-f]{64}\b", "<sha256>");
    settings.bind(|| {
        assert_snapshot!("markdown", read("SIGNOFF.md"));
        assert_snapshot!("page", read("index.html"));
        assert_snapshot!("record", read("signoff.json"));
    });
}

#[test]
fn the_page_asks_for_no_other_file_and_runs_nothing() {
    let day = bad_day();
    let page = fs::read_to_string(day.path().join("out/index.html")).unwrap();
    for foreign in ["<script", "<link", "<iframe", "url(", "@import", "src=\"http", "href=\"http"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("src=\"data:image/svg+xml;base64,"), "the picture is in it");
}

#[test]
fn the_same_run_makes_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let run = sample::results(60, &folder.path().join("runs")).unwrap();
    let make = |out: &str| {
        let out = folder.path().join(out);
        sample::document(&run, &out).unwrap();
        ["SIGNOFF.md", "index.html", "signoff.json"].map(|name| fs::read(out.join(name)).unwrap())
    };
    assert_eq!(make("one"), make("other"));
}
