//! What a policy gives to everybody and says so, by its name, its roles or the flag that it asks: not a leak, unless it shows
//! what is personal or secret.

use crate::{
    actor::Actor,
    catalog::{Policy, Relation},
    error::Error,
    harm::{Deed, Harm},
    names,
    record::{Cause, Cell, Declared, Verb},
};

use super::{Prober, object_of};

impl<'c> Prober<'_, 'c> {
    /// Rows of others that somebody reads, through these policies.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(super) async fn read_through(
        &mut self,
        relation: &'c Relation,
        actor: &Actor,
        cause: Cause,
        deed: Deed,
        (sql, keys): (&str, &str),
    ) -> Result<(), Error> {
        let object = object_of(relation);
        let Some(policies) = self.declaring(relation, &cause, "select") else {
            self.record.cross(&object, Verb::Read, actor, deed, cause, sql);
            return Ok(());
        };
        // What somebody sees beside what the flags give away was not declared.
        let flags: Option<Vec<_>> = policies.iter().map(|policy| self.flag_of(policy)).collect();
        if let Some(flags) = flags {
            let beside = format!(
                "select count(*) from {} where ({keys}) and ({}) is not true",
                relation.sql(),
                flags.join(" or ")
            );
            if self.attempt(actor, &beside, &[]).await?.is_ok_and(|(done, _)| done.number() > 0) {
                self.record.cross(&object, Verb::Read, actor, deed, cause, sql);
                return Ok(());
            }
        }
        let shown: Vec<_> = relation.columns.iter().filter(|column| column.may(actor.db_role(), "select")).collect();
        let personal = shown.iter().filter(|column| column.category != "B" && names::is_personal(&column.name));
        let personal: Vec<_> = personal.map(|column| column.name.as_str()).collect();
        if !personal.is_empty() {
            let deed = deed.harm.min(Harm::High).that(format!("{} ({})", deed.text, personal.join(", ")));
            self.record.cross(&object, Verb::Read, actor, deed, cause, sql);
            return Ok(());
        }
        let says_so = policies.iter().all(|policy| names::says_public(&policy.name) || self.flag_of(policy).is_some());
        if self.world.tenancy.tenant.is_some() && !says_so {
            let deed = deed.harm.min(Harm::Medium).that(deed.text);
            self.record.cross(&object, Verb::Read, actor, deed, cause, sql);
            return Ok(());
        }
        self.record.enter(&object, Verb::Read, actor, Cell::Own);
        let columns = shown.iter().map(|column| column.name.clone()).collect();
        self.record.declared.insert(Declared { object, verb: Verb::Read, columns, policies: cause.policies() });
        Ok(())
    }

    /// A row that somebody without an account adds to a table that is nobody's, through these policies.
    pub(super) fn add_through(&mut self, relation: &'c Relation, actor: &Actor, cause: Cause, deed: Deed, sql: &str) {
        let object = object_of(relation);
        match self.declaring(relation, &cause, "insert") {
            Some(_) if self.world.is_shared(relation) => {
                self.record.enter(&object, Verb::Insert, actor, Cell::Own);
                let columns = relation.columns.iter().filter(|column| column.may(actor.db_role(), "insert"));
                let columns = columns.map(|column| column.name.clone()).collect();
                self.record.declared.insert(Declared {
                    object,
                    verb: Verb::Insert,
                    columns,
                    policies: cause.policies(),
                });
            }
            Some(policies) if policies.iter().all(|policy| names::says_public(&policy.name)) => {
                let deed = deed.harm.min(Harm::Medium).that(deed.text);
                self.record.cross(&object, Verb::Insert, actor, deed, cause, sql);
            }
            _ => self.record.cross(&object, Verb::Insert, actor, deed, cause, sql),
        }
    }

    /// The policies at fault, where each of them declares what it gives to be for everybody.
    fn declaring(&self, relation: &'c Relation, cause: &Cause, command: &str) -> Option<Vec<&'c Policy>> {
        let Cause::Policies(names) = cause else { return None };
        let policies: Vec<_> = relation.policies.iter().filter(|policy| names.contains(&policy.name)).collect();
        let all = policies.iter().all(|policy| self.declares(policy, command));
        // What others restrict is not for everybody.
        let is_restricted = relation.policies.iter().any(|policy| !policy.permissive && policy.is_for_api());
        (!policies.is_empty() && all && !is_restricted).then_some(policies)
    }

    /// Whether a policy declares what it gives to be for everybody: for this command only, and for those without an
    /// account, unless its name says that it is for all who have one.
    fn declares(&self, policy: &Policy, command: &str) -> bool {
        let names_anon = policy.roles.iter().any(|role| role == "anon");
        // Everybody with an account is everybody where the name says so.
        let has_role = |named: &str| policy.roles.iter().any(|role| role == named);
        let is_for_accounts = has_role("authenticated") && names::says_public(&policy.name);
        let is_for_all = names_anon || has_role("public") || is_for_accounts;
        let text = if command == "insert" { &policy.check } else { &policy.using };
        let is_true = text.as_deref() == Some("true");
        policy.command == command
            && is_for_all
            && (is_true && (names_anon || names::says_public(&policy.name)) || self.flag_of(policy).is_some())
    }

    /// The part of a policy that asks nothing but a flag. A mere state is one where there are no tenants to be kept apart, or
    /// where the policy's name says what it means.
    fn flag_of(&self, policy: &'c Policy) -> Option<&'c str> {
        let is_weak = self.world.tenancy.tenant.is_none() || names::says_public(&policy.name);
        flag(policy, |word| names::is_publishing(word) || is_weak && names::is_approving(word))
    }
}

/// The part of a policy for reading that asks nothing but a flag or a state of the row itself.
fn flag(policy: &Policy, is_asked: impl Fn(&str) -> bool) -> Option<&str> {
    let text = policy.using.as_deref().filter(|text| *text != "true")?;
    let is_simple = |part: &&str| !part.contains("SELECT") && !part.contains("auth.") && !part.contains("current_");
    let mut parts = alternatives(text).into_iter().filter(is_simple);
    parts.find(|part| part.split(|c: char| !c.is_alphanumeric() && c != '_').any(&is_asked))
}

/// What stands between the `OR`s of an expression.
fn alternatives(text: &str) -> Vec<&str> {
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0_i32, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0 && inner[at..].starts_with(" OR ") => {
                parts.push(inner[begin..at].trim());
                begin = at + 4;
            }
            _ => {}
        }
        if depth < 0 {
            return vec![text];
        }
    }
    parts.push(inner[begin..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_those_of_the_whole() {
        assert_eq!(alternatives("(is_published OR (a = b) OR f())"), ["is_published", "(a = b)", "f()"]);
        assert_eq!(alternatives("(a OR b) AND (c OR d)"), ["(a OR b) AND (c OR d)"]);
        assert_eq!(alternatives("true"), ["true"]);
    }
}
