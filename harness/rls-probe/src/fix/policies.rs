//! What closes a table: its policies asked for more, in one of several ways, or made where there are none.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::{Captures, Regex};

use crate::{
    catalog::{Catalog, Policy, Relation},
    draft::{known_values, named_alone},
    names,
    sql::{ident, literal},
    tenancy::Tenancy,
};

use super::{
    CANDIDATES,
    conditions::{by_siblings, composed, conditions},
    shown::columns_kept,
};

/// SQL that closes these policies of a table.
pub(super) fn closed(
    (catalog, tenancy): (&Catalog, &Tenancy),
    relation: &Relation,
    policies: &[String],
    shown_by: &[&str],
) -> Vec<String> {
    let known: Vec<_> = relation.policies.iter().filter(|policy| policies.contains(&policy.name)).collect();
    let narrowed = |condition: &String| {
        let lines = known.iter().map(|policy| narrowed_by(relation, policy, condition));
        lines.collect::<Vec<_>>().join("\n")
    };
    // Those without an account, where nobody else crosses; single columns, where but these are set.
    let only_anonymous = shown_by.iter().all(|sql| sql.starts_with("set local role anon;"));
    let for_accounts = known
        .iter()
        .filter(|_| only_anonymous)
        .map(|policy| format!("alter policy {} on {} to authenticated;", ident(&policy.name), relation.sql()));
    let dropped = known.iter().map(|policy| format!("drop policy {} on {};", ident(&policy.name), relation.sql()));
    let whole = [for_accounts.collect::<Vec<_>>(), columns_kept(relation, shown_by)];
    let whole = whole.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n"));
    let compared: Vec<_> = known.iter().filter_map(|policy| compared(relation, policy)).collect();
    let trusting: Vec<_> = known.iter().filter_map(|policy| trusting(relation, policy)).collect();
    let whole = whole.chain((!trusting.is_empty()).then(|| trusting.join("\n")));
    let whole = whole.chain((!compared.is_empty()).then(|| compared.join("\n")));
    let mut asked = conditions(catalog, relation, policies);
    asked.extend(by_siblings(catalog, relation, &asked));
    let whole = whole.chain(relation.policies.iter().filter_map(|policy| restrictive(relation, policy)));
    asked.extend(below_platform(relation, tenancy));
    asked.extend(to_address(relation));
    let composed = composed(catalog, relation, &asked);
    let one = one_by_one(relation, &known, asked.iter().take(3).chain(asked.last()).chain(composed.iter().take(4)));
    let replaced = replaced(catalog, relation, &known, &asked);
    let composed = composed.iter().map(narrowed).collect::<Vec<_>>();
    // What those without an account cannot be asked is asked of the others only.
    let names_anonymous = |policy: &&&Policy| policy.roles.iter().any(|role| role == "anon");
    let is_for_anonymous = !only_anonymous && known.iter().any(|policy| names_anonymous(&policy));
    let to_accounts = |condition: &String| {
        let lines = known.iter().map(|policy| {
            let closed = format!("alter policy {} on {} to authenticated;", ident(&policy.name), relation.sql());
            format!("{closed}\n{}", narrowed_by(relation, policy, condition))
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let for_accounts_only: Vec<_> = asked.iter().filter(|_| is_for_anonymous).map(to_accounts).collect();
    let asked = asked.iter().map(narrowed).chain(for_accounts_only);
    let dropped = dropped.collect::<Vec<_>>().join("\n");
    whole.chain(asked).chain(replaced).chain([dropped]).chain(composed).chain(one).collect()
}

/// SQL that protects a table which has no row level security.
pub(super) fn protected(catalog: &Catalog, relation: &Relation) -> Vec<String> {
    let name = relation.sql();
    // Policies that wait for nothing but to be asked.
    let enabled = format!("alter table {name} enable row level security;");
    // A partition is reached through its table, which has policies.
    let as_it_was = (relation.partition || !relation.policies.is_empty()).then_some(enabled.clone());
    let parent = relation.parent.and_then(|parent| catalog.relation(parent)).filter(|parent| parent.rls);
    let as_parent = parent.map(|parent| {
        let policies = parent.policies.iter().map(|policy| created(relation, policy));
        [enabled].into_iter().chain(policies).collect::<Vec<_>>().join("\n")
    });
    let protected = |condition: &String| {
        format!(
            "alter table {name} enable row level security;\ncreate policy \"own rows\" on {name} to authenticated\n  using ({condition})\n  with check ({condition});"
        )
    };
    let asked = conditions(catalog, relation, &[]);
    let composed = composed(catalog, relation, &asked);
    as_it_was.into_iter().chain(as_parent).chain(asked.iter().chain(&composed).map(protected)).collect()
}

/// SQL that keeps tables without row level security out of a publication.
pub(super) fn unpublished(catalog: &Catalog, name: &str) -> Vec<String> {
    let open: Vec<_> = catalog.relations.iter().filter(|relation| relation.published && !relation.rls).collect();
    let each =
        |line: &dyn Fn(&Relation) -> String| open.iter().map(|relation| line(relation)).collect::<Vec<_>>().join("\n");
    let protected = each(&|relation| format!("alter table {} enable row level security;", relation.sql()));
    let dropped = each(&|relation| format!("alter publication {name} drop table {};", relation.sql()));
    let have_policies = open.iter().all(|relation| !relation.policies.is_empty());
    have_policies.then_some(protected).into_iter().chain([dropped]).collect()
}

/// A policy whose subquery compares a column of its own with itself, as it is written where the row's was meant.
fn compared(relation: &Relation, policy: &Policy) -> Option<String> {
    static SAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(\w+)\.(\w+) = (\w+)\.(\w+)\b").expect("a pattern"));
    let meant = |text: &String| {
        SAME.replace_all(text, |found: &Captures<'_>| {
            let is_same = found[1] == found[3] && found[2] == found[4] && found[1] != *relation.name;
            match is_same && relation.column(&found[2]).is_some() {
                true => format!("{}.{} = {}.{}", &found[1], &found[2], ident(&relation.name), &found[2]),
                false => found[0].to_owned(),
            }
        })
        .into_owned()
    };
    let texts = [("using", &policy.using), ("with check", &policy.check)];
    let is_meant_otherwise = texts.iter().any(|(_, text)| text.as_ref().is_some_and(|text| meant(text) != *text));
    let clauses = texts.iter().filter_map(|(clause, text)| Some(format!("\n  {clause} ({})", meant(text.as_ref()?))));
    let clauses: String = clauses.collect();
    is_meant_otherwise.then(|| format!("alter policy {} on {}{clauses};", ident(&policy.name), relation.sql()))
}

/// A policy that asks the token for what only the server says, in the place of what users say of themselves.
fn trusting(relation: &Relation, policy: &Policy) -> Option<String> {
    let texts = [("using", &policy.using), ("with check", &policy.check)];
    let is_said_by_users =
        texts.iter().any(|(_, text)| text.as_ref().is_some_and(|text| text.contains("user_metadata")));
    let clauses = texts.into_iter().filter_map(|(clause, text)| {
        Some(format!("\n  {clause} ({})", text.as_ref()?.replace("user_metadata", "app_metadata")))
    });
    let clauses: String = clauses.collect();
    is_said_by_users.then(|| format!("alter policy {} on {}{clauses};", ident(&policy.name), relation.sql()))
}

/// That an invitation is to the caller's address.
fn to_address(relation: &Relation) -> Option<String> {
    let address = relation.columns.iter().find(|column| column.holds_texts() && column.name.contains("email"));
    let address = address.filter(|_| names::is_invitations(&relation.name))?;
    Some(format!("lower({}) = lower((select auth.jwt() ->> 'email'))", ident(&address.name)))
}

/// A policy for every command that compares, made to restrict the others: where it only adds to them, it keeps nobody out.
fn restrictive(relation: &Relation, policy: &Policy) -> Option<String> {
    let others = relation.policies.iter().filter(|other| other.permissive && other.name != policy.name).count();
    let using = policy.using.as_ref().filter(|text| policy.command == "all" && others > 0 && *text != "true")?;
    let (name, table) = (ident(&policy.name), relation.sql());
    let roles: Vec<_> =
        policy.roles.iter().map(|role| if role == "public" { role.clone() } else { ident(role) }).collect();
    let check = policy.check.as_ref().map(|check| format!("\n  with check ({check})")).unwrap_or_default();
    Some(format!(
        "drop policy {name} on {table};\ncreate policy {name} on {table} as restrictive to {}\n  using ({using}){check};",
        roles.join(", ")
    ))
}

/// A policy that asks for a condition as well.
fn narrowed_by(relation: &Relation, policy: &Policy, condition: &str) -> String {
    let and = |expression: &Option<String>| {
        let text = expression.as_ref()?;
        Some(if text == "true" { condition.to_owned() } else { format!("({text}) and ({condition})") })
    };
    let clauses = [("using", and(&policy.using)), ("with check", and(&policy.check))];
    let clauses: Vec<_> =
        clauses.into_iter().filter_map(|(clause, text)| Some(format!("\n  {clause} ({})", text?))).collect();
    format!("alter policy {} on {}{};", ident(&policy.name), relation.sql(), clauses.concat())
}

/// Of several policies one that asks for a condition as well: the others may mean what they let through.
fn one_by_one<'t>(
    relation: &Relation,
    known: &[&Policy],
    conditions: impl Iterator<Item = &'t String> + Clone,
) -> Vec<String> {
    let each = known.iter().filter(|_| known.len() > 1);
    each.flat_map(|policy| conditions.clone().map(|condition| narrowed_by(relation, policy, condition))).collect()
}

/// That a row's role is none of those above all tenants.
fn below_platform(relation: &Relation, tenancy: &Tenancy) -> Option<String> {
    let column = relation.columns.iter().find(|column| names::is_role_column(&column.name))?;
    let named = known_values(relation, column).into_iter().chain(named_alone(relation, column));
    let roles: BTreeSet<_> = named.filter(|role| tenancy.roles.is_platform(role)).map(|role| literal(&role)).collect();
    let roles: Vec<_> = roles.into_iter().collect();
    (!roles.is_empty()).then(|| format!("{}::text not in ({})", ident(&column.name), roles.join(", ")))
}

/// Policies that ask for a condition, in the place of what they ask that is nothing of the caller.
fn replaced(catalog: &Catalog, relation: &Relation, known: &[&Policy], asked: &[String]) -> Vec<String> {
    let is_of_caller = |text: &String| {
        let calls = |name: &str| text.contains(&format!("{name}("));
        text.contains("auth.")
            || text.contains("SELECT")
            || catalog.functions.iter().any(|function| calls(&function.name))
    };
    let texts = |policy: &&&Policy| {
        [&policy.using, &policy.check].into_iter().flatten().any(|text| !is_of_caller(text) && text != "true")
    };
    let blind: Vec<_> = known.iter().filter(texts).collect();
    let line = |condition: &String, policy: &&&Policy| {
        let clause = |name: &str, text: &Option<String>| {
            let text = text.as_ref()?;
            let kept = if is_of_caller(text) { text } else { condition };
            Some(format!("\n  {name} ({kept})"))
        };
        let clauses = [clause("using", &policy.using), clause("with check", &policy.check)];
        let clauses = clauses.into_iter().flatten().collect::<String>();
        format!("alter policy {} on {}{clauses};", ident(&policy.name), relation.sql())
    };
    let conditions = asked.iter().filter(|_| !blind.is_empty()).take(CANDIDATES);
    conditions
        .map(|condition| blind.iter().map(|policy| line(condition, policy)).collect::<Vec<_>>().join("\n"))
        .collect()
}

/// A statement that makes a table's policy for another one.
fn created(relation: &Relation, policy: &Policy) -> String {
    let kind = if policy.permissive { "permissive" } else { "restrictive" };
    let roles = policy.roles.iter().map(|role| if role == "public" { role.clone() } else { ident(role) });
    let clauses = [("using", &policy.using), ("with check", &policy.check)];
    let clauses = clauses.iter().filter_map(|(clause, text)| Some(format!("\n  {clause} ({})", text.as_ref()?)));
    format!(
        "create policy {} on {} as {kind} for {} to {}{};",
        ident(&policy.name),
        relation.sql(),
        policy.command,
        roles.collect::<Vec<_>>().join(", "),
        clauses.collect::<String>()
    )
}
