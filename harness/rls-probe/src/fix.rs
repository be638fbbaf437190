//! SQL that closes what was found, as far as it can be written from the catalog.

use std::{collections::HashMap, sync::LazyLock};

use regex::Regex;

use crate::{
    catalog::{Catalog, Policy, Relation},
    record::{Cause, Object},
    sql::{ident, literal},
};

/// SQL that closes it, or a comment that says where it has to be closed.
pub fn fix(catalog: &Catalog, object: &Object, cause: &Cause) -> String {
    let relation = catalog.named(&object.name);
    let name = object.name.split('.').map(ident).collect::<Vec<_>>().join(".");
    match cause {
        Cause::NoRowSecurity if object.noun == "publication" => format!(
            "-- for each table without row level security: alter table … enable row level security;\n-- or: alter publication {name} drop table …;"
        ),
        Cause::NoRowSecurity => format!(
            "alter table {name} enable row level security;\n-- then a policy for each command that compares the row's tenant with the caller's"
        ),
        Cause::Policies(policies) => {
            let known = |name: &String| relation?.policies.iter().find(|policy| policy.name == *name);
            let lines = policies.iter().map(|policy| match (relation, known(policy)) {
                (Some(relation), Some(known)) => tightened(catalog, relation, known),
                _ => format!("-- policy {} on {name} must compare the row's tenant with the caller's", ident(policy)),
            });
            lines.collect::<Vec<_>>().join("\n")
        }
        Cause::PublicBucket => {
            format!("update storage.buckets set public = false where id = {};", literal(&object.name))
        }
        Cause::Grant(grant) => format!("revoke {grant} on {name} from anon, authenticated;"),
        Cause::View => format!("alter view {name} set (security_invoker = true);"),
        Cause::Function => {
            let function = catalog.functions.iter().find(|function| function.title() == object.name);
            let signature = function.map(|function| function.signature.clone()).unwrap_or_default();
            format!(
                "-- compare the tenant of what the arguments name with the caller's, so that NULL is a refusal: \"is not true\", not \"<>\"\n-- or: revoke execute on function {signature} from public, anon, authenticated;"
            )
        }
        Cause::Constraint(constraint) => format!(
            "-- {constraint} has to include the tenant: unique (tenant, …), or foreign key (…, tenant) references … (…, tenant)"
        ),
        Cause::Trigger(trigger) => format!(
            "-- {trigger} has to look at the row's tenant only, and at nothing that a user says of themselves (raw_user_meta_data)"
        ),
        Cause::Column => {
            let (table, column) = object.name.rsplit_once('.').unwrap_or_default();
            let table = table.split('.').map(ident).collect::<Vec<_>>().join(".");
            format!(
                "-- a grant of single columns instead of the whole table:\nrevoke select on {table} from anon, authenticated; -- then grant select (all but {})",
                ident(column)
            )
        }
    }
}

/// A policy with the comparison that the table's neighbours make.
fn tightened(catalog: &Catalog, relation: &Relation, policy: &Policy) -> String {
    let name = format!("alter policy {} on {}", ident(&policy.name), relation.sql());
    let Some(comparison) = usual_comparison(catalog, relation) else {
        return format!("{name} …; -- compare the row's tenant with the caller's, their state and their role");
    };
    let narrowed = |expression: &Option<String>| expression.as_ref().map(|text| format!("({text}) and {comparison}"));
    let clauses = [("using", narrowed(&policy.using)), ("with check", narrowed(&policy.check))];
    let clauses: Vec<_> =
        clauses.into_iter().filter_map(|(clause, text)| Some(format!("\n  {clause} ({})", text?))).collect();
    format!("{name}{};", clauses.concat())
}

/// How most policies compare a column that this table has with the caller's tenant.
fn usual_comparison(catalog: &Catalog, relation: &Relation) -> Option<String> {
    static COMPARISON: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\b(\w+) = (?:ANY )?[( ]*(?:SELECT )?(?:\w+\.)?\w+\(\)[^()]*(?:\)::\w+\[\])?\)*")
            .expect("a pattern")
    });
    let mut counts: HashMap<String, usize> = HashMap::new();
    let policies = catalog.relations.iter().flat_map(|relation| &relation.policies);
    for text in policies.flat_map(|policy| [&policy.using, &policy.check]).flatten() {
        for found in COMPARISON.captures_iter(text) {
            let (whole, opened) = (&found[0], found[0].matches('(').count());
            let surplus = whole.matches(')').count().saturating_sub(opened);
            let whole = &whole[..whole.len() - surplus];
            if relation.column(&found[1]).is_some() && opened == whole.matches(')').count() {
                *counts.entry(whole.to_owned()).or_default() += 1;
            }
        }
    }
    counts.into_iter().max_by(|one, other| (one.1, &other.0).cmp(&(other.1, &one.0))).map(|(text, _)| text)
}
