//! What a policy gives to everybody and says so, by its name, its roles or the flag that it asks: not a leak, unless it shows
//! what is personal or secret.

use crate::{
    actor::Actor,
    catalog::{Policy, Relation},
    harm::{Deed, Harm},
    names,
    record::{Cause, Cell, Declared, Verb},
};

use super::{Prober, object_of};

impl<'c> Prober<'_, 'c> {
    /// Rows of others that somebody reads, through these policies.
    pub(super) fn read_through(&mut self, relation: &'c Relation, actor: &Actor, cause: Cause, deed: Deed, sql: &str) {
        let object = object_of(relation);
        let Some(policies) = declaring(relation, &cause, "select") else {
            return self.record.cross(&object, Verb::Read, actor, deed, cause, sql);
        };
        let shown: Vec<_> = relation.columns.iter().filter(|column| column.may(actor.db_role(), "select")).collect();
        let personal = shown.iter().filter(|column| column.category != "B" && names::is_personal(&column.name));
        let personal: Vec<_> = personal.map(|column| column.name.as_str()).collect();
        if !personal.is_empty() {
            let deed = deed.harm.min(Harm::High).that(format!("{} ({})", deed.text, personal.join(", ")));
            return self.record.cross(&object, Verb::Read, actor, deed, cause, sql);
        }
        let says_so = policies.iter().all(|policy| names::says_public(&policy.name) || asks_a_flag(policy));
        if self.world.tenancy.tenant.is_some() && !says_so {
            let deed = deed.harm.min(Harm::Medium).that(deed.text);
            return self.record.cross(&object, Verb::Read, actor, deed, cause, sql);
        }
        self.record.enter(&object, Verb::Read, actor, Cell::Own);
        let columns = shown.iter().map(|column| column.name.clone()).collect();
        self.record.declared.insert(Declared { object, verb: Verb::Read, columns, policies: cause.policies() });
    }

    /// A row that somebody without an account adds to a table that is nobody's, through these policies.
    pub(super) fn add_through(&mut self, relation: &'c Relation, actor: &Actor, cause: Cause, deed: Deed, sql: &str) {
        let object = object_of(relation);
        match declaring(relation, &cause, "insert") {
            Some(_) if self.world.is_shared(relation) => {
                self.record.enter(&object, Verb::Insert, actor, Cell::Own);
                let columns = relation.columns.iter().filter(|column| column.may(actor.db_role(), "insert"));
                let columns = columns.map(|column| column.name.clone()).collect();
                self.record.declared.insert(Declared { object, verb: Verb::Insert, columns, policies: cause.policies() });
            }
            Some(policies) if policies.iter().all(|policy| names::says_public(&policy.name)) => {
                let deed = deed.harm.min(Harm::Medium).that(deed.text);
                self.record.cross(&object, Verb::Insert, actor, deed, cause, sql);
            }
            _ => self.record.cross(&object, Verb::Insert, actor, deed, cause, sql),
        }
    }
}

/// The policies at fault, where each of them declares what it gives to be for everybody.
fn declaring<'r>(relation: &'r Relation, cause: &Cause, command: &str) -> Option<Vec<&'r Policy>> {
    let Cause::Policies(names) = cause else { return None };
    let policies: Vec<_> = relation.policies.iter().filter(|policy| names.contains(&policy.name)).collect();
    (!policies.is_empty() && policies.iter().all(|policy| declares(policy, command))).then_some(policies)
}

/// Whether a policy declares what it gives to be for everybody: for this command only, and for those without an account.
fn declares(policy: &Policy, command: &str) -> bool {
    let names_anon = policy.roles.iter().any(|role| role == "anon");
    let is_for_all = names_anon || policy.roles.iter().any(|role| role == "public");
    let text = if command == "insert" { &policy.check } else { &policy.using };
    let is_true = text.as_deref() == Some("true");
    policy.command == command
        && is_for_all
        && (is_true && (names_anon || names::says_public(&policy.name)) || asks_a_flag(policy))
}

/// Whether a policy for reading asks nothing but a flag or a state of the row itself.
fn asks_a_flag(policy: &Policy) -> bool {
    let Some(text) = policy.using.as_deref().filter(|text| *text != "true") else { return false };
    let is_simple = !text.contains("SELECT") && !text.contains("auth.") && !text.contains("current_");
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    is_simple && words.any(names::is_publishing)
}
