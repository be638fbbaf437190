//! One self-contained page for people.

use minijinja::{Environment, Error, value::Serde};
use serde_json::{Value, json};

use crate::{
    finding::Finding,
    record::{Cell, Object},
    report::Report,
};

/// The page.
///
/// # Errors
/// When its template does not fit the report.
pub fn html(report: &Report) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.add_template("report.html", include_str!("report.html"))?;
    let matrix: Vec<_> = report
        .cells
        .keys()
        .map(|object| json!({ "object": object.to_string(), "cells": cells(report, object) }))
        .collect();
    let findings: Vec<_> = report.findings.iter().map(of_finding).collect();
    let undecided: Vec<_> = report.undecided.iter().map(ToString::to_string).collect();
    let all = json!({
        "findings": findings, "undecided": undecided, "matrix": matrix, "known": report.known, "actors": report.actors,
        "ties": report.ties, "lints": report.lints, "proof": report.proof, "attempts": report.attempts,
        "took_ms": report.took_ms, "is_good": report.is_good(),
    });
    environment.get_template("report.html")?.render(Serde(all))
}

/// For each actor, each verb that was tried.
fn cells(report: &Report, object: &Object) -> Vec<Value> {
    let of = &report.cells[object];
    let each = report.actors.iter().map(|actor| {
        let verbs = of.get(actor).into_iter().flatten().map(|(verb, cell)| {
            let (class, word) = match cell {
                Cell::Refused => ("refused", "refused"),
                Cell::Own => ("own", "their own"),
                Cell::Undecided(_) => ("undecided", "undecided"),
                Cell::Failed => ("undecided", "fails"),
                Cell::Crossed => ("crossed", "across the wall"),
            };
            json!({ "verb": verb.name(), "class": class, "word": word })
        });
        verbs.collect()
    });
    each.collect()
}

fn of_finding(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule, "help": finding.rule.help(), "harm": finding.harm, "object": finding.object.to_string(),
        "effects": finding.effects, "cause": finding.cause.to_string(), "fix": finding.fix,
        "also": finding.also.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
