//! What closes what was found: SQL to be tried, as far as it can be written from the catalog, and advice for the rest.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use regex::{Captures, Regex};
use serde::Serialize;

use crate::{
    catalog::{Catalog, Function, Policy, Relation, compared_with_caller},
    draft::{known_values, named_alone},
    names,
    record::{Cause, Object},
    sql::{alternatives, ident, literal, parted},
    tenancy::Tenancy,
};

/// How many ways are tried to mend one thing.
const CANDIDATES: usize = 8;

/// What mends a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// SQL, or a comment that says what has to be done.
    pub sql: String,
    /// It was run: it closes the finding for everybody who crossed, and takes nothing from those who may.
    pub is_tried: bool,
}

/// What there is to say where nothing that was tried mends it.
pub fn advice(catalog: &Catalog, object: &Object, cause: &Cause) -> Fix {
    let relation = catalog.named(&object.name);
    let name = quoted(&object.name);
    let sql = match cause {
        Cause::NoRowSecurity if object.noun == "publication" => format!(
            "-- for each table without row level security: alter table … enable row level security;\n-- or: alter publication {name} drop table …;"
        ),
        Cause::NoRowSecurity => format!(
            "alter table {name} enable row level security;\n-- then a policy for each command that compares the row's tenant with the caller's"
        ),
        Cause::Policies(_) if relation.is_none() || object.noun != "table" => {
            "-- the policies of the tables behind it must compare the row's tenant with the caller's".to_owned()
        }
        Cause::Policies(policies) => {
            let line = |policy: &String| {
                format!(
                    "alter policy {} on {name} …; -- compare the row's tenant with the caller's, their state and their role",
                    ident(policy)
                )
            };
            policies.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Cause::PublicBucket => {
            format!("update storage.buckets set public = false where id = {};", literal(&object.name))
        }
        Cause::Grant(grant) if object.noun == "schema" => {
            format!("revoke {grant} on schema {name} from public, anon, authenticated;")
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
        Cause::Failure(_) => {
            "-- ask what the policy asks through a security definer function, or of the token".to_owned()
        }
        Cause::Column => {
            let (table, column) = object.name.rsplit_once('.').unwrap_or_default();
            format!(
                "-- a grant of single columns instead of the whole table:\nrevoke select on {} from anon, authenticated; -- then grant select (all but {})",
                quoted(table),
                ident(column)
            )
        }
    };
    Fix { sql, is_tried: false }
}

/// SQL that may mend it, the likeliest first; whether it does is found out by whoever asks.
pub fn candidates(
    (catalog, tenancy): (&Catalog, &Tenancy),
    object: &Object,
    cause: &Cause,
    shown_by: &[&str],
) -> Vec<String> {
    let name = quoted(&object.name);
    match (cause, catalog.named(&object.name)) {
        (Cause::View, Some(view)) if object.noun == "view" => {
            let as_caller = format!("alter view {name} set (security_invoker = true);");
            let about = whose_of(catalog, view).into_iter().filter_map(|condition| narrowed_view(view, &condition));
            [as_caller].into_iter().chain(about).collect()
        }
        (Cause::View, Some(view)) if object.noun == "materialized view" => {
            whose_of(catalog, view).iter().map(|condition| behind_view(view, condition)).collect()
        }
        (Cause::Column, None) => column_kept(catalog, object).into_iter().collect(),
        (Cause::Function, _) => {
            let functions = catalog.functions.iter().filter(|function| function.title() == object.name);
            // Whoever has an account keeps what the public had.
            let line = |function: &Function| {
                let signature = &function.signature;
                let revoked = format!("revoke execute on function {signature} from public, anon;");
                match function.may("authenticated") {
                    true => format!("{revoked}\ngrant execute on function {signature} to authenticated, service_role;"),
                    false => revoked,
                }
            };
            vec![functions.map(line).collect::<Vec<_>>().join("\n")]
        }
        (Cause::Policies(policies), Some(relation)) if object.noun == "table" => {
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
            let dropped =
                known.iter().map(|policy| format!("drop policy {} on {};", ident(&policy.name), relation.sql()));
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
            let one =
                one_by_one(relation, &known, asked.iter().take(3).chain(asked.last()).chain(composed.iter().take(4)));
            let replaced = replaced(catalog, relation, &known, &asked);
            let composed = composed.iter().map(narrowed).collect::<Vec<_>>();
            // What those without an account cannot be asked is asked of the others only.
            let names_anonymous = |policy: &&&Policy| policy.roles.iter().any(|role| role == "anon");
            let is_for_anonymous = !only_anonymous && known.iter().any(|policy| names_anonymous(&policy));
            let to_accounts = |condition: &String| {
                let lines = known.iter().map(|policy| {
                    let closed =
                        format!("alter policy {} on {} to authenticated;", ident(&policy.name), relation.sql());
                    format!("{closed}\n{}", narrowed_by(relation, policy, condition))
                });
                lines.collect::<Vec<_>>().join("\n")
            };
            let for_accounts_only: Vec<_> = asked.iter().filter(|_| is_for_anonymous).map(to_accounts).collect();
            let asked = asked.iter().map(narrowed).chain(for_accounts_only);
            let dropped = dropped.collect::<Vec<_>>().join("\n");
            whole.chain(asked).chain(replaced).chain([dropped]).chain(composed).chain(one).collect()
        }
        (Cause::NoRowSecurity, Some(relation)) if object.noun == "table" => {
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
        (Cause::NoRowSecurity, None) if object.noun == "publication" => {
            let open: Vec<_> =
                catalog.relations.iter().filter(|relation| relation.published && !relation.rls).collect();
            let each = |line: &dyn Fn(&Relation) -> String| {
                open.iter().map(|relation| line(relation)).collect::<Vec<_>>().join("\n")
            };
            let protected = each(&|relation| format!("alter table {} enable row level security;", relation.sql()));
            let dropped = each(&|relation| format!("alter publication {name} drop table {};", relation.sql()));
            let have_policies = open.iter().all(|relation| !relation.policies.is_empty());
            have_policies.then_some(protected).into_iter().chain([dropped]).collect()
        }
        (Cause::Grant(grant), _) if object.noun.ends_with("table") => {
            vec![format!("revoke {grant} on {name} from public, anon, authenticated;")]
        }
        (Cause::Grant(grant), None) if object.noun == "schema" => {
            vec![format!("revoke {grant} on schema {name} from public, anon, authenticated;")]
        }
        (Cause::PublicBucket, _) => {
            vec![format!("update storage.buckets set public = false where id = {};", literal(&object.name))]
        }
        _ => Vec::new(),
    }
}

/// What policies ask of a row that has a view's columns.
fn whose_of(catalog: &Catalog, view: &Relation) -> Vec<String> {
    let asked = conditions(catalog, view, &[]);
    let composed = composed(catalog, view, &asked);
    asked.into_iter().chain(composed).collect()
}

/// A view that shows what it showed, as far as the rows are the caller's.
fn narrowed_view(view: &Relation, condition: &str) -> Option<String> {
    let definition = view.definition.as_deref()?.trim().trim_end_matches(';');
    let (name, alias) = (view.sql(), ident(&view.name));
    Some(format!("create or replace view {name} as\nselect * from (\n{definition}\n) {alias}\nwhere {condition};"))
}

/// A view in the place of a materialized one, which nobody but it reads from then on.
fn behind_view(view: &Relation, condition: &str) -> String {
    let (name, all) = (view.sql(), ident(&format!("{}_of_all", view.name)));
    let moved = format!("{}.{all}", ident(&view.schema));
    let roles = ["anon", "authenticated"].into_iter().filter(|role| view.may(role, "select"));
    let roles = roles.collect::<Vec<_>>().join(", ");
    format!(
        "alter materialized view {name} rename to {all}; -- which is what is to be refreshed from now on\nrevoke all on {moved} from public, anon, authenticated;\ncreate view {name} as select * from {moved} {} where {condition};\ngrant select on {name} to {roles};",
        ident(&view.name)
    )
}

/// A grant of all columns of a table but one.
fn column_kept(catalog: &Catalog, object: &Object) -> Option<String> {
    let (table, column) = object.name.rsplit_once('.')?;
    let relation = catalog.named(table)?;
    let grants = ["anon", "authenticated"].into_iter().filter_map(|role| {
        let kept = relation.columns.iter().filter(|kept| kept.name != column && kept.may(role, "select"));
        let kept: Vec<_> = kept.map(|kept| ident(&kept.name)).collect();
        (!kept.is_empty()).then(|| format!("grant select ({}) on {} to {role};", kept.join(", "), relation.sql()))
    });
    let grants: Vec<_> = grants.collect();
    Some(format!(
        "-- whoever asks for all columns (select *) names them from now on\nrevoke select on {} from anon, authenticated;\n{}",
        relation.sql(),
        grants.join("\n")
    ))
}

/// Grants of all columns but those that are set, where nothing else is done with them.
fn columns_kept(relation: &Relation, shown_by: &[&str]) -> Vec<String> {
    static SET: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"\nupdate \S+ set "([^"]+)" = "#).expect("a pattern"));
    let set: Option<Vec<_>> = shown_by.iter().map(|sql| Some(SET.captures(sql)?.get(1)?.as_str())).collect();
    let Some(set) = set.filter(|set| !set.is_empty()) else { return Vec::new() };
    let kept = relation.columns.iter().filter(|column| {
        column.may("authenticated", "update") && !column.generated && !set.contains(&column.name.as_str())
    });
    let kept: Vec<_> = kept.map(|column| ident(&column.name)).collect();
    if kept.is_empty() {
        return Vec::new();
    }
    let table = relation.sql();
    vec![
        format!("revoke update on {table} from anon, authenticated;"),
        format!("grant update ({}) on {table} to authenticated;", kept.join(", ")),
    ]
}

/// A name with its schema, in SQL.
fn quoted(name: &str) -> String {
    name.split('.').map(ident).collect::<Vec<_>>().join(".")
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

/// What other policies ask, those for the same command and of the same table first: whole conditions, and the
/// comparisons in them.
fn conditions(catalog: &Catalog, relation: &Relation, guilty: &[String]) -> Vec<String> {
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
fn by_siblings(catalog: &Catalog, relation: &Relation, asked: &[String]) -> Vec<String> {
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
fn composed(catalog: &Catalog, relation: &Relation, asked: &[String]) -> Vec<String> {
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
