//! What a policy gives to everybody and says so, by its name, its roles or the flag that it asks: not a leak, unless it shows
//! what is personal or secret.

use crate::{
    actor::{Actor, Kind},
    catalog::{Column, Function, Policy, Relation},
    desk::{Arranged, Done},
    error::Error,
    harm::{Deed, Harm},
    names,
    record::{Cause, Cell, Declared, Verb},
    sql::{alternatives, ident, literal, parted},
    world::{OTHER, OWN, Row},
};

use super::{Prober, any_of, object_of};

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
        if let Some(flag) = self.is_unpublished_shown(relation, actor, &policies, keys).await? {
            let deed = deed.harm.min(Harm::Medium).that(format!("can read rows that are not published ({flag})"));
            self.record.cross(&object, Verb::Read, actor, deed, cause, sql);
            return Ok(());
        }
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
            // A shop's number stands on its door, where a flag says that the shop is to be seen.
            let is_of_shop = !self.world.catalog.is_mirror(relation)
                && policies.iter().all(|policy| names::says_public(&policy.name) && self.flag_of(policy).is_some())
                && !personal.iter().any(|name| names::is_secret(name) || names::lets_in(name));
            let most = if is_of_shop { Harm::Medium } else { Harm::High };
            let deed = deed.harm.min(most).that(format!("{} ({})", deed.text, personal.join(", ")));
            self.record.cross(&object, Verb::Read, actor, deed, cause, sql);
            return Ok(());
        }
        let says_so = policies.iter().all(|policy| self.says_public(policy) || self.flag_of(policy).is_some());
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

    /// Whether a function that anybody may call only adds rows, and each about a row that anybody reads: a form below
    /// something that is published. Answers with the tables that it adds to.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(super) async fn form(
        &mut self,
        function: &Function,
        sql: &str,
        written: &[i64],
    ) -> Result<Option<Vec<String>>, Error> {
        let catalog = self.world.catalog;
        let written = written.iter().filter_map(|oid| catalog.relation(*oid));
        let written: Vec<_> = written.filter(|relation| !names::is_log(&relation.name)).collect();
        if written.is_empty() || !function.may("anon") {
            return Ok(None);
        }
        for relation in &written {
            let mut is_below = false;
            for target in relation.references.iter().filter_map(|reference| catalog.relation(reference.target)) {
                let key = target.primary().and_then(|key| key.columns.first());
                let named = |row: &&Row| {
                    let key = key.and_then(|key| row.text(key));
                    key.is_some_and(|key| sql.contains(&literal(&key)))
                };
                let mut rows = [OTHER, OWN].into_iter().flat_map(|tenant| self.world.rows(target, tenant));
                let Some(row) = rows.find(named) else { continue };
                let read = format!("select count(*) from {} where {}", target.sql(), row.key);
                is_below |=
                    self.attempt(&Actor::anonymous(), &read, &[]).await?.is_ok_and(|(done, _)| done.number() > 0);
            }
            if !is_below {
                return Ok(None);
            }
        }
        let changed = written.iter().map(|relation| {
            let oid = relation.oid;
            format!("pg_stat_get_xact_tuples_updated({oid}) + pg_stat_get_xact_tuples_deleted({oid})")
        });
        let changed = changed.collect::<Vec<_>>().join(" + ");
        let before = [format!("select set_config('rls_probe.changed', ({changed})::text, true)")];
        let looks = [format!("select ({changed})::text = current_setting('rls_probe.changed')")];
        let called = self.desk.attempt(&Actor::anonymous(), Arranged::Unnoticed(&before), sql, &looks).await?;
        let only_adds = called.is_ok_and(|(_, looks)| looks.first().and_then(Done::value) == Some("t"));
        Ok(only_adds.then(|| written.iter().map(|relation| relation.title()).collect()))
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
        let is_for_accounts = has_role("authenticated") && self.says_public(policy);
        let is_for_all = names_anon || has_role("public") || is_for_accounts;
        let text = if command == "insert" { &policy.check } else { &policy.using };
        let is_true = text.as_deref() == Some("true");
        policy.command == command
            && is_for_all
            && (is_true && (names_anon || self.says_public(policy)) || self.flag_of(policy).is_some())
    }

    /// Whether a policy's name says that it is for everybody; where users are the tenants, everybody who has an account.
    fn says_public(&self, policy: &Policy) -> bool {
        let is_for_accounts = self.world.tenancy.tenant.is_none() && names::says_for_accounts(&policy.name);
        names::says_public(&policy.name) || is_for_accounts
    }

    /// The flag, or the day, by which a row says that it is not published, where it is shown all the same and no policy asks
    /// for it.
    async fn is_unpublished_shown(
        &mut self,
        relation: &'c Relation,
        actor: &Actor,
        policies: &[&Policy],
        keys: &str,
    ) -> Result<Option<String>, Error> {
        let unset = |column: &Column| match column.category.as_str() {
            "B" if names::is_published_flag(&column.name) => Some("false"),
            "D" if names::is_published_at(&column.name) && !column.not_null => Some("null"),
            _ => None,
        };
        let flags: Vec<_> = relation.columns.iter().filter_map(|column| Some((column, unset(column)?))).collect();
        let asked: Vec<_> = policies.iter().filter_map(|policy| policy.using.as_deref()).collect();
        // One of several is enough.
        let is_asked = flags.iter().any(|(flag, _)| asked.iter().any(|text| text.contains(&flag.name)));
        let Some((flag, unset)) = flags.first().filter(|(flag, _)| !is_asked && flag.may(actor.db_role(), "select"))
        else {
            return Ok(None);
        };
        let name = ident(&flag.name);
        let unpublished =
            format!("select count(*) from {} where ({keys}) and {name} is not distinct from {unset}", relation.sql());
        // Where all rows are published, one of them is not for a moment.
        let row = self.world.rows(relation, OTHER).first().map(|row| row.key.clone());
        let taken_back = row.map(|key| format!("update {} set {name} = {unset} where {key}", relation.sql()));
        let before: Vec<_> = taken_back.into_iter().collect();
        let shown = self.desk.attempt(actor, Arranged::ByNobody(&before), &unpublished, &[]).await?;
        Ok(shown.is_ok_and(|(done, _)| done.number() > 0).then(|| flag.name.clone()))
    }

    /// What strangers write into a table that is nobody's, about themselves, and any account reads.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(super) async fn read_by_any_account(&mut self, relation: &'c Relation) -> Result<(), Error> {
        let object = object_of(relation);
        let cells = |actor: &Actor, verb: Verb| {
            self.record.cells.get(&object)?.get(&actor.name)?.get(&verb).map(|cell| *cell != Cell::Refused)
        };
        let is_written = self.actors.iter().any(|actor| {
            matches!(actor.kind, Kind::Anonymous | Kind::Newcomer) && cells(actor, Verb::Insert).unwrap_or(false)
        });
        if !is_written || !self.world.is_shared(relation) {
            return Ok(());
        }
        for actor in self.actors.clone().iter().filter(|actor| actor.kind == Kind::Newcomer) {
            let personal = relation.columns.iter().filter(|column| {
                column.holds_texts() && column.may(actor.db_role(), "select") && names::is_personal(&column.name)
            });
            let personal: Vec<_> = personal.map(|column| column.name.as_str()).collect();
            let rows = self.world.rows(relation, OTHER).to_vec();
            if personal.is_empty() || rows.is_empty() {
                continue;
            }
            let sql = format!("select count(*) from {} where {}", relation.sql(), any_of(&rows));
            if self.attempt(actor, &sql, &[]).await?.is_ok_and(|(done, _)| done.number() > 0) {
                let cause = self.guilty(relation, actor, "select", rows.first()).await?;
                let deed = Harm::High.that(format!("can read what others wrote ({})", personal.join(", ")));
                self.record.cross(&object, Verb::Read, actor, deed, cause, &sql);
            }
        }
        Ok(())
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
    // What a row is part of may say it for the row.
    let is_plain = |part: &str| {
        let is_of_parent = part.starts_with("(EXISTS ( SELECT") || part.starts_with("EXISTS ( SELECT");
        (is_of_parent && !part.contains("()") || !part.contains("SELECT"))
            && !part.contains("auth.")
            && !part.contains("current_")
    };
    let is_simple = |part: &&str| parted(part, " AND ").into_iter().all(is_plain);
    let mut parts = alternatives(text).into_iter().filter(is_simple);
    parts.find(|part| part.replace("public.", "").split(|c: char| !c.is_alphanumeric() && c != '_').any(&is_asked))
}
