//! What policies of a schema ask of rows: what may be asked of those of another table as well.

use std::{collections::HashMap, sync::LazyLock};

use regex::Regex;

use crate::{
    catalog::{Catalog, Function, Policy, Relation, compared_with_caller},
    names,
    sql::{alternatives, ident, parted},
};

use super::CANDIDATES;

/// What other policies ask, those for the same command and of the same table first: whole conditions, and the
/// comparisons in them.
pub(super) fn conditions(catalog: &Catalog, relation: &Relation, guilty: &[String]) -> Vec<String> {
    let commands: Vec<_> = relation.policies.iter().filter(|policy| guilty.contains(&policy.name)).collect();
    let is_same =
        |policy: &Policy| commands.iter().any(|guilty| guilty.command == policy.command || policy.command == "all");
    let mut ranks: HashMap<&String, (bool, bool, usize)> = HashMap::new();
    for of in catalog.relations.iter().filter(|of| of.is_table()) {
        let is_here = of.oid == relation.oid;
        for policy in of.policies.iter().filter(|policy| policy.permissive && policy.is_for_api()) {
            if is_here && guilty.contains(&policy.name) {
                continue;
            }
            // What is a user's id there need not be one here.
            let is_meant = |text: &&String| {
                let mut asked = compared_with_caller(text).filter(|(of, _)| of.is_none());
                is_here || asked.all(|(_, name)| catalog.is_of_user(relation, name)) && names_only(text, of, relation)
            };
            let texts = [&policy.using, &policy.check].into_iter().flatten().filter(|text| *text != "true");
            for text in texts.filter(is_meant) {
                let (here, same, count) = ranks.entry(text).or_default();
                (*here, *same, *count) = (*here || is_here, *same || is_same(policy), *count + 1);
            }
        }
    }
    let mut whole: Vec<_> = ranks.into_iter().collect();
    whole.sort_by(|(one, a), (other, b)| (b, one.len(), one).cmp(&(a, other.len(), other)));
    let usual = usual_comparisons(catalog, relation).into_iter().take(2);
    let whole = whole.into_iter().map(|(text, _)| text.clone()).take(CANDIDATES - 2).chain(usual);
    let mut all: Vec<String> = Vec::new();
    for condition in whole.chain(of_caller(catalog, relation)) {
        if !all.contains(&condition) {
            all.push(condition);
        }
    }
    all
}

/// What this table's policies ask, asked of other helpers that answer alike: who may write, in the place of who may read.
pub(super) fn by_siblings(catalog: &Catalog, relation: &Relation, asked: &[String]) -> Vec<String> {
    let here = asked.iter().filter(|text| relation.policies.iter().any(|policy| policy.using.as_ref() == Some(text)));
    let mut siblings = Vec::new();
    for text in here.take(2) {
        for helper in catalog.functions.iter().filter(|helper| text.contains(&format!("{}(", helper.name))) {
            let is_alike = |other: &&Function| {
                let kinds = |function: &Function| {
                    function.arguments.iter().map(|argument| argument.kind.clone()).collect::<Vec<_>>()
                };
                other.name != helper.name
                    && (other.schema == helper.schema && other.returns == helper.returns && other.set == helper.set)
                    && kinds(other) == kinds(helper)
            };
            let call = |name: &str| format!("{name}(");
            let is_asked =
                |other: &&Function| catalog.texts().any(|(of, text)| of.is_some() && text.contains(&call(&other.name)));
            let alike = catalog.functions.iter().filter(is_alike).filter(is_asked).take(3);
            siblings.extend(alike.map(|other| {
                let named = text.replace(&format!("AS {}", helper.name), &format!("AS {}", other.name));
                named.replace(&call(&helper.name), &call(&other.name))
            }));
        }
    }
    siblings
}

/// Whether an expression about a table can be asked about another one: it has all the columns that are named in it.
fn names_only(text: &str, of: &Relation, relation: &Relation) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    text.contains("SELECT") && text.contains("FROM")
        || words.all(|word| of.column(word).is_none() || relation.column(word).is_some())
}

/// That a row names the caller, in any of the columns by which it names somebody.
fn of_caller(catalog: &Catalog, relation: &Relation) -> Option<String> {
    let users = relation.columns.iter().filter(|column| catalog.is_of_user(relation, &column.name));
    let named = users.filter(|column| !names::is_author(&column.name) || relation.asks_for(&column.name));
    let named: Vec<_> = named.map(|column| format!("{} = (select auth.uid())", ident(&column.name))).collect();
    (!named.is_empty()).then(|| named.join(" or "))
}

/// What can be made of that: parts of it, questions about what this table calls otherwise, that the caller sees what a row
/// is part of; and each with those let through who are above all tenants.
pub(super) fn composed(catalog: &Catalog, relation: &Relation, asked: &[String]) -> Vec<String> {
    let here = asked.iter().filter(|text| relation.policies.iter().any(|policy| policy.using.as_ref() == Some(text)));
    let parts: Vec<_> = here.flat_map(|text| conjuncts(text)).map(str::to_owned).collect();
    let parts = parts.into_iter().take(3).chain(usual_calls(catalog, relation)).chain(of_parents(catalog, relation));
    let mut all: Vec<String> = Vec::new();
    for condition in parts {
        if !all.contains(&condition) && !asked.contains(&condition) {
            all.push(condition);
        }
    }
    let above = above_all(catalog);
    let narrow: Vec<_> = asked.iter().rev().take(2).chain(&all).cloned().collect();
    all.extend(above.iter().flat_map(|above| narrow.iter().map(move |narrow| format!("({narrow}) or {above}"))));
    all
}

/// What stands between the `AND`s of an expression, where there are several.
fn conjuncts(text: &str) -> Vec<&str> {
    let parts = parted(text, " AND ");
    if parts.len() > 1 { parts } else { Vec::new() }
}

/// That the caller sees what a row is part of.
fn of_parents(catalog: &Catalog, relation: &Relation) -> Vec<String> {
    let single = relation.references.iter().filter(|reference| reference.columns.len() == 1);
    let parents = single.filter_map(|reference| {
        let parent = catalog.relation(reference.target).filter(|parent| parent.oid != relation.oid && parent.rls)?;
        let (key, column) = (ident(&reference.target_columns[0]), ident(&reference.columns[0]));
        Some(format!("exists (select from {} p where p.{key} = {}.{column})", parent.sql(), ident(&relation.name)))
    });
    parents.take(2).collect()
}

/// What policies ask of rows that have this table's columns: of the tenant, by a comparison or by a function.
pub fn usual(catalog: &Catalog, relation: &Relation) -> Vec<String> {
    let comparisons = usual_comparisons(catalog, relation).into_iter().take(2);
    comparisons.chain(usual_calls(catalog, relation)).collect()
}

/// How policies ask a function about a column that this table has as well.
fn usual_calls(catalog: &Catalog, relation: &Relation) -> Vec<String> {
    static CALL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\b((?:\w+\.)?\w+)\((\w+)((?:, '[^']*'(?:::[\w. ]+(?:\[\])?)?)*)\)").expect("a pattern")
    });
    let mut counts: HashMap<String, usize> = HashMap::new();
    for of in catalog.relations.iter().filter(|of| of.is_table()) {
        let texts = of.policies.iter().flat_map(|policy| [&policy.using, &policy.check]).flatten();
        for found in texts.flat_map(|text| CALL.captures_iter(text)) {
            let is_known = catalog.functions.iter().any(|function| found[1].rsplit('.').next() == Some(&function.name));
            if let Some(name) = called(relation, of, &found[2]).filter(|_| is_known) {
                *counts.entry(format!("{}({}{})", &found[1], ident(&name), &found[3])).or_default() += 1;
            }
        }
    }
    let mut usual: Vec<_> = counts.into_iter().collect();
    usual.sort_by(|(one, a), (other, b)| (b, one).cmp(&(a, other)));
    usual.into_iter().map(|(text, _)| text).take(3).collect()
}

/// Conditions that policies let through whatever the row is.
fn above_all(catalog: &Catalog) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for of in catalog.relations.iter().filter(|of| of.is_table()) {
        let policies = of.policies.iter().filter(|policy| policy.permissive && policy.is_for_api());
        let texts = policies.flat_map(|policy| [&policy.using, &policy.check]).flatten();
        for part in texts.flat_map(|text| alternatives(text)) {
            let names_a_column = of
                .columns
                .iter()
                .any(|column| part.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == column.name));
            if part.ends_with(')') && part.contains('(') && !names_a_column && !part.contains("SELECT") {
                *counts.entry(part).or_default() += 1;
            }
        }
    }
    let mut usual: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 1).collect();
    usual.sort_by(|(one, a), (other, b)| (b, one).cmp(&(a, other)));
    usual.into_iter().map(|(text, _)| text.to_owned()).take(2).collect()
}

/// How most policies compare columns that this table has with the caller's tenant.
fn usual_comparisons(catalog: &Catalog, relation: &Relation) -> Vec<String> {
    static COMPARISON: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\b(\w+) = (?:ANY )?[( ]*(?:SELECT )?(?:\w+\.)?\w+\(\)[^()]*(?:\)::\w+\[\])?\)*")
            .expect("a pattern")
    });
    let mut counts: HashMap<String, usize> = HashMap::new();
    for of in catalog.relations.iter().filter(|of| of.is_table()) {
        let texts = of.policies.iter().flat_map(|policy| [&policy.using, &policy.check]).flatten();
        for found in texts.flat_map(|text| COMPARISON.captures_iter(text)) {
            let (whole, opened) = (&found[0], found[0].matches('(').count());
            let surplus = whole.matches(')').count().saturating_sub(opened);
            let whole = &whole[..whole.len() - surplus];
            if opened != whole.matches(')').count() {
                continue;
            }
            if let Some(name) = called(relation, of, &found[1]) {
                *counts.entry(format!("{}{}", ident(&name), &whole[found[1].len()..])).or_default() += 1;
            }
        }
    }
    let mut usual: Vec<_> = counts.into_iter().collect();
    usual.sort_by(|(one, a), (other, b)| (b, one).cmp(&(a, other)));
    usual.into_iter().map(|(text, _)| text).collect()
}

/// What a table calls what another one has in a column: the same, or its own column that refers to the same table.
fn called(relation: &Relation, of: &Relation, column: &str) -> Option<String> {
    if relation.column(column).is_some() {
        return Some(column.to_owned());
    }
    let reference = of.reference_of(column)?;
    let target = reference.target;
    if target == relation.oid && reference.target_columns.len() == 1 {
        return Some(reference.target_columns[0].clone());
    }
    let same = relation.references.iter().find(|reference| reference.target == target && reference.columns.len() == 1);
    same.map(|reference| reference.columns[0].clone())
}
