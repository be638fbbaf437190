//! What a function is called with: ids of the rows that its arguments are about, by name and type, and sensible values
//! for the rest.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::{
    actor::Actor,
    catalog::{Argument, Function, Relation},
    names,
    sql::literal,
    world::{OTHER, Row, World},
};

/// Whose ids the arguments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// One's own, all of them.
    Own,
    /// The other tenant's, all of them.
    Other,
    /// The other tenant's, with one's own tenant where the tenant is asked for.
    OtherWithin,
    /// The other tenant's, and no tenant.
    OtherOfNone,
    /// One's own, with the other tenant where the tenant is asked for.
    OwnWithin,
    /// The other tenant's only in this argument.
    Only(usize),
    /// The other tenant's, and where something is to be decided, no.
    Denied,
    /// The same of one's own.
    OwnDenied,
    /// The other tenant's, without the secret that this argument is.
    Unsaid(usize),
    /// Only what must be there, the other tenant's.
    Required,
    /// Nothing that may be NULL.
    Nothing,
    /// One's own first and the other's behind it, in lists.
    Mixed,
    /// The other tenant's, with texts that no row has yet.
    Fresh,
    /// One's own, with somebody who belongs to nobody where a user is asked for.
    Stranger,
    /// A colleague's, with one of the roles, the highest first.
    Raised(usize),
    /// The caller's own membership, with one of the roles.
    RaisedOneself(usize),
    /// One's own, with numbers below zero.
    Negative,
    /// The other tenant's, with numbers below zero: what is given to somebody may be taken from them.
    Taken,
    /// SQL where a text is asked for.
    Injected(&'static str),
    /// SQL that reads a table, where a text is asked for.
    Query(&'static str),
}

impl Plan {
    /// Whether it is worth trying for somebody whom the function has refused for who they are, whatever they asked for.
    pub fn is_for_strangers(self) -> bool {
        matches!(
            self,
            Self::Own
                | Self::Other
                | Self::Fresh
                | Self::OtherOfNone
                | Self::Nothing
                | Self::Unsaid(_)
                | Self::Required
                | Self::Raised(_)
                | Self::RaisedOneself(_)
        )
    }

    /// Whether it takes rows of one's own.
    pub fn is_of_own(self) -> bool {
        matches!(self, Self::Own | Self::OwnDenied | Self::Raised(_) | Self::RaisedOneself(_))
    }
}

/// Texts that are SQL to those who glue.
const INJECTIONS: [&str; 4] = ["' or true --", "%' or true or '' like '%", "') or true --", "true or true"];

/// The same, for whole statements, for expressions, for what rows are sorted by, and for those that end the statement which they are part of; `%` is a
/// table, and `&` makes the columns that are answered of the first.
const QUERIES: [&str; 6] = [
    "select to_jsonb(t) from % t",
    "(select string_agg(t::text, ',') from % t)",
    "(select string_agg(t::text, ',')::int from % t)",
    "1 limit (select string_agg(t::text, ',')::int from % t)",
    "(select string_agg(t::text, ',') from % t))& from (values (1)) rls_one (one) --",
    "(select string_agg(t::text, ',') from % t)& from (values (1)) rls_one (one) --",
];

/// How many roles are tried as an argument.
const ROLES: usize = 4;

/// Whether a function is asked for a role: who may not give the highest may give others.
pub fn asks_for_role(world: &World<'_>, function: &Function) -> bool {
    function.arguments.iter().any(|argument| is_role(world, argument))
}

/// Whether an argument is a role.
fn is_role(world: &World<'_>, argument: &Argument) -> bool {
    let is_list = argument.category == "A";
    !is_list
        && (world.roles.iter().any(|role| argument.labels.contains(role))
            || argument.category == "S" && names::is_role_column(&names::bare(&argument.name)))
}

/// The roles, the highest first.
fn by_rank<'w>(world: &'w World<'_>) -> Vec<&'w String> {
    let mut roles: Vec<_> = world.roles.iter().collect();
    roles.sort_by_key(|role| world.tenancy.roles.rank(role));
    roles
}

/// Whose membership a plan is about: the caller's own, or that of a colleague whose role is the lowest.
fn raised<'w>(about: About<'w>) -> Option<&'w Row> {
    let (members, table) = (about.world.tenancy.members.as_ref()?, about.world.members()?);
    let is_oneself = |row: &&Row| row.text(&members.user) == about.actor.user;
    let rows = about.world.rows(table, about.own);
    let roles = &about.world.tenancy.roles;
    let rank = |row: &&Row| members.role.as_ref().and_then(|role| row.text(role)).map_or(0, |role| roles.rank(&role));
    match about.plan {
        Plan::RaisedOneself(_) => rows.iter().find(is_oneself),
        Plan::Raised(_) => rows.iter().filter(|row| !is_oneself(row)).max_by_key(rank),
        _ => None,
    }
}

/// The ways to call a function.
pub fn plans(world: &World<'_>, function: &Function) -> Vec<Plan> {
    let count = function.arguments.len();
    if count == 0 {
        return vec![Plan::Other];
    }
    let mut plans = vec![Plan::Own, Plan::Other, Plan::OtherOfNone, Plan::Nothing];
    if function.arguments.iter().any(|argument| argument.default) {
        plans.push(Plan::Required);
    }
    let kept = function.arguments.iter().enumerate().filter(|(_, argument)| argument.kept.is_some());
    plans.extend(kept.map(|(at, _)| Plan::Unsaid(at)).filter(|_| count > 1));
    plans.extend([Plan::OtherWithin, Plan::OwnWithin]);
    if function.volatile && function.arguments.iter().any(|argument| argument.category == "B") {
        plans.extend([Plan::Denied, Plan::OwnDenied]);
    }
    if function.volatile && asks_for_role(world, function) {
        let roles = world.roles.len().min(ROLES);
        plans.extend((0..roles).flat_map(|at| [Plan::Raised(at), Plan::RaisedOneself(at)]));
    }
    let is_text = |argument: &Argument| argument.category == "S" && argument.labels.is_empty();
    let has_texts = function.arguments.iter().any(|argument| argument.kind.starts_with("json"))
        || count > 1 && function.arguments.iter().any(is_text);
    if function.volatile && has_texts {
        plans.push(Plan::Fresh);
    }
    if function.volatile
        && function.arguments.iter().any(|argument| names::is_user_argument(&names::bare(&argument.name)))
    {
        plans.push(Plan::Stranger);
    }
    if function.volatile && function.arguments.iter().any(is_amount) {
        plans.push(Plan::Negative);
        if world.tenancy.tenant.is_none() {
            plans.push(Plan::Taken);
        }
    }
    if count > 1 && count <= 8 {
        plans.extend((0..count).map(Plan::Only));
    }
    let source = function.source.to_lowercase();
    if function.arguments.iter().any(|argument| argument.category == "A" || argument.kind.starts_with("json")) {
        plans.push(Plan::Mixed);
    }
    if function.language == "plpgsql" && source.contains("execute") {
        plans.extend(INJECTIONS.map(Plan::Injected));
        plans.extend(QUERIES.map(Plan::Query));
    }
    plans
}

/// A call.
pub struct Call {
    pub sql: String,
    /// Values of other tenants that are in it, and so tell nothing when they come back.
    pub passed: BTreeSet<String>,
}

/// Whether an argument is a number of something, and not the key of a row.
fn is_amount(argument: &Argument) -> bool {
    let is_key = |name: &str| name == "id" || name.ends_with("_id");
    let is_of_key = argument.asked.as_ref().is_some_and(|(_, column)| is_key(column));
    argument.category == "N" && !is_key(&names::bare(&argument.name)) && !is_of_key
}

/// The call of a plan by an actor whose own tenant is `own`.
pub fn call(world: &World<'_>, function: &Function, actor: &Actor, own: usize, plan: Plan, pick: usize) -> Call {
    let about = About { world, function, actor, own, plan, pick };
    let mut passed = BTreeSet::new();
    let mut arguments = Vec::new();
    for (index, argument) in function.arguments.iter().enumerate() {
        if plan == Plan::Required && argument.default {
            continue;
        }
        let value = value(about, argument, index, &mut passed);
        let name = match argument.name.as_str() {
            "" => String::new(),
            name => format!("{} => ", crate::sql::ident(name)),
        };
        arguments.push(format!("{name}{value}::{}", argument.kind));
    }
    let call = format!("{}({})", function.sql(), arguments.join(", "));
    let sql = if function.set || function.returns == "record" {
        format!("select to_jsonb(r)::text from {call} r limit 2000")
    } else {
        format!("select {call}::text")
    };
    let sql = if function.returns == "void" { format!("select {call}") } else { sql };
    Call { sql, passed }
}

/// What a value depends on.
#[derive(Clone, Copy)]
struct About<'a> {
    world: &'a World<'a>,
    function: &'a Function,
    actor: &'a Actor,
    own: usize,
    plan: Plan,
    /// Which of a tenant's rows.
    pick: usize,
}

/// Whose an argument is in a plan.
fn tenant_of(plan: Plan, index: usize, is_tenant: bool, own: usize) -> Option<usize> {
    match plan {
        Plan::Other | Plan::Denied | Plan::Required | Plan::Mixed | Plan::Fresh | Plan::Taken => Some(OTHER),
        Plan::Unsaid(unsaid) => (unsaid != index).then_some(OTHER),
        Plan::OtherWithin => Some(if is_tenant { own } else { OTHER }),
        Plan::OtherOfNone => (!is_tenant).then_some(OTHER),
        Plan::OwnWithin => Some(if is_tenant { OTHER } else { own }),
        Plan::Only(only) => Some(if only == index { OTHER } else { own }),
        Plan::Own
        | Plan::OwnDenied
        | Plan::Stranger
        | Plan::Raised(_)
        | Plan::RaisedOneself(_)
        | Plan::Negative
        | Plan::Injected(_)
        | Plan::Query(_) => Some(own),
        Plan::Nothing => None,
    }
}

fn value(about: About<'_>, argument: &Argument, index: usize, passed: &mut BTreeSet<String>) -> String {
    let About { world, own, plan, .. } = about;
    let name = names::bare(&argument.name);
    if let (Plan::Injected(text), "S") = (plan, argument.category.as_str()) {
        return literal(text);
    }
    if let (Plan::Query(text), "S") = (plan, argument.category.as_str()) {
        let named = world.catalog.relations.iter().filter(|relation| relation.is_table() && !world.is_shared(relation));
        let mut named: Vec<_> = named.filter(|relation| !world.rows(relation, OTHER).is_empty()).collect();
        named.sort_by_key(|relation| !about.function.source.contains(&relation.name));
        let columns = about.function.answered.iter().enumerate();
        let columns = columns.map(|(at, kind)| if at == 0 { format!("::{kind}") } else { format!(", null::{kind}") });
        let text = text.replace('&', &columns.collect::<String>());
        return named.first().map_or_else(|| "''".to_owned(), |relation| literal(&text.replace('%', &relation.sql())));
    }
    if plan == Plan::Nothing && (argument.category == "U" || argument.default) {
        return "null".to_owned();
    }
    if argument.kind.starts_with("json") {
        return literal(&document(about, index, passed).to_string());
    }
    let is_list = argument.category == "A";
    let singular = if is_list { names::singular(&name) } else { name.clone() };
    let found = |tenant: usize| text(about, argument, &singular, tenant);
    let is_tenant = is_tenant_name(world, &singular);
    if is_list {
        let whose: Vec<usize> = match plan {
            Plan::Mixed => vec![own, OTHER],
            _ => vec![tenant_of(plan, index, is_tenant, own).unwrap_or(OTHER)],
        };
        let items: Vec<_> = whose.into_iter().filter_map(|tenant| note(found(tenant), tenant, own, passed)).collect();
        let items: Vec<_> = items.iter().map(|item| literal(item)).collect();
        return if items.is_empty() { "'{}'".to_owned() } else { format!("array[{}]", items.join(", ")) };
    }
    let Some(tenant) = tenant_of(plan, index, is_tenant, own) else { return "null".to_owned() };
    if is_amount(argument) && matches!(plan, Plan::Negative | Plan::Taken) {
        return "-100".to_owned();
    }
    match note(found(tenant), tenant, own, passed) {
        Some(text) => literal(&text),
        None if argument.category == "B" && matches!(plan, Plan::Denied | Plan::OwnDenied) => "false".to_owned(),
        None => plain(argument, &name),
    }
}

/// Keeps in mind which values of others are passed.
fn note(text: Option<String>, tenant: usize, own: usize, passed: &mut BTreeSet<String>) -> Option<String> {
    let text = text?;
    if tenant != own {
        passed.insert(text.clone());
    }
    Some(text)
}

fn is_tenant_name(world: &World<'_>, name: &str) -> bool {
    let Some(tenant) = &world.tenancy.tenant else { return false };
    let table = world.tenant_table().map(|table| names::singular(&table.name)).unwrap_or_default();
    name == tenant.column
        || tenant.column.strip_suffix("_id") == Some(name)
        || name == table
        || name == format!("{table}_id")
        || world.tenancy.members.as_ref().is_some_and(|members| members.tenant == name)
}

/// The text of an argument about a tenant's rows; none where it is about nothing that there are rows of.
fn text(about: About<'_>, argument: &Argument, name: &str, tenant: usize) -> Option<String> {
    let About { world, function, actor, pick, .. } = about;
    let first = |relation: &Relation| row(world, relation, tenant, pick);
    let made = &world.tenants[tenant];
    if is_tenant_name(world, name) {
        return Some(made.id.clone());
    }
    if let Some(kept) = &argument.kept
        && let Some(relation) = world.catalog.relation(kept.relation)
        && let Some(secret) =
            row(world, relation, tenant, pick).and_then(|row| world.secret_of(&row.text(&kept.column)?))
    {
        return Some(secret.to_owned());
    }
    if let (Plan::Raised(at) | Plan::RaisedOneself(at), true) = (about.plan, is_role(world, argument)) {
        let known = by_rank(world);
        let mut roles = known.iter().filter(|role| argument.labels.is_empty() || argument.labels.contains(role));
        return roles.nth(at).map(|role| (*role).clone());
    }
    if !argument.labels.is_empty() {
        let raised = world.roles.iter().find(|role| argument.labels.contains(role)).filter(|_| pick == 0);
        return Some(raised.unwrap_or(&argument.labels[pick % argument.labels.len()]).clone());
    }
    let source = function.source.to_lowercase();
    let is_id = argument.kind == "uuid"
        || argument.kind == "uuid[]"
        || argument.category == "N"
        || name.ends_with("_id")
        || name == "id";
    let is_of_user = argument.asked.as_ref().is_some_and(|(oid, column)| {
        world.catalog.relation(*oid).is_some_and(|relation| world.catalog.is_of_user(relation, column))
    });
    if let Some(row) = raised(about) {
        let members = world.tenancy.members.as_ref();
        let of_members = argument.asked.as_ref().filter(|(oid, _)| world.members().is_some_and(|of| of.oid == *oid));
        let column = match of_members {
            Some((_, column)) => Some(column),
            None if names::is_user_argument(name) || is_of_user => members.map(|members| &members.user),
            None => None,
        };
        if let Some(text) = column.and_then(|column| row.text(column)) {
            return Some(text);
        }
    }
    if let Some((oid, column)) = argument.asked.as_ref().filter(|_| is_id && !is_of_user)
        && let Some(relation) = world.catalog.relation(*oid)
    {
        // Two arguments about one table are about two rows of it.
        let earlier = function.arguments.iter().take_while(|other| other.name != argument.name);
        let earlier = earlier.filter(|other| other.asked == argument.asked).count();
        if let Some(text) = row(world, relation, tenant, pick + earlier).and_then(|row| row.text(column)) {
            return Some(text);
        }
    }
    if is_id && (names::is_user_argument(name) || is_of_user) {
        let stranger = world.actors.iter().find(|actor| actor.name == "newcomer");
        if let (Plan::Stranger, Some(stranger)) = (about.plan, stranger) {
            return stranger.user.clone();
        }
        // Where users are the tenants, another of them is somebody else.
        let at = if world.tenancy.tenant.is_some() { pick } else { 0 };
        return if tenant == OTHER {
            made.users.get(at).or(made.users.first()).cloned()
        } else {
            made.users.last().cloned()
        };
    }
    let tables = || world.catalog.relations.iter().filter(|relation| relation.is_table() && !relation.partition);
    let stem = name.strip_suffix("_id").unwrap_or(name);
    let is_about = |relation: &Relation| {
        let table = names::singular(&relation.name.to_lowercase());
        table == stem || relation.name.to_lowercase() == stem || table.ends_with(&format!("_{stem}"))
    };
    let row_id = |relation: &Relation| first(relation)?.text(&relation.primary()?.columns[0]);
    // Another one than the row that an argument is named after.
    let other_id = |relation: &Relation| row(world, relation, tenant, pick + 1)?.text(&relation.primary()?.columns[0]);
    let is_text = argument.category == "S" || argument.kind == "text[]";
    let is_held = |relation: &&Relation| relation.column(name).is_some_and(crate::catalog::Column::is_text);
    if is_id && !(is_text && tables().any(|relation| is_held(&relation))) {
        // A column of the same name refers to something; a table of the same name is it.
        let referred = tables().find_map(|relation| {
            let reference = relation.reference_of(name)?;
            let position = reference.columns.iter().position(|column| column == name)?;
            let target = world.catalog.relation(reference.target)?;
            // Another row than the one that an argument is named after.
            let pick = if is_about(target) { pick } else { pick + 1 };
            row(world, target, tenant, pick)?.text(&reference.target_columns[position])
        });
        let named = || tables().filter(|relation| is_about(relation)).find_map(row_id);
        let mentioned = || {
            let mut mentioned: Vec<_> = tables()
                .filter(|relation| source.contains(&relation.name.to_lowercase()) && !world.is_shared(relation))
                .collect();
            mentioned.sort_by_key(|relation| {
                let about = function.name.to_lowercase().contains(&names::singular(&relation.name.to_lowercase()));
                (!about, source.find(&relation.name.to_lowercase()))
            });
            let is_named = function.arguments.iter().filter(|argument| argument.kind == "uuid").count() > 1;
            mentioned.into_iter().find_map(|relation| if is_named { other_id(relation) } else { row_id(relation) })
        };
        let found = referred.or_else(named);
        if found.is_some() {
            return found;
        }
        if argument.kind.starts_with("uuid") || name.ends_with("_id") || name == "id" {
            return mentioned();
        }
        if argument.category == "N" {
            return None;
        }
    }
    if is_text {
        if about.plan == Plan::Fresh && name != "role" && !name.contains("email") {
            return None;
        }
        if names::names_a_column(name) {
            let asked = tables().filter(|relation| source.contains(&relation.name.to_lowercase()));
            return asked.flat_map(|relation| &relation.columns).map(|column| column.name.clone()).next();
        }
        if name == "role" {
            let mut roles: Vec<_> = world.roles.iter().collect();
            roles.sort_by_key(|role| world.tenancy.roles.rank(role));
            return roles.get(pick.min(roles.len().saturating_sub(1))).map(|role| (*role).clone());
        }
        // One of several that the source lists.
        let listed = ["in", "not in"].iter().find_map(|word| {
            let rest = function.source.split_once(&format!("{} {word} ('", argument.name))?.1;
            Some(rest.split_once('\'')?.0.to_owned())
        });
        if listed.is_some() && !argument.name.is_empty() {
            return listed;
        }
        let mut holders: Vec<_> =
            tables().filter(|relation| relation.column(name).is_some_and(crate::catalog::Column::is_text)).collect();
        holders.sort_by_key(|relation| (!source.contains(&relation.name.to_lowercase()), world.is_shared(relation)));
        let held = holders
            .into_iter()
            .filter(|relation| !world.is_shared(relation))
            .find_map(|relation| first(relation)?.text(name));
        if held.is_some() {
            return held;
        }
        if name.contains("email") {
            return actor.claims["email"].as_str().map(str::to_owned);
        }
        if let Some(column) = name.contains("phone").then_some("phone") {
            return tables().find_map(|relation| first(relation)?.text(column));
        }
        // A text that is asked for by another name: one that a table has whose name is in it.
        let by_suffix = tables()
            .filter(|relation| source.contains(&relation.name.to_lowercase()) && !world.is_shared(relation))
            .find_map(|relation| {
                let column = relation
                    .columns
                    .iter()
                    .find(|column| column.is_text() && (column.name.ends_with(name) || name.ends_with(&column.name)))?;
                first(relation)?.text(&column.name)
            });
        return by_suffix;
    }
    None
}

fn row<'w>(world: &'w World<'_>, relation: &Relation, tenant: usize, pick: usize) -> Option<&'w Row> {
    let rows = world.rows(relation, tenant);
    rows.get(pick).or(rows.last())
}

/// A value of a type that is about nothing.
fn plain(argument: &Argument, name: &str) -> String {
    match (argument.category.as_str(), argument.kind.as_str()) {
        ("N", _) if names::is_year(name) => "extract(year from now())".to_owned(),
        ("N", _) => names::number_for(name).to_owned(),
        ("B", _) => "true".to_owned(),
        ("D", _) if names::is_range_begin(&argument.name) => "'2000-01-01'".to_owned(),
        ("D", _) if names::is_range_end(&argument.name) => "'2100-01-01'".to_owned(),
        ("D", _) => "now()".to_owned(),
        ("T", _) => "'100 years'".to_owned(),
        ("S", _) => literal(names::text_for(name)),
        ("A", _) => "'{}'".to_owned(),
        // The same each time it is called.
        (_, "uuid") => "'00000000-0000-4000-8000-000000000000'".to_owned(),
        _ => "null".to_owned(),
    }
}

/// A JSON argument: an object with the keys that the source reads, or a list of them.
fn document(about: About<'_>, index: usize, passed: &mut BTreeSet<String>) -> Value {
    let About { world, function, own, plan, .. } = about;
    static KEY: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?:->>?\s*'|\?\s*')([A-Za-z_][A-Za-z0-9_]*)'").expect("a pattern"));
    static RECORD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)\bas\s+\w+\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)").expect("a pattern"));
    let source = &function.source;
    let mut keys: Vec<(String, String)> =
        KEY.captures_iter(source).map(|found| (found[1].to_owned(), String::new())).collect();
    for found in RECORD.captures_iter(source) {
        for part in found[1].split(',') {
            let mut words = part.split_whitespace();
            if let (Some(name), Some(kind)) = (words.next(), words.next()) {
                keys.push((name.trim_matches('"').to_owned(), kind.to_owned()));
            }
        }
    }
    keys.sort();
    keys.dedup_by(|one, other| one.0 == other.0);
    keys.retain(|(key, _)| !matches!(key.as_str(), "sub" | "app_metadata" | "user_metadata"));
    let mut object = |whose: Option<usize>| {
        let mut object = Map::new();
        for (key, kind) in &keys {
            let bare = names::bare(key);
            let is_tenant = is_tenant_name(world, &bare);
            let Some(tenant) = whose.or_else(|| tenant_of(plan, index, is_tenant, own)) else {
                object.insert(key.clone(), Value::Null);
                continue;
            };
            let category = if kind.is_empty() || kind.starts_with("text") {
                "S"
            } else if kind.starts_with("uuid") {
                "U"
            } else {
                "N"
            };
            let kind = if bare.ends_with("id") && kind.is_empty() { "uuid".to_owned() } else { kind.clone() };
            let stand_in = Argument {
                name: key.clone(),
                kind,
                category: category.to_owned(),
                labels: Vec::new(),
                default: false,
                asked: None,
                kept: None,
            };
            let found = note(text(about, &stand_in, &bare, tenant), tenant, own, passed);
            let value = match found {
                Some(text) => text.into(),
                None if names::is_number_key(key) => json!(7),
                None if names::is_time_key(key) => json!("2026-01-07T12:00:00Z"),
                None if key.contains("code") => json!(format!("C{}", &uuid::Uuid::new_v4().simple().to_string()[..6])),
                None => json!(format!("probe {key}")),
            };
            object.insert(key.clone(), value);
        }
        Value::Object(object)
    };
    // A list within it: its items have the same keys.
    static WITHIN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)(?:array_elements|to_recordset|array_length)\s*\([^()]*->\s*'([A-Za-z_0-9]+)'")
            .expect("a pattern")
    });
    let within = WITHIN.captures(source).map(|found| found[1].to_owned());
    if let Some(within) = within {
        let mut outer = object(None);
        let items = match plan {
            Plan::Mixed => json!([object(Some(own)), object(Some(OTHER))]),
            _ => json!([object(None)]),
        };
        outer[within] = items;
        return outer;
    }
    let lowered = source.to_lowercase();
    let is_list = [
        "jsonb_array_elements",
        "json_array_elements",
        "jsonb_to_recordset",
        "json_to_recordset",
        "jsonb_populate_recordset",
        "jsonb_array_length",
    ]
    .iter()
    .any(|word| lowered.contains(word));
    match plan {
        Plan::Mixed if is_list => json!([object(Some(own)), object(Some(OTHER))]),
        _ if is_list => json!([object(None)]),
        _ => object(None),
    }
}
