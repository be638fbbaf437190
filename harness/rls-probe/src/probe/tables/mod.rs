//! Tables: the other tenant's rows read, made, changed, moved and deleted; rows that point across; values that tell.

mod across;
mod change;
mod insert;

use crate::{
    actor::{Actor, Kind},
    catalog::Relation,
    error::Error,
    harm::Harm,
    record::{Cause, Cell, Verb},
    sql::{ident, literal},
    tie::Tie,
    world::{OTHER, Row},
};

use super::{Prober, any_of, object_of};

impl<'c> Prober<'_, 'c> {
    /// Every table, every actor.
    pub async fn tables(&mut self) -> Result<(), Error> {
        let relations: Vec<_> = self
            .world
            .catalog
            .relations
            .iter()
            .filter(|relation| relation.is_table() && (relation.exposed || relation.title() == "storage.objects"))
            .collect();
        for relation in relations {
            for actor in &self.actors.clone() {
                self.table(relation, actor).await?;
            }
        }
        Ok(())
    }

    async fn table(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        self.read(relation, actor).await?;
        let own_works = self.insert(relation, actor).await?;
        if matches!(actor.kind, Kind::Member | Kind::Reader) && !relation.partition && !self.world.is_shared(relation) {
            self.point_across(relation, actor, own_works).await?;
            self.taken_values(relation, actor, own_works).await?;
        }
        self.update(relation, actor).await?;
        self.delete(relation, actor).await?;
        let object = object_of(relation);
        let cell = if relation.may(actor.db_role(), "truncate") {
            let cause = Cause::Grant("truncate".to_owned());
            let sql = format!("truncate {} cascade", relation.sql());
            let deed = Harm::Low.that("can empty it with TRUNCATE, whatever its policies say");
            self.record.cross(&object, Verb::Truncate, actor, deed, cause, &sql);
            Cell::Crossed
        } else {
            Cell::Refused
        };
        self.record.enter(&object, Verb::Truncate, actor, cell);
        Ok(())
    }

    async fn read(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let (object, role) = (object_of(relation), actor.db_role());
        if !relation.may(role, "select") {
            self.record.enter(&object, Verb::Read, actor, Cell::Refused);
            return Ok(());
        }
        if self.world.is_shared(relation) {
            self.record.enter(&object, Verb::Read, actor, Cell::Own);
            return Ok(());
        }
        if !actor.kind.is_outside() {
            let own = self.world.rows(relation, self.own(actor));
            if !own.is_empty() {
                let seen = self.seen(relation, actor, own).await?;
                self.record.enter(
                    &object,
                    Verb::Read,
                    actor,
                    if seen.is_some_and(|(n, _)| n > 0) { Cell::Own } else { Cell::Refused },
                );
            }
        }
        for tenant in self.foreign(actor) {
            let rows = self.rows_besides(relation, tenant, actor);
            if rows.is_empty() {
                if tenant == OTHER {
                    let reason = self.world.gaps.get(&relation.oid).cloned();
                    let cell = match reason {
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
                    let cause = self.guilty(relation, actor, "select", rows.first()).await?;
                    let deed =
                        Harm::of_reading(actor.kind).that(format!("can read rows of {}", Self::whose(actor, tenant)));
                    self.record.cross(&object, Verb::Read, actor, deed, cause, &sql);
                }
                _ => self.record.enter(&object, Verb::Read, actor, Cell::Refused),
            }
        }
        if let Some(row) = self.world.nobodys.get(&relation.oid) {
            let rows = [row.clone()];
            if let Some((seen, sql)) = self.seen(relation, actor, &rows).await?
                && seen > 0
            {
                let cause = self.guilty(relation, actor, "select", Some(row)).await?;
                let deed = Harm::of_reading(actor.kind).that("can read rows that belong to no tenant");
                self.record.cross(&object, Verb::Read, actor, deed, cause, &sql);
            }
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

    /// How many of these rows somebody sees; none when they may not ask.
    async fn seen(&mut self, relation: &Relation, actor: &Actor, rows: &[Row]) -> Result<Option<(i64, String)>, Error> {
        let mut sql = format!("select count(*) from {} where {}", relation.sql(), any_of(rows));
        let mut seen = self.attempt(actor, &sql, &[]).await?;
        if seen.as_ref().is_err_and(|refused| refused.is_by_grant()) {
            // The key may not be read; another column may.
            let readable = relation.columns.iter().filter(|column| column.may(actor.db_role(), "select"));
            let told =
                readable.filter_map(|column| Some((column, rows.iter().find_map(|row| row.text(&column.name))?)));
            let Some((column, text)) = told.max_by_key(|(column, text)| (column.is_text(), text.len())) else {
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
        Ok(seen.ok().map(|(done, _)| (done.number(), sql)))
    }

    /// Whether its rows are about one person, who may change them whatever their role.
    fn is_personal(&self, relation: &Relation) -> bool {
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

    fn folder(&self, tenant: usize) -> String {
        let tenant_of = &self.world.tenants[tenant];
        if self.world.tenancy.tenant.is_some() {
            tenant_of.id.clone()
        } else {
            tenant_of.users.first().cloned().unwrap_or_default()
        }
    }
}
