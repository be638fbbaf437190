use harness::{AttachedFile, CheckResult, Outcome, Runbook, Step};
use jiff::Timestamp;

use super::*;
use crate::texts::hold;
use signed::Signature;

fn signers() -> Signers {
    Signers { deployed_by: "Ada".to_owned(), verified_by: "Grace".to_owned() }
}

fn passed(step: &Step) -> CheckResult {
    CheckResult {
        name: format!("suite::{}", step.id),
        step: step.id.clone(),
        outcome: Outcome::Passed,
        milliseconds: 5,
        finished: Timestamp::UNIX_EPOCH,
        measured: step.expected.as_ref().map(|_| "0".to_owned()),
        figure: None,
        explanation: None,
        attachments: Vec::new(),
    }
}

/// Everything passed and signed for.
fn everything() -> (Vec<CheckResult>, Signed) {
    let steps = Runbook::get().steps().iter();
    let signatures = steps.clone().filter(|step| step.manual.is_some()).map(|step| Signature {
        step: step.id.clone(),
        by: "Ada".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        note: String::new(),
    });
    let signed = Signed { signatures: signatures.collect(), ..Signed::default() };
    (steps.filter(|step| step.is_tested()).map(passed).collect(), signed)
}

fn document(results: &[CheckResult], signed: &Signed) -> SignOff {
    SignOff::of(results, signed, &signers()).unwrap()
}

#[test]
fn a_success_has_nothing_open() {
    let (results, signed) = everything();
    let status = |results: &[CheckResult], signed: &Signed| document(results, signed).status;
    assert_eq!(status(&results, &signed), Status::Success);
    assert_eq!(status(&results, &Signed::default()), Status::Partial, "nobody signed");
    for index in 0..results.len() {
        let mut less = results.clone();
        less.remove(index);
        assert_eq!(status(&less, &signed), Status::Partial, "nobody ran {}", results[index].step);
    }
    for (outcome, expected) in
        [(Outcome::NotRun, Status::Partial), (Outcome::Undecided, Status::Partial), (Outcome::Failed, Status::Failed)]
    {
        let mut results = results.clone();
        results[3].outcome = outcome;
        assert_eq!(status(&results, &signed), expected, "{outcome}");
        assert_eq!(status(&results, &Signed::default()), expected, "{outcome}, and nobody signed");
    }
}

#[test]
fn one_red_check_among_green_ones_is_the_steps_outcome() {
    let (mut results, signed) = everything();
    let mut red = results[0].clone();
    (red.name, red.outcome) = ("suite::another".to_owned(), Outcome::Failed);
    results.push(red);
    assert_eq!(document(&results, &signed).status, Status::Failed);
}

#[test]
fn a_person_may_look_where_the_tests_could_not_and_nowhere_else() {
    let (mut results, mut signed) = everything();
    let at = results.iter().position(|result| result.step == "pre.1.2").unwrap();
    results[at].outcome = Outcome::NotRun;
    assert_eq!(document(&results, &signed).status, Status::Partial, "nobody looked");
    let signature =
        Signature { step: "pre.1.2".to_owned(), by: "Ada".to_owned(), at: Timestamp::UNIX_EPOCH, note: String::new() };
    signed.signatures.push(signature);
    assert_eq!(document(&results, &signed).status, Status::Success);
    results[at].outcome = Outcome::Failed;
    let refused = SignOff::of(&results, &signed, &signers()).err().unwrap().to_string();
    assert_eq!(refused, "pre.1.2 is signed for, and its tests did look: FAILED. Take the signature out");
}

#[test]
fn nobody_signs_for_what_others_decide() {
    let told = |text: &str| Signed::parse(text).err().unwrap().to_string();
    let sign =
        |step: &str| told(&format!("[[signed]]\nstep = \"{step}\"\nby = \"Ada\"\nat = \"2026-11-23T12:00:00Z\""));
    assert_eq!(sign("4.1.2"), "4.1.2 is verified by tests: nobody can sign for it");
    assert_eq!(sign("signoff.1"), "signoff.1 follows from other steps: sign for those");
    assert_eq!(sign("9.9"), "9.9 is signed for, and no step of the runbook");
    assert_eq!(
        told("[escalation]\nCEO = { name = \"Ada\", contact = \"ada@example.com\" }"),
        "no role is called \"CEO\"; there are Technical Lead, DevOps, Product Owner, Database Admin"
    );
}

#[test]
fn a_result_of_no_step_is_told() {
    let (mut results, signed) = everything();
    results[0].step = "9.9".to_owned();
    let error = SignOff::of(&results, &signed, &signers()).err().unwrap().to_string();
    assert_eq!(error, "a result is of step 9.9, which the runbook has not");
}

/// A folder with evidence, and the results of a release that went wrong.
fn bad_day(folder: &Path) -> (Vec<CheckResult>, Signed) {
    let (mut results, mut signed) = everything();
    let attach = |name: &str, content_type: &str, bytes: &[u8]| {
        let path = folder.join(format!("5f-{name}"));
        fs::write(&path, bytes).unwrap();
        AttachedFile { name: name.to_owned(), content_type: content_type.to_owned(), path }
    };
    let find = |step: &str| results.iter().position(|result| result.step == step).unwrap();
    let (routes, sms, wall) = (find("4.1.6"), find("4.4.4"), find("sec.1.4"));
    let failed = &mut results[routes];
    (failed.outcome, failed.explanation) = (Outcome::Failed, Some("FAILED  4.1.6\n  <seen> | ``` a 500".to_owned()));
    failed.attachments = vec![
        attach("screenshot.png", "image/png", b"a picture"),
        attach("page.html", "text/html", b"<script>"),
        attach("log.txt", "text/plain", &vec![b'x'; 600 * 1024]),
    ];
    results[sms].outcome = Outcome::Failed;
    let undecided = results.iter_mut().find(|result| result.step == "4.3.2").unwrap();
    (undecided.outcome, undecided.explanation) = (Outcome::Undecided, Some("undecided  4.3.2".to_owned()));
    results[wall].attachments =
        vec![attach("matrix.txt", "text/plain", b"<groups>  ADMIN_A"), attach("plot.svg", "image/svg+xml", b"<svg/>")];
    signed.signatures.retain(|signature| signature.step != "pre.2.3");
    let named = "[escalation]\nDevOps = { name = \"Linus\", contact = \"linus@example.com\" }";
    (results, Signed { signatures: signed.signatures, ..Signed::parse(named).unwrap() })
}

#[test]
fn the_document_says_what_is_open_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (results, signed) = bad_day(folder.path());
    let document = document(&results, &signed);
    assert!(hold("signoff", "markdown", &document.markdown().unwrap(), None));
    assert!(hold("signoff", "page", &document.html().unwrap(), None));
}

#[test]
fn the_page_asks_for_no_other_file_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (results, signed) = bad_day(folder.path());
    let page = document(&results, &signed).html().unwrap();
    for foreign in ["http://", "https://", "<script", "<link", "<iframe", "url(", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("src=\"data:image/png;base64,YSBwaWN0dXJl\""), "the screenshot is in it");
}

#[test]
fn the_same_results_make_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    sample::results(60, &results).unwrap();
    let make = |out: &str| {
        let out = folder.path().join(out);
        sample::document(&results, &out).unwrap();
        (fs::read(out.join("SIGNOFF.md")).unwrap(), fs::read(out.join("index.html")).unwrap())
    };
    assert_eq!(make("one"), make("other"));
}
