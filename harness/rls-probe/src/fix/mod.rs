//! What closes what was found: SQL to be tried, as far as it can be written from the catalog, and advice for the rest.

mod advice;
mod conditions;
mod policies;
mod shown;

use serde::Serialize;

use crate::{
    catalog::{Catalog, Function},
    record::{Cause, Object},
    sql::{ident, literal},
    tenancy::Tenancy,
};

pub use self::{advice::advice, conditions::usual};

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
            let about = shown::whose_of(catalog, view)
                .into_iter()
                .filter_map(|condition| shown::narrowed_view(view, &condition));
            [as_caller].into_iter().chain(about).collect()
        }
        (Cause::View, Some(view)) if object.noun == "materialized view" => {
            shown::whose_of(catalog, view).iter().map(|condition| shown::behind_view(view, condition)).collect()
        }
        (Cause::Column, None) => shown::column_kept(catalog, object).into_iter().collect(),
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
            policies::closed((catalog, tenancy), relation, policies, shown_by)
        }
        (Cause::NoRowSecurity, Some(relation)) if object.noun == "table" => policies::protected(catalog, relation),
        (Cause::NoRowSecurity, None) if object.noun == "publication" => policies::unpublished(catalog, &name),
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

/// A name with its schema, in SQL.
fn quoted(name: &str) -> String {
    name.split('.').map(ident).collect::<Vec<_>>().join(".")
}
