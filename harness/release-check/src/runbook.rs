//! `release-check runbook`: every line of the runbook, and who verifies it.

use std::collections::BTreeMap;

use harness::{Manual, Production, Runbook, run::kept_out};

use crate::{Error, Exit, suites::Source, table::table, terminal::print};

/// Prints the table. True when every step is verified by a test or by people, and every test verifies a step.
///
/// # Errors
/// When a suite cannot be compiled.
pub fn run() -> Result<Exit, Error> {
    let tests = by_step()?;
    let mut rows = table(&["step", "", "verified by", "on production", "severity"]);
    for step in Runbook::get().steps() {
        let (by, production) = match (&step.manual, tests.get(&step.id)) {
            (Some(Manual { by, look }), _) => {
                let run = step.proven_by.map(|target| format!("a whole run of {target}, or "));
                (format!("{}{by}: {look}", run.unwrap_or_default()), String::new())
            }
            (None, Some(tests)) => {
                let otherwise =
                    step.otherwise.as_ref().map(|Manual { by, .. }| format!("; where they cannot look: {by}"));
                (shown(tests) + &otherwise.unwrap_or_default(), step.production.to_string())
            }
            (None, None) if !step.follows.is_empty() => {
                (format!("follows from {}", step.follows.join(", ")), String::new())
            }
            (None, None) => ("NOBODY".to_owned(), String::new()),
        };
        rows.add_row([&step.id, &step.title, &by, &production, &step.severity]);
    }
    print(&rows.to_string());
    let (steps, contradictions) = (Runbook::get().steps(), contradictions(&tests));
    let tested = steps.iter().filter(|step| step.is_tested()).count();
    let proven = steps.iter().filter(|step| step.proven_by.is_some()).count();
    let manual = steps.iter().filter(|step| step.is_for_people()).count();
    contradictions.iter().for_each(|contradiction| print(contradiction));
    print(&format!(
        "{} steps: {tested} verified by tests, {proven} by a run of another target, {manual} by people, {} following from others",
        steps.len(),
        steps.len() - tested - proven - manual
    ));
    Ok(Exit::of(contradictions.is_empty()))
}

/// The tests of each step, with their suites.
fn by_step() -> Result<BTreeMap<String, Vec<String>>, Error> {
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for suite in Source::at(None)?.suites(&[])? {
        for check in suite.checks()? {
            tests.entry(check.step).or_default().push(check.name);
        }
    }
    Ok(tests)
}

/// The suites and how many tests of each.
fn shown(tests: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for test in tests {
        *counts.entry(test.split("::").next().unwrap_or_default()).or_default() += 1;
    }
    let each = counts.iter().map(|(suite, count)| format!("{} ({count})", suite.replace('_', "-")));
    each.collect::<Vec<_>>().join(", ")
}

/// Steps that nobody verifies, tests that verify what people do, and steps that say something else of production than
/// where their tests are.
fn contradictions(tests: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let steps = Runbook::get().steps().iter();
    let wrong = steps.filter_map(|step| match (step.is_tested(), tests.get(&step.id)) {
        (true, None) => Some(format!("{}: no test verifies it, and nobody is named", step.id)),
        (false, Some(tests)) => Some(format!("{}: it is not for tests, and {} verifies it", step.id, tests[0])),
        (true, Some(tests)) if does_to_production(tests) != step.production => Some(format!(
            "{}: it says \"{}\" of production, and by where its tests are it is \"{}\"",
            step.id,
            step.production,
            does_to_production(tests)
        )),
        _ => None,
    });
    wrong.collect()
}

fn does_to_production(tests: &[String]) -> Production {
    match tests.iter().filter(|test| kept_out(test).is_some()).count() {
        0 => Production::Reads,
        all if all == tests.len() => Production::Writes,
        _ => Production::Partly,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps that tests verify: more with each release, never fewer.
    const VERIFIED_BY_TESTS: usize = 76;

    #[test]
    fn every_step_is_verified_and_every_test_verifies_one() {
        let tests = by_step().unwrap();
        assert_eq!(contradictions(&tests), Vec::<String>::new());
        assert!(tests.len() >= VERIFIED_BY_TESTS, "{} steps are verified by tests", tests.len());
        assert!(tests.keys().all(|step| Runbook::get().step(step).is_some()));
    }
}
