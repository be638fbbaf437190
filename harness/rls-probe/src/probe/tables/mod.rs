//! Tables: the other tenant's rows read, made, changed, moved and deleted; rows that point across; values that tell.

mod across;
mod change;
mod files;
mod insert;

use crate::{
    actor::{Actor, Kind},
    catalog::{Policy, Relation},
    error::Error,
    harm::Harm,
    names,
    record::{Cause, Cell, Verb},
    sql::{ident, literal},
    tie::Tie,
    world::{OTHER, OWN, Row},
};

pub(super) use self::insert::Inserted;

use super::{Failed, Prober, any_of, object_of};

impl<'c> Prober<'_, 'c> {
    /// These tables, every actor.
    pub(super) async fn tables_of(&mut self, relations: Vec<&'c Relation>) -> Result<(), Error> {
        const VERBS: [Verb; 4] = [Verb::Read, Verb::Insert, Verb::Update, Verb::Delete];
        for relation in relations {
            self.desk.begin_object();
            self.tried_by_all(relation).await?;
            self.end_object(&[object_of(relation)], &VERBS);
        }
        Ok(())
    }

    async fn tried_by_all(&mut self, relation: &'c Relation) -> Result<(), Error> {
        for actor in &self.actors.clone() {
            self.table(relation, actor).await?;
            if self.has_seen_enough() {
                return Ok(());
            }
        }
        self.failures(relation);
        self.read_by_any_account(relation).await?;
        self.seen_by_nobody(relation).await
    }

    /// Where nobody sees even a row of their own, that nobody sees another's says nothing.
    async fn seen_by_nobody(&mut self, relation: &'c Relation) -> Result<(), Error> {
        let object = object_of(relation);
        let has_policy = relation.policies_for("authenticated", "select").any(|policy| policy.permissive);
        let cells = self.record.cells.get(&object).into_iter().flat_map(|actors| actors.values());
        let reads: Vec<_> = cells.filter_map(|verbs| verbs.get(&Verb::Read)).collect();
        let rows = self.world.rows(relation, OWN).to_vec();
        let is_dark = reads.iter().all(|cell| **cell == Cell::Refused) && !rows.is_empty();
        if !is_dark || !has_policy || !relation.may("authenticated", "select") || self.world.is_shared(relation) {
            return Ok(());
        }
        for control in &self.world.controls {
            let rows: Vec<_> =
                [OWN, OTHER].iter().flat_map(|tenant| self.world.rows(relation, *tenant)).cloned().collect();
            let sql = format!("select count(*) from {} where {}", relation.sql(), any_of(&rows));
            if self.attempt(control, &sql, &[]).await?.is_ok_and(|(done, _)| done.number() > 0) {
                return Ok(());
            }
        }
        let reason = "nobody sees even a row of their own, of those that could be made";
        for actor in self.actors.clone().iter().filter(|actor| matches!(actor.kind, Kind::Member | Kind::Reader)) {
            self.record.enter(&object, Verb::Read, actor, Cell::Undecided(reason.to_owned()));
        }
        Ok(())
    }

    /// What could not be read: where a role's requests fail for everybody, nobody can use the table at all; where they do
    /// not, they are refused.
    fn failures(&mut self, relation: &Relation) {
        let object = object_of(relation);
        // A trigger that refuses everybody's row may mean the row, and not those who add it.
        let said = std::mem::take(&mut self.said);
        let works = |verb: Verb| {
            let cells = self.record.cells.get(&object).into_iter().flat_map(|actors| actors.values());
            cells.into_iter().any(|verbs| matches!(verbs.get(&verb), Some(Cell::Own | Cell::Crossed)))
        };
        if !works(Verb::Insert) {
            for (actor, refused) in said {
                let cell = Cell::Undecided(format!("nobody could add a row of their own: {refused}"));
                self.record.enter(&object, Verb::Insert, &actor, cell);
            }
        }
        for Failed { actor, refused, sql } in std::mem::take(&mut self.failed) {
            if self.read_by.contains(&(relation.oid, actor.db_role())) {
                self.record.enter(&object, Verb::Read, &actor, Self::refusal(&refused));
            } else if refused.is_by_time() {
                self.record.enter(&object, Verb::Read, &actor, Cell::Undecided(refused.to_string()));
            } else {
                let cause = Cause::Failure(refused.to_string());
                self.record.fail(&object, Verb::Read, &actor, Harm::Medium.that("cannot read it at all"), cause, &sql);
            }
        }
    }

    async fn table(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        self.read(relation, actor).await?;
        let own_works = self.insert(relation, actor).await?;
        let joined = if actor.user.is_some() { self.join_across(relation, actor).await? } else { Vec::new() };
        let is_apart = !relation.partition && !self.world.is_shared(relation);
        // Where users are the tenants, whoever has just signed up is one.
        if is_apart && actor.kind == Kind::Newcomer && self.world.tenancy.tenant.is_none() {
            let may_add = relation.may(actor.db_role(), "insert");
            self.point_across(relation, actor, may_add, &joined).await?;
        }
        if matches!(actor.kind, Kind::Member | Kind::Reader) && is_apart {
            self.point_across(relation, actor, own_works, &joined).await?;
            self.taken_values(relation, actor, own_works).await?;
            self.name_files(relation, actor, own_works).await?;
        }
        self.update(relation, actor).await?;
        self.delete(relation, actor).await?;
        self.change_nobodys(relation, actor).await?;
        let object = object_of(relation);
        if !relation.may(actor.db_role(), "truncate") {
            self.record.enter(&object, Verb::Truncate, actor, Cell::Refused);
        } else if !self.world.catalog.is_given_by_default(relation) && self.may_truncate(relation, actor).await? {
            let cause = Cause::Grant("truncate".to_owned());
            let table = relation.sql();
            let sql = format!("truncate {table} cascade;\nreset role;\nselect count(*) as rows_left from {table}");
            let deed = Harm::Low.that("can empty it with TRUNCATE, whatever its policies say");
            self.record.cross(&object, Verb::Truncate, actor, deed, cause, &sql);
        }
        Ok(())
    }

    /// Whether it is granted still: a fix may have taken it.
    async fn may_truncate(&mut self, relation: &Relation, actor: &Actor) -> Result<bool, Error> {
        let sql = format!("select has_table_privilege('{}', {}::oid, 'truncate')", actor.db_role(), relation.oid);
        Ok(self.desk.run(&sql).await?.value() == Some("t"))
    }

    async fn read(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let (object, role) = (object_of(relation), actor.db_role());
        if !relation.may(role, "select") {
            self.record.enter(&object, Verb::Read, actor, Cell::Refused);
            return Ok(());
        }
        if self.world.is_shared(relation) {
            return self.read_shared(relation, actor).await;
        }
        if !actor.kind.is_outside() {
            // Where users are the tenants, what is theirs is what names them.
            let own = match self.world.tenancy.tenant.is_none() && self.is_personal(relation) {
                true => self.own_rows(relation, actor),
                false => self.world.rows(relation, self.own(actor)).to_vec(),
            };
            if !own.is_empty()
                && let Some((seen, _)) = self.seen(relation, actor, &own).await?
            {
                let cell = if seen > 0 { Cell::Own } else { Cell::Refused };
                self.record.enter(&object, Verb::Read, actor, cell);
            }
        }
        for tenant in self.foreign(actor) {
            let mut rows = self.rows_besides(relation, tenant, actor);
            rows.retain(|row| relation.title() != "storage.objects" || !self.world.is_in_public_bucket(row));
            if rows.is_empty() {
                if tenant == OTHER {
                    let reason = self.world.gaps.get(&relation.oid).cloned();
                    let cell = match reason {
                        Some(_) if !relation.rls => {
                            let deed = Harm::of_reading(actor.kind).that("can read every row");
                            let sql = format!("select * from {}", relation.sql());
                            self.record.cross(&object, Verb::Read, actor, deed, Cause::NoRowSecurity, &sql);
                            Cell::Crossed
                        }
                        Some(reason) => Cell::Undecided(format!("no row of the other tenant could be made: {reason}")),
                        None if relation.partition => self.partition(relation, actor).await?,
                        None => Cell::Refused,
                    };
                    self.record.enter(&object, Verb::Read, actor, cell);
                }
                continue;
            }
            match self.seen(relation, actor, &rows).await? {
                Some((seen, sql)) if seen > 0 => {
                    let cause = self.guilty_of(relation, actor, "select", &rows).await?;
                    let deed =
                        Harm::of_reading(actor.kind).that(format!("can read rows of {}", Self::whose(actor, tenant)));
                    self.read_through(relation, actor, cause, deed, (&sql, &any_of(&rows))).await?;
                }
                Some(_) => self.record.enter(&object, Verb::Read, actor, Cell::Refused),
                None => {}
            }
        }
        if let Some(row) = self.world.nobodys.get(&relation.oid) {
            let rows = [row.clone()];
            if let Some((seen, sql)) = self.seen(relation, actor, &rows).await?
                && seen > 0
                && !self.are_templates(relation)
            {
                let cause = self.guilty(relation, actor, "select", Some(row)).await?;
                let deed = Harm::of_reading(actor.kind).that("can read rows that belong to no tenant");
                self.read_through(relation, actor, cause, deed, (&sql, &any_of(&rows))).await?;
            }
        }
        Ok(())
    }

    /// A table that is everybody's is read by everybody; not by strangers where it is about people, or opens something.
    async fn read_shared(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let object = object_of(relation);
        let personal = relation.columns.iter().filter(|column| {
            column.holds_texts() && column.may(actor.db_role(), "select") && names::is_personal(&column.name)
        });
        let personal: Vec<_> = personal.map(|column| column.name.clone()).collect();
        let rows = self.world.rows(relation, OTHER).to_vec();
        // Of a table without rows nobody reads any.
        let Some((seen, sql)) = (if rows.is_empty() { None } else { self.seen(relation, actor, &rows).await? }) else {
            return Ok(());
        };
        if seen == 0 {
            self.record.enter(&object, Verb::Read, actor, Cell::Refused);
        } else if actor.kind == Kind::Anonymous && !personal.is_empty() {
            let cause = self.guilty(relation, actor, "select", rows.first()).await?;
            let deed =
                Harm::of_reading(actor.kind).that(format!("can read {} without an account", personal.join(", ")));
            self.record.cross(&object, Verb::Read, actor, deed, cause, &sql);
        } else {
            self.record.enter(&object, Verb::Read, actor, Cell::Own);
        }
        Ok(())
    }

    /// A partition is read for itself: what its parent's rows in it show.
    async fn partition(&mut self, relation: &'c Relation, actor: &Actor) -> Result<Cell, Error> {
        let condition = self.world.condition(relation, OTHER);
        let sql = format!("select count(*) from {} where {condition}", relation.sql());
        if self.desk.run(&sql).await?.number() == 0 {
            // Its rows stand in another partition.
            let open = !relation.rls && relation.may(actor.db_role(), "select");
            if open {
                let sql = format!("select * from {}", relation.sql());
                let deed = Harm::of_reading(actor.kind)
                    .that("can read every row of the partition, past its parent's policies");
                self.record.cross(&object_of(relation), Verb::Read, actor, deed, Cause::NoRowSecurity, &sql);
            }
            return Ok(if open { Cell::Crossed } else { Cell::Refused });
        }
        match self.attempt(actor, &sql, &[]).await? {
            Ok((done, _)) if done.number() > 0 => {
                let cause = self.guilty(relation, actor, "select", None).await?;
                let deed = Harm::of_reading(actor.kind).that("can read rows of the other tenant");
                self.record.cross(&object_of(relation), Verb::Read, actor, deed, cause, &sql);
                Ok(Cell::Crossed)
            }
            Ok(_) => Ok(Cell::Refused),
            Err(refused) => Ok(Self::refusal(&refused)),
        }
    }

    /// Whether rows without a tenant are for all: the policy says so, and its name as well, or only the backend makes them.
    fn are_templates(&self, relation: &Relation) -> bool {
        let Some(Tie::Tenant(column)) = self.world.ties.get(&relation.oid) else { return false };
        let says_so = |policy: &&Policy| {
            let asks = format!("({column} IS NULL)");
            policy.using.as_ref().is_some_and(|text| text.contains(&asks))
        };
        let is_written = ["insert", "update"].iter().any(|command| {
            let mut policies = relation.policies_for("authenticated", command);
            policies.any(|policy| {
                policy.check.as_ref().or(policy.using.as_ref()).is_none_or(|text| text.contains("IS NULL"))
            })
        });
        let mut policies = relation.policies_for("authenticated", "select").filter(says_so);
        !names::is_log(&relation.name) && policies.any(|policy| names::says_shared(&policy.name) || !is_written)
    }

    /// How many of these rows somebody sees; none when they may not ask, or asking fails.
    async fn seen(&mut self, relation: &Relation, actor: &Actor, rows: &[Row]) -> Result<Option<(i64, String)>, Error> {
        let mut sql = format!("select count(*) from {} where {}", relation.sql(), any_of(rows));
        let mut seen = self.attempt(actor, &sql, &[]).await?;
        if seen.as_ref().is_err_and(|refused| refused.is_by_grant_on(&relation.name)) {
            // The key may not be read; another column may.
            let readable = relation.columns.iter().filter(|column| column.may(actor.db_role(), "select"));
            let known =
                readable.filter_map(|column| Some((column, rows.iter().find_map(|row| row.text(&column.name))?)));
            let Some((column, text)) = known.max_by_key(|(column, text)| (column.is_text(), text.len())) else {
                return Ok(None);
            };
            sql = format!(
                "select count(*) from {} where {}::text = {}",
                relation.sql(),
                ident(&column.name),
                literal(&text)
            );
            seen = self.attempt(actor, &sql, &[]).await?;
        }
        match seen {
            Ok((done, _)) => {
                self.read_by.insert((relation.oid, actor.db_role()));
                Ok(Some((done.number(), sql)))
            }
            Err(refused) => {
                let is_known = self.failed.iter().any(|failed| failed.actor.name == actor.name);
                if !is_known {
                    self.failed.push(Failed { actor: actor.clone(), refused, sql });
                }
                Ok(None)
            }
        }
    }

    /// Whether its rows are about one person, who may change them whatever their role.
    pub(super) fn is_personal(&self, relation: &Relation) -> bool {
        matches!(self.world.ties.get(&relation.oid), Some(Tie::Owner(_)))
    }

    fn says_whose(&self, relation: &Relation, column: &str) -> bool {
        match self.world.ties.get(&relation.oid) {
            Some(Tie::Tenant(tenant)) => tenant == column,
            Some(Tie::Parent(index)) => relation.references[*index].columns.iter().any(|name| name == column),
            Some(Tie::Owner(columns)) => columns.iter().any(|name| name == column),
            Some(Tie::Path) => matches!(column, "name" | "bucket_id"),
            _ => false,
        }
    }
}
