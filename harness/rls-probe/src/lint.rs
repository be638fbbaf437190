//! Facts of the catalog that Supabase's security advisor reports as well, under its names (supabase/splinter). They
//! explain findings, and tell of what cannot be probed; they accuse nobody by themselves.

use serde::Serialize;

use crate::{
    catalog::{Catalog, Policy, Relation},
    names,
    sql::literal,
};

/// A fact, with the advisor's name for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Lint {
    /// The advisor's, such as `rls_disabled_in_public`; `truncate_granted`, `trigger_granted` and `references_granted` are
    /// ours.
    pub name: &'static str,
    /// A relation, or a function with its arguments' types.
    pub object: String,
}

/// All of them; of the public buckets by name.
pub fn lints(catalog: &Catalog, public_buckets: &[String]) -> Vec<Lint> {
    let mut lints = Vec::new();
    let mut add = |name: &'static str, object: String| lints.push(Lint { name, object });
    for relation in catalog.relations.iter().filter(|relation| relation.exposed) {
        let title = relation.title();
        match relation.noun() {
            "table" => of_table(relation, &mut |name| add(name, title.clone())),
            "view" if !relation.invoker && is_granted(relation) => {
                add("security_definer_view", title.clone());
                if reads_users(catalog, relation) {
                    add("auth_users_exposed", title.clone());
                }
            }
            "materialized view" if is_granted(relation) => add("materialized_view_in_api", title.clone()),
            "foreign table" if is_granted(relation) => add("foreign_table_in_api", title.clone()),
            _ => {}
        }
    }
    for function in catalog.functions.iter().filter(|function| function.exposed && !function.extension) {
        if !function.fixed_path {
            add("function_search_path_mutable", function.signature.clone());
        }
        if function.definer && function.is_callable() {
            for role in ["anon", "authenticated"].into_iter().filter(|role| function.may(role)) {
                let name = match role {
                    "anon" => "anon_security_definer_function_executable",
                    _ => "authenticated_security_definer_function_executable",
                };
                add(name, function.signature.clone());
            }
        }
    }
    let listed = public_buckets.iter().filter(|bucket| is_listed(catalog, bucket));
    listed.for_each(|bucket| add("public_bucket_allows_listing", bucket.clone()));
    for extension in &catalog.extensions_in_public {
        add("extension_in_public", extension.clone());
    }
    for (privilege, name) in
        [("truncate", "truncate_granted"), ("trigger", "trigger_granted"), ("references", "references_granted")]
    {
        let is_granted = |relation: &&Relation| {
            let roles = ["anon", "authenticated"];
            relation.exposed && relation.is_table() && roles.iter().any(|role| relation.may(role, privilege))
        };
        let tables: Vec<_> = catalog.relations.iter().filter(is_granted).map(Relation::title).collect();
        if !tables.is_empty() {
            lints.push(Lint { name, object: tables.join(", ") });
        }
    }
    lints.sort();
    lints
}

fn of_table(relation: &Relation, add: &mut impl FnMut(&'static str)) {
    if !relation.rls {
        add(if relation.policies.is_empty() { "rls_disabled_in_public" } else { "policy_exists_rls_disabled" });
    } else if relation.policies.is_empty() {
        add("rls_enabled_no_policy");
    }
    let trusts = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains("user_metadata"));
    if relation
        .policies
        .iter()
        .filter(|policy| policy.is_for_api())
        .any(|policy| trusts(&policy.using) || trusts(&policy.check))
    {
        add("rls_references_user_metadata");
    }
    let is_true = |text: &Option<String>| text.as_ref().is_some_and(|text| text == "true");
    let writes = relation
        .policies
        .iter()
        .filter(|policy| policy.permissive && policy.command != "select" && policy.is_for_api());
    if writes.into_iter().any(|policy| is_true(&policy.using) || is_true(&policy.check)) {
        add("rls_policy_always_true");
    }
}

/// Whether a policy lists a bucket's files for anybody, whosever they are: their addresses need none.
fn is_listed(catalog: &Catalog, bucket: &str) -> bool {
    let Some(objects) = catalog.named("storage.objects") else { return false };
    let lists = |policy: &Policy| {
        let text = policy.using.as_deref().unwrap_or_default();
        let is_of_bucket = text.contains(&literal(bucket)) || !text.contains("bucket_id");
        policy.permissive && policy.is_for_api() && is_of_bucket && !names::asks_whose_file(text)
    };
    objects.policies.iter().filter(|policy| matches!(policy.command.as_str(), "select" | "all")).any(lists)
}

fn is_granted(relation: &Relation) -> bool {
    ["anon", "authenticated"].iter().any(|role| relation.may(role, "select"))
}

/// Whether a view shows users of the auth server: it has their columns, and no table of ours that has them.
fn reads_users(catalog: &Catalog, view: &Relation) -> bool {
    view.uses.contains(&catalog.users)
}
