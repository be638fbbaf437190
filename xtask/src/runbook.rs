//! `cargo xtask runbook`: every line of the runbook, and who verifies it.

use std::collections::BTreeMap;

use harness::{Manual, Runbook};

use crate::{
    Error, Verdict, print,
    suites::{SUITES, Suite},
    table::table,
};

/// Prints the table. True when every step is verified by a test or by people, and every test verifies a step.
///
/// # Errors
/// When a suite cannot be compiled.
pub fn run() -> Verdict {
    let tests = by_step()?;
    let mut rows = table(&["step", "", "verified by", "severity"]);
    for step in Runbook::get().steps() {
        let by = match (&step.manual, tests.get(&step.id)) {
            (Some(Manual { by, look }), _) => format!("{by}: {look}"),
            (None, Some(tests)) => told(tests),
            (None, None) => "NOBODY".to_owned(),
        };
        rows.add_row([&step.id, &step.title, &by, &step.severity]);
    }
    print(&rows.to_string());
    let (steps, contradictions) = (Runbook::get().steps(), contradictions(&tests));
    let manual = steps.iter().filter(|step| step.manual.is_some()).count();
    contradictions.iter().for_each(|contradiction| print(contradiction));
    print(&format!("{} steps: {} verified by tests, {manual} by people", steps.len(), steps.len() - manual));
    Ok(contradictions.is_empty())
}

/// The tests of each step, with their suites.
fn by_step() -> Result<BTreeMap<String, Vec<String>>, Error> {
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in SUITES.iter() {
        for (step, test) in Suite::build(name)?.steps()? {
            tests.entry(step).or_default().push(format!("{name} {test}"));
        }
    }
    Ok(tests)
}

/// The suites and how many tests of each.
fn told(tests: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for test in tests {
        *counts.entry(test.split(' ').next().unwrap_or_default()).or_default() += 1;
    }
    let each = counts.iter().map(|(suite, count)| format!("{suite} ({count})"));
    each.collect::<Vec<_>>().join(", ")
}

/// Steps that nobody verifies, and tests that verify what people do.
fn contradictions(tests: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let steps = Runbook::get().steps().iter();
    let wrong = steps.filter_map(|step| match (step.manual.is_some(), tests.get(&step.id)) {
        (false, None) => Some(format!("{}: no test verifies it, and nobody is named", step.id)),
        (true, Some(tests)) => Some(format!("{}: it is for people, and {} verifies it", step.id, tests[0])),
        _ => None,
    });
    wrong.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps that tests verify: more with each release, never fewer.
    const VERIFIED_BY_TESTS: usize = 74;

    #[test]
    fn every_step_is_verified_and_every_test_verifies_one() {
        let tests = by_step().unwrap();
        assert_eq!(contradictions(&tests), Vec::<String>::new());
        assert!(tests.len() >= VERIFIED_BY_TESTS, "{} steps are verified by tests", tests.len());
        assert!(tests.keys().all(|step| Runbook::get().step(step).is_some()));
    }
}
