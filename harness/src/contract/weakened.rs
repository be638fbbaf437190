//! What a contract asks less of than the runbook does. It is allowed, and it is no secret: verdict and sign-off name it.

use serde::{Deserialize, Serialize};

use super::{Contract, release::Recovery};
use crate::runbook::{Runbook, Step, Watched};

/// A promise of the runbook that a contract weakens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weakened {
    /// The place in the contract: what a signature names.
    pub id: String,
    /// What it says there.
    pub says: String,
    /// What the runbook asks for.
    pub runbook: String,
}

impl Contract {
    /// All that this contract asks less of than the runbook does. What it leaves out as a whole is not promised, and no
    /// matter of this.
    pub fn weakened(&self) -> Vec<Weakened> {
        let mut weakened = Vec::new();
        let mut weaker = |id: String, says: String, runbook: &str| {
            weakened.push(Weakened { id, says, runbook: runbook.to_owned() });
        };
        for (id, length, runbook) in self.lists() {
            if length == Some(0) {
                weaker(id.to_owned(), "nothing".to_owned(), runbook);
            }
        }
        for (name, pattern) in &self.headers {
            if pattern.is_in("") {
                let says = format!("any value, and none, matches {:?}", pattern.as_str());
                weaker(format!("headers.{name}"), says, "3.3: the document has its headers");
            }
        }
        for (at, pattern) in self.console.allowed.iter().enumerate() {
            let says = format!("errors like {:?} are no defect", pattern.as_str());
            weaker(format!("console.allowed.{}", at + 1), says, "3.3.4: no JavaScript errors in the console");
        }
        if !self.assets.redirects {
            weaker(
                "assets.redirects".to_owned(),
                "false".to_owned(),
                "3.1: the build has index.html, assets/, _redirects",
            );
        }
        if self.release.as_ref().is_some_and(|release| release.recovery == Recovery::Daily) {
            let runbook = "pre.3.4: point-in-time recovery is enabled";
            weaker("release.recovery".to_owned(), "daily backups".to_owned(), runbook);
        }
        for (at, pattern) in self.rebuild.iter().flat_map(|rebuild| &rebuild.may_differ).enumerate() {
            let says = format!("files like {:?} may differ", pattern.as_str());
            weaker(format!("rebuild.may_differ.{}", at + 1), says, "3.1: npm run build gives what is deployed");
        }
        for (at, pattern) in self.evidence.may_stay.iter().enumerate() {
            if ["", "Uwase", "0788123456"].iter().any(|text| pattern.is_in(text)) {
                let says = format!("texts like {:?} may stay in evidence", pattern.as_str());
                weaker(format!("evidence.may_stay.{}", at + 1), says, "members' data stays out of evidence");
            }
        }
        weakened.extend(Runbook::get().steps().iter().filter_map(|step| self.laxer(step)));
        weakened.sort();
        weakened
    }

    /// Lists without which a check looks at nothing: their length, and what the runbook asks for.
    fn lists(&self) -> Vec<(&'static str, Option<usize>, &'static str)> {
        let (dashboard, ledger, allocation) = (self.dashboard.as_ref(), self.ledger.as_ref(), self.allocation.as_ref());
        let (data, sms, audit) = (self.data.as_ref(), self.sms.as_ref(), self.audit.as_ref());
        let (release, security) = (self.release.as_ref(), self.security.as_ref());
        let counted = "sec.1: counts return only the user's institution";
        vec![
            ("secrets", Some(self.secrets.len()), "pre.4: no secret in the build"),
            ("headers", Some(self.headers.len()), "3.3: the document has its headers"),
            ("assets.required", Some(self.assets.required.len()), "3.1: the build has its files"),
            ("portal.broken", Some(self.portal.broken.len()), "3.3: a portal that gave up is noticed"),
            ("portal.mock", self.portal.mock.as_ref().map(Vec::len), "pre.4: VITE_USE_MOCK_DATA is not set"),
            ("forbidden", self.forbidden.as_ref().map(Vec::len), "4.2: views that a role may not see stay shut"),
            ("login.refused", self.login.refused.as_ref().map(Vec::len), "4.2.1: blocked accounts do not get in"),
            ("security.counted", security.map(|it| it.counted.len()), counted),
            (
                "security.functions",
                security.and_then(|it| Some(it.functions.as_ref()?.len())),
                "pre.2.5: functions ask who calls",
            ),
            ("security.unpublished", security.map(|it| it.unpublished.len()), "pre.2.5: nothing private is published"),
            ("data.readers", data.map(|it| it.readers.len()), "4.3.1: figures are compared with the rows"),
            ("data.relations", data.map(|it| it.relations.len()), "4.3.2: data is scoped by institution"),
            ("dashboard.kpis", dashboard.map(|it| it.kpis.len()), "4.3.1: the dashboard loads real data"),
            ("ledger.statuses", ledger.map(|it| it.statuses.len()), "4.3.2: transactions are shown by status"),
            ("allocation.facts", allocation.map(|it| it.facts.len()), "4.3.3: a payment's facts never change"),
            ("allocation.left", allocation.map(|it| it.left.len()), "4.3.3: who has left gets no payment"),
            ("controls.widths", self.controls.as_ref().map(|it| it.widths.len()), "4.1: views are on screen"),
            ("audit.accepted", audit.map(|it| it.accepted.len()), "4.3.4: the audit log shows new events"),
            ("views", self.views.as_ref().map(Vec::len), "4.1: views show what their rows say"),
            (
                "views.readers",
                self.views.as_ref().and_then(|views| views.iter().map(|view| view.get_ref().readers.len()).min()),
                "4.1: views show what their rows say",
            ),
            ("trail.kept", self.trail.as_ref().map(|it| it.kept.len()), "4.3: nothing of the ledger disappears"),
            ("sms.rules", sms.map(|it| it.rules.len()), "4.4: messages are read"),
            (
                "sms.failed_parses.hours",
                sms.map(|it| it.failed_parses.hours.len()),
                "post.3.5: failed parses are watched",
            ),
            ("release.migrations", release.map(|it| it.migrations.len()), "1.3: all migrations are listed"),
            ("release.functions", release.map(|it| it.functions.len()), "2.1: all functions are deployed"),
            ("release.variables", release.map(|it| it.variables.len()), "pre.4: the functions' variables are set"),
            ("release.secrets", release.map(|it| it.secrets.len()), "2.2: the functions' secrets are set"),
            ("release.blocking_labels", release.map(|it| it.blocking_labels.len()), "pre.1.2: critical bugs are fixed"),
            (
                "release.placeholders",
                release.map(|it| it.placeholders.len()),
                "2.2: no secret is the runbook's example",
            ),
        ]
    }

    /// The limit of a row of the monitoring table, where it is laxer than the runbook's.
    fn laxer(&self, step: &Step) -> Option<Weakened> {
        let limit = step.limit.as_ref()?;
        let (id, promised) = self.promised(limit.of)?;
        (promised > limit.at_most).then(|| Weakened {
            id,
            says: promised.to_string(),
            runbook: format!("{}: {}", step.id, step.title),
        })
    }

    /// The limit that this contract sets, and where.
    fn promised(&self, watched: Watched) -> Option<(String, f64)> {
        let load = |name: &str| Some((format!("routes.{name}.within_ms"), self.route(name)?.within_ms as f64));
        match watched {
            Watched::DashboardLoad => load(&self.dashboard.as_ref()?.route),
            Watched::LedgerLoad => load(&self.ledger.as_ref()?.route),
            Watched::Errors => {
                Some(("monitoring.errors_below_percent".to_owned(), self.monitoring.as_ref()?.errors_below_percent))
            }
            Watched::FailedParses => {
                Some(("sms.failed_parses.below_percent".to_owned(), self.sms.as_ref()?.failed_parses.below_percent))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::section::Section;

    fn weakened(from: &str, to: &str) -> Vec<(String, String)> {
        let text = Contract::built_in_text();
        assert!(text.contains(from), "{from}");
        let contract = Contract::parse(&text.replacen(from, to, 1), Path::new("contract.toml")).unwrap();
        contract.weakened().into_iter().map(|weakened| (weakened.id, weakened.says)).collect()
    }

    #[test]
    fn the_default_contract_weakens_nothing() {
        assert_eq!(Contract::sacco_plus().unwrap().weakened(), Vec::new());
    }

    #[test]
    fn what_is_weakened_is_named_with_its_place() {
        let one = |from, to| weakened(from, to).remove(0);
        assert_eq!(one("below_percent = 5", "below_percent = 50").0, "sms.failed_parses.below_percent");
        assert_eq!(one("errors_below_percent = 1", "errors_below_percent = 10").1, "10");
        assert_eq!(
            one("within_ms = 2000\n\n[[routes]]", "within_ms = 20000\n\n[[routes]]").0,
            "routes.transactions.within_ms"
        );
        assert_eq!(one("may_stay = [", "may_stay = [\".*\", ").0, "evidence.may_stay.1");
        assert_eq!(one("allowed = []", "allowed = [\".*\"]").1, "errors like \".*\" are no defect");
        assert_eq!(
            one("backup_within_hours", "recovery = \"daily\"\nbackup_within_hours"),
            ("release.recovery".to_owned(), "daily backups".to_owned())
        );
        let without_rules = emptied(Contract::built_in_text(), "rules");
        let contract = Contract::parse(&without_rules, Path::new("contract.toml")).unwrap();
        assert_eq!(contract.weakened()[0].id, "sms.rules");
        assert_eq!(
            one("x-content-type-options = \"^nosniff$\"", "x-content-type-options = \".*\"").0,
            "headers.x-content-type-options"
        );
    }

    /// "A contract emptied": each of its weaknesses is named, and none passes without a word.
    #[test]
    fn an_emptied_contract_is_weakened_all_over() {
        let mut text = Contract::built_in_text().replace("within_ms = 2000\n\n", "within_ms = 20000\n\n");
        for list in ["secrets", "functions", "counted", "readers", "unpublished"] {
            let empty = emptied(&text, list);
            assert_ne!(empty, text, "{list}");
            text = empty;
        }
        let secrets = regex::Regex::new(r"(?s)\n\[secrets\]\n.*?\n\n").unwrap();
        let text = secrets.replace(&text, "\n[secrets]\n\n");
        let contract = Contract::parse(&text, Path::new("contract.toml")).unwrap();
        let ids: Vec<_> = contract.weakened().into_iter().map(|weakened| weakened.id).collect();
        for id in [
            "data.readers",
            "release.functions",
            "release.secrets",
            "routes.transactions.within_ms",
            "secrets",
            "security.counted",
            "security.functions",
            "security.unpublished",
        ] {
            assert!(ids.iter().any(|known| known == id), "{id} in {ids:?}");
        }
    }

    /// Every array with this key made empty.
    fn emptied(text: &str, key: &str) -> String {
        let array = regex::Regex::new(&format!(r"(?ms)^{key} = \[.*?\]$")).unwrap();
        array.replace_all(text, format!("{key} = []")).into_owned()
    }

    #[test]
    fn what_is_left_out_as_a_whole_is_not_promised_and_not_weakened() {
        let text = Contract::built_in_text();
        let at = text.find("[audit]").unwrap();
        let end = at + text[at..].find("\n\n").unwrap();
        let contract = Contract::parse(&text.replace(&text[at..end], ""), Path::new("contract.toml")).unwrap();
        assert_eq!(
            contract.not_promised(),
            [Section::Audit, Section::AuditActions, Section::AuditHours, Section::AuditSequence]
        );
        assert_eq!(contract.weakened(), Vec::new());
        assert_eq!(contract.audit().unwrap_err().claim(), "not promised: the contract has no [audit]");
    }
}
