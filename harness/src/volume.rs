//! What the views ask for, at the volume that the contract promises: a scratch database gets the schema of the deployment
//! and that many rows, and answers each request as the data API would. How it found the rows decides, and how long it took.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use url::form_urlencoded;
use uuid::Uuid;

use crate::{
    contract::{Contract, Filled, Recipe, Volume},
    deployment::Deployment,
    failure::{Failure, Verdict},
    restore::Drill,
    views::asked,
};

const CLAIM: &str = "what the views ask for is answered in time at the contract's volume";

/// A list with a limit reads so many rows for each that it shows, where most of them are filtered; more are all of a tenant's.
const READ_FOR_EACH: f64 = 50.0;

/// A request that took too long is asked so many times: this machine may be busy.
const TIMES: usize = 3;

/// Letters of a plan's condition in a report.
const CONDITION: usize = 100;

/// A request of a view.
#[derive(Debug, Clone)]
struct Asked {
    /// The view and the list, or the function.
    what: String,
    role: String,
    path: String,
    query: String,
    /// Rows that it shows at most.
    limit: Option<usize>,
    /// The columns of an index that would serve it, the table first.
    index: Option<(String, Vec<String>)>,
}

/// How a request was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The view and what of it, with the role of who looks.
    pub what: String,
    /// The request.
    pub request: String,
    /// By the database's own clock, the fastest of its tries.
    pub milliseconds: f64,
    /// Why it was not answered as promised.
    pub wrong: Vec<String>,
    /// What may be done.
    pub mend: Option<String>,
    /// `EXPLAIN (ANALYZE, FORMAT JSON)`.
    pub plan: Value,
}

/// Asks everything that the contract's views ask for of a scratch database with the deployment's schema and the contract's
/// volume.
///
/// # Errors
/// Not run where there is no PostgreSQL or no URL of the deployment's database; undecided where it cannot be filled.
#[cfg(feature = "embedded")]
pub async fn at_volume(deployment: &Deployment, contract: &Contract) -> Verdict<Vec<Answered>> {
    let volume = contract.volume()?;
    let claim = "nothing was asked at the contract's volume";
    let source = deployment.database(claim)?;
    let not_run = |error: portal::Error| Failure::not_run(claim).seen(error.to_string());
    let scratch = portal::postgres::ScratchDatabase::start().await.map_err(not_run)?;
    let url = SecretString::from(scratch.url().to_owned());
    let programs = portal::postgres::locate().map_err(not_run)?.bin;
    let drill = Drill { programs, pending: Vec::new() };
    let people = drill.schema(&source, &url, async || fill(contract, volume, &url).await).await?;
    analyze(volume, contract.make()?, &url).await?;
    let (plans, large) = (portal::Plans::on(&scratch), large(volume, contract.make()?));
    let mut answered = Vec::new();
    for asked in all(contract, volume, &people.institution)? {
        let claims = people.claims(&asked.role);
        let refused = |why: String| {
            Failure::undecided(CLAIM).expected(format!("an answer to GET {}?{}", asked.path, asked.query)).seen(why)
        };
        let mut plan = plans.plan(&claims, &asked.path, &asked.query).await.map_err(refused)?;
        for _ in 1..TIMES {
            if milliseconds(&plan.tree) <= volume.answers_within_ms as f64 {
                break;
            }
            let again = plans.plan(&claims, &asked.path, &asked.query).await.map_err(refused)?;
            plan = if milliseconds(&again.tree) < milliseconds(&plan.tree) { again } else { plan };
        }
        answered.push(judged(asked, volume, &large, &plan.tree, &plan.scanned));
    }
    Ok(answered)
}

/// Without the embedded portal there is no scratch database.
///
/// # Errors
/// Not run, always.
#[cfg(not(feature = "embedded"))]
pub async fn at_volume(_: &Deployment, _: &Contract) -> Verdict<Vec<Answered>> {
    Err(Failure::not_run("nothing was asked at the contract's volume").seen("this build has no scratch database"))
}

/// The tables that no request may read as a whole.
fn large(volume: &Volume, make: &BTreeMap<String, Recipe>) -> BTreeSet<String> {
    let of_many = volume.rows.iter().filter(|filled| filled.rows >= volume.large_from);
    of_many.filter_map(|filled| table(filled, filled.kind.as_ref().and_then(|kind| make.get(kind)))).collect()
}

fn table(filled: &Filled, recipe: Option<&Recipe>) -> Option<String> {
    filled.table.as_ref().or(recipe.map(|recipe| &recipe.table)).cloned()
}

/// Whoever asks, by role; all of one institution.
struct People {
    institution: String,
    by_role: BTreeMap<String, Uuid>,
}

impl People {
    fn claims(&self, role: &str) -> Map<String, Value> {
        let claims = json!({ "sub": self.by_role.get(role), "role": "authenticated", "aud": "authenticated" });
        claims.as_object().cloned().unwrap_or_default()
    }
}

/// What the views ask for, by everybody who looks at them, each request once.
fn all(contract: &Contract, volume: &Volume, institution: &str) -> Verdict<Vec<Asked>> {
    let mut all = Vec::new();
    for view in contract.views()? {
        for reader in &view.readers {
            for list in &view.lists {
                let (role, own) = role(contract, reader, institution)?;
                let (table, query) = asked(contract, list, own)?;
                let of_list = |(name, value): &(String, String)| match name.as_str() {
                    "select" | "limit" => None,
                    "order" => {
                        Some(value.split(',').map(|term| term.split('.').next().unwrap_or(term).to_owned()).collect())
                    }
                    column => Some(vec![column.to_owned()]),
                };
                let mut columns: Vec<String> =
                    query.iter().filter_map(of_list).flat_map(|it: Vec<String>| it).collect();
                let mut seen = BTreeSet::new();
                columns.retain(|column| seen.insert(column.clone()));
                all.push(Asked {
                    what: format!("view {:?}, {} as {role}", view.name, list.kind),
                    role,
                    path: table.to_owned(),
                    query: form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish(),
                    limit: list.limit,
                    index: Some((table.to_owned(), columns)),
                });
            }
        }
    }
    for call in &volume.calls {
        let (role, own) = role(contract, &call.persona, institution)?;
        let argument = |value: &String| value.replace("{institution}", own.unwrap_or_default());
        let arguments = call.arguments.iter().map(|(name, value)| (name, argument(value)));
        all.push(Asked {
            what: format!("function {} as {role}", call.function),
            role,
            path: format!("rpc/{}", call.function),
            query: form_urlencoded::Serializer::new(String::new()).extend_pairs(arguments).finish(),
            limit: None,
            index: None,
        });
    }
    let mut seen = BTreeSet::new();
    all.retain(|asked| seen.insert((asked.role.clone(), asked.path.clone(), asked.query.clone())));
    if all.is_empty() {
        return Err(Failure::undecided(CLAIM)
            .expected("lists in [[views]] or functions in [[volume.calls]]")
            .seen("none"));
    }
    Ok(all)
}

/// The role of a persona, and the institution, where it has one.
fn role<'i>(contract: &Contract, persona: &str, institution: &'i str) -> Verdict<(String, Option<&'i str>)> {
    let role = contract.role_of(persona).ok_or_else(|| {
        Failure::undecided(CLAIM).expected(format!("a role in [formats.labels] for the persona {persona}")).seen("none")
    })?;
    let has_one = contract.personas.get(persona).is_some_and(|persona| persona.institution.is_some());
    Ok((role.to_owned(), has_one.then_some(institution)))
}

/// Fills the database at `url`, and adds whoever is to look.
async fn fill(contract: &Contract, volume: &Volume, url: &SecretString) -> Verdict<People> {
    let lost = |what: &str, error: &sqlx::Error| {
        let seen = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
        Failure::undecided(CLAIM)
            .expected(format!("a scratch database with {what}"))
            .seen(seen)
            .advice("correct [volume] or [make] of the contract")
    };
    let mut connection =
        PgConnection::connect(url.expose_secret()).await.map_err(|error| lost("a connection", &error))?;
    let mut transaction = connection.begin().await.map_err(|error| lost("a transaction", &error))?;
    let path = "set local search_path = public, extensions";
    sqlx::raw_sql(path).execute(&mut *transaction).await.map_err(|error| lost("a schema", &error))?;
    let (make, mut made) = (contract.make()?, BTreeMap::<String, u64>::new());
    for filled in &volume.rows {
        let recipe = filled.kind.as_ref().and_then(|kind| make.get(kind));
        let (name, sql) = insert(filled, recipe, &made);
        let run = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await;
        run.map_err(|error| lost(&format!("{} {name}", filled.rows), &error))?;
        if filled.kind.is_some() {
            made.insert(name, filled.rows);
        }
    }
    let institution: String = sqlx::query(r#"select id::text from pg_temp."made_institution" where at = 0"#)
        .fetch_one(&mut *transaction)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| lost("institutions", &error))?;
    let people = people(contract, &institution, volume)?;
    for (role, (user, own)) in &people {
        let sql = profile(contract, role, *user, own.as_deref())?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await.map_err(|error| lost(role, &error))?;
    }
    transaction.commit().await.map_err(|error| lost("rows", &error))?;
    let by_role = people.into_iter().map(|(role, (user, _))| (role, user)).collect();
    Ok(People { institution, by_role })
}

/// So that the planner knows how much there is.
async fn analyze(volume: &Volume, make: &BTreeMap<String, Recipe>, url: &SecretString) -> Verdict {
    let tables =
        volume.rows.iter().filter_map(|filled| table(filled, filled.kind.as_ref().and_then(|kind| make.get(kind))));
    let tables: BTreeSet<_> = tables.map(|table| identifier(&table)).collect();
    let sql = format!("set search_path = public, extensions; analyze {}", Vec::from_iter(tables).join(", "));
    let lost =
        |error: sqlx::Error| Failure::undecided(CLAIM).expected("statistics of the rows").seen(error.to_string());
    let mut connection = PgConnection::connect(url.expose_secret()).await.map_err(lost)?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.map(drop).map_err(lost)
}

/// A user for each role that looks, with their institution.
fn people(
    contract: &Contract,
    institution: &str,
    volume: &Volume,
) -> Verdict<BTreeMap<String, (Uuid, Option<String>)>> {
    let readers = contract.views()?.flat_map(|view| &view.readers);
    let callers = volume.calls.iter().map(|call| &call.persona);
    let mut people = BTreeMap::new();
    for persona in readers.chain(callers) {
        let (role, own) = role(contract, persona, institution)?;
        people.insert(role, (Uuid::new_v4(), own.map(str::to_owned)));
    }
    Ok(people)
}

/// The SQL that adds rows, and what later rows call their ids.
fn insert(filled: &Filled, recipe: Option<&Recipe>, made: &BTreeMap<String, u64>) -> (String, String) {
    let table = table(filled, recipe).unwrap_or_default();
    let name = filled.kind.clone().unwrap_or_else(|| table.clone());
    let mut columns: BTreeMap<&String, String> =
        recipe.iter().flat_map(|it| &it.values).map(|(column, value)| (column, of_row(&name, value, made))).collect();
    columns.extend(filled.with.iter().map(|(column, sql)| (column, with_ids(sql, made))));
    let names = columns.keys().map(|column| identifier(column)).collect::<Vec<_>>().join(", ");
    let values = columns.into_values().collect::<Vec<_>>().join(", ");
    let (table, ids, last) = (identifier(&table), identifier(&format!("made_{name}")), filled.rows.saturating_sub(1));
    let rows = format!("insert into {table} ({names}) select {values} from generate_series(0, {last}) as n");
    let sql = match filled.kind {
        None => rows,
        Some(_) => format!(
            "create temporary table {ids} as select 0::bigint as at, id from {table} limit 0;
             with made as ({rows} returning id) insert into {ids} select row_number() over () - 1, id from made"
        ),
    };
    (name, sql)
}

/// A value of a recipe, as SQL of the row's number.
fn of_row(kind: &str, value: &Value, made: &BTreeMap<String, u64>) -> String {
    let Some(text) = value.as_str() else { return literal(&value.to_string()) };
    let numbered =
        |before: &str, after: &str| format!("{} || n || {}", literal(&format!("{before}{kind} ")), literal(after));
    match text.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        None => literal(text),
        Some(("", (name, ""))) => match name {
            _ if made.contains_key(name) => with_ids(text, made),
            "amount" => "1000 + n % 50000".to_owned(),
            "now" => "now()".to_owned(),
            "active" => "true".to_owned(),
            _ => numbered("", ""),
        },
        Some((before, (_, after))) => numbered(before, after),
    }
}

/// `{kind}` becomes the id of an earlier row: those of one tenant belong together.
fn with_ids(sql: &str, made: &BTreeMap<String, u64>) -> String {
    made.iter().fold(sql.to_owned(), |sql, (kind, rows)| {
        let ids = identifier(&format!("made_{kind}"));
        let id = format!("(array(select id from pg_temp.{ids} order by at))[1 + (n % {rows})::int]");
        sql.replace(&format!("{{{kind}}}"), &id)
    })
}

/// The SQL that adds somebody in a role.
fn profile(contract: &Contract, role: &str, user: Uuid, institution: Option<&str>) -> Verdict<String> {
    let lacking = || Failure::undecided(CLAIM).expected("[make.profile] in the contract").seen("none");
    let recipe = contract.make()?.get("profile").ok_or_else(lacking)?;
    let email = format!("{user}@example.com");
    let value = |value: &Value| match value.as_str() {
        Some("{user}") => literal(&user.to_string()),
        Some("{institution}") => institution.map_or_else(|| "null".to_owned(), literal),
        Some("{role}") => literal(role),
        Some(text) => literal(&text.replace("{email}", &email).replace("{name}", role)),
        None => literal(&value.to_string()),
    };
    let names = recipe.values.keys().map(|column| identifier(column)).collect::<Vec<_>>().join(", ");
    let values = recipe.values.values().map(value).collect::<Vec<_>>().join(", ");
    Ok(format!(
        "insert into auth.users (id, email) values ({}, {}); insert into {} ({names}) values ({values})",
        literal(&user.to_string()),
        literal(&email),
        identifier(&recipe.table),
    ))
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Of a plan that ran, planning included.
fn milliseconds(tree: &Value) -> f64 {
    let of = |name: &str| tree[0][name].as_f64().unwrap_or_default();
    of("Planning Time") + of("Execution Time")
}

/// Each node of a plan.
fn nodes(tree: &Value) -> Vec<&Value> {
    let mut nodes = vec![&tree[0]["Plan"]];
    let mut next = 0;
    while let Some(node) = nodes.get(next).copied() {
        nodes.extend(node["Plans"].as_array().into_iter().flatten());
        next += 1;
    }
    nodes
}

/// Rows that a node read, those that its filter took away included.
fn read(node: &Value) -> f64 {
    let of = |name: &str| node[name].as_f64().unwrap_or_default();
    (of("Actual Rows") + of("Rows Removed by Filter") + of("Rows Removed by Index Recheck")) * of("Actual Loops")
}

/// A node as people name it.
fn named(node: &Value) -> String {
    let text = |name: &str| node[name].as_str().unwrap_or_default();
    let condition = ["Filter", "Recheck Cond", "Index Cond"].map(text).into_iter().find(|text| !text.is_empty());
    let condition = condition.map_or_else(String::new, |text| format!(" where {}", shortened(text)));
    format!("{} on {}{condition}", text("Node Type"), text("Relation Name"))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(CONDITION) {
        Some((at, _)) => format!("{} …", &text[..at]),
        None => text.to_owned(),
    }
}

fn judged(
    asked: Asked,
    volume: &Volume,
    large: &BTreeSet<String>,
    tree: &Value,
    scanned: &BTreeMap<String, i64>,
) -> Answered {
    let (took, nodes) = (milliseconds(tree), nodes(tree));
    let mut wrong = Vec::new();
    for (table, rows) in scanned.iter().filter(|(_, rows)| **rows >= volume.large_from as i64) {
        let relation = table.split_once('.').map_or(table.as_str(), |(_, name)| name);
        if !large.contains(relation) {
            continue;
        }
        let is_of = |node: &&&Value| node["Relation Name"] == relation && node["Node Type"] == "Seq Scan";
        let node = nodes.iter().find(is_of).map_or_else(|| "within a function".to_owned(), |node| named(node));
        wrong.push(format!("{rows} rows of {table} one after the other ({node})"));
    }
    if let (Some(limit), Some((table, _)), true) = (asked.limit, &asked.index, wrong.is_empty()) {
        let of_table = |node: &&&Value| node["Relation Name"] == table.as_str();
        let most = nodes.iter().filter(of_table).max_by(|one, other| read(one).total_cmp(&read(other)));
        if let Some(node) = most.filter(|node| read(node) > limit as f64 * READ_FOR_EACH) {
            wrong.push(format!("{} rows of {table} for {limit} that are shown ({})", read(node), named(node)));
        }
    }
    let mut mend = match &asked.index {
        _ if wrong.is_empty() => None,
        Some((table, columns)) => Some(format!("create index on {table} ({})", columns.join(", "))),
        None => Some(format!("find the statement in {} that reads more than its caller's rows", asked.path)),
    };
    if took > volume.answers_within_ms as f64 {
        wrong.push(format!("{took:.0} ms"));
        mend.get_or_insert_with(|| "call what a policy calls once and not for each row: (select f())".to_owned());
    }
    Answered {
        what: asked.what,
        request: format!("/rest/v1/{}?{}", asked.path, asked.query),
        milliseconds: took,
        wrong,
        mend,
        plan: tree.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(tree: &Value, scanned: &[(&str, i64)]) -> Answered {
        let asked = Asked {
            what: "view \"ledger\", payment as STAFF".to_owned(),
            role: "STAFF".to_owned(),
            path: "payments".to_owned(),
            query: "order=at.desc&limit=10".to_owned(),
            limit: Some(10),
            index: Some(("payments".to_owned(), vec!["tenant".to_owned(), "at".to_owned()])),
        };
        let volume = Volume { answers_within_ms: 100, large_from: 1000, rows: Vec::new(), calls: Vec::new() };
        let scanned = scanned.iter().map(|(table, rows)| ((*table).to_owned(), *rows)).collect();
        super::judged(asked, &volume, &BTreeSet::from(["payments".to_owned()]), tree, &scanned)
    }

    fn plan(node: &str, rows: u32, removed: u32, milliseconds: f64) -> Value {
        json!([{ "Planning Time": 1.0, "Execution Time": milliseconds, "Plan": { "Node Type": "Limit", "Plans": [{
            "Node Type": node, "Relation Name": "payments", "Filter": "(tenant = 1)",
            "Actual Rows": rows, "Actual Loops": 1, "Rows Removed by Filter": removed,
        }] } }])
    }

    #[test]
    fn a_page_that_an_index_brings_is_as_promised() {
        let answered = judged(&plan("Index Scan", 10, 0, 3.0), &[("public.small", 5000)]);
        assert_eq!(answered.wrong, [""; 0]);
        assert_eq!(answered.mend, None);
    }

    #[test]
    fn a_table_that_is_read_as_a_whole_is_named_with_the_node_and_an_index() {
        let answered = judged(&plan("Seq Scan", 10, 4990, 3.0), &[("public.payments", 5000)]);
        let expected = "5000 rows of public.payments one after the other (Seq Scan on payments where (tenant = 1))";
        assert_eq!(answered.wrong, [expected]);
        assert_eq!(answered.mend.as_deref(), Some("create index on payments (tenant, at)"));
    }

    #[test]
    fn what_a_function_reads_has_no_node() {
        let tree = json!([{ "Planning Time": 1.0, "Execution Time": 3.0, "Plan": { "Node Type": "Result" } }]);
        let answered = judged(&tree, &[("public.payments", 5000)]);
        assert_eq!(answered.wrong, ["5000 rows of public.payments one after the other (within a function)"]);
    }

    #[test]
    fn a_page_that_is_sorted_out_of_all_rows_is_named() {
        let answered = judged(&plan("Bitmap Heap Scan", 501, 0, 3.0), &[]);
        let expected = "501 rows of payments for 10 that are shown (Bitmap Heap Scan on payments where (tenant = 1))";
        assert_eq!(answered.wrong, [expected]);
    }

    #[test]
    fn what_takes_long_is_said_with_its_time() {
        let answered = judged(&plan("Index Scan", 10, 0, 120.0), &[]);
        assert_eq!(answered.wrong, ["121 ms"]);
        assert_eq!(answered.mend.as_deref(), Some("call what a policy calls once and not for each row: (select f())"));
    }

    #[test]
    fn rows_are_made_of_a_recipe_with_their_numbers_and_the_ids_of_earlier_ones() {
        let made = BTreeMap::from([("tenant".to_owned(), 20)]);
        let of_row = |value: Value| of_row("member", &value, &made);
        assert_eq!(of_row(json!("ACTIVE")), "'ACTIVE'");
        assert_eq!(of_row(json!(true)), "'true'");
        assert_eq!(of_row(json!("{name}")), "'member ' || n || ''");
        assert_eq!(of_row(json!("{code}@example.com")), "'member ' || n || '@example.com'");
        let id = "(array(select id from pg_temp.\"made_tenant\" order by at))[1 + (n % 20)::int]";
        assert_eq!(of_row(json!("{tenant}")), id);
        let filled = Filled {
            kind: None,
            table: Some("events".to_owned()),
            rows: 3,
            with: BTreeMap::from([("tenant_id".to_owned(), "{tenant}".to_owned())]),
        };
        let (_, sql) = insert(&filled, None, &made);
        let values = format!("insert into \"events\" (\"tenant_id\") select {id} from generate_series(0, 2) as n");
        assert_eq!(sql, values);
    }
}
