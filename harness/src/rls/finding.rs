//! Crossings that have one cause are one finding.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    actor::Kind,
    catalog::{Catalog, ident},
    record::{Cause, Crossing, Object, Verb},
};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Tells something, or takes a grant that the API does not offer.
    Low,
    /// By people who were let in once, or of secrets among colleagues.
    Medium,
    /// Reads.
    High,
    /// Writes, raises a role, or needs no account.
    Critical,
}

/// A way across the wall, by whomever.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// How bad it is, of the worst of it.
    pub severity: Severity,
    /// What is open.
    pub object: Object,
    /// Everything that the same cause allows.
    pub verbs: Vec<Verb>,
    /// Everybody who can.
    pub actors: Vec<String>,
    /// What happens, in a sentence for each verb.
    pub effects: Vec<String>,
    /// The policy, grant, function or constraint at fault.
    pub cause: Cause,
    /// What shows it when pasted into psql.
    pub sql: String,
    /// What mends it.
    pub fix: String,
    /// Views and functions through which the same is seen.
    pub also: Vec<Object>,
}

/// Groups crossings by cause.
pub fn findings(catalog: &Catalog, crossings: &[Crossing]) -> Vec<Finding> {
    let open = |actor: &str| {
        crossings.iter().any(|crossing| {
            crossing.actor == actor
                && crossing.object.noun == "table"
                && crossing.object.name.split('.').next() != Some("auth")
        })
    };
    let follows = |crossing: &Crossing| match (&crossing.cause, crossing.object.noun) {
        // What runs as its caller shows what its caller may see anyway.
        (Cause::Policies(_), "view") => true,
        (Cause::Function, _) => {
            let function = catalog.functions.iter().find(|function| function.title() == crossing.object.name);
            function.is_some_and(|function| !function.definer) && open(&crossing.actor)
        }
        _ => false,
    };
    let mut groups: BTreeMap<(Object, Cause), Vec<&Crossing>> = BTreeMap::new();
    for crossing in crossings.iter().filter(|crossing| !follows(crossing)) {
        groups.entry((crossing.object.clone(), crossing.cause.clone())).or_default().push(crossing);
    }
    // A table without policies is broadcast for the same reason that it is read.
    let mut also: Vec<Object> =
        crossings.iter().filter(|crossing| follows(crossing)).map(|crossing| crossing.object.clone()).collect();
    also.sort();
    also.dedup();
    let mut findings: Vec<_> = groups
        .into_iter()
        .map(|((object, cause), group)| {
            let mut verbs: Vec<_> = group.iter().map(|crossing| crossing.verb).collect();
            verbs.sort();
            verbs.dedup();
            let mut actors: Vec<_> = group.iter().map(|crossing| crossing.actor.clone()).collect();
            actors.sort();
            actors.dedup();
            let mut effects: Vec<String> = Vec::new();
            for crossing in &group {
                if !effects.contains(&crossing.effect) {
                    effects.push(crossing.effect.clone());
                }
            }
            let severity = group.iter().map(|crossing| severity(crossing)).max().unwrap_or(Severity::Low);
            let fix = fix(catalog, &object, &cause);
            let is_table = object.noun == "table";
            let also = also.iter().filter(|_| is_table).cloned().collect();
            Finding { severity, object, verbs, actors, effects, cause, sql: group[0].sql.clone(), fix, also }
        })
        .collect();
    findings.sort_by(|one, other| (other.severity, &one.object).cmp(&(one.severity, &other.object)));
    findings
}

fn severity(crossing: &Crossing) -> Severity {
    let is_write = !matches!(crossing.verb, Verb::Read | Verb::Listen);
    match (&crossing.cause, crossing.kind) {
        (Cause::Constraint(_), _) => Severity::Low,
        (Cause::Grant(grant), _) if grant == "truncate" => Severity::Low,
        (_, Kind::Anonymous) => Severity::Critical,
        _ if crossing.effect.contains("role") || crossing.effect.contains("themselves") => Severity::Critical,
        (_, Kind::Dead | Kind::Closed) => Severity::Medium,
        (Cause::Column, _) => Severity::Medium,
        _ if is_write => Severity::Critical,
        _ => Severity::High,
    }
}

/// SQL that closes it, or shows where it has to be closed.
fn fix(catalog: &Catalog, object: &Object, cause: &Cause) -> String {
    let name = object.name.split('.').map(ident).collect::<Vec<_>>().join(".");
    match cause {
        Cause::NoRowSecurity if object.noun == "publication" => format!("alter table <table> enable row level security; -- or: alter publication {name} drop table <table>;"),
        Cause::NoRowSecurity => format!("alter table {name} enable row level security; -- and a policy for each verb that compares the tenant"),
        Cause::Policies(policies) => policies
            .iter()
            .map(|policy| format!("alter policy {} on {name} …; -- compare the row's tenant with the caller's, their state and their role", ident(policy)))
            .collect::<Vec<_>>()
            .join("\n"),
        Cause::Grant(privilege) if privilege == "public" => format!("update storage.buckets set public = false where id = '{}';", object.name),
        Cause::Grant(privilege) => format!("revoke {privilege} on {name} from anon, authenticated;"),
        Cause::View => format!("alter view {name} set (security_invoker = true);"),
        Cause::Function => {
            let function = catalog.functions.iter().find(|function| function.title() == object.name);
            let signature = function.map(|function| function.signature.clone()).unwrap_or_default();
            format!("-- compare what the arguments name with the caller's tenant, with \"is not true\" rather than <>;\n-- or: revoke execute on function {signature} from public, anon, authenticated;")
        }
        Cause::Constraint(constraint) => {
            format!("-- {constraint} must include the tenant: unique (tenant, …), foreign key (…, tenant) references … (…, tenant)")
        }
        Cause::Trigger(trigger) => format!("-- {trigger} must not read role or tenant from raw_user_meta_data"),
        Cause::Column => format!("revoke select ({}) on … from authenticated;", object.name.rsplit('.').next().unwrap_or_default()),
    }
}
