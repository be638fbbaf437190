//! What a statement did: its answer, the tables that it wrote to, and to whom.

use std::collections::HashSet;

use crate::{
    actor::{Actor, Kind},
    catalog::Relation,
    desk::{Arranged, Done},
    error::Error,
    harm::{Deed, Harm},
    names,
    refused::Refused,
    sql::{ident, literal},
    tie::Tie,
    world::{OTHER, OWN, Row},
};

use super::{Prober, any_of};

/// What a statement did.
pub(super) struct Answer {
    pub text: String,
    /// The tables that were written to.
    pub written: Vec<i64>,
}

impl<'c> Prober<'_, 'c> {
    /// The answer and the tables that were written to; or the refusal.
    pub(super) async fn answer(
        &mut self,
        actor: &Actor,
        may_write: bool,
        sql: &str,
    ) -> Result<Result<Answer, Refused>, Error> {
        if !may_write {
            let answered = self.attempt(actor, sql, &[]).await?;
            return Ok(answered.map(|(done, _)| Answer { text: all(done), written: Vec::new() }));
        }
        // Whatever is written moves the log on. Which tables it was is asked only then: that takes as long as there are
        // tables.
        let position = "pg_current_wal_insert_lsn()::text";
        let before = [format!("select set_config('rls_probe.log', {position}, true)")];
        let looks =
            [format!("select count(*) from (select {position} p) l where p <> current_setting('rls_probe.log')")];
        let (done, looks) = match self.desk.attempt(actor, Arranged::Unnoticed(&before), sql, &looks).await? {
            Ok(answered) => answered,
            Err(refused) => return Ok(Err(refused)),
        };
        let has_written = !self.desk.logs_writes || looks.first().is_some_and(|look| look.number() > 0);
        let written = if has_written { self.tables_written(actor, sql).await? } else { Vec::new() };
        Ok(Ok(Answer { text: all(done), written }))
    }

    /// The tables that a statement writes to.
    async fn tables_written(&mut self, actor: &Actor, sql: &str) -> Result<Vec<i64>, Error> {
        let tables = self.world.catalog.relations.iter().filter(|relation| relation.is_table());
        let tables: Vec<_> = tables.map(|relation| relation.oid.to_string()).collect();
        let counts = format!(
            "select string_agg(o || ':' || (pg_stat_get_xact_tuples_inserted(o) + pg_stat_get_xact_tuples_updated(o) + pg_stat_get_xact_tuples_deleted(o)), ',' order by o) from unnest('{{{}}}'::oid[]) o",
            tables.join(",")
        );
        let before = [format!("select set_config('rls_probe.written', ({counts}), true)")];
        let looks = [format!("select current_setting('rls_probe.written') || ';' || ({counts})")];
        let Ok((_, looks)) = self.desk.attempt(actor, Arranged::Unnoticed(&before), sql, &looks).await? else {
            return Ok(Vec::new());
        };
        let counts = looks.first().and_then(Done::value).unwrap_or_default();
        let (before, after) = counts.split_once(';').unwrap_or_default();
        let before: HashSet<_> = before.split(',').collect();
        let changed = after.split(',').filter(|count| !before.contains(count));
        Ok(changed.filter_map(|count| count.split_once(':')?.0.parse().ok()).collect())
    }

    /// What a statement that wrote did to whom; none when it stayed at home.
    pub(super) async fn written(&mut self, actor: &Actor, sql: &str, tables: &[i64]) -> Result<Vec<Deed>, Error> {
        let relations: Vec<&'c Relation> = tables
            .iter()
            .filter_map(|oid| self.world.catalog.relation(*oid))
            .filter(|relation| !relation.partition)
            .collect();
        if actor.kind == Kind::Anonymous {
            let kept: Vec<_> = relations.iter().filter(|relation| !names::is_log(&relation.name)).collect();
            let kept = if kept.is_empty() { relations.iter().collect() } else { kept };
            let names: Vec<_> = kept.into_iter().map(|relation| relation.title()).collect();
            return Ok(vec![Harm::Critical.that(format!("can change {} without an account", names.join(", ")))]);
        }
        let (mut looks, mut raised, mut own) = (Vec::new(), HashSet::new(), None);
        let unseen = self.unseen_by_dealing(&relations, actor).await?;
        for relation in &relations {
            for granted in self.granted_above(relation, actor) {
                raised.insert(looks.len());
                looks.push(granted);
            }
            let no_dealing = self.no_dealing(relation, actor).await?;
            let besides = no_dealing.or_else(|| unseen.get(&relation.oid).cloned());
            let besides = besides.unwrap_or_else(|| self.not_of(relation, actor));
            for tenant in self.foreign(actor) {
                let look = self.digest(relation, tenant, &besides);
                let effect = format!("can change {}'s rows of {}", Self::whose(actor, tenant), relation.title());
                looks.push((look, Harm::of_writing(actor.kind).that(effect)));
            }
            if let Some(Tie::Tenant(column)) = self.world.ties.get(&relation.oid)
                && relation.column(column).is_some_and(|column| !column.not_null)
                && relation.estimate < super::SMALL
                && !names::is_log(&relation.name)
            {
                let others = self.not_oneself(relation, actor);
                let look =
                    format!("select count(*) from {} where {} is null and {others}", relation.sql(), ident(column));
                let effect = format!("can write rows of {} that belong to no tenant", relation.title());
                looks.push((look, Harm::of_writing(actor.kind).that(effect)));
            }
            // One's own rows that name rows of the other's.
            if !actor.kind.is_outside() && !self.world.is_shared(relation) && !names::is_log(&relation.name) {
                let mut any = Vec::new();
                for reference in &relation.references {
                    let Some(target) = self.world.catalog.relation(reference.target) else { continue };
                    let hidden = self.hidden(target, actor).await?;
                    for (name, key) in reference.columns.iter().zip(&reference.target_columns) {
                        let others: Vec<_> = hidden.iter().map(|row| row.sql(key)).collect();
                        if !others.is_empty() {
                            any.push(format!("{} in ({})", ident(name), others.join(", ")));
                        }
                    }
                }
                if !any.is_empty() {
                    let own = self.world.condition(relation, self.own(actor));
                    let look =
                        format!("select count(*) from {} where {own} and ({})", relation.sql(), any.join(" or "));
                    let effect = format!("can make rows of {} refer to the other tenant's", relation.title());
                    looks.push((look, Harm::of_writing(actor.kind).that(effect)));
                }
            }
            if actor.kind == Kind::Reader
                && !names::is_log(&relation.name)
                && !matches!(self.world.ties.get(&relation.oid), Some(Tie::Owner(_)))
            {
                let effect = format!("can change rows of {} although its role is read-only", relation.title());
                looks.push((self.digest(relation, OWN, "true"), Harm::High.that(effect)));
            }
            looks.extend(self.tenants_without(relation, actor));
            if let Some(offered) = self.offered_above(relation, actor) {
                raised.insert(looks.len());
                looks.push(offered);
            }
            let members = self.world.members().zip(self.world.tenancy.members.as_ref());
            if let Some((_, members)) = members.filter(|(table, _)| table.oid == relation.oid) {
                // Somebody who belongs to nobody is nobody's to command.
                let is_self = match &actor.user {
                    Some(user) => format!("{}::text = {}", ident(&members.user), literal(user)),
                    None => "false".to_owned(),
                };
                let look = format!(
                    "select md5(coalesce(string_agg(concat(t.ctid, t), ',' order by t.ctid), '')) from {} t where {} is null and not {is_self}",
                    relation.sql(),
                    ident(&members.tenant)
                );
                let effect = format!("can change rows of {} that belong to no tenant", relation.title());
                looks.push((look, Harm::of_writing(actor.kind).that(effect)));
                own = Some(looks.len());
                let deed = Harm::Critical.that("can change their own role, tenant or state");
                looks.push((self.own_standing(relation, members, actor), deed));
                let above: Vec<_> = self.above(actor).iter().map(|role| literal(role)).collect();
                if let (Some(role), false, Kind::Member | Kind::Reader) = (&members.role, above.is_empty(), actor.kind)
                {
                    let (role, tenant) = (ident(role), ident(&members.tenant));
                    let own = literal(&self.world.tenants[self.own(actor)].id);
                    let look = format!(
                        "select count(*) from {} where ({tenant}::text = {own} or {tenant} is null) and {role}::text in ({}) and not {is_self}",
                        relation.sql(),
                        above.join(", ")
                    );
                    raised.insert(looks.len());
                    looks.push((look, Harm::Critical.that("can give somebody a role above their own")));
                }
            }
        }
        if looks.is_empty() {
            return Ok(Vec::new());
        }
        let statements: Vec<_> = looks.iter().map(|(look, _)| look.clone()).collect();
        let before = self.usual(&statements).await?;
        let Ok((_, after)) = self.attempt(actor, sql, &statements).await? else { return Ok(Vec::new()) };
        let number = |text: Option<&str>| text.and_then(|text| text.parse().ok()).unwrap_or(0_i64);
        let changed = looks.into_iter().zip(before).zip(after).enumerate().filter(|(at, ((_, before), after))| {
            // That there are fewer of them is another matter.
            let is_more = || number(after.value()) > number(before.as_deref());
            after.value().map(str::to_owned) != *before
                && (!raised.contains(at) || is_more())
                && (own != Some(*at) || self.is_raised(before.as_deref(), after.value()))
        });
        let deeds: Vec<_> = changed.map(|(_, (((_, deed), _), _))| deed).collect();
        // What is written down of it is no deed of its own.
        let logs: Vec<_> = relations.iter().filter(|relation| names::is_log(&relation.name)).collect();
        let is_of_log = |deed: &Deed| logs.iter().any(|log| deed.text.contains(&log.title()));
        let others: Vec<_> = deeds.iter().filter(|deed| !is_of_log(deed)).cloned().collect();
        // Whoever leaves is written down as well.
        let has_left = matches!(actor.kind, Kind::Dead | Kind::Closed)
            && self.world.members().is_some_and(|members| tables.contains(&members.oid));
        let deeds = if others.is_empty() && !has_left { deeds } else { others };
        self.without_gifts(actor, sql, &relations, deeds).await
    }

    /// What a statement did but for what it gave to others of what the caller had to their credit.
    async fn without_gifts(
        &mut self,
        actor: &Actor,
        sql: &str,
        relations: &[&'c Relation],
        mut deeds: Vec<Deed>,
    ) -> Result<Vec<Deed>, Error> {
        let (None, Some(user), false) = (&self.world.tenancy.tenant, &actor.user, deeds.is_empty()) else {
            return Ok(deeds);
        };
        for relation in relations {
            let mut columns = relation.columns.iter().filter(|column| column.category == "N");
            let Some(column) = columns.find(|column| names::is_credit(&column.name)) else { continue };
            let own = self.world.condition_of(relation, user);
            let theirs = format!("{} and not ({own})", self.world.condition(relation, OTHER));
            let sum = |of: &str| {
                format!("select coalesce(sum({}), 0) from {} t where {of}", ident(&column.name), relation.sql())
            };
            let looks = [sum(&own), sum(&theirs)];
            let before = self.usual(&looks).await?;
            let Ok((_, after)) = self.attempt(actor, sql, &looks).await? else { continue };
            let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
            let more: Vec<_> = before
                .iter()
                .zip(&after)
                .map(|(before, after)| number(after.value()) - number(before.as_deref()))
                .collect();
            if matches!(more.as_slice(), [own, theirs] if *own < 0.0 && *theirs > 0.0) {
                let of_it = format!("the other tenant's rows of {}", relation.title());
                deeds.retain(|deed| !deed.text.ends_with(&of_it));
            }
        }
        Ok(deeds)
    }

    /// How many tenants there are that somebody has no part in, where a tenant says of nobody whose it is.
    fn tenants_without(&self, relation: &Relation, actor: &Actor) -> Option<(String, Deed)> {
        let (tenant, members) = (self.world.tenancy.tenant.as_ref()?, self.world.tenancy.members.as_ref()?);
        let (table, user) = (self.world.members()?, actor.user.as_ref()?);
        let is_tenants = self.world.tenant_table()?.oid == relation.oid;
        if !is_tenants || table.oid == relation.oid || self.may_join(relation, actor) {
            return None;
        }
        let (key, of, me) = (ident(&tenant.key), ident(&members.tenant), ident(&members.user));
        let look = format!(
            "select count(*) from {} t where not exists (select from {} m where m.{of} = t.{key} and m.{me}::text = {})",
            relation.sql(),
            table.sql(),
            literal(user)
        );
        let effect = format!("can make rows of {} that they have no part in", relation.title());
        Some((look, Harm::Medium.that(effect)))
    }

    /// Rows of the other tenant that an actor cannot see: what one may see, one may refer to.
    pub(super) async fn hidden(&mut self, relation: &'c Relation, actor: &Actor) -> Result<Vec<Row>, Error> {
        let key = (relation.oid, actor.name.clone());
        if let Some(hidden) = self.hidden.get(&key) {
            return Ok(hidden.clone());
        }
        let hidden = self.find_hidden(relation, actor).await?;
        self.hidden.insert(key, hidden.clone());
        Ok(hidden)
    }

    async fn find_hidden(&mut self, relation: &'c Relation, actor: &Actor) -> Result<Vec<Row>, Error> {
        let world = self.world;
        let rows = world.rows(relation, OTHER);
        if world.is_shared(relation) || rows.is_empty() {
            return Ok(Vec::new());
        }
        let which: Vec<_> = rows.iter().enumerate().map(|(at, row)| format!("when {} then {at}", row.key)).collect();
        let sql = format!("select case {} end from {} where {}", which.join(" "), relation.sql(), any_of(rows));
        if let Ok((done, _)) = self.attempt(actor, &sql, &[]).await? {
            let is_seen = |at: usize| done.rows.contains(&Some(at.to_string()));
            let hidden = rows.iter().enumerate().filter(|(at, _)| !is_seen(*at));
            return Ok(hidden.map(|(_, row)| row.clone()).collect());
        }
        // What fails for one of them may not fail for the others.
        let mut hidden = Vec::new();
        for row in rows {
            let sql = format!("select 1 from {} where {}", relation.sql(), row.key);
            if !self.attempt(actor, &sql, &[]).await?.is_ok_and(|(done, _)| !done.rows.is_empty()) {
                hidden.push(row.clone());
            }
        }
        Ok(hidden)
    }

    /// All that a tenant's rows of a table are.
    fn digest(&self, relation: &Relation, tenant: usize, besides: &str) -> String {
        let condition = self.known(relation, tenant).unwrap_or_else(|| self.world.condition(relation, tenant));
        format!(
            "select md5(coalesce(string_agg(concat(t.ctid, t), ',' order by t.ctid), '')) from {} t where {condition} and {besides}",
            relation.sql()
        )
    }

    /// Where people take part in something together, those rows that were there before: what somebody begins with others is
    /// not theirs alone.
    fn known(&self, relation: &Relation, tenant: usize) -> Option<String> {
        if matches!(self.world.ties.get(&relation.oid), Some(Tie::Joined(..))) {
            return Some(any_of(self.world.rows(relation, tenant)));
        }
        let joins = self.world.ties.iter().find_map(|(oid, tie)| match tie {
            Tie::Joined(table, index) if *table == relation.oid => Some((*oid, *index)),
            _ => None,
        });
        let (joined, index) = joins?;
        let (joined, reference) = (self.world.catalog.relation(joined)?, &relation.references[index]);
        let rows = self.world.rows(joined, tenant).iter();
        let known: Vec<_> = rows.map(|row| row.sql(&reference.target_columns[0])).collect();
        let column = ident(&reference.columns[0]);
        Some(if known.is_empty() { "false".to_owned() } else { format!("{column} in ({})", known.join(", ")) })
    }

    /// Memberships that are not the actor's own, who may become a member of a tenant that they make.
    fn not_oneself(&self, relation: &Relation, actor: &Actor) -> String {
        let is_members = self.world.members().is_some_and(|members| members.oid == relation.oid);
        match (&self.world.tenancy.members, &actor.user) {
            (Some(members), Some(user)) if is_members => {
                format!("{}::text is distinct from {}", ident(&members.user), literal(user))
            }
            _ => "true".to_owned(),
        }
    }

    /// Rows that are not the actor's own, where rows are users': one that names somebody else as well is still theirs.
    fn not_of(&self, relation: &Relation, actor: &Actor) -> String {
        // Who leaves a tenant that is theirs no more gains nothing; what they gain is looked at by itself.
        if let (Kind::Dead | Kind::Closed, Some(user), Some(members)) =
            (actor.kind, &actor.user, self.world.tenancy.members.as_ref())
            && self.world.members().is_some_and(|table| table.oid == relation.oid)
        {
            return format!("{}::text is distinct from {}", ident(&members.user), literal(user));
        }
        match (self.world.ties.get(&relation.oid), &actor.user, &self.world.tenancy.owner) {
            (Some(Tie::Owner(columns)), Some(user), Some(_)) => {
                let each =
                    columns.iter().map(|column| format!("{}::text is distinct from {}", ident(column), literal(user)));
                format!("({})", each.collect::<Vec<_>>().join(" and "))
            }
            _ => "true".to_owned(),
        }
    }
}

/// All that a statement answered.
pub(super) fn all(done: Done) -> String {
    done.rows.into_iter().flatten().collect::<Vec<_>>().join("\n")
}
