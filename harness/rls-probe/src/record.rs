//! What the probes saw: a cell for every object, verb and actor, and each crossing with how to see it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    actor::Actor,
    harm::{Deed, Harm},
};

/// What somebody tried to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// See rows.
    Read,
    /// Add rows.
    Insert,
    /// Change rows.
    Update,
    /// Delete rows.
    Delete,
    /// Empty a table.
    Truncate,
    /// Call a function.
    Call,
    /// Receive changes as they happen.
    Listen,
}

impl Verb {
    /// Every one, in the order of a matrix's letters.
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Insert, Self::Update, Self::Delete, Self::Truncate, Self::Call, Self::Listen];

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Truncate => "truncate",
            Self::Call => "call",
            Self::Listen => "listen",
        }
    }
}

/// What it was tried on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Object {
    /// `table`, `view`, `function`, `column`, …
    pub noun: &'static str,
    /// With its schema.
    pub name: String,
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.noun, self.name)
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Refused, or without effect.
    Refused,
    /// Allowed by intent: their own tenant's.
    Own,
    /// What was seen does not decide it; with the reason.
    Undecided(String),
    /// A policy fails, so that nobody gets through.
    Failed,
    /// A way across the wall.
    Crossed,
}

/// What lets a crossing through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Row level security is off, and the table is granted.
    NoRowSecurity,
    /// Policies that say yes.
    Policies(Vec<String>),
    /// A grant that no policy restricts.
    Grant(String),
    /// A bucket is public.
    PublicBucket,
    /// A view that reads as its owner.
    View,
    /// The function does not check its caller, or not rightly.
    Function,
    /// A constraint that spans tenants.
    Constraint(String),
    /// A trigger that believes what users say.
    Trigger(String),
    /// A column with a secret that its table's readers read.
    Column,
    /// A policy ends in an error, whoever asks.
    Failure(String),
}

impl Cause {
    /// The policies at fault.
    pub(crate) fn policies(&self) -> Vec<String> {
        if let Self::Policies(names) = self { names.clone() } else { Vec::new() }
    }

    /// The policies, grant, constraint or trigger at fault, by name.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Policies(names) => names.iter().map(String::as_str).collect(),
            Self::Grant(name) | Self::Constraint(name) | Self::Trigger(name) | Self::Failure(name) => vec![name],
            Self::NoRowSecurity | Self::PublicBucket | Self::View | Self::Function | Self::Column => Vec::new(),
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoRowSecurity => write!(f, "row level security is off, and the table is granted"),
            Self::Policies(names) if names.is_empty() => write!(f, "the policies of the tables behind it"),
            Self::Policies(names) => write!(f, "policy \"{}\"", names.join("\", \"")),
            Self::Grant(grant) => write!(f, "the grant of {grant}"),
            Self::PublicBucket => write!(f, "the bucket is public"),
            Self::View => write!(f, "it reads as its owner (no security_invoker)"),
            Self::Function => write!(f, "the function does not check its caller against what it is called with"),
            Self::Constraint(name) => write!(f, "the constraint {name} spans tenants"),
            Self::Trigger(name) => write!(f, "the trigger {name}"),
            Self::Failure(refused) => write!(f, "a policy fails: {refused}"),
            Self::Column => write!(f, "everybody who reads the table reads the column"),
        }
    }
}

/// A way across the wall.
#[derive(Debug, Clone)]
pub struct Crossing {
    pub object: Object,
    pub verb: Verb,
    pub actor: String,
    pub harm: Harm,
    /// What happens, as the end of a sentence that begins with the actor.
    pub effect: String,
    pub cause: Cause,
    /// What shows it when pasted into psql.
    pub sql: String,
}

/// Objects × actors × verbs.
pub type Cells = BTreeMap<Object, BTreeMap<String, BTreeMap<Verb, Cell>>>;

/// A matrix for people.
pub fn matrix(cells: &Cells, all: &[String]) -> String {
    let letter = |(verb, cell): (&Verb, &Cell)| match cell {
        Cell::Own => verb.name().chars().next(),
        Cell::Crossed => verb.name().chars().next().map(|letter| letter.to_ascii_uppercase()),
        Cell::Refused => Some('·'),
        Cell::Undecided(_) => Some('?'),
        Cell::Failed => Some('!'),
    };
    let widest = cells.keys().map(|object| object.to_string().len()).max().unwrap_or_default();
    let mut text = String::from("letter: their own; capital: across the wall; ·: refused; ?: undecided; !: fails\n");
    for (number, actor) in (1..).zip(all) {
        text += &format!("  {number:<2} {actor}\n");
    }
    let numbers: Vec<_> = (1..=all.len()).map(|number| format!("{number:<6}")).collect();
    text += &format!("{:widest$}  {}\n", "", numbers.concat().trim_end());
    for (object, actors) in cells {
        // Each letter has its place, which is empty where nothing was tried.
        let verbs: BTreeSet<_> = actors.values().flat_map(BTreeMap::keys).collect();
        let row = all.iter().map(|actor| {
            let of_actor = |verb: &&Verb| actors.get(actor).and_then(|cells| cells.get_key_value(*verb));
            let letters = verbs.iter().map(|verb| of_actor(verb).and_then(letter).unwrap_or(' '));
            format!("{:<6}", letters.collect::<String>())
        });
        text += &format!("{:widest$}  {}\n", object.to_string(), row.collect::<String>().trim_end());
    }
    text
}

/// Something that a policy gives to everybody, and says so; or a form: a function that anybody may call to add rows about
/// what anybody reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Declared {
    /// What is given.
    pub object: Object,
    /// What everybody may do.
    pub verb: Verb,
    /// Columns that are shown, or may be filled in; of a form, the tables that it adds to.
    pub columns: Vec<String>,
    /// The policies that say so.
    pub policies: Vec<String>,
}

impl std::fmt::Display for Declared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { object, verb, columns, policies } = self;
        if policies.is_empty() {
            let tables = columns.join(", ");
            return write!(f, "PUBLIC {} {object}: adds rows to {tables}, about what everybody reads", verb.name());
        }
        let policies = policies.join("\", \"");
        write!(f, "PUBLIC {} {object}: {} (policy \"{policies}\")", verb.name(), columns.join(", "))
    }
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub struct Record {
    /// What everybody may have, since policies say so.
    pub declared: BTreeSet<Declared>,
    pub cells: Cells,
    pub crossings: Vec<Crossing>,
    /// What was seen to be allowed by intent, whatever else was seen.
    pub own: BTreeSet<(Object, String, Verb)>,
    /// What could not be decided of it, whatever else was seen.
    pub unsure: BTreeSet<(Object, String, Verb)>,
}

impl Record {
    /// Enters what came of a probe. Of several on one cell, the worst counts.
    pub fn enter(&mut self, object: &Object, verb: Verb, actor: &Actor, cell: Cell) {
        let seen = match cell {
            Cell::Own => Some(&mut self.own),
            Cell::Undecided(_) => Some(&mut self.unsure),
            Cell::Refused | Cell::Failed | Cell::Crossed => None,
        };
        if let Some(seen) = seen {
            seen.insert((object.clone(), actor.name.clone(), verb));
        }
        let cells = self.cells.entry(object.clone()).or_default().entry(actor.name.clone()).or_default();
        let entry = cells.entry(verb).or_insert_with(|| cell.clone());
        if cell > *entry {
            *entry = cell;
        }
    }

    /// Enters a crossing.
    pub fn cross(&mut self, object: &Object, verb: Verb, actor: &Actor, deed: Deed, cause: Cause, sql: &str) {
        self.enter(object, verb, actor, Cell::Crossed);
        self.keep(object, verb, actor, deed, cause, sql);
    }

    /// Enters that nobody gets through because something fails.
    pub fn fail(&mut self, object: &Object, verb: Verb, actor: &Actor, deed: Deed, cause: Cause, sql: &str) {
        self.enter(object, verb, actor, Cell::Failed);
        self.keep(object, verb, actor, deed, cause, sql);
    }

    /// Adds what was seen of other objects.
    pub fn extend(&mut self, other: Self) {
        let Self { declared, cells, crossings, own, unsure } = other;
        for (object, actors) in cells {
            for (actor, verbs) in actors {
                let known = self.cells.entry(object.clone()).or_default().entry(actor).or_default();
                for (verb, cell) in verbs {
                    let entry = known.entry(verb).or_insert_with(|| cell.clone());
                    if cell > *entry {
                        *entry = cell;
                    }
                }
            }
        }
        self.declared.extend(declared);
        self.crossings.extend(crossings);
        self.own.extend(own);
        self.unsure.extend(unsure);
    }

    /// Whether nothing was seen but what is allowed and what is refused.
    pub fn is_quiet(&self) -> bool {
        let cells = self.cells.values().flat_map(|actors| actors.values()).flat_map(|verbs| verbs.values());
        self.crossings.is_empty() && cells.into_iter().all(|cell| matches!(cell, Cell::Own | Cell::Refused))
    }

    fn keep(&mut self, object: &Object, verb: Verb, actor: &Actor, deed: Deed, cause: Cause, sql: &str) {
        let is_known = self.crossings.iter().any(|known| {
            (&known.object, known.verb, &known.actor, &known.cause, &known.effect)
                == (object, verb, &actor.name, &cause, &deed.text)
        });
        if !is_known {
            self.crossings.push(Crossing {
                object: object.clone(),
                verb,
                actor: actor.name.clone(),
                harm: deed.harm,
                effect: deed.text,
                cause,
                sql: repro(actor, sql),
            });
        }
    }
}

/// The statements by which somebody sees it themselves.
fn repro(actor: &Actor, sql: &str) -> String {
    let [role, claims] = actor.become_sql();
    format!("{role};\n{claims};\n{sql};")
}
