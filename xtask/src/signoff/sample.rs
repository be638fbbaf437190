//! The results of a bad day, made up: what a sign-off is measured and looked at with.

use std::{fs, path::Path, time::Instant};

use harness::{Outcome, Runbook};
use serde_json::{Value, json};

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

/// Leaves the results of so many checks in a folder, with screenshot, page and log of the failed ones, a plot and a
/// matrix.
///
/// # Errors
/// When the folder cannot be written to.
pub fn results(checks: usize, folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder)?;
    let tested: Vec<_> = Runbook::get().steps().iter().filter(|step| step.is_tested()).collect();
    let mut screenshot = PIXEL.to_vec();
    screenshot.resize(SCREENSHOT, 0);
    let log = "GET https://portal.example/rest/v1/transactions 200 12 ms\n".repeat(100);
    for (index, step) in tested.iter().cycle().take(checks).enumerate() {
        let fails = index % FAILS == FAILS - 1;
        let mut attachments: Vec<Value> = Vec::new();
        let mut attach = |name: &str, content_type: &str, bytes: &[u8]| -> Result<(), Error> {
            let source = format!("{index:04}-{name}");
            fs::write(folder.join(&source), bytes)?;
            attachments.push(json!({ "name": name, "source": source, "type": content_type }));
            Ok(())
        };
        if fails {
            attach("screenshot.png", "image/png", &screenshot)?;
            attach("page.html", "text/html", b"<!doctype html><title>Portal</title>")?;
            attach("log.txt", "text/plain", log.as_bytes())?;
        } else if index < tested.len() && step.id == "sec.1.4" {
            attach("matrix.txt", "text/plain", "public.transactions   ADMIN_A   read own\n".repeat(1000).as_bytes())?;
            attach("plot.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")?;
        }
        let outcome = if fails { Outcome::Failed } else { Outcome::Passed };
        let text = format!("{outcome}  {}  {}\n  expected  200\n  seen      <500 & \"no\" body>", step.id, step.title);
        let result = json!({
            "fullName": format!("sample::check_{index:04}"),
            "labels": [
                { "name": "step", "value": step.id },
                { "name": "outcome", "value": outcome.to_string() },
                { "name": "measured", "value": format!("{index} ms") },
            ],
            "statusDetails": fails.then(|| json!({ "trace": text })),
            "attachments": attachments,
            "start": 1_767_787_200_000_u64,
            "stop": 1_767_787_200_000_u64 + index as u64,
        });
        fs::write(folder.join(format!("{index:04}-result.json")), result.to_string())?;
    }
    Ok(())
}

/// Makes the document of the results in `results`, and answers with the seconds that it took.
///
/// # Errors
/// When it cannot be made.
pub fn document(results: &Path, out: &Path) -> Result<f64, Error> {
    let signers = Signers { deployed_by: "Ada".to_owned(), verified_by: "Grace".to_owned() };
    let start = Instant::now();
    make(results, &Signed::default(), &signers, out)?;
    Ok(start.elapsed().as_secs_f64())
}
