use super::*;
use crate::texts::hold;

fn options() -> Options {
    let (deployed_by, verified_by) = ("Ada".to_owned(), "Grace".to_owned());
    Options { results: None, manual: None, out: None, deployed_by, verified_by }
}

fn passed(step: &Step) -> CheckResult {
    CheckResult {
        name: format!("suite::{}", step.id),
        step: step.id.clone(),
        outcome: Outcome::Passed,
        milliseconds: 5,
        finished: Timestamp::UNIX_EPOCH,
        measured: None,
        explanation: None,
    }
}

/// Everything passed and signed for.
fn everything() -> (Vec<CheckResult>, Signatures) {
    let (manual, tested): (Vec<_>, Vec<_>) = Runbook::get().steps().iter().partition(|step| step.manual.is_some());
    let signed = manual.into_iter().map(|step| Signature {
        step: step.id.clone(),
        by: "Ada".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        note: String::new(),
    });
    (tested.into_iter().map(passed).collect(), Signatures { signed: signed.collect() })
}

fn status(results: &[CheckResult], signatures: &Signatures) -> &'static str {
    SignOff::of(results, signatures, &options()).unwrap().status
}

#[test]
fn a_success_has_nothing_open() {
    let (results, signatures) = everything();
    assert_eq!(status(&results, &signatures), "Success");
    assert_eq!(status(&results[1..], &signatures), "Partial", "a step that nobody ran");
    assert_eq!(status(&results, &Signatures::default()), "Partial", "nobody signed");
    for (outcome, expected) in
        [(Outcome::NotRun, "Partial"), (Outcome::Undecided, "Partial"), (Outcome::Failed, "Failed")]
    {
        let mut results = results.clone();
        results[3].outcome = outcome;
        assert_eq!(status(&results, &signatures), expected, "{outcome}");
    }
}

#[test]
fn nobody_signs_for_a_test() {
    let (results, mut signatures) = everything();
    signatures.signed[0].step = "4.1.2".to_owned();
    let error = SignOff::of(&results, &signatures, &options()).err().unwrap().to_string();
    assert_eq!(error, "4.1.2 is verified by tests: nobody can sign for it");
}

#[test]
fn the_document_says_what_is_open_and_what_to_do() {
    let (mut results, mut signatures) = everything();
    let failed = results.iter_mut().find(|result| result.step == "4.1.6").unwrap();
    (failed.outcome, failed.explanation) = (Outcome::Failed, Some("FAILED  4.1.6\n  <seen> | a 500".to_owned()));
    signatures.signed.retain(|signature| signature.step != "pre.2.3");
    let document = SignOff::of(&results, &signatures, &options()).unwrap();
    assert!(hold("signoff", "markdown", &document.markdown().unwrap(), None));
    let page = document.html().unwrap();
    assert!(page.contains("&lt;seen&gt; | a 500") && page.contains("Rollback Level 1"), "{page}");
    assert_eq!(document.html().unwrap(), page, "the same results make the same document");
}
