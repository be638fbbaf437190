//! Findings that are known, each with a reason and a day on which it is looked at again.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{finding::Finding, report::Report};

/// A file of `[[finding]]` tables.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// What is known.
    #[serde(default, rename = "finding")]
    pub findings: Vec<Known>,
}

/// A finding that is accepted for a while, and nothing more than it says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// With its schema.
    pub object: String,
    /// Everything that may be done, such as `read`.
    pub verbs: BTreeSet<String>,
    /// Everybody who may do it; whoever it is, when nobody is named.
    #[serde(default)]
    pub actors: BTreeSet<String>,
    /// Why that is all right until then.
    pub reason: String,
    /// The last day, `2027-03-31`.
    pub until: Date,
}

/// A finding with what is known of it.
#[derive(Debug, Serialize)]
pub struct Accepted {
    /// What was found.
    pub finding: Finding,
    /// What is known.
    pub known: Known,
}

impl Known {
    /// Whether a finding is this one and no more: another verb or actor is another finding.
    fn covers(&self, finding: &Finding) -> bool {
        self.object == finding.object.name
            && finding.verbs().iter().all(|verb| self.verbs.contains(verb.name()))
            && (self.actors.is_empty() || finding.actors().iter().all(|actor| self.actors.contains(*actor)))
    }
}

impl Report {
    /// Sets aside what is known. Answers with what there is to say of the baseline itself: entries that have run out, and
    /// entries of what is not found any more.
    pub fn accept(&mut self, baseline: &Baseline, today: Date) -> Vec<String> {
        let mut remarks = Vec::new();
        for known in &baseline.findings {
            let what = format!("{} ({})", known.object, known.verbs.iter().cloned().collect::<Vec<_>>().join(", "));
            let Some(at) = self.findings.iter().position(|finding| known.covers(finding)) else {
                remarks.push(format!("{what} is in the baseline and not found: take it out"));
                continue;
            };
            if known.until < today {
                remarks.push(format!("{what} was accepted until {}: mend it, or decide again", known.until));
                continue;
            }
            self.known.push(Accepted { finding: self.findings.remove(at), known: known.clone() });
        }
        remarks
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::rls::{
        finding::{Effect, Severity},
        record::{Cause, Object, Verb},
    };

    fn finding(verb: Verb, actor: &str) -> Finding {
        let effect = Effect { verb, actors: vec![actor.to_owned()], text: String::new(), sql: String::new() };
        Finding {
            severity: Severity::High,
            object: Object { noun: "table", name: "public.notes".to_owned() },
            effects: vec![effect],
            cause: Cause::NoRowSecurity,
            fix: String::new(),
            also: Vec::new(),
        }
    }

    fn report(findings: Vec<Finding>) -> Report {
        Report { findings, ..Report::default() }
    }

    #[test]
    fn a_known_finding_is_set_aside_until_its_day_and_no_wider() {
        let text = r#"[[finding]]
            object = "public.notes"
            verbs = ["read"]
            actors = ["viewer"]
            reason = "notes are public until the redesign"
            until = "2027-03-31""#;
        let baseline: Baseline = toml::from_str(text).unwrap();
        let (before, after) = (date(2027, 3, 31), date(2027, 4, 1));
        let mut known = report(vec![finding(Verb::Read, "viewer")]);
        assert!(known.accept(&baseline, before).is_empty());
        assert_eq!((known.findings.len(), known.known.len()), (0, 1));
        for (wider, today) in [
            (finding(Verb::Read, "viewer"), after),
            (finding(Verb::Delete, "viewer"), before),
            (finding(Verb::Read, "anonymous"), before),
        ] {
            let mut report = report(vec![wider]);
            assert_eq!(report.accept(&baseline, today).len(), 1);
            assert_eq!((report.findings.len(), report.known.len()), (1, 0));
        }
    }
}
