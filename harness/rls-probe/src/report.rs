//! What comes out: findings, the matrix, what is undecided.

use std::{collections::BTreeMap, fmt, time::Duration};

use jiff::civil::Date;
use serde::Serialize;

use crate::{
    baseline::{Accepted, Baseline, Divided, Known},
    finding::{Effect, Finding},
    lint::{Lint, lints},
    mend::Mended,
    proof::Proof,
    record::{Cell, Cells, Declared, Object, Record, Verb, matrix},
    tenancy::Tenancy,
    world::World,
};

/// The verdict on a database.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Ways across the wall, the worst first.
    pub findings: Vec<Finding>,
    /// Ways that are known, and accepted for a while.
    pub known: Vec<Accepted>,
    /// What policies declare to be everybody's.
    pub declared: Vec<Declared>,
    /// What could not be decided, and is not accepted.
    pub undecided: Vec<Undecided>,
    /// What could not be decided and is accepted by the contract.
    pub accepted: Vec<Undecided>,
    /// Objects × actors × verbs.
    #[serde(skip)]
    pub cells: Cells,
    /// What Supabase's security advisor reports as well.
    pub lints: Vec<Lint>,
    /// Who tried.
    pub actors: Vec<String>,
    /// The database's tenancy as it was given, or inferred.
    pub tenancy: Tenancy,
    /// How each table was tied to a tenant.
    pub ties: BTreeMap<String, String>,
    /// SQL that makes the tenants, users and rows again that findings are shown with; empty where nothing was found.
    pub world: String,
    /// What all fixes together come to, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mended: Option<Mended>,
    /// For each effect in order, whether its script was run and showed it, where that was asked for.
    #[serde(skip)]
    pub shown: Vec<bool>,
    /// For an effect's statements, the same by somebody who may, where that was run and showed something.
    #[serde(skip)]
    pub contrasts: BTreeMap<String, String>,
    /// That nothing was changed.
    pub proof: Proof,
    /// Statements that were tried as somebody.
    pub attempts: u64,
    /// Milliseconds.
    pub took_ms: u64,
}

/// Cells of the matrix that say nothing, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Undecided {
    /// What was tried.
    pub object: Object,
    /// How.
    pub verb: Verb,
    /// Why that says nothing.
    pub reason: String,
    /// By whom.
    pub actors: Vec<String>,
}

impl Report {
    pub(crate) fn of(
        world: &World<'_>,
        script: String,
        record: Record,
        findings: Vec<Finding>,
        proof: Proof,
        attempts: u64,
        took: Duration,
    ) -> Self {
        let mut open: BTreeMap<(Object, Verb, String), Vec<String>> = BTreeMap::new();
        for (object, actors) in &record.cells {
            for (actor, verbs) in actors {
                for (verb, cell) in verbs {
                    if let Cell::Undecided(reason) = cell {
                        open.entry((object.clone(), *verb, reason.clone())).or_default().push(actor.clone());
                    }
                }
            }
        }
        let all = open.into_iter().map(|((object, verb, reason), actors)| Undecided { object, verb, reason, actors });
        let is_accepted =
            |open: &Undecided| world.tenancy.accepted.iter().any(|accepted| accepted.object == open.object.name);
        let nothing = (attempts == 0).then(|| Undecided {
            object: Object { noun: "schema", name: world.exposed().into_iter().collect::<Vec<_>>().join(", ") },
            verb: Verb::Read,
            reason: "nothing was tried, since the API's roles are granted nothing".to_owned(),
            actors: world.actors.iter().map(|actor| actor.name.clone()).collect(),
        });
        let is_unsure = world.tenancy.owner.as_ref().is_some_and(|owner| owner.columns.is_empty());
        let unsure = is_unsure.then(|| Undecided {
            object: Object { noun: "schema", name: world.exposed().into_iter().collect::<Vec<_>>().join(", ") },
            verb: Verb::Read,
            reason:
                "nothing says whose rows are whose, so that every table was taken for everybody's: say it in [tenancy]"
                    .to_owned(),
            actors: world.actors.iter().map(|actor| actor.name.clone()).collect(),
        });
        let all = all.chain(nothing).chain(unsure);
        let (accepted, undecided) = all.partition(is_accepted);
        let ties = world
            .catalog
            .relations
            .iter()
            .filter_map(|relation| Some((relation.title(), world.ties.get(&relation.oid)?.in_words(relation))));
        Self {
            findings,
            known: Vec::new(),
            declared: record.declared.into_iter().collect(),
            undecided,
            accepted,
            tenancy: world.tenancy.clone(),
            ties: ties.collect(),
            lints: lints(world.catalog, &world.public_buckets()),
            actors: world.actors.iter().map(|actor| actor.name.clone()).collect(),
            cells: record.cells,
            world: script,
            mended: None,
            shown: Vec::new(),
            contrasts: BTreeMap::new(),
            proof,
            attempts,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The matrix for people: a line for each object, a column for each actor with a letter for each verb that was
    /// tried; `r` their own, `R` across the wall, `·` refused, `?` undecided, `!` fails. Below, how each table's rows say whose they
    /// are, as far as that was found out.
    pub fn matrix(&self) -> String {
        let mut text = matrix(&self.cells, &self.actors);
        let widest = self.cells.keys().map(|object| object.to_string().len()).max().unwrap_or_default();
        for (table, tie) in &self.ties {
            text += &format!("{table:widest$}  {tie}\n");
        }
        text
    }

    /// A whole script for psql that shows what a finding says, beside the same by somebody who may where that was run, and
    /// takes it back.
    pub fn repro(&self, effect: &Effect) -> String {
        let shown = match self.contrasts.get(&effect.sql) {
            Some(contrast) => {
                format!("savepoint seen;\n{}\nrollback to savepoint seen;\n\n{contrast}", effect.sql)
            }
            None => effect.sql.clone(),
        };
        format!("begin;\n{}\n\n{shown}\nrollback;\n", self.world)
    }

    /// Sets aside the findings that a baseline knows. Answers with what there is to say of the baseline itself.
    pub fn accept(&mut self, baseline: &Baseline, today: Date) -> Vec<String> {
        let Divided { open, known, remarks } = baseline.divide(std::mem::take(&mut self.findings), today);
        self.findings = open;
        self.known.extend(known);
        remarks
    }

    /// What there is to say beside the findings: what is known, what is undecided, figures, the proof.
    pub fn rest(&self) -> String {
        let mut text = String::new();
        for Accepted { finding, known } in &self.known {
            let verbs: Vec<_> = known.verbs.iter().map(String::as_str).collect();
            let Known { until, reason, .. } = known;
            text += &format!("KNOWN {} {}, until {until}: {reason}\n\n", verbs.join(", "), finding.object);
        }
        self.declared.iter().for_each(|declared| text += &format!("{declared}\n\n"));
        for open in &self.undecided {
            text += &format!("{open}\n\n");
        }
        let (found, open) = (self.findings.len(), self.undecided.len());
        text += &format!("{found} findings, {open} undecided, {} probes in {} ms\n", self.attempts, self.took_ms);
        let Proof { transaction, compared, changed, advanced } = &self.proof;
        text += &format!("the transaction is {transaction}; {compared} tables compared, {} changed", changed.len());
        if !changed.is_empty() {
            text += &format!(" (by others: {})", changed.join(", "));
        }
        if !advanced.is_empty() {
            text += &format!("; sequences that moved on: {}", advanced.join(", "));
        }
        text
    }

    /// Nothing found, nothing left open, nothing left behind.
    pub fn is_good(&self) -> bool {
        self.findings.is_empty() && self.undecided.is_empty() && self.proof.transaction == "aborted"
    }
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UNDECIDED {} {}: {} ({})", self.verb.name(), self.object, self.reason, self.actors.join(", "))
    }
}

/// With `{:#}` the SQL that shows each finding is there as well.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            if f.alternate() { writeln!(f, "{finding:#}")? } else { writeln!(f, "{finding}")? }
        }
        f.write_str(&self.rest())
    }
}
