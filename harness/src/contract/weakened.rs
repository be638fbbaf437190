//! What a contract asks less of than the runbook does. It is allowed, and it is no secret: verdict and sign-off name it.

use serde::{Deserialize, Serialize};

use super::Contract;
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

/// Lists without which a check looks at nothing, with what the runbook wants of them.
type Lists = [(&'static str, bool, &'static str); 17];

impl Contract {
    /// All that this contract asks less of than the runbook does.
    pub fn weakened(&self) -> Vec<Weakened> {
        let empty = self.lists().into_iter().filter(|(_, is_empty, _)| *is_empty);
        let mut weakened: Vec<_> = empty
            .map(|(id, _, runbook)| Weakened {
                id: id.to_owned(),
                says: "nothing".to_owned(),
                runbook: runbook.to_owned(),
            })
            .collect();
        let allowed = self.console.allowed.iter().enumerate();
        weakened.extend(allowed.map(|(at, pattern)| Weakened {
            id: format!("console.allowed.{}", at + 1),
            says: format!("errors like {:?} are no defect", pattern.as_str()),
            runbook: "3.3.4: no JavaScript errors in the console".to_owned(),
        }));
        weakened.extend(Runbook::get().steps().iter().filter_map(|step| self.laxer(step)));
        weakened.sort();
        weakened
    }

    fn lists(&self) -> Lists {
        let release = &self.release;
        [
            ("secrets", self.secrets.is_empty(), "pre.4: no secret in the build"),
            ("headers", self.headers.is_empty(), "3.3: the deployment answers as it should"),
            ("assets.required", self.assets.required.is_empty(), "3.1: the build has its files"),
            ("forbidden", self.forbidden.is_empty(), "4.2: views that a role may not see stay shut"),
            ("login.refused", self.login.refused.is_empty(), "4.2.1: accounts that are blocked do not get in"),
            ("portal.broken", self.portal.broken.is_empty(), "3.3: a portal that gave up is noticed"),
            ("portal.mock", self.portal.mock.is_empty(), "pre.4: VITE_USE_MOCK_DATA is not set"),
            ("security.counted", self.security.counted.is_empty(), "sec.1: counts return only the user's institution"),
            ("security.functions", self.security.functions.is_empty(), "sec: functions ask who calls"),
            ("security.unpublished", self.security.unpublished.is_empty(), "pre.2.5: nothing private is published"),
            ("data.relations", self.data.relations.is_empty(), "4.3.2: data is scoped by institution"),
            ("data.readers", self.data.readers.is_empty(), "4.3.1: figures are compared with the rows"),
            ("dashboard.kpis", self.dashboard.kpis.is_empty(), "4.3.1: the dashboard loads real data"),
            ("sms.rules", self.sms.rules.is_empty(), "4.4: messages are read"),
            ("release.migrations", release.migrations.is_empty(), "1.3: all migrations are listed"),
            ("release.functions", release.functions.is_empty(), "2.1: all functions are deployed"),
            ("release.secrets", release.secrets.is_empty(), "2.2: the functions' secrets are set"),
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
            Watched::DashboardLoad => load(&self.dashboard.route),
            Watched::LedgerLoad => load(&self.ledger.route),
            Watched::Errors => {
                Some(("monitoring.errors_below_percent".to_owned(), self.monitoring.errors_below_percent))
            }
            Watched::FailedParses => {
                Some(("sms.failed_parses.below_percent".to_owned(), self.sms.failed_parses.below_percent))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

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
        assert_eq!(one("allowed = []", "allowed = [\".*\"]").1, "errors like \".*\" are no defect");
        assert_eq!(
            one("rules = [\"received_from\", \"payment_received\", \"has_sent_you\"]", "rules = []").0,
            "sms.rules"
        );
    }
}
