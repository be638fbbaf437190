//! What comes out: findings, the matrix, what is undecided.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

use super::{
    baseline::Accepted,
    finding::{Effect, Finding, findings},
    lint::{Lint, lints},
    milliseconds,
    proof::Proof,
    record::{Cell, Object, Record, Verb},
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
    /// What could not be decided, and is not accepted.
    pub undecided: Vec<Undecided>,
    /// What could not be decided and is accepted by the contract.
    pub accepted: Vec<Undecided>,
    /// Objects × actors × verbs.
    #[serde(skip)]
    pub cells: BTreeMap<Object, BTreeMap<String, BTreeMap<Verb, Cell>>>,
    /// What Supabase's security advisor reports as well.
    pub lints: Vec<Lint>,
    /// Who tried.
    pub actors: Vec<String>,
    /// What was said of the database's tenancy, or inferred.
    pub tenancy: Tenancy,
    /// How each table was tied to a tenant.
    pub ties: BTreeMap<String, String>,
    /// SQL that makes the tenants, users and rows again that findings are shown with; empty where nothing was found.
    pub world: String,
    /// That nothing was changed.
    pub proof: Proof,
    /// Statements that were tried as somebody.
    pub attempts: u64,
    /// Milliseconds.
    pub took_ms: u64,
}

/// A cell of the matrix that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Undecided {
    pub object: Object,
    pub verb: Verb,
    pub reason: String,
    pub actors: Vec<String>,
}

impl Report {
    pub(super) fn of(
        world: &World<'_>,
        script: String,
        record: Record,
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
        let (accepted, undecided) = all.partition(is_accepted);
        let ties = world
            .catalog
            .relations
            .iter()
            .filter_map(|relation| Some((relation.title(), world.ties.get(&relation.oid)?.told(relation))));
        Self {
            findings: findings(world.catalog, &record.crossings),
            known: Vec::new(),
            undecided,
            accepted,
            tenancy: world.tenancy.clone(),
            ties: ties.collect(),
            lints: lints(world.catalog),
            actors: world.actors.iter().map(|actor| actor.name.clone()).collect(),
            cells: record.cells,
            world: script,
            proof,
            attempts,
            took_ms: milliseconds(took),
        }
    }

    /// The matrix for people: a line for each object, a column for each actor with a letter for each verb that was
    /// tried; `r` their own, `R` across the wall, `·` refused, `?` undecided. Below, how each table's rows say whose they
    /// are, as far as that was found out.
    pub fn matrix(&self) -> String {
        let letter = |(verb, cell): (&Verb, &Cell)| match cell {
            Cell::Own => verb.name().chars().next(),
            Cell::Crossed => verb.name().chars().next().map(|letter| letter.to_ascii_uppercase()),
            Cell::Refused => Some('·'),
            Cell::Undecided(_) => Some('?'),
        };
        let widest = self.cells.keys().map(|object| object.to_string().len()).max().unwrap_or_default();
        let mut text = String::from("letter: their own; capital: across the wall; ·: refused; ?: undecided\n");
        for (number, actor) in (1..).zip(&self.actors) {
            text += &format!("  {number:<2} {actor}\n");
        }
        let numbers: Vec<_> = (1..=self.actors.len()).map(|number| format!("{number:<6}")).collect();
        text += &format!("{:widest$}  {}\n", "", numbers.concat().trim_end());
        for (object, actors) in &self.cells {
            let cells = self.actors.iter().map(|actor| {
                let letters: String = actors.get(actor).into_iter().flatten().filter_map(letter).collect();
                format!("{letters:<6}")
            });
            text += &format!("{:widest$}  {}\n", object.to_string(), cells.collect::<String>().trim_end());
        }
        for (table, tie) in &self.ties {
            text += &format!("{table:widest$}  {tie}\n");
        }
        text
    }

    /// A whole script for psql that shows what a finding says, and takes it back.
    pub fn repro(&self, effect: &Effect) -> String {
        format!("begin;\n{}\n\n{}\nrollback;\n", self.world, effect.sql)
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

/// With `{:#}` what was found is shown in SQL, too.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            if f.alternate() { writeln!(f, "{finding:#}")? } else { writeln!(f, "{finding}")? }
        }
        for Accepted { finding, known } in &self.known {
            let verbs: Vec<_> = known.verbs.iter().map(String::as_str).collect();
            writeln!(f, "KNOWN {} {}, until {}: {}\n", verbs.join(", "), finding.object, known.until, known.reason)?;
        }
        for open in &self.undecided {
            writeln!(f, "{open}\n")?;
        }
        let (found, open) = (self.findings.len(), self.undecided.len());
        writeln!(f, "{found} findings, {open} undecided, {} probes in {} ms", self.attempts, self.took_ms)?;
        let Proof { transaction, compared, changed, advanced } = &self.proof;
        write!(f, "the transaction is {transaction}; {compared} tables compared, {} changed", changed.len())?;
        if !changed.is_empty() {
            write!(f, " (by others: {})", changed.join(", "))?;
        }
        if !advanced.is_empty() {
            write!(f, "; sequences further on: {}", advanced.join(", "))?;
        }
        Ok(())
    }
}
