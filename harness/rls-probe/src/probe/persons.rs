//! What is written of people, in rows that are about them: a flag or a role of one's own, a row that nobody made yet, and
//! what those below write of those above.

use crate::{
    actor::{Actor, Kind},
    catalog::Relation,
    desk::Arranged,
    draft::known_values,
    error::Error,
    harm::{Deed, Harm},
    names,
    record::Verb,
    sql::{ident, literal},
    tie::owner_columns,
    world::OWN,
};

use super::{Prober, object_of, touched};

impl<'c> Prober<'_, 'c> {
    /// Flags of one's own row that make somebody more than others.
    pub(super) async fn flags(&mut self, relation: &'c Relation) -> Result<(), Error> {
        let Some(owner) = owner_columns(self.world.catalog, relation, self.world.tenancy).first().cloned() else {
            return Ok(());
        };
        self.own_role(relation, &owner).await?;
        self.own_row(relation, &owner).await?;
        self.own_credit(relation, &owner).await?;
        self.persons_above(relation, &owner).await?;
        for column in
            relation.columns.iter().filter(|column| names::is_raising_flag(&column.name) && column.category == "B")
        {
            for actor in
                self.actors.clone().iter().filter(|actor| actor.user.is_some() && column.may(actor.db_role(), "update"))
            {
                let me = format!("{} = {}", ident(&owner), literal(actor.user.as_deref().unwrap_or_default()));
                let sql = format!("update {} set {} = true where {me}", relation.sql(), ident(&column.name));
                let look = format!("select count(*) from {} where {me} and {}", relation.sql(), ident(&column.name));
                let deed = Harm::Critical.that(format!("can set {} on themselves", column.name));
                self.gains(relation, actor, &sql, look, deed).await?;
            }
        }
        Ok(())
    }

    /// Whether a statement gives somebody what a look counts, and they had none of it: what they have otherwise already, such as
    /// by another row, is nothing new.
    async fn gains(
        &mut self,
        relation: &'c Relation,
        actor: &Actor,
        sql: &str,
        look: String,
        deed: Deed,
    ) -> Result<bool, Error> {
        if self.desk.run(&look).await?.number() > 0 {
            return Ok(false);
        }
        let done = self.attempt(actor, sql, &[look]).await?;
        let has_gained = done.is_ok_and(|(_, looks)| looks.first().is_some_and(|now| now.number() > 0));
        if has_gained {
            let cause = self.guilty(relation, actor, "update", None).await?;
            self.record.cross(&object_of(relation), Verb::Update, actor, deed, cause, sql);
        }
        Ok(has_gained)
    }

    /// What is written of somebody in the highest office, changed by those in the lowest: the row about a person is theirs, or
    /// that of those who manage people.
    async fn persons_above(&mut self, relation: &'c Relation, owner: &str) -> Result<(), Error> {
        let roles = &self.world.tenancy.roles;
        let rank = |actor: &Actor| actor.role.as_ref().map(|role| roles.rank(role));
        let members: Vec<_> =
            self.actors.iter().filter(|actor| actor.kind == Kind::Member && actor.role.is_some()).collect();
        let (highest, lowest) =
            (members.iter().min_by_key(|actor| rank(actor)), members.iter().max_by_key(|actor| rank(actor)));
        let (Some(highest), Some(lowest)) = (highest.copied().cloned(), lowest.copied().cloned()) else {
            return Ok(());
        };
        let is_of_persons = self.world.tenancy.tenant.is_some()
            && self.world.catalog.is_mirror(relation)
            && self.world.members().is_none_or(|table| table.oid != relation.oid);
        if !is_of_persons || rank(&highest) == rank(&lowest) {
            return Ok(());
        }
        let rows = self.world.rows(relation, OWN).iter();
        let Some(row) = rows.clone().find(|row| row.text(owner) == highest.user).cloned() else { return Ok(()) };
        let Some((column, value)) = touched(relation, lowest.db_role(), &row, &[]) else { return Ok(()) };
        let sql = format!("update {} set {column} = {value} where {}", relation.sql(), row.key);
        if self.attempt(&lowest, &sql, &[]).await?.is_ok_and(|(done, _)| done.affected > 0) {
            let cause = self.guilty(relation, &lowest, "update", Some(&row)).await?;
            let whom = names::with_article(highest.role.as_deref().unwrap_or_default());
            let deed = Harm::High.that(format!("can change what is written of {whom}"));
            self.record.cross(&object_of(relation), Verb::Update, &lowest, deed, cause, &sql);
        }
        Ok(())
    }

    /// What a user has to their credit, where there is one row about each.
    async fn own_credit(&mut self, relation: &'c Relation, owner: &str) -> Result<(), Error> {
        if !relation.keys.iter().any(|key| key.columns == [owner]) {
            return Ok(());
        }
        let credits = relation.columns.iter().filter(|column| names::is_credit(&column.name) && column.category == "N");
        for column in credits {
            let name = ident(&column.name);
            for actor in self.actors.clone().iter().filter(|actor| column.may(actor.db_role(), "update")) {
                let Some(user) = &actor.user else { continue };
                let me = format!("{} = {}", ident(owner), literal(user));
                let own = format!("select coalesce({name}, 0)::text from {} where {me}", relation.sql());
                let Some(own) = self.desk.run(&own).await?.value().map(str::to_owned) else { continue };
                let sql = format!("update {} set {name} = coalesce({name}, 0) + 1 where {me}", relation.sql());
                let look = format!("select count(*) from {} where {me} and {name} > {}", relation.sql(), literal(&own));
                let deed = Harm::High.that(format!("can set {} on themselves", column.name));
                self.gains(relation, actor, &sql, look, deed).await?;
            }
        }
        Ok(())
    }

    /// A role in a row about oneself, where no memberships have roles.
    async fn own_role(&mut self, relation: &'c Relation, owner: &str) -> Result<(), Error> {
        let roles = &self.world.tenancy.roles;
        let is_members = self.world.members().is_some_and(|members| members.oid == relation.oid);
        let of_role = relation.columns.iter().find(|column| names::is_role_column(&column.name));
        let Some(column) = of_role.filter(|_| !is_members) else { return Ok(()) };
        let name = ident(&column.name);
        for actor in self.actors.clone().iter().filter(|actor| column.may(actor.db_role(), "update")) {
            let Some(user) = &actor.user else { continue };
            let me = format!("{} = {}", ident(owner), literal(user));
            let own = format!("select {name}::text from {} where {me}", relation.sql());
            let Some(own) = self.desk.run(&own).await?.value().map(str::to_owned) else { continue };
            for role in known_values(relation, column).iter().filter(|role| roles.rank(role) < roles.rank(&own)) {
                let sql = format!("update {} set {name} = {} where {me}", relation.sql(), literal(role));
                let look =
                    format!("select count(*) from {} where {me} and {name}::text = {}", relation.sql(), literal(role));
                let deed = Harm::Critical.that("can raise their own role");
                if self.gains(relation, actor, &sql, look, deed).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// A row about oneself that says of oneself what only others may say, where there is none yet.
    async fn own_row(&mut self, relation: &'c Relation, owner: &str) -> Result<(), Error> {
        let is_members = self.world.members().is_some_and(|members| members.oid == relation.oid);
        if is_members || !self.world.catalog.is_mirror(relation) || !self.desk.can_hold_triggers {
            return Ok(());
        }
        let is_raised = |role: &str| !names::is_taking_part(role) || self.world.tenancy.roles.is_platform(role);
        let raised = relation.columns.iter().filter_map(|column| {
            let values = known_values(relation, column);
            let highest = values.iter().min_by_key(|role| self.world.tenancy.roles.rank(role));
            match highest.filter(|role| names::is_role_column(&column.name) && is_raised(role)) {
                Some(role) => Some((column, role.clone())),
                None => (names::is_raising_flag(&column.name) && column.category == "B")
                    .then(|| (column, "true".to_owned())),
            }
        });
        for (column, value) in raised.collect::<Vec<_>>() {
            for actor in &self.actors.clone() {
                let Some(user) = &actor.user else { continue };
                let Some(mut draft) = self.draft_by(relation, self.own(actor), actor, true) else { continue };
                draft.set(owner, literal(user));
                draft.set(&column.name, literal(&value));
                if !draft.is_permitted() {
                    continue;
                }
                let me = format!("{} = {}", ident(owner), literal(user));
                let hold = |role: &str| format!("set local session_replication_role = {role}");
                let absent = [hold("replica"), format!("delete from {} where {me}", relation.sql()), hold("origin")];
                let name = ident(&column.name);
                let look = [format!(
                    "select count(*) from {} where {me} and {name}::text = {}",
                    relation.sql(),
                    literal(&value)
                )];
                loop {
                    let sql = draft.insert();
                    match self.desk.attempt(actor, Arranged::Unnoticed(&absent), &sql, &look).await? {
                        Ok((_, looks)) if looks.first().is_some_and(|made| made.number() > 0) => {
                            let cause = self.guilty_of_adding(relation, actor, &sql).await?;
                            let what = if value == "true" { column.name.clone() } else { value.clone() };
                            let deed = Harm::Critical.that(format!("can make themselves {what}"));
                            self.record.cross(&object_of(relation), Verb::Insert, actor, deed, cause, &sql);
                        }
                        Err(refused) if refused.is_by_constraint() && draft.revise(&refused) => continue,
                        _ => {}
                    }
                    break;
                }
            }
        }
        Ok(())
    }
}
