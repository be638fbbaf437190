//! SARIF 2.1.0, as GitHub's code scanning reads it: the part of the specification that a prober needs, as types.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{finding::Finding, harm::Harm, report::Report, rule::Rule};

/// The document.
#[derive(Debug, Serialize)]
pub struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Debug, Serialize)]
struct Run {
    tool: Tool,
    results: Vec<SarifResult>,
}

#[derive(Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    name: &'static str,
    short_description: Message,
    help: Help,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Debug, Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Debug, Serialize)]
struct Configuration {
    level: Level,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Properties {
    security_severity: &'static str,
    tags: [&'static str; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    level: Level,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
}

#[derive(Debug, Serialize)]
struct Message {
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    logical_locations: [LogicalLocation; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Debug, Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Debug, Serialize)]
struct Suppression {
    kind: &'static str,
    justification: String,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Note,
    Warning,
    Error,
}

impl From<Harm> for Level {
    fn from(harm: Harm) -> Self {
        match harm {
            Harm::Low => Self::Note,
            Harm::Medium => Self::Warning,
            Harm::High | Harm::Critical => Self::Error,
        }
    }
}

/// The report in SARIF. Findings are of objects, not of lines of a file: each stands at `file`, which the database is made
/// of as far as the caller knows.
pub fn sarif(report: &Report, file: &str) -> Log {
    let found = report.findings.iter().map(|finding| result(finding, None, file));
    let known = report.known.iter().map(|accepted| result(&accepted.finding, Some(&accepted.known.reason), file));
    let results = found.chain(known).collect();
    let mut worst: BTreeMap<Rule, Harm> = BTreeMap::new();
    for finding in report.findings.iter().chain(report.known.iter().map(|accepted| &accepted.finding)) {
        let harm = worst.entry(finding.rule).or_insert(finding.harm);
        *harm = finding.harm.max(*harm);
    }
    let driver = Driver {
        name: env!("CARGO_PKG_NAME"),
        semantic_version: env!("CARGO_PKG_VERSION"),
        rules: worst.into_iter().map(|(rule, harm)| descriptor(rule, harm)).collect(),
    };
    Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run { tool: Tool { driver }, results }],
    }
}

fn descriptor(rule: Rule, worst: Harm) -> Descriptor {
    Descriptor {
        id: rule.id(),
        name: rule.name(),
        short_description: Message { text: rule.help().to_owned() },
        help: Help { text: rule.help(), markdown: rule.page() },
        default_configuration: Configuration { level: worst.into() },
        properties: Properties { security_severity: score(worst), tags: ["security"] },
    }
}

fn result(finding: &Finding, accepted: Option<&String>, file: &str) -> SarifResult {
    let Finding { rule, harm, object, effects, cause, fix, .. } = finding;
    let effects: Vec<_> =
        effects.iter().map(|effect| format!("{} {}", effect.actors.join(", "), effect.text)).collect();
    let justified = |reason: &String| Suppression { kind: "external", justification: reason.clone() };
    SarifResult {
        rule_id: rule.id(),
        level: (*harm).into(),
        message: Message {
            text: format!(
                "{object}: {}. Cause: {cause}. {}: {}",
                effects.join("; "),
                if fix.is_tried { "Fix" } else { "Advice" },
                fix.sql
            ),
        },
        locations: [Location {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation { uri: file.to_owned() },
                region: Region { start_line: 1 },
            },
            logical_locations: [LogicalLocation { fully_qualified_name: object.name.clone(), kind: object.noun }],
        }],
        partial_fingerprints: BTreeMap::from([(
            "ruleObjectAndCause/v1",
            format!("{} {object} {}", rule.id(), cause.names().join(" ")).trim_end().to_owned(),
        )]),
        suppressions: accepted.map(justified).into_iter().collect(),
    }
}

/// GitHub's scale: critical from 9.0, high from 7.0, medium from 4.0.
fn score(harm: Harm) -> &'static str {
    match harm {
        Harm::Critical => "9.5",
        Harm::High => "8.0",
        Harm::Medium => "5.0",
        Harm::Low => "2.0",
    }
}
