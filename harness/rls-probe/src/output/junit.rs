//! JUnit: a test case for each object.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report as Junit, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::report::Report;

/// JUnit's XML: an object has failed where something crosses, and has an error where something is undecided.
///
/// # Errors
/// When a text cannot be written as XML.
pub fn junit(report: &Report) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new("row level security");
    for (object, actors) in &report.cells {
        let mut status = TestCaseStatus::success();
        let found: Vec<_> = report.findings.iter().filter(|finding| finding.object == *object).collect();
        let open: Vec<_> = report.undecided.iter().filter(|open| open.object == *object).collect();
        if !found.is_empty() {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("{} across the wall", found.len()));
            status.set_description(lines(found.iter().map(|finding| format!("{finding:#}"))));
        } else if !open.is_empty() {
            status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message("undecided");
            status.set_description(lines(open.iter().map(ToString::to_string)));
        }
        let mut case = TestCase::new(object.to_string(), status);
        case.set_classname("rls-probe").set_assertions(actors.values().map(BTreeMap::len).sum());
        suite.add_test_case(case);
    }
    // What is of no table, view or function stands by itself.
    for finding in report.findings.iter().filter(|finding| !report.cells.contains_key(&finding.object)) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_description(format!("{finding:#}"));
        suite.add_test_case(TestCase::new(finding.object.to_string(), status));
    }
    let mut junit = Junit::new("rls-probe");
    junit.add_test_suite(suite);
    junit.to_string()
}

fn lines(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join("\n")
}
