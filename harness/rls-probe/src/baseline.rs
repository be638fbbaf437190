//! Findings that are known, each with a reason and a day on which it is looked at again.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;

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

/// Findings, by whether a baseline knows them.
#[derive(Debug)]
pub struct Divided {
    /// Those that it does not know.
    pub open: Vec<Finding>,
    /// Those that it does.
    pub known: Vec<Accepted>,
    /// What there is to say of the baseline.
    pub remarks: Vec<String>,
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

impl Baseline {
    /// Divides findings into those that stay open and those that are known, and says what there is to say of the baseline
    /// itself: entries that have run out, and entries of what is not found any more.
    pub fn divide(&self, mut open: Vec<Finding>, today: Date) -> Divided {
        let (mut known, mut remarks) = (Vec::new(), Vec::new());
        for entry in &self.findings {
            let what = format!("{} ({})", entry.object, entry.verbs.iter().cloned().collect::<Vec<_>>().join(", "));
            let Some(at) = open.iter().position(|finding| entry.covers(finding)) else {
                remarks.push(format!("{what} is in the baseline but was not found: remove it"));
                continue;
            };
            if entry.until < today {
                remarks.push(format!("{what} was accepted until {}: mend it, or decide again", entry.until));
                continue;
            }
            known.push(Accepted { finding: open.remove(at), known: entry.clone() });
        }
        Divided { open, known, remarks }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{
        finding::Effect,
        fix::Fix,
        harm::Harm,
        record::{Cause, Object, Verb},
        rule::Rule,
    };

    fn finding(verb: Verb, actor: &str) -> Finding {
        let effect =
            Effect { verb, actors: vec![actor.to_owned()], text: String::new(), harm: Harm::High, sql: String::new() };
        Finding {
            rule: Rule::RowSecurityOff,
            harm: Harm::High,
            object: Object { noun: "table", name: "public.notes".to_owned() },
            effects: vec![effect],
            cause: Cause::NoRowSecurity,
            fix: Fix::default(),
            also: Vec::new(),
        }
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
        let known = baseline.divide(vec![finding(Verb::Read, "viewer")], before);
        assert_eq!((known.open.len(), known.known.len(), known.remarks.len()), (0, 1, 0));
        for (wider, today) in [
            (finding(Verb::Read, "viewer"), after),
            (finding(Verb::Delete, "viewer"), before),
            (finding(Verb::Read, "anonymous"), before),
        ] {
            let open = baseline.divide(vec![wider], today);
            assert_eq!((open.open.len(), open.known.len(), open.remarks.len()), (1, 0, 1));
        }
    }
}
