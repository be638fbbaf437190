//! What constraints give away: rows that refer to the other tenant's, and values that only one tenant can have.

use crate::{
    actor::{Actor, Kind},
    catalog::{Reference, Relation},
    desk::Arranged,
    error::Error,
    harm::Harm,
    names::{is_inbox, is_log, is_public_name, lets_in, with_article},
    probe::{Prober, any_of, object_of, tables::insert::Inserted},
    record::{Cause, Verb},
    sql::{ident, literal},
    tie::Tie,
    world::OTHER,
};

/// How many tables around one are looked at.
const NEAR: usize = 6;

impl<'c> Prober<'_, 'c> {
    /// Where rows are users': one about oneself within what is another's, that lets one read on there. Answers with the
    /// constraints that span them.
    pub(super) async fn join_across(&mut self, relation: &'c Relation, actor: &Actor) -> Result<Vec<String>, Error> {
        let mut joined = Vec::new();
        if !matches!(self.world.ties.get(&relation.oid), Some(Tie::Owner(_)))
            || !relation.may(actor.db_role(), "insert")
        {
            return Ok(joined);
        }
        let names_oneself = |reference: &&Reference| match self.world.ties.get(&relation.oid) {
            Some(Tie::Owner(columns)) => columns.iter().any(|column| !reference.columns.contains(column)),
            _ => false,
        };
        let references: Vec<_> = relation.references.iter().filter(names_oneself).collect();
        for reference in references {
            let Some(target) = self.world.catalog.relation(reference.target) else { continue };
            if self.world.is_shared(target) || self.world.catalog.is_mirror(target) {
                continue;
            }
            let Some(theirs) = self.world.rows(target, OTHER).first() else { continue };
            let Some(mut draft) = self.draft_by(relation, self.own(actor), actor, true) else { continue };
            for (column, of) in reference.columns.iter().zip(&reference.target_columns) {
                draft.set(column, theirs.sql(of));
            }
            if let (Some(Tie::Owner(columns)), Some(user)) = (self.world.ties.get(&relation.oid), &actor.user) {
                let oneself = columns.iter().filter(|column| !reference.columns.contains(column));
                oneself.for_each(|column| draft.set(column, literal(user)));
            }
            let Inserted::Yes { sql, .. } = self.try_insert(actor, draft, &[]).await? else { continue };
            let Some(read) = self.read_on(actor, &sql, relation, target).await? else { continue };
            let cause = self.guilty_of_adding(relation, actor, &sql).await?;
            let deed = Harm::of_reading(Kind::Member)
                .that(format!("can add themselves to the other tenant's {}, and read {read} there", target.name));
            self.record.cross(&object_of(relation), Verb::Insert, actor, deed, cause, &sql);
            joined.push(reference.name.clone());
        }
        Ok(joined)
    }

    /// Of what somebody sees more rows of the other tenant after a statement of theirs: the table that it is about, or those
    /// that refer to it.
    pub(super) async fn read_on(
        &mut self,
        actor: &Actor,
        sql: &str,
        of: &Relation,
        target: &Relation,
    ) -> Result<Option<String>, Error> {
        let refers = |relation: &&Relation| relation.references.iter().any(|reference| reference.target == target.oid);
        let tables = self.world.catalog.relations.iter().filter(|relation| relation.is_table());
        let near = tables.filter(|relation| refers(relation) || relation.oid == target.oid).take(NEAR);
        let mut near: Vec<_> = near.collect();
        // What is said there says more than that it is there.
        near.sort_by_key(|relation| (relation.oid == of.oid, relation.oid == target.oid));
        let before = [actor.become_in_one(), sql.to_owned(), "reset role".to_owned()];
        for relation in near {
            let rows = self.world.rows(relation, OTHER).to_vec();
            let count = format!("select count(*) from {} where {}", relation.sql(), any_of(&rows));
            let usual = self.attempt(actor, &count, &[]).await?.map_or(0, |(done, _)| done.number());
            let more = self
                .desk
                .attempt(actor, Arranged::ByNobody(&before), &count, &[])
                .await?
                .map_or(0, |(done, _)| done.number());
            if more > usual {
                return Ok(Some(relation.title()));
            }
        }
        Ok(None)
    }

    /// A row of one's own that refers to a row of the other tenant.
    pub(super) async fn point_across(
        &mut self,
        relation: &'c Relation,
        actor: &Actor,
        own_works: bool,
        joined: &[String],
    ) -> Result<(), Error> {
        let object = object_of(relation);
        for (index, reference) in relation.references.iter().enumerate() {
            if joined.contains(&reference.name) || self.world.ties.get(&relation.oid) == Some(&Tie::Parent(index)) {
                continue;
            }
            let Some(target) = self.world.catalog.relation(reference.target) else { continue };
            let is_tenants = self.world.tenant_table().is_some_and(|table| table.oid == target.oid);
            if is_tenants || self.world.is_shared(target) {
                continue;
            }
            let Some(row) = self.world.rows(target, OTHER).first() else { continue };
            let pairs: Vec<_> = reference
                .columns
                .iter()
                .zip(&reference.target_columns)
                .filter(|(column, _)| !self.says_whose(relation, column))
                .collect();
            if pairs.is_empty() {
                continue;
            }
            // A person is named wherever they may be known, by the auth server's id as well.
            let is_person = self.world.catalog.is_mirror(target) && self.is_personal(target);
            // What one may see, one may refer to.
            let others = self.rows_besides(target, OTHER, actor);
            let seen = if others.is_empty() { row.key.clone() } else { any_of(&others) };
            let sees = format!("select 1 from {} where {seen} limit 1", target.sql());
            let sees = self.attempt(actor, &sees, &[]).await?.is_ok_and(|(done, _)| !done.rows.is_empty());
            let row = row.clone();
            // Those who take part in it read what is added to it.
            let is_joined = self.is_taken_part_in(target);
            let (theirs, names) = (&target.name, reference.columns.join(", "));
            let cause = Cause::Constraint(reference.name.clone());
            if own_works && let Some(mut draft) = self.draft_by(relation, self.own(actor), actor, true) {
                for (column, of) in &pairs {
                    draft.set(column, row.sql(of));
                }
                if let Inserted::Yes { sql, .. } = self.try_insert(actor, draft, &[]).await? {
                    let (deed, cause) = match is_joined {
                        true => (
                            Harm::of_writing(actor.kind).that(format!("can add rows to the other tenant's {theirs}")),
                            self.guilty_of_adding(relation, actor, &sql).await?,
                        ),
                        false => (
                            Harm::Low.that(format!("can add rows that refer to the other tenant's {theirs} ({names})")),
                            cause.clone(),
                        ),
                    };
                    if !sees && !is_person {
                        self.record.cross(&object, Verb::Insert, actor, deed, cause, &sql);
                    }
                    self.set_off_across(relation, actor, (target, sees), &sql).await?;
                }
            }
            let role = actor.db_role();
            let own = self.rows_besides(relation, self.own(actor), actor);
            if !sees
                && !is_person
                && let Some(mine) = own.first()
                && pairs
                    .iter()
                    .all(|(column, _)| relation.column(column).is_some_and(|column| column.may(role, "update")))
            {
                let sets: Vec<_> =
                    pairs.iter().map(|(column, of)| format!("{} = {}", ident(column), row.sql(of))).collect();
                for filter in [format!(" where {}", mine.key), String::new()] {
                    let sql = format!("update {} set {}{filter}", relation.sql(), sets.join(", "));
                    if let Ok((done, _)) = self.attempt(actor, &sql, &[]).await?
                        && done.affected > 0
                    {
                        let (deed, cause) = match is_joined {
                            true => (
                                Harm::of_writing(actor.kind)
                                    .that(format!("can move rows of their own to the other tenant's {theirs}")),
                                self.guilty(relation, actor, "update", Some(mine)).await?,
                            ),
                            false => (
                                Harm::Low.that(format!("can make rows refer to the other tenant's {theirs} ({names})")),
                                cause.clone(),
                            ),
                        };
                        self.record.cross(&object, Verb::Update, actor, deed, cause, &sql);
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// What triggers do elsewhere for a row of one's own that refers to the other tenant's.
    /// What is counted on a row that one may see, and what its owner is told of it, is what one may bring about.
    async fn set_off_across(
        &mut self,
        relation: &'c Relation,
        actor: &Actor,
        (target, sees): (&'c Relation, bool),
        sql: &str,
    ) -> Result<(), Error> {
        if relation.triggers.is_empty() {
            return Ok(());
        }
        let Ok(answer) = self.answer(actor, true, sql).await? else { return Ok(()) };
        let is_meant = |oid: i64| {
            let told = self.world.catalog.relation(oid).is_some_and(|of| is_inbox(&of.name) || is_log(&of.name));
            oid == relation.oid || told || sees && oid == target.oid
        };
        let elsewhere: Vec<_> = answer.written.iter().copied().filter(|oid| !is_meant(*oid)).collect();
        for deed in self.written(actor, sql, &elsewhere).await? {
            let cause = Cause::Trigger(relation.triggers.join(", "));
            self.record.cross(&object_of(relation), Verb::Insert, actor, deed, cause, sql);
        }
        Ok(())
    }

    /// Values that only one tenant can have: that they are taken tells that the other has them.
    pub(super) async fn taken_values(
        &mut self,
        relation: &'c Relation,
        actor: &Actor,
        own_works: bool,
    ) -> Result<(), Error> {
        let object = object_of(relation);
        let Some(theirs) = self.world.rows(relation, OTHER).first() else { return Ok(()) };
        for key in relation.keys.iter().filter(|key| !key.columns.is_empty()) {
            let is_surrogate = key.primary
                && key.columns.iter().all(|name| {
                    relation
                        .column(name)
                        .is_some_and(|column| column.identity || column.generated || column.default.is_some())
                });
            // Nobody guesses what was made at random, unless somebody decided that it may be chosen.
            let is_random = relation.columns.iter().all(|column| column.may(actor.db_role(), "insert"))
                && key.columns.iter().any(|name| {
                    let default = relation.column(name).and_then(|column| column.default.as_deref());
                    default.is_some_and(|default| default.contains("random") || default.contains("uuid_generate"))
                });
            // Nobody guesses a key of that many bits, nor what is made to be no guess; unless somebody decided that it may be
            // chosen.
            let is_unguessable =
                |name: &String| lets_in(name) || relation.column(name).is_some_and(|column| column.base == "uuid");
            let is_all_granted = relation.columns.iter().all(|column| column.may(actor.db_role(), "insert"));
            // What everybody sees is no secret, and that it is taken is what it is for.
            let is_public = key.columns.iter().any(|name| is_public_name(name));
            if is_public || is_all_granted && key.columns.iter().any(is_unguessable) {
                continue;
            }
            let is_within =
                key.columns.iter().any(|name| self.says_whose(relation, name) || relation.reference_of(name).is_some());
            let values: Option<Vec<_>> = key.columns.iter().map(|name| Some((name, theirs.text(name)?))).collect();
            let Some(values) = values.filter(|_| !is_within && (is_surrogate || !is_random)) else { continue };
            let role = actor.db_role();
            let may = |privilege: &str| {
                key.columns.iter().all(|name| {
                    relation.column(name).is_some_and(|column| column.may(role, privilege) && !column.generated)
                })
            };
            // A key that is chosen for one tells nothing when hardly anybody can guess it and everybody may choose it.
            if is_surrogate && (relation.columns.iter().all(|column| column.may(role, "insert")) || !may("insert")) {
                continue;
            }
            let cause = Cause::Constraint(key.name.clone());
            let names = key.columns.join(", ");
            let deed = Harm::Low.that(format!(
                "can learn that another tenant uses {}, and take one that another needs",
                with_article(&names)
            ));
            if own_works
                && may("insert")
                && let Some(mut draft) = self.draft_by(relation, self.own(actor), actor, true)
            {
                for (name, value) in &values {
                    draft.set(name, literal(value));
                }
                if let Inserted::Taken { constraint, sql } = self.try_insert(actor, draft, &[]).await?
                    && self.is_of(relation, &constraint, &key.columns)
                {
                    self.record.cross(&object, Verb::Insert, actor, deed.clone(), cause.clone(), &sql);
                }
            }
            let own = self.rows_besides(relation, self.own(actor), actor);
            if !is_surrogate
                && may("update")
                && let Some(mine) = own.first()
            {
                let sets: Vec<_> =
                    values.iter().map(|(name, value)| format!("{} = {}", ident(name), literal(value))).collect();
                let sql = format!("update {} set {} where {}", relation.sql(), sets.join(", "), mine.key);
                if let Err(refused) = self.attempt(actor, &sql, &[]).await?
                    && refused.constraint.as_ref() == Some(&key.name)
                {
                    self.record.cross(&object, Verb::Update, actor, deed, cause.clone(), &sql);
                }
            }
        }
        Ok(())
    }

    /// Whether a constraint is a key that has these columns, perhaps among others.
    fn is_of(&self, relation: &Relation, constraint: &str, columns: &[String]) -> bool {
        let named = relation.keys.iter().find(|key| key.name == constraint);
        named.is_some_and(|key| columns.iter().all(|column| key.columns.contains(column)))
    }
}
