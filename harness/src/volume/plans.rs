//! How the database found the rows that it answered with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Answered, asked::Asked};
use crate::contract::Volume;

/// A list with a limit reads so many rows for each that it shows, where most of them are filtered; more are all of a tenant's.
const READ_FOR_EACH: f64 = 50.0;

/// Letters of a plan's condition in a report.
const CONDITION: usize = 100;

/// Of a plan that ran, planning included.
pub(super) fn milliseconds(tree: &Value) -> f64 {
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

pub(super) fn judged(
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
    use serde_json::json;

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
}
