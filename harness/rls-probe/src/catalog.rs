//! What the database says of itself: relations with their policies and grants, functions, publications. Facts only;
//! what they mean is the business of the other modules.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use regex::Regex;
use serde::Deserialize;

use crate::{
    desk::Desk,
    error::Error,
    sql::{alternatives, code_of, ident},
};

/// Everything that the catalog tells.
#[derive(Debug, Deserialize)]
pub struct Catalog {
    pub relations: Vec<Relation>,
    pub functions: Vec<Function>,
    /// Functions that run when somebody signs up.
    pub auth_triggers: Vec<String>,
    pub auth_columns: Vec<String>,
    given_by_default: Vec<String>,
    /// The table of the auth server's users.
    #[serde(default)]
    pub users: i64,
    pub auth_readable: Vec<AuthReadable>,
    /// Schemas that users may make objects in.
    pub creatable: Vec<Creatable>,
    pub extensions_in_public: Vec<String>,
    /// Columns that hold users' ids, by table.
    #[serde(skip)]
    user_columns: HashSet<(i64, String)>,
    /// Calls that answer with the caller's id.
    #[serde(skip)]
    callers: Vec<String>,
    /// Those that policies of their table compare with the caller's id.
    #[serde(skip)]
    caller_columns: HashSet<(i64, String)>,
    /// Tables whose policies may ask for other rows of them.
    #[serde(skip)]
    asking_themselves: HashSet<i64>,
    /// Where each relation stands.
    #[serde(skip)]
    places: HashMap<i64, usize>,
}

/// A schema that a role may make objects in.
#[derive(Debug, Deserialize)]
pub struct Creatable {
    pub schema: String,
    pub role: String,
}

/// A relation of the auth schema that users may read.
#[derive(Debug, Deserialize)]
pub struct AuthReadable {
    pub table: String,
    pub role: String,
    pub rls: bool,
}

#[derive(Debug, Deserialize)]
pub struct Relation {
    pub oid: i64,
    pub schema: String,
    pub name: String,
    pub exposed: bool,
    kind: String,
    pub partition: bool,
    /// The table that it is a partition of.
    pub parent: Option<i64>,
    pub rls: bool,
    pub invoker: bool,
    /// How many rows the planner believes in.
    pub estimate: i64,
    #[serde(default)]
    pub columns: Vec<Column>,
    can: Can,
    /// Roles that may use the schema.
    pub usage: Vec<String>,
    pub keys: Vec<Key>,
    pub references: Vec<Reference>,
    pub checks: Vec<Check>,
    pub policies: Vec<Policy>,
    /// Relations that a view reads.
    pub uses: Vec<i64>,
    /// What a view shows, in SQL.
    pub definition: Option<String>,
    pub published: bool,
    pub triggers: Vec<String>,
}

/// What the API's two roles are granted.
#[derive(Debug, Default, Deserialize)]
pub struct Can {
    anon: Vec<String>,
    authenticated: Vec<String>,
}

impl Can {
    fn has(&self, role: &str, privilege: &str) -> bool {
        let granted = if role == "anon" { &self.anon } else { &self.authenticated };
        granted.iter().any(|granted| granted == privilege)
    }
}

#[derive(Debug, Deserialize)]
pub struct Column {
    pub name: String,
    /// As PostgreSQL writes it, with its length.
    #[serde(rename = "type")]
    pub kind: String,
    /// What a domain is made of; otherwise the type without its length.
    pub base: String,
    pub length: Option<usize>,
    /// `pg_type.typcategory`.
    pub category: String,
    /// Of an enum.
    pub labels: Vec<String>,
    pub domain_check: Option<String>,
    pub not_null: bool,
    pub default: Option<String>,
    /// Nobody can choose it.
    pub generated: bool,
    pub identity: bool,
    can: Can,
    /// Texts that policies, functions and views compare it with.
    #[serde(skip)]
    pub compared: Vec<String>,
    /// Texts that policies, views and functions that only read say that it must not hold.
    #[serde(skip)]
    pub refused: Vec<String>,
}

/// A unique index.
#[derive(Debug, Deserialize)]
pub struct Key {
    pub name: String,
    pub primary: bool,
    pub partial: bool,
    pub columns: Vec<String>,
    /// Of columns only, not of expressions.
    pub plain: bool,
    /// The statement that makes it.
    pub definition: String,
}

/// A foreign key.
#[derive(Debug, Clone, Deserialize)]
pub struct Reference {
    pub name: String,
    pub columns: Vec<String>,
    pub target: i64,
    pub target_name: String,
    pub target_columns: Vec<String>,
    /// What stands behind its name.
    pub definition: String,
}

/// A check constraint.
#[derive(Debug, Deserialize)]
pub struct Check {
    pub name: String,
    pub text: String,
    pub columns: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Policy {
    pub name: String,
    pub permissive: bool,
    pub command: String,
    pub roles: Vec<String>,
    pub using: Option<String>,
    pub check: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Function {
    pub schema: String,
    pub name: String,
    pub exposed: bool,
    /// With its arguments' types.
    pub signature: String,
    kind: String,
    pub definer: bool,
    pub fixed_path: bool,
    pub set: bool,
    pub returns: String,
    /// The types of the columns that it answers with, where it names them.
    pub answered: Vec<String>,
    pub volatile: bool,
    pub source: String,
    pub language: String,
    pub extension: bool,
    pub arguments: Vec<Argument>,
    can: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Argument {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub category: String,
    pub labels: Vec<String>,
    /// It may be left out.
    pub default: bool,
    /// The column that it is about, as far as the function's code says.
    #[serde(skip)]
    pub asked: Option<(i64, String)>,
    /// The column that keeps what is made of it.
    #[serde(skip)]
    pub kept: Option<Kept>,
}

/// A column that keeps what is made of a secret, such as the hash of an invitation's token, as a function's code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The table.
    pub relation: i64,
    pub column: String,
    /// The expression, with [`Kept::SECRET`] where the secret is.
    pub made: String,
}

impl Kept {
    /// Stands for the secret.
    pub const SECRET: &str = "\u{0}";
}

impl Catalog {
    /// Reads it.
    pub async fn read(desk: &mut Desk, schemas: &[String]) -> Result<Self, Error> {
        let text = desk.text(include_str!("catalog.sql"), schemas).await?;
        let mut catalog: Self = serde_json::from_str(&text).map_err(|error| Error::Catalog(error.to_string()))?;
        catalog.places = catalog.relations.iter().enumerate().map(|(at, relation)| (relation.oid, at)).collect();
        catalog.callers = catalog.find_callers();
        catalog.caller_columns = catalog.find_caller_columns();
        catalog.user_columns = catalog.find_user_columns();
        catalog.find_compared();
        let asking = catalog.relations.iter().filter(|relation| relation.is_table() && catalog.asks_itself(relation));
        catalog.asking_themselves = asking.map(|relation| relation.oid).collect();
        Ok(catalog)
    }

    /// What texts that name a table compare its columns with.
    fn find_compared(&mut self) {
        static COMPARED: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r"(?i)\b(\w+)\)?(?:::\w+)?\s*(?:(<>|!=|is distinct from|not in|<> all)|=|is not distinct from|in|= any)\s*\(*(?:array\[)?\s*((?:'[^']*'(?:::[\w. ]+)?\s*,?\s*)+)",
            )
            .expect("a pattern")
        });
        static TEXT: LazyLock<Regex> = LazyLock::new(|| Regex::new("'([^']+)'").expect("a pattern"));
        let views = self.relations.iter().filter_map(|relation| Some((None, relation.definition.as_deref()?)));
        let texts: Vec<_> = self.texts().chain(views).map(|(of, text)| (of, text.to_owned())).collect();
        // What a function refuses to change says nothing of who may see it.
        let changing: HashSet<_> = self
            .functions
            .iter()
            .filter(|function| function.volatile)
            .map(|function| function.source.clone())
            .collect();
        let mut found: Vec<(Option<i64>, &str, String, bool, &str)> = Vec::new();
        for (of, text) in &texts {
            for compared in COMPARED.captures_iter(text) {
                let (Some(column), Some(values)) = (compared.get(1), compared.get(3)) else { continue };
                let values = TEXT.captures_iter(values.as_str()).map(|value| value[1].to_owned());
                let is_refused = compared.get(2).is_some() && !changing.contains(text);
                found.extend(values.map(|value| (*of, column.as_str(), value, is_refused, text.as_str())));
            }
        }
        for relation in self.relations.iter_mut().filter(|relation| relation.is_table()) {
            let (oid, name) = (relation.oid, relation.name.clone());
            for column in relation.columns.iter_mut().filter(|column| column.holds_texts()) {
                for (of, compared, value, is_refused, text) in &found {
                    let is_about = *of == Some(oid) || names(text, &name);
                    if *compared != column.name || !is_about {
                        continue;
                    }
                    if column.is_text() && !column.compared.contains(value) {
                        column.compared.push(value.clone());
                    }
                    if *is_refused && !column.refused.contains(value) {
                        column.refused.push(value.clone());
                    }
                }
            }
        }
    }

    /// Whether a column holds users' ids: it refers to the auth server's users, perhaps through a table whose key is
    /// theirs, or a policy of its table compares it with the caller's id.
    pub fn is_of_user(&self, relation: &Relation, column: &str) -> bool {
        self.user_columns.contains(&(relation.oid, column.to_owned()))
    }

    /// Whether a policy of a table compares a column of it with the caller's id.
    pub fn is_of_caller(&self, relation: &Relation, column: &str) -> bool {
        self.caller_columns.contains(&(relation.oid, column.to_owned()))
    }

    /// Whether the rows of a table are users: its key is theirs.
    pub fn is_mirror(&self, relation: &Relation) -> bool {
        relation.primary().is_some_and(|key| key.columns.len() == 1 && self.is_of_user(relation, &key.columns[0]))
    }

    fn find_caller_columns(&self) -> HashSet<(i64, String)> {
        let mut found = HashSet::new();
        for relation in self.relations.iter().filter(|relation| relation.is_table()) {
            let texts = relation.policies.iter().flat_map(|policy| [&policy.using, &policy.check]).flatten();
            let is_id = |column: &&Column| matches!(column.base.as_str(), "uuid" | "text" | "character varying");
            for text in texts.map(|text| as_caller(text, &self.callers)) {
                for (of, name) in compared_with_caller(&text) {
                    let is_own = of.is_none_or(|of| of == relation.name);
                    let column = relation.column(name).filter(|_| is_own).filter(is_id);
                    found.extend(column.map(|column| (relation.oid, column.name.clone())));
                }
            }
        }
        found
    }

    /// Functions that answer with the caller's id: they ask the token for it, and no table.
    fn find_callers(&self) -> Vec<String> {
        static TABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)\bfrom\b").expect("a pattern"));
        static OWN: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"auth\.uid\(\)|->>\s*'sub'|jwt\.claim\.sub").expect("a pattern"));
        let is_caller = |function: &&Function| {
            let code = code_of(&function.source);
            function.arguments.is_empty()
                && matches!(function.returns.as_str(), "text" | "uuid" | "character varying")
                && OWN.is_match(&function.source)
                && (!TABLE.is_match(&code) || self.looks_up_caller(&code))
        };
        self.functions.iter().filter(is_caller).map(|function| format!("{}()", function.name)).collect()
    }

    /// Whether code asks one table alone, for the key of the caller's own row: `select id from profiles where id =
    /// auth.uid()`, perhaps with what else has to hold of it.
    fn looks_up_caller(&self, code: &str) -> bool {
        static ASKED: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?i)\bselect\s+(?:"?\w+"?\.)?"?(\w+)"?\s+from\s+(?:"?\w+"?\.)?"?(\w+)"?"#).expect("a pattern")
        });
        static MORE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)\b(?:from|join)\s").expect("a pattern"));
        let Some(asked) = ASKED.captures(code).filter(|_| MORE.find_iter(code).count() == 1) else { return false };
        let is_mirror = |relation: &&Relation| {
            let key = relation.primary().filter(|key| key.columns == [&asked[1]]);
            let of_users = relation.reference_of(&asked[1]).is_some_and(|of| of.target_name == "auth.users");
            relation.name == asked[2] && key.is_some() && of_users
        };
        let is_of_caller = |(_, column): (Option<&str>, &str)| *column == asked[1];
        self.relations.iter().any(|relation| is_mirror(&relation)) && compared_with_caller(code).any(is_of_caller)
    }

    fn find_user_columns(&self) -> HashSet<(i64, String)> {
        let mut found = self.caller_columns.clone();
        for relation in self.relations.iter().filter(|relation| relation.is_table()) {
            let direct = relation.references.iter().filter(|reference| reference.target_name == "auth.users");
            let direct = direct.filter(|reference| reference.columns.len() == 1);
            found.extend(direct.map(|reference| (relation.oid, reference.columns[0].clone())));
        }
        loop {
            let through = self.relations.iter().flat_map(|relation| {
                relation
                    .references
                    .iter()
                    .filter(|reference| reference.columns.len() == 1)
                    .map(move |r| (relation.oid, r))
            });
            let more: Vec<_> = through
                .filter(|(_, reference)| found.contains(&(reference.target, reference.target_columns[0].clone())))
                .filter(|(_, reference)| {
                    self.relation(reference.target).is_some_and(|target| {
                        target.primary().is_some_and(|key| key.columns == reference.target_columns)
                    })
                })
                .map(|(oid, reference)| (oid, reference.columns[0].clone()))
                .filter(|column| !found.contains(column))
                .collect();
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }

    /// Whether nobody decided that the API's roles may empty a table: the schema's default privileges, or the platform,
    /// grant that with everything else.
    pub fn is_given_by_default(&self, relation: &Relation) -> bool {
        matches!(relation.schema.as_str(), "storage" | "realtime")
            || self.given_by_default.iter().any(|schema| schema.is_empty() || *schema == relation.schema)
    }

    /// Whether policies or functions ask for a column of a table, as far as words say.
    pub fn is_asked_for(&self, relation: &Relation, column: &str) -> bool {
        relation.asks_for(column) || self.texts().any(|(_, text)| names(text, column) && names(text, &relation.name))
    }

    /// The same of policies that ask at once who the caller is, or restrict, and of functions.
    pub fn is_asked_of_callers(&self, relation: &Relation, column: &str) -> bool {
        let is_of_caller = |text: &str| ["auth.", "current_", "()"].iter().any(|asked| text.contains(asked));
        let asks = |of: &Relation, policy: &Policy| {
            let texts = [policy.using.as_deref(), policy.check.as_deref()].into_iter().flatten();
            let mut parts = texts.flat_map(alternatives);
            parts.any(|text| {
                names(text, column)
                    && (of.oid == relation.oid || names(text, &relation.name))
                    && (is_of_caller(text) || !policy.permissive)
            })
        };
        let mut policies = self.relations.iter().flat_map(|of| of.policies.iter().map(move |policy| (of, policy)));
        let mut sources = self.functions.iter().map(|function| function.source.as_str());
        policies.any(|(of, policy)| asks(of, policy))
            || sources.any(|text| names(text, column) && names(text, &relation.name))
    }

    /// Whether a function finds rows of a table by what a column holds, and by none of the columns that say whose they are.
    pub fn is_looked_up_by(&self, relation: &Relation, column: &str, whose: &[String]) -> bool {
        self.functions.iter().map(|function| function.source.as_str()).any(|text| {
            names(text, &relation.name) && finds_by(text, column) && !whose.iter().any(|whose| finds_by(text, whose))
        })
    }

    /// Whether policies or functions ask that a column of a table is not NULL.
    pub fn asks_whether_set(&self, relation: &Relation, column: &str) -> bool {
        let Ok(asked) = Regex::new(&format!(r#"(?i)\b{}\b"?\)?\s+is\s+not\s+null"#, regex::escape(column))) else {
            return false;
        };
        self.texts().any(|(of, text)| {
            let is_about = of == Some(relation.oid) || names(text, &relation.name);
            is_about && asked.is_match(text)
        })
    }

    /// What policies and functions say, with the table that a policy is of.
    pub fn texts(&self) -> impl Iterator<Item = (Option<i64>, &str)> {
        let policies = self.relations.iter().flat_map(|relation| {
            let texts = relation.policies.iter().flat_map(|policy| [policy.using.as_deref(), policy.check.as_deref()]);
            texts.flatten().map(move |text| (Some(relation.oid), text))
        });
        policies.chain(self.functions.iter().map(|function| (None, function.source.as_str())))
    }

    /// Whether policies of other tables, or functions, ask a table about the caller.
    pub fn is_asked_about_callers(&self, relation: &Relation) -> bool {
        let is_asked_by = |of: Option<i64>, text: &str| of != Some(relation.oid) && names(text, &relation.name);
        let of_caller = |function: &Function| {
            let asks = |call: &str| function.source.contains(call);
            asks("auth.uid()") || self.callers.iter().any(|call| asks(call)) || self.is_called_with_caller(function)
        };
        self.texts().any(|(of, text)| of.is_some() && is_asked_by(of, text))
            || self.functions.iter().any(|function| is_asked_by(None, &function.source) && of_caller(function))
    }

    /// Whether a view shows rows of a table, of itself or through other views.
    pub fn is_behind(&self, view: &Relation, of: &Relation) -> bool {
        let uses = view.uses.iter().filter(|oid| **oid != view.oid).filter_map(|oid| self.relation(*oid));
        uses.into_iter().any(|used| used.oid == of.oid || !used.is_table() && self.is_behind(used, of))
    }

    /// Whether an expression asks a table, itself or through a function that it calls.
    pub fn asks_of(&self, text: &str, relation: &Relation) -> bool {
        let asks = |function: &Function| {
            names(&function.source, &relation.name) && text.contains(&format!("{}(", function.name))
        };
        names(text, &relation.name) || self.functions.iter().any(asks)
    }

    /// Whether a table's policies may ask for other rows of it, themselves or through what they name.
    pub fn may_ask_itself(&self, relation: &Relation) -> bool {
        self.asking_themselves.contains(&relation.oid)
    }

    /// Whether a text of a table's policies, or of what they name, reads from it or makes its statements as it runs.
    fn asks_itself(&self, relation: &Relation) -> bool {
        fn said(relation: &Relation) -> impl Iterator<Item = &str> {
            let policies = relation.policies.iter().flat_map(|policy| [&policy.using, &policy.check]).flatten();
            policies.chain(&relation.definition).map(String::as_str)
        }
        let (mut texts, mut seen): (Vec<_>, HashSet<&str>) = (said(relation).collect(), HashSet::new());
        while let Some(text) = texts.pop() {
            let words: HashSet<_> = words(text).collect();
            if reads_from(text, &relation.name) || words.iter().any(|word| word.eq_ignore_ascii_case("execute")) {
                return true;
            }
            let is_new = |name: &str| words.contains(name) && !seen.contains(name);
            let relations: Vec<_> =
                self.relations.iter().filter(|of| is_new(&of.name) && of.oid != relation.oid).collect();
            let functions: Vec<_> = self.functions.iter().filter(|of| is_new(&of.name)).collect();
            // What is not kept as a text cannot be read.
            if functions.iter().any(|function| function.source.is_empty()) {
                return true;
            }
            seen.extend(relations.iter().map(|of| of.name.as_str()).chain(functions.iter().map(|of| of.name.as_str())));
            texts.extend(relations.into_iter().flat_map(said).chain(functions.iter().map(|of| of.source.as_str())));
        }
        false
    }

    /// Whether a policy or a function hands the caller's id to a function.
    fn is_called_with_caller(&self, function: &Function) -> bool {
        let call = format!("{}(", function.name);
        self.texts().any(|(_, text)| {
            text.match_indices(&call).any(|(at, _)| {
                let rest = &text[at + call.len()..];
                rest.chars().take(60).collect::<String>().contains("auth.uid()")
            })
        })
    }

    pub fn relation(&self, oid: i64) -> Option<&Relation> {
        self.places.get(&oid).map(|at| &self.relations[*at])
    }

    /// By its name with the schema; without one it is in `public`.
    pub fn named(&self, name: &str) -> Option<&Relation> {
        let (schema, name) = name.split_once('.').unwrap_or(("public", name));
        self.relations.iter().find(|relation| relation.schema == schema && relation.name == name)
    }
}

/// A text in which whatever answers with the caller's id is written in one way.
fn as_caller(text: &str, callers: &[String]) -> String {
    static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"\(*(?:auth\.jwt\(\)|current_setting\('request\.jwt\.claims'::text(?:, true)?\))\)*(?:::jsonb?)?\)*\s*->>\s*'sub'(?:::text)?\)?(?: AS "\?column\?")?"#)
            .expect("a pattern")
    });
    let text = SUBJECT.replace_all(text, "auth.uid()").into_owned();
    callers.iter().fold(text, |text, caller| {
        let call = Regex::new(&format!(r"\b(?:\w+\.)?{}(?: AS \w+)?", regex::escape(caller))).expect("a name");
        call.replace_all(&text, "auth.uid()").into_owned()
    })
}

/// What a text compares with the caller's id: names of columns, each with the table's where that is said.
pub fn compared_with_caller(text: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    static COMPARED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?:"?(\w+)"?\.)?"?(\w+)"?\)?(?:::text)?\)* = \(*(?: ?SELECT )?\(?auth\.uid\(\)|auth\.uid\(\)(?: AS uid)?\)*(?:::text)?\)* = \(*(?:"?(\w+)"?\.)?"?(\w+)"?"#,
        )
        .expect("a pattern")
    });
    COMPARED.captures_iter(text).filter_map(|compared| {
        let of = compared.get(1).or(compared.get(3)).map(|of| of.as_str());
        Some((of, compared.get(2).or(compared.get(4))?.as_str()))
    })
}

/// Whether a text has a name in it, as a word.
fn names(text: &str, name: &str) -> bool {
    words(text).any(|word| word == name)
}

/// Whether a text compares a column where it chooses rows.
fn finds_by(text: &str, column: &str) -> bool {
    let pattern = format!(r#"(?i)\b(where|and|or|on)\s+\(*(\w+\.)?"?{}"?\s*="#, regex::escape(column));
    Regex::new(&pattern).is_ok_and(|pattern| pattern.is_match(text))
}

/// Whether a text names a table otherwise than before a column of it.
fn reads_from(text: &str, table: &str) -> bool {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(table).any(|(at, _)| {
        let rest = &text[at + table.len()..];
        let is_word = !text[..at].ends_with(is_of_word) && !rest.starts_with(is_of_word);
        is_word && !rest.trim_start_matches('"').starts_with('.')
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

impl Relation {
    /// A table with rows of its own, or a partitioned one.
    pub fn is_table(&self) -> bool {
        matches!(self.kind.as_str(), "r" | "p")
    }

    pub fn is_view(&self) -> bool {
        self.kind == "v"
    }

    /// What people call such a thing.
    pub fn noun(&self) -> &'static str {
        match self.kind.as_str() {
            "v" => "view",
            "m" => "materialized view",
            "f" => "foreign table",
            _ => "table",
        }
    }

    /// Its name for people.
    pub fn title(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// Its name for SQL.
    pub fn sql(&self) -> String {
        format!("{}.{}", ident(&self.schema), ident(&self.name))
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn primary(&self) -> Option<&Key> {
        self.keys.iter().find(|key| key.primary)
    }

    /// Whether a role may do this to at least one column, or to the rows as a whole.
    pub fn may(&self, role: &str, privilege: &str) -> bool {
        self.usage.iter().any(|granted| granted == role)
            && match privilege {
                "delete" | "truncate" | "trigger" | "references" => self.can.has(role, privilege),
                _ => self.columns.iter().any(|column| column.may(role, privilege)),
            }
    }

    /// Whether the API's roles may do anything with it.
    pub fn is_granted(&self) -> bool {
        ["anon", "authenticated"]
            .iter()
            .any(|role| ["select", "insert", "update", "delete"].iter().any(|privilege| self.may(role, privilege)))
    }

    /// Whether a policy asks for a column.
    pub fn asks_for(&self, column: &str) -> bool {
        let mut texts = self.policies.iter().flat_map(|policy| [&policy.using, &policy.check]).flatten();
        texts.any(|text| names(text, column))
    }

    /// How many foreign keys before this one refer to what a check keeps apart from what this one refers to.
    pub fn before_it_and_not_the_same(&self, reference: &Reference) -> usize {
        let before = self.references.iter().take_while(|other| other.name != reference.name);
        let is_apart = |other: &&Reference| {
            let is_named = |text: &str, of: &Reference, besides: &Reference| {
                of.columns.iter().any(|name| names(text, name) && !besides.columns.contains(name))
            };
            let mut checks = self.checks.iter().map(|check| check.text.as_str()).filter(|text| text.contains("<>"));
            checks.any(|text| is_named(text, reference, other) && is_named(text, other, reference))
        };
        before.filter(|other| other.target == reference.target).filter(is_apart).count()
    }

    /// Whether a policy's text asks for a column of the row that it is about.
    pub fn is_named_in(&self, text: &str) -> bool {
        static NAMED: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#"'[^']*'|(?:"?(\w+)"?\.)?"?\b(\w+)\b"?"#).expect("a pattern"));
        NAMED.captures_iter(text).any(|found| {
            let is_of_row = found.get(1).is_none_or(|of| of.as_str() == self.name);
            is_of_row && found.get(2).is_some_and(|name| self.column(name.as_str()).is_some())
        })
    }

    /// Keys that are made of references only: rows are told apart by what they join.
    pub fn joins(&self) -> impl Iterator<Item = &Key> {
        let keys = self.keys.iter().filter(|key| !key.columns.is_empty());
        keys.filter(|key| key.columns.iter().all(|name| self.reference_of(name).is_some()))
    }

    /// The foreign key that these columns are.
    pub fn reference_of(&self, column: &str) -> Option<&Reference> {
        let mut references: Vec<_> =
            self.references.iter().filter(|reference| reference.columns.iter().any(|name| name == column)).collect();
        references.sort_by_key(|reference| reference.columns.len());
        references.first().copied()
    }

    /// Policies that a command of a role has to pass.
    pub fn policies_for(&self, role: &str, command: &str) -> impl Iterator<Item = &Policy> {
        self.policies.iter().filter(move |policy| {
            (policy.command == "all" || policy.command == command)
                && policy.roles.iter().any(|granted| granted == "public" || granted == role)
        })
    }
}

impl Policy {
    /// Whether it is for roles of the API.
    pub fn is_for_api(&self) -> bool {
        self.roles.iter().any(|role| matches!(role.as_str(), "public" | "anon" | "authenticated"))
    }
}

impl Column {
    pub fn may(&self, role: &str, privilege: &str) -> bool {
        self.can.has(role, privilege)
    }

    pub fn is_text(&self) -> bool {
        self.category == "S"
    }

    /// Whether it holds texts, or what texts can be hidden in.
    pub fn holds_texts(&self) -> bool {
        !matches!(self.category.as_str(), "B" | "D" | "N" | "T")
    }
}

impl Function {
    /// Something that can be called with arguments and answers.
    pub fn is_callable(&self) -> bool {
        self.kind == "f"
            && !self.extension
            && !matches!(self.returns.as_str(), "trigger" | "event_trigger" | "internal")
    }

    pub fn may(&self, role: &str) -> bool {
        self.can.iter().any(|granted| granted == role)
    }

    pub fn title(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    pub fn sql(&self) -> String {
        format!("{}.{}", ident(&self.schema), ident(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_a_column_that_is_compared_and_not_by_one_that_is_written() {
        for text in ["where token = p_token", "where (i.token= p_token)", "on a.id = b.id and b.\"token\" = p"] {
            assert!(finds_by(text, "token"), "{text}");
        }
        for text in ["set token = p_token where id = p_id", "where id = p_id and token is null", "where old_token = p"]
        {
            assert!(!finds_by(text, "token"), "{text}");
        }
    }

    #[test]
    fn a_table_is_read_where_more_than_a_column_of_it_is_named() {
        for text in ["EXISTS ( SELECT 1 FROM notes n)", r#"select 1 from public."notes" where true"#] {
            assert!(reads_from(text, "notes"), "{text}");
        }
        for text in ["(notes.org_id = own())", r#"m.org_id = "notes".org_id"#, "FROM old_notes", "FROM notes2"] {
            assert!(!reads_from(text, "notes"), "{text}");
        }
    }
}
