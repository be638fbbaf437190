//! What there is to say where nothing that was tried mends it.

use crate::{
    catalog::Catalog,
    record::{Cause, Object},
    sql::{ident, literal},
};

use super::{Fix, quoted};

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
