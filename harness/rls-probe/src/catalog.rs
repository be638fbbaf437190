//! What the database says of itself: relations with their policies and grants, functions, publications. Facts only;
//! what they mean is the business of the other modules.

use serde::Deserialize;

use crate::{desk::Desk, error::Error, sql::ident};

/// Everything that the catalog tells.
#[derive(Debug, Deserialize)]
pub struct Catalog {
    pub relations: Vec<Relation>,
    pub functions: Vec<Function>,
    /// Functions that run when somebody signs up.
    pub auth_triggers: Vec<String>,
    pub auth_columns: Vec<String>,
    /// The table of the auth server's users.
    #[serde(default)]
    pub users: i64,
    pub auth_readable: Vec<AuthReadable>,
    pub extensions_in_public: Vec<String>,
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
}

/// A foreign key.
#[derive(Debug, Clone, Deserialize)]
pub struct Reference {
    pub name: String,
    pub columns: Vec<String>,
    pub target: i64,
    pub target_name: String,
    pub target_columns: Vec<String>,
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
}

impl Catalog {
    /// Reads it.
    pub async fn read(desk: &mut Desk, schemas: &[String]) -> Result<Self, Error> {
        let text = desk.text(include_str!("catalog.sql"), schemas).await?;
        serde_json::from_str(&text).map_err(|error| Error::Catalog(error.to_string()))
    }

    pub fn relation(&self, oid: i64) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.oid == oid)
    }

    /// By its name with the schema; without one it is in `public`.
    pub fn named(&self, name: &str) -> Option<&Relation> {
        let (schema, name) = name.split_once('.').unwrap_or(("public", name));
        self.relations.iter().find(|relation| relation.schema == schema && relation.name == name)
    }
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
                "delete" | "truncate" => self.can.has(role, privilege),
                _ => self.columns.iter().any(|column| column.may(role, privilege)),
            }
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

impl Column {
    pub fn may(&self, role: &str, privilege: &str) -> bool {
        self.can.has(role, privilege)
    }

    pub fn is_text(&self) -> bool {
        self.category == "S"
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
