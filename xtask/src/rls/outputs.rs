//! What was found, for other programs and for people: SARIF for code scanning, JUnit for CI, a page of HTML.

use harness::rls::{Cell, Finding, Object, Report, Severity};
use minijinja::{Environment, value::Serde};
use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use crate::Error;

/// SARIF 2.1.0, as GitHub's code scanning reads it. Findings are of objects, not of lines of a file: each stands at the
/// file that the database is made of, as far as the caller knows it.
pub fn sarif(report: &Report, file: &str) -> Value {
    let found = report.findings.iter().map(|finding| (finding, None));
    let known = report.known.iter().map(|accepted| (&accepted.finding, Some(accepted.known.reason.as_str())));
    let results: Vec<_> = found
        .chain(known)
        .map(|(finding, reason)| {
            let effects: Vec<_> =
                finding.effects.iter().map(|effect| format!("{} {}", effect.actors.join(", "), effect.text)).collect();
            let mut result = json!({
                "ruleId": rule(finding),
                "level": level(finding.severity),
                "message": { "text": format!("{}: {}. Cause: {}. Fix: {}", finding.object, effects.join("; "), finding.cause, finding.fix) },
                "locations": [{
                    "physicalLocation": { "artifactLocation": { "uri": file }, "region": { "startLine": 1 } },
                    "logicalLocations": [{ "fullyQualifiedName": finding.object.name, "kind": finding.object.noun }],
                }],
                "partialFingerprints": { "objectAndCause/v1": format!("{} {}", finding.object, finding.cause) },
            });
            if let Some(reason) = reason {
                result["suppressions"] = json!([{ "kind": "external", "justification": reason }]);
            }
            result
        })
        .collect();
    let mut rules: Vec<_> = report.findings.iter().map(|finding| (rule(finding), finding.severity)).collect();
    rules.extend(report.known.iter().map(|accepted| (rule(&accepted.finding), accepted.finding.severity)));
    rules.sort();
    rules.dedup_by(|one, other| one.0 == other.0);
    let rules: Vec<_> = rules
        .into_iter()
        .map(|(id, severity)| json!({ "id": id, "properties": { "security-severity": score(severity), "tags": ["security"] } }))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "rls", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    })
}

/// The verb and the kind of object: `delete-table`.
fn rule(finding: &Finding) -> String {
    let verb = finding.effects.first().map_or("cross", |effect| effect.verb.name());
    format!("{verb}-{}", finding.object.noun.replace(' ', "-"))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// GitHub's scale: critical from 9.0, high from 7.0, medium from 4.0.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.0",
        Severity::Low => "2.0",
    }
}

/// JUnit, a test case for each object: failed where something crosses, an error where something is undecided.
pub fn junit(report: &Report) -> Result<String, Error> {
    let mut suite = TestSuite::new("row level security");
    for (object, actors) in &report.cells {
        let mut status = TestCaseStatus::success();
        let found: Vec<_> = report.findings.iter().filter(|finding| finding.object == *object).collect();
        let open: Vec<_> = report.undecided.iter().filter(|open| open.object == *object).collect();
        let told = |texts: Vec<String>| texts.join("\n");
        if !found.is_empty() {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("{} across the wall", found.len()));
            status.set_description(told(found.iter().map(|finding| format!("{finding:#}")).collect()));
        } else if !open.is_empty() {
            status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message("undecided");
            status.set_description(told(open.iter().map(ToString::to_string).collect()));
        }
        let mut case = TestCase::new(object.to_string(), status);
        case.set_classname("rls").set_assertions(actors.values().map(std::collections::BTreeMap::len).sum());
        suite.add_test_case(case);
    }
    // What is of no table, view or function stands by itself.
    for finding in report.findings.iter().filter(|finding| !report.cells.contains_key(&finding.object)) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_description(format!("{finding:#}"));
        suite.add_test_case(TestCase::new(finding.object.to_string(), status));
    }
    let mut junit = Junit::new("rls");
    junit.add_test_suite(suite);
    Ok(junit.to_string()?)
}

/// One self-contained page.
pub fn html(report: &Report) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.add_template("report.html", include_str!("report.html"))?;
    let cells = |object: &Object| -> Vec<Value> {
        let of = &report.cells[object];
        let each = report.actors.iter().map(|actor| {
            let verbs = of.get(actor).into_iter().flatten().map(|(verb, cell)| {
                let (class, word) = match cell {
                    Cell::Refused => ("refused", "refused"),
                    Cell::Own => ("own", "their own"),
                    Cell::Undecided(_) => ("undecided", "undecided"),
                    Cell::Crossed => ("crossed", "across the wall"),
                };
                json!({ "verb": verb.name(), "class": class, "word": word })
            });
            verbs.collect()
        });
        each.collect()
    };
    let matrix: Vec<_> =
        report.cells.keys().map(|object| json!({ "object": object.to_string(), "cells": cells(object) })).collect();
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "severity": finding.severity.name(), "object": finding.object.to_string(), "effects": finding.effects,
                "cause": finding.cause.to_string(), "fix": finding.fix,
                "also": finding.also.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    let undecided: Vec<_> = report.undecided.iter().map(ToString::to_string).collect();
    let all = json!({
        "findings": findings, "undecided": undecided, "matrix": matrix, "known": report.known, "actors": report.actors,
        "ties": report.ties, "lints": report.lints, "proof": report.proof, "attempts": report.attempts,
        "took_ms": report.took_ms, "is_good": report.is_good(),
    });
    Ok(environment.get_template("report.html")?.render(Serde(all))?)
}
