//! Views, materialized views and foreign tables: the other tenant's rows through them, and writes through those that
//! can be written to.

use crate::{
    actor::{Actor, Kind},
    catalog::Relation,
    error::Error,
    harm::Harm,
    names,
    record::{Cause, Cell, Verb},
    sql::{ident, literal},
    world::OTHER,
};

use super::{Prober, contains_any, object_of};

/// Rows of a view that are looked through.
const ROWS: usize = 5_000;

impl<'c> Prober<'_, 'c> {
    /// Every view, every actor.
    pub async fn views(&mut self) -> Result<(), Error> {
        let views: Vec<_> =
            self.world.catalog.relations.iter().filter(|relation| !relation.is_table() && relation.exposed).collect();
        self.views_of(views).await
    }

    /// These views, every actor.
    pub(super) async fn views_of(&mut self, views: Vec<&'c Relation>) -> Result<(), Error> {
        const VERBS: [Verb; 3] = [Verb::Read, Verb::Insert, Verb::Update];
        for view in &views {
            self.desk.begin_object();
            for actor in &self.actors.clone() {
                self.view(view, actor).await?;
            }
            self.end_object(&[object_of(view)], &VERBS);
        }
        self.desk.begin_object();
        self.without_the_other(&views).await?;
        let objects: Vec<_> = views.iter().map(|view| object_of(view)).collect();
        self.end_object(&objects, &[Verb::Read]);
        Ok(())
    }

    async fn view(&mut self, view: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let (object, role) = (object_of(view), actor.db_role());
        if view.may(role, "select") {
            for tenant in self.foreign(actor) {
                self.read_view(view, actor, tenant).await?;
            }
        } else {
            self.record.enter(&object, Verb::Read, actor, Cell::Refused);
        }
        self.write_through(view, actor).await
    }

    /// What a view shows of a tenant.
    async fn read_view(&mut self, view: &'c Relation, actor: &Actor, tenant: usize) -> Result<(), Error> {
        let (object, role) = (object_of(view), actor.db_role());
        let sql = match self.tenant_column_of(view) {
            Some(column) => format!(
                "select count(*) from {} where {}::text = {}",
                view.sql(),
                ident(&column),
                literal(&self.world.tenants[tenant].id)
            ),
            None => {
                let needles = self.world.needles(tenant);
                let needles = needles.iter().filter(|needle| Some(*needle) != actor.user.as_ref());
                let table = format!("(select to_jsonb(v)::text as j from {} v limit {ROWS}) s", view.sql());
                format!("select count(*) from {table} where {}", contains_any("j", needles))
            }
        };
        match self.attempt(actor, &sql, &[]).await? {
            Ok((done, _)) if done.number() > 0 => {
                let cause = if view.invoker { Cause::Policies(Vec::new()) } else { Cause::View };
                let shown = view.columns.iter().filter(|column| column.may(role, "select"));
                let is_personal = shown.into_iter().any(|column| names::is_personal(&column.name));
                let harm = Harm::of_reading(actor.kind);
                let harm = if names::says_public(&view.name) && !is_personal { harm.min(Harm::Medium) } else { harm };
                let deed = harm.that(format!("can read rows of {} through it", Self::whose(actor, tenant)));
                self.record.cross(&object, Verb::Read, actor, deed, cause, &sql);
            }
            // What it is of may be out of reach from here; the grant is there.
            _ if view.noun() == "foreign table" => {
                let granted = format!("has_table_privilege({}, {}, 'select')", literal(role), literal(&view.sql()));
                let sql = format!("select {} as granted where {granted}", literal(&view.title()));
                if self.desk.run(&sql).await?.rows.is_empty() {
                    self.record.enter(&object, Verb::Read, actor, Cell::Refused);
                    return Ok(());
                }
                let deed = Harm::of_reading(actor.kind).that("can read it, and no policy restricts a foreign table");
                self.record.cross(&object, Verb::Read, actor, deed, Cause::Grant("select".to_owned()), &sql);
            }
            Ok(_) => self.record.enter(
                &object,
                Verb::Read,
                actor,
                if actor.kind.is_outside() { Cell::Refused } else { Cell::Own },
            ),
            Err(refused) => self.record.enter(&object, Verb::Read, actor, Self::refusal(&refused)),
        }
        Ok(())
    }

    fn tenant_column_of(&self, view: &Relation) -> Option<String> {
        let column = &self.world.tenancy.tenant.as_ref()?.column;
        view.column(column).map(|column| column.name.clone())
    }

    /// Writes through a view that one table is behind.
    async fn write_through(&mut self, view: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let role = actor.db_role();
        let bases: Vec<_> = view
            .uses
            .iter()
            .filter_map(|oid| self.world.catalog.relation(*oid))
            .filter(|base| base.is_table())
            .collect();
        if view.invoker || !view.is_view() || bases.is_empty() {
            return Ok(());
        }
        for base in bases {
            if self.world.is_shared(base) {
                continue;
            }
            let mut tenants = self.foreign(actor);
            if actor.kind == Kind::Reader {
                tenants.push(self.own(actor));
            }
            for tenant in tenants {
                if let Some(row) = self.rows_besides(base, tenant, actor).last().cloned() {
                    let place = self.place(base, &row).await?;
                    let look =
                        format!("select count(*) from {} where {} and ctid = {}", base.sql(), row.key, literal(&place));
                    let shared = view.columns.iter().filter(|column| {
                        base.column(&column.name).is_some_and(|of| !of.generated) && column.may(role, "update")
                    });
                    if let Some(column) = shared.max_by_key(|column| column.is_text()) {
                        let sql =
                            format!("update {} set {} = {}", view.sql(), ident(&column.name), row.sql(&column.name));
                        if let Ok((_, looks)) = self.attempt(actor, &sql, std::slice::from_ref(&look)).await?
                            && looks.first().is_some_and(|left| left.number() == 0)
                        {
                            let deed = match tenant {
                                _ if actor.kind == Kind::Reader && tenant != OTHER => {
                                    Harm::High.that("can change rows through it although its role is read-only")
                                }
                                _ => Harm::of_writing(actor.kind)
                                    .that(format!("can change rows of {} through it", Self::whose(actor, tenant))),
                            };
                            self.record.cross(&object_of(view), Verb::Update, actor, deed, Cause::View, &sql);
                        }
                    }
                }
                if view.may(role, "insert")
                    && let Some(draft) = self.world.draft(base, Some(tenant), 0)
                {
                    let before = self.count(base, tenant).await?;
                    let mut draft = draft;
                    for column in &base.columns {
                        if !view.column(&column.name).is_some_and(|of| of.may(role, "insert")) {
                            draft.leave_out(&column.name);
                        }
                    }
                    let looks = [self.count_sql(base, tenant)];
                    loop {
                        let sql = draft.insert().replacen(&base.sql(), &view.sql(), 1);
                        match self.attempt(actor, &sql, &looks).await? {
                            Ok((_, looks)) if looks.first().is_some_and(|after| after.number() > before) => {
                                let whose = match tenant {
                                    _ if actor.kind == Kind::Reader && tenant != OTHER => "a tenant they only read",
                                    _ => Self::whose(actor, tenant),
                                };
                                let deed =
                                    Harm::of_writing(actor.kind).that(format!("can add rows for {whose} through it"));
                                self.record.cross(&object_of(view), Verb::Insert, actor, deed, Cause::View, &sql);
                            }
                            Err(refused) if refused.is_by_constraint() && draft.revise(&refused) => continue,
                            _ => {}
                        }
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Sums give rows away as well: what somebody reads must not change when the other tenant's rows are gone.
    async fn without_the_other(&mut self, views: &[&'c Relation]) -> Result<(), Error> {
        if !self.desk.can_hold_triggers {
            return Ok(());
        }
        let digest = |view: &Relation| {
            format!(
                "select md5(coalesce(string_agg(j, ',' order by j), '')) from (select to_jsonb(v)::text as j from {} v limit {ROWS}) s",
                view.sql()
            )
        };
        let plain: Vec<_> = views.iter().filter(|view| view.is_view() && !view.invoker).collect();
        let mut before = Vec::new();
        for view in &plain {
            for actor in self.actors.clone().iter().filter(|actor| view.may(actor.db_role(), "select")) {
                if let Ok((done, _)) = self.attempt(actor, &digest(view), &[]).await? {
                    before.push((*view, actor.clone(), done.value().map(str::to_owned)));
                }
            }
        }
        if before.is_empty() {
            return Ok(());
        }
        self.remove_the_other("without_other").await?;
        let mut differs = Vec::new();
        for (view, actor, shown) in before {
            if let Ok((done, _)) = self.attempt(&actor, &digest(view), &[]).await?
                && done.value().map(str::to_owned) != shown
            {
                differs.push((view, actor));
            }
        }
        self.desk.back("without_other").await?;
        for (view, actor) in differs {
            // One number tells how many there are, and nothing of what they are.
            let is_number = matches!(view.columns.as_slice(), [only] if matches!(only.category.as_str(), "N" | "B"));
            let harm = Harm::of_reading(actor.kind);
            let harm = if is_number { harm.min(Harm::Medium) } else { harm };
            let deed = harm.that("can infer the other tenant's rows from what it shows");
            self.record.cross(&object_of(view), Verb::Read, &actor, deed, Cause::View, &digest(view));
        }
        Ok(())
    }

    /// Takes the other tenant's rows away, until [`Desk::back`](crate::desk::Desk::back).
    pub(super) async fn remove_the_other(&mut self, mark: &str) -> Result<(), Error> {
        self.desk.mark(mark).await?;
        self.desk.run("set local session_replication_role = replica").await?;
        // Conditions look at parents: children go first, and they come last in the catalog of ties.
        let mut deletes = Vec::new();
        for relation in
            self.world.catalog.relations.iter().filter(|relation| relation.is_table() && !relation.partition)
        {
            for row in if self.world.is_shared(relation) { &[] } else { self.world.rows(relation, OTHER) } {
                deletes.push(format!("delete from {} where {}", relation.sql(), row.key));
            }
        }
        // One that cannot be deleted stays, and the others go.
        if !deletes.is_empty() && self.desk.keep(&deletes.join("; ")).await?.is_err() {
            for delete in &deletes {
                let _ = self.desk.keep(delete).await?;
            }
        }
        self.desk.run("set local session_replication_role = origin").await?;
        self.world.refresh(self.desk).await
    }
}
