//! The results of a bad day, made up: what a sign-off is measured and looked at with.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use harness::{
    Outcome, Runbook, Target,
    run::{AttachedFile, CheckResult, Chosen, Explanation, Plan, Planned, Run, Runner, SuiteEnd, SuiteEnded},
};
use jiff::Timestamp;

use super::{Signers, make, signed::Signed};
use crate::Error;

/// Every tenth check fails.
const FAILS: usize = 10;
/// Bytes of a screenshot of the portal.
const SCREENSHOT: usize = 80_000;
/// A picture of one pixel; what follows its end is not looked at.
const PIXEL: [u8; 67] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00, 0x00, 0x00, 0x0a, 0x49,
    0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x00, 0x01, 0x00, 0x00, 0x05, 0x00, 0x01, 0x0d, 0x0a, 0x2d, 0xb4, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// Leaves a run of so many checks in a folder below this one, with screenshot, page and log of the failed ones, a plot
/// and a matrix; answers with its folder.
///
/// # Errors
/// When the folder cannot be written to.
pub fn results(checks: usize, runs: &Path) -> Result<PathBuf, Error> {
    let tested: Vec<_> = Runbook::get().steps().iter().filter(|step| step.is_tested()).collect();
    let made = || tested.iter().cycle().take(checks).enumerate();
    let name = |index: usize| format!("sample::check_{index:04}");
    let plan = Plan {
        runner: Runner::ReleaseCheck,
        target: Some(Target::Embedded),
        chosen: Chosen::default(),
        checks: made()
            .map(|(index, step)| Planned {
                name: name(index),
                step: step.id.clone(),
                needs: Vec::new(),
                left_out: None,
            })
            .collect(),
        harness: None,
    };
    let begun = plan.begin(runs)?;
    let folder = begun.folder();
    let mut screenshot = PIXEL.to_vec();
    screenshot.resize(SCREENSHOT, 0);
    let log = "GET https://portal.example/rest/v1/transactions 200 12 ms\n".repeat(100);
    for (index, step) in made() {
        let fails = index % FAILS == FAILS - 1;
        let mut attachments = Vec::new();
        let mut attach = |name: &str, content_type: &str, bytes: &[u8]| -> Result<(), Error> {
            let file = format!("{index:04}-{name}");
            fs::write(folder.join(&file), bytes)?;
            let (name, content_type) = (name.to_owned(), content_type.to_owned());
            attachments.push(AttachedFile { name, content_type, path: file.into() });
            Ok(())
        };
        if fails {
            attach("screenshot.png", "image/png", &screenshot)?;
            attach("page.html", "text/html", b"<!doctype html><title>Portal</title>")?;
            attach("log.txt", "text/plain", log.as_bytes())?;
        } else if index == 0 {
            attach("matrix.txt", "text/plain", "public.transactions   ADMIN_A   read own\n".repeat(1000).as_bytes())?;
            attach("plot.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")?;
        }
        let outcome = if fails { Outcome::Failed } else { Outcome::Passed };
        let (claim, seen) = ("the answer is right", "<500 & \"no\" body>");
        let text = format!("{outcome}  {}  {}\n  {claim}\n  expected  200\n  seen      {seen}", step.id, step.title);
        let failure = Explanation {
            claim: claim.to_owned(),
            facts: vec![("expected".to_owned(), "200".to_owned()), ("seen".to_owned(), seen.to_owned())],
            severity: Some(step.severity.clone()),
            remedy: Some(step.remedy.clone()),
            text,
        };
        let now = Timestamp::now();
        let result = CheckResult {
            run: begun.manifest().id.clone(),
            name: name(index),
            step: step.id.clone(),
            target: Some(Target::Embedded),
            outcome,
            started: now,
            finished: now,
            attempt: 1,
            measured: Some(format!("{index} ms")),
            figure: None,
            failure: fails.then_some(failure),
            attachments,
        };
        fs::write(folder.join(format!("{index:04}-check.json")), serde_json::to_vec(&result)?)?;
    }
    begun.close(vec![SuiteEnded { suite: "sample".to_owned(), how: SuiteEnd::Red }])?;
    Ok(folder.to_owned())
}

/// Makes the document of the results in `results`, and answers with the seconds that it took.
///
/// # Errors
/// When it cannot be made.
pub fn document(results: &Path, out: &Path) -> Result<f64, Error> {
    let signers = Signers { deployed_by: "Ada".to_owned(), verified_by: "Grace".to_owned() };
    let start = Instant::now();
    make(&Run::read(results)?, &Signed::default(), &signers, out)?;
    Ok(start.elapsed().as_secs_f64())
}
