//! Tables: the other tenant's rows read, made, changed, moved and deleted; rows that point across; values that tell.

use crate::rls::{
    Error,
    actor::{Actor, Kind},
    catalog::{Relation, ident, literal},
    desk::Done,
    draft::{Draft, choices},
    record::{Cause, Cell, Verb},
    tie::{Tie, owner_columns},
    world::{OTHER, Row, VARIANTS},
};

use super::{Prober, SMALL, any_of, object_of, touched};

/// How an attempted insert ended.
enum Inserted {
    Yes {
        sql: String,
        looks: Vec<Done>,
    },
    No(Cell),
    /// A value is taken, says the named constraint.
    Taken {
        constraint: String,
        sql: String,
    },
}

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
            self.record.cross(&object, Verb::Truncate, actor, "can empty it, whatever its policies say", cause, &sql);
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
                    let whose =
                        if tenant == OTHER { "the other tenant" } else { "the tenant that they may not use any more" };
                    self.record.cross(&object, Verb::Read, actor, &format!("can read rows of {whose}"), cause, &sql);
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
                self.record.cross(&object, Verb::Read, actor, "can read rows that have no tenant", cause, &sql);
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
                let effect = "can read every row of the partition, past its parent's policies";
                self.record.cross(&object_of(relation), Verb::Read, actor, effect, Cause::NoRowSecurity, &sql);
            }
            return Ok(if open { Cell::Crossed } else { Cell::Refused });
        }
        match self.attempt(actor, &sql, &[]).await? {
            Ok((done, _)) if done.number() > 0 => {
                let cause = self.guilty(relation, actor, "select", None).await?;
                self.record.cross(
                    &object_of(relation),
                    Verb::Read,
                    actor,
                    "can read rows of the other tenant",
                    cause,
                    &sql,
                );
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

    /// Answers whether the actor can add rows of their own.
    async fn insert(&mut self, relation: &'c Relation, actor: &Actor) -> Result<bool, Error> {
        let (object, role) = (object_of(relation), actor.db_role());
        if !relation.may(role, "insert") {
            self.record.enter(&object, Verb::Insert, actor, Cell::Refused);
            return Ok(false);
        }
        if relation.partition {
            return Ok(false);
        }
        if self.world.is_shared(relation) {
            let Some(draft) = self.world.draft(relation, None, 0) else { return Ok(false) };
            let inserted = self.try_insert(actor, draft.by(role), &[]).await?;
            if let (Inserted::Yes { sql, .. }, Kind::Anonymous) = (&inserted, actor.kind) {
                let cause = self.guilty(relation, actor, "insert", None).await?;
                self.record.cross(&object, Verb::Insert, actor, "can write without an account", cause, sql);
            } else {
                let cell = if matches!(inserted, Inserted::Yes { .. }) { Cell::Own } else { Cell::Refused };
                self.record.enter(&object, Verb::Insert, actor, cell);
            }
            return Ok(false);
        }
        let is_members = self.world.members().is_some_and(|members| members.oid == relation.oid);
        let is_tenants = self.world.tenant_table().is_some_and(|table| table.oid == relation.oid);
        if is_members || is_tenants {
            self.record.enter(&object, Verb::Insert, actor, Cell::Refused);
            return Ok(false);
        }
        let is_member = matches!(actor.kind, Kind::Member | Kind::Reader);
        let mut own_works = false;
        if is_member {
            let inserted = match self.draft_by(relation, self.own(actor), actor, true) {
                Some(draft) => self.try_insert(actor, draft, &[]).await?,
                None => Inserted::No(Cell::Refused),
            };
            own_works = matches!(inserted, Inserted::Yes { .. });
            match inserted {
                Inserted::Yes { sql, .. } if actor.kind == Kind::Reader && !self.is_personal(relation) => {
                    let cause = self.guilty(relation, actor, "insert", None).await?;
                    self.record.cross(&object, Verb::Insert, actor, "can add rows, and may only read", cause, &sql);
                }
                Inserted::Yes { .. } | Inserted::Taken { .. } => {
                    self.record.enter(&object, Verb::Insert, actor, Cell::Own)
                }
                Inserted::No(cell) => self.record.enter(&object, Verb::Insert, actor, cell),
            }
        }
        if own_works {
            self.set_off(relation, actor).await?;
            self.insert_as_another(relation, actor).await?;
        }
        for tenant in self.foreign(actor) {
            let buckets = if self.world.ties.get(&relation.oid) == Some(&Tie::Path) { VARIANTS - 1 } else { 1 };
            for (as_oneself, variant) in (0..buckets).flat_map(|variant| [(true, variant), (false, variant)]) {
                let Some(draft) = self.draft_in(relation, tenant, actor, as_oneself, variant) else { continue };
                // A row that names nobody but oneself is one's own.
                let names_one =
                    matches!(self.world.ties.get(&relation.oid), Some(Tie::Owner(columns)) if columns.len() == 1);
                if as_oneself && names_one && self.world.tenancy.tenant.is_none() {
                    continue;
                }
                let before = self.count(relation, tenant).await?;
                let look = self.count_sql(relation, tenant);
                match self.try_insert(actor, draft, &[look]).await? {
                    Inserted::Yes { sql, looks } if looks.first().is_some_and(|after| after.number() > before) => {
                        let cause = self.guilty(relation, actor, "insert", None).await?;
                        let whose = if tenant == OTHER {
                            "the other tenant"
                        } else {
                            "a tenant that they may not use any more"
                        };
                        self.record.cross(
                            &object,
                            Verb::Insert,
                            actor,
                            &format!("can add rows for {whose}"),
                            cause,
                            &sql,
                        );
                        break;
                    }
                    Inserted::Yes { sql, .. } if actor.kind == Kind::Anonymous => {
                        let cause = self.guilty(relation, actor, "insert", None).await?;
                        self.record.cross(&object, Verb::Insert, actor, "can write without an account", cause, &sql);
                        break;
                    }
                    Inserted::Yes { .. } => self.record.enter(&object, Verb::Insert, actor, Cell::Refused),
                    Inserted::Taken { .. } => self.record.enter(&object, Verb::Insert, actor, Cell::Refused),
                    Inserted::No(cell) => self.record.enter(&object, Verb::Insert, actor, cell),
                }
            }
        }
        self.insert_for_nobody(relation, actor).await?;
        Ok(own_works)
    }

    /// Where rows are users': one that somebody else is said to have written, about oneself.
    async fn insert_as_another(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let names_several =
            matches!(self.world.ties.get(&relation.oid), Some(Tie::Owner(columns)) if columns.len() > 1);
        if self.world.tenancy.tenant.is_some() || !names_several {
            return Ok(());
        }
        // The people of such a tenant are two, and take turns.
        let Some(draft) = self.draft_in(relation, self.own(actor), actor, false, 1) else { return Ok(()) };
        if let Inserted::Yes { sql, .. } = self.try_insert(actor, draft, &[]).await? {
            let cause = self.guilty(relation, actor, "insert", None).await?;
            let effect = "can add rows in the name of somebody else";
            self.record.cross(&object_of(relation), Verb::Insert, actor, effect, cause, &sql);
        }
        Ok(())
    }

    /// What a row of one's own sets off that has a value of the other tenant's in it: triggers may look that up everywhere.
    async fn set_off(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let Some(theirs) = self.world.rows(relation, OTHER).first().cloned() else { return Ok(()) };
        if relation.triggers.is_empty() || !self.set_off.insert(relation.oid) {
            return Ok(());
        }
        let known = relation.columns.iter().filter(|column| {
            column.is_text()
                && column.may(actor.db_role(), "insert")
                && choices(relation, column).is_empty()
                && relation.reference_of(&column.name).is_none()
        });
        for column in known {
            let (Some(value), Some(mut draft)) =
                (theirs.text(&column.name), self.draft_by(relation, self.own(actor), actor, true))
            else {
                continue;
            };
            draft.set(&column.name, literal(&value));
            let own = self.world.condition(relation, self.own(actor));
            let text = format!("replace(to_jsonb(t)::text, {}, '')", literal(&value));
            let look = format!("select {text} from {} t where {own}", relation.sql());
            let world = self.world;
            let told = |row: &&String| world.given_away(OTHER, row).next().is_some();
            let telling = |done: &Done| done.rows.iter().flatten().filter(told).count();
            let before = telling(&self.desk.run(&look).await?);
            let Inserted::Yes { sql, looks } = self.try_insert(actor, draft, &[look]).await? else { continue };
            let effect = match looks.first().map(telling) {
                Some(after) if after > before => {
                    Some("is told the other tenant's data by a row of their own".to_owned())
                }
                _ => match self.answer(actor, true, &sql).await? {
                    Ok(answer) => self.written(actor, &sql, &answer.written).await?,
                    Err(_) => None,
                },
            };
            if let Some(effect) = effect {
                let cause = Cause::Trigger(relation.triggers.join(", "));
                self.record.cross(&object_of(relation), Verb::Insert, actor, &effect, cause, &sql);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether its rows are about one person, who may change them whatever their role.
    fn is_personal(&self, relation: &Relation) -> bool {
        matches!(self.world.ties.get(&relation.oid), Some(Tie::Owner(_)))
    }

    /// A row of a tenant's, as this actor would write it: as oneself, or in the name of one of the tenant's people.
    fn draft_by(&self, relation: &'c Relation, tenant: usize, actor: &Actor, as_oneself: bool) -> Option<Draft<'c>> {
        self.draft_in(relation, tenant, actor, as_oneself, 0)
    }

    fn draft_in(
        &self,
        relation: &'c Relation,
        tenant: usize,
        actor: &Actor,
        as_oneself: bool,
        variant: usize,
    ) -> Option<Draft<'c>> {
        let mut draft = self.world.draft(relation, Some(tenant), variant)?.by(actor.db_role());
        let user = actor.user.as_deref().filter(|_| as_oneself);
        let owners = owner_columns(relation, self.world.tenancy);
        for reference in relation.references.iter().filter(|reference| reference.target_name == "auth.users") {
            if self.world.tenancy.tenant.is_none() && reference.columns.iter().any(|column| owners.contains(column)) {
                continue;
            }
            if let (Some(column), Some(user)) = (reference.columns.first(), user)
                && relation
                    .column(column)
                    .is_some_and(|column| column.default.is_none() && column.may(actor.db_role(), "insert"))
            {
                draft.set(column, literal(user));
            }
        }
        if let Some(user) = user {
            // For somebody else, where users are the tenants: theirs first of all, and about oneself.
            let is_for_another = self.world.tenancy.tenant.is_none() && tenant != self.own(actor);
            let (own, about) = owners.split_at(owners.len().min(1));
            for column in if is_for_another { about } else { own } {
                draft.set(column, literal(user));
            }
            if self.world.ties.get(&relation.oid) == Some(&Tie::Path) {
                draft.set("owner", literal(user));
                draft.set("owner_id", literal(user));
                // Whoever looks for a name that has one's own ids in it finds them.
                let own = &self.world.tenants[self.own(actor)].id;
                let name = format!("{}/{own}-{user}-{}{variant}.txt", self.folder(tenant), self.world.canary(tenant));
                draft.set("name", literal(&name));
            }
        }
        // What the role may not say, the database says.
        for column in &relation.columns {
            let may_be_left = column.default.is_some() || !column.not_null;
            if !column.may(actor.db_role(), "insert") && may_be_left && !self.says_whose(relation, &column.name) {
                draft.leave_out(&column.name);
            }
        }
        draft.is_permitted().then_some(draft)
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

    /// Inserts, and makes the row valid as long as it is not a policy that refuses it.
    async fn try_insert(&mut self, actor: &Actor, mut draft: Draft<'_>, looks: &[String]) -> Result<Inserted, Error> {
        if !draft.is_permitted() {
            return Ok(Inserted::No(Cell::Refused));
        }
        loop {
            let sql = draft.insert();
            match self.attempt(actor, &sql, looks).await? {
                Ok((done, _)) if done.affected == 0 => return Ok(Inserted::No(Cell::Refused)),
                Ok((_, looks)) => {
                    return Ok(Inserted::Yes { sql, looks });
                }
                Err(refused) if refused.is_by_constraint() || refused.code.starts_with("22") => {
                    if draft.revise(&refused) {
                        continue;
                    }
                    return Ok(match refused.code.as_str() {
                        "23505" | "23P01" => {
                            Inserted::Taken { constraint: refused.constraint.unwrap_or_default(), sql }
                        }
                        "23503" => Inserted::No(Cell::Refused),
                        _ => Inserted::No(Cell::Undecided(format!(
                            "no policy refuses it, and no valid row was found: {refused}"
                        ))),
                    });
                }
                Err(refused) => return Ok(Inserted::No(Self::refusal(&refused))),
            }
        }
    }

    /// Rows without a tenant, and of a tenant that there is not.
    async fn insert_for_nobody(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let Some(Tie::Tenant(column)) = self.world.ties.get(&relation.oid) else { return Ok(()) };
        let Some(about) = relation.column(column) else { return Ok(()) };
        let mut tries = Vec::new();
        if !about.not_null {
            tries.push(("null".to_owned(), "can add rows that have no tenant"));
        }
        if !relation.references.iter().any(|reference| reference.columns.contains(column)) && about.base == "uuid" {
            tries.push(("gen_random_uuid()".to_owned(), "can add rows of a tenant that does not exist"));
        }
        for (value, effect) in tries {
            let Some(mut draft) = self.draft_by(relation, self.own(actor), actor, true) else { return Ok(()) };
            draft.set(column, value.clone());
            let (table, quoted) = (relation.sql(), ident(column));
            let looks = if value == "null" {
                vec![format!("select count(*) from {table} where {quoted} is null")]
            } else {
                Vec::new()
            };
            let before = match looks.first() {
                Some(look) if relation.estimate < SMALL => self.desk.run(look).await?.number(),
                _ => -1,
            };
            if let Inserted::Yes { sql, looks } = self.try_insert(actor, draft, &looks).await?
                && looks.first().is_none_or(|after| after.number() > before)
            {
                let cause = self.guilty(relation, actor, "insert", None).await?;
                self.record.cross(&object_of(relation), Verb::Insert, actor, effect, cause, &sql);
            }
        }
        Ok(())
    }

    /// A row of one's own that refers to a row of the other tenant.
    async fn point_across(&mut self, relation: &'c Relation, actor: &Actor, own_works: bool) -> Result<(), Error> {
        let object = object_of(relation);
        for (index, reference) in relation.references.iter().enumerate() {
            if self.world.ties.get(&relation.oid) == Some(&Tie::Parent(index)) {
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
            let effect = format!(
                "can add rows that refer to the other tenant's {} ({})",
                target.name,
                reference.columns.join(", ")
            );
            let cause = Cause::Constraint(reference.name.clone());
            if own_works && let Some(mut draft) = self.draft_by(relation, self.own(actor), actor, true) {
                for (column, of) in &pairs {
                    draft.set(column, row.sql(of));
                }
                if let Inserted::Yes { sql, .. } = self.try_insert(actor, draft, &[]).await? {
                    self.record.cross(&object, Verb::Insert, actor, &effect, cause.clone(), &sql);
                }
            }
            let role = actor.db_role();
            let own = self.rows_besides(relation, self.own(actor), actor);
            if let Some(mine) = own.first()
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
                        let effect = format!(
                            "can make rows refer to the other tenant's {} ({})",
                            target.name,
                            reference.columns.join(", ")
                        );
                        self.record.cross(&object, Verb::Update, actor, &effect, cause.clone(), &sql);
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Values that only one tenant can have: that they are taken tells that the other has them.
    async fn taken_values(&mut self, relation: &'c Relation, actor: &Actor, own_works: bool) -> Result<(), Error> {
        let object = object_of(relation);
        let Some(theirs) = self.world.rows(relation, OTHER).first() else { return Ok(()) };
        for key in relation.keys.iter().filter(|key| !key.columns.is_empty()) {
            let is_surrogate = key.primary
                && key.columns.iter().all(|name| {
                    relation
                        .column(name)
                        .is_some_and(|column| column.identity || column.generated || column.default.is_some())
                });
            let is_within =
                key.columns.iter().any(|name| self.says_whose(relation, name) || relation.reference_of(name).is_some());
            let values: Option<Vec<_>> = key.columns.iter().map(|name| Some((name, theirs.text(name)?))).collect();
            let Some(values) = values.filter(|_| !is_within) else { continue };
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
                    let effect =
                        format!("is told that another tenant has a {names}, and can take one that another needs");
                    self.record.cross(&object, Verb::Insert, actor, &effect, cause.clone(), &sql);
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
                    let effect =
                        format!("is told that another tenant has a {names}, and can take one that another needs");
                    self.record.cross(&object, Verb::Update, actor, &effect, cause.clone(), &sql);
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

    async fn update(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let (object, role) = (object_of(relation), actor.db_role());
        if !relation.may(role, "update") {
            self.record.enter(&object, Verb::Update, actor, Cell::Refused);
            return Ok(());
        }
        let tie: Vec<String> = match self.world.ties.get(&relation.oid) {
            Some(Tie::Tenant(column)) => vec![column.clone()],
            _ => Vec::new(),
        };
        if matches!(actor.kind, Kind::Member | Kind::Reader) && !self.world.is_shared(relation) {
            let own = self.rows_besides(relation, self.own(actor), actor);
            if let Some(row) = own.last()
                && let Some((column, value)) = touched(relation, role, row, &tie)
            {
                let sql = format!("update {} set {column} = {value} where {}", relation.sql(), row.key);
                let done = self.attempt(actor, &sql, &[]).await?;
                let works = done.is_ok_and(|(done, _)| done.affected > 0);
                if works && actor.kind == Kind::Reader && !self.is_personal(relation) {
                    let cause = self.guilty(relation, actor, "update", Some(row)).await?;
                    self.record.cross(&object, Verb::Update, actor, "can change rows, and may only read", cause, &sql);
                } else {
                    self.record.enter(&object, Verb::Update, actor, if works { Cell::Own } else { Cell::Refused });
                }
            }
        }
        for tenant in self.foreign(actor) {
            let rows = self.rows_besides(relation, tenant, actor);
            let Some(row) = rows.last() else { continue };
            let touched = touched(relation, role, row, &tie).into_iter();
            let sets: Vec<_> = touched.map(|(column, value)| format!("{column} = {value}")).collect();
            let mut tried = sets.clone();
            // Taken over: a row that may not stay the other's may become one's own.
            if let (Some(column), Some(mine)) = (tie.first(), actor.tenant)
                && tenant != mine
                && relation.column(column).is_some_and(|column| column.may(role, "update"))
            {
                tried.push(format!("{} = {}", ident(column), literal(&self.world.tenants[mine].id)));
            }
            if let (Some(Tie::Owner(columns)), Some(user)) = (self.world.ties.get(&relation.oid), &actor.user)
                && relation.column(&columns[0]).is_some_and(|column| column.may(role, "update"))
            {
                tried.push(format!("{} = {}", ident(&columns[0]), literal(user)));
            }
            for set in tried {
                let statement = format!("update {} set {set}", relation.sql());
                if let Some(sql) = self.reaches(relation, actor, &statement, row).await? {
                    let cause = self.guilty(relation, actor, "update", Some(row)).await?;
                    let effect = match (tenant == OTHER, sets.contains(&set)) {
                        _ if self.world.is_shared(relation) => "can change rows that every tenant shares",
                        (true, true) => "can change rows of the other tenant",
                        (true, false) => "can take over rows of the other tenant",
                        (false, _) => "can change rows of the tenant that they may not use any more",
                    };
                    self.record.cross(&object, Verb::Update, actor, effect, cause, &sql);
                    break;
                }
            }
            self.record.enter(&object, Verb::Update, actor, Cell::Refused);
            if self.world.is_shared(relation) {
                break;
            }
        }
        self.give_away(relation, actor).await
    }

    /// Rows of one's own that become the other tenant's.
    async fn give_away(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let (object, role) = (object_of(relation), actor.db_role());
        let Some(theirs) = self.world.rows(relation, OTHER).first() else { return Ok(()) };
        let columns: Vec<(String, String)> = match self.world.ties.get(&relation.oid) {
            Some(Tie::Tenant(column)) => vec![(column.clone(), literal(&self.world.tenants[OTHER].id))],
            Some(Tie::Owner(columns)) => columns.iter().take(1).map(|name| (name.clone(), theirs.sql(name))).collect(),
            Some(Tie::Parent(index)) => {
                relation.references[*index].columns.iter().map(|name| (name.clone(), theirs.sql(name))).collect()
            }
            Some(Tie::Path) => vec![(
                "name".to_owned(),
                literal(&format!("{}/moved-{}.txt", self.folder(OTHER), self.world.canary(OTHER))),
            )],
            _ => return Ok(()),
        };
        let is_tenants = self.world.tenant_table().is_some_and(|table| table.oid == relation.oid);
        let is_allowed = |name: &str| relation.column(name).is_some_and(|column| column.may(role, "update"));
        if is_tenants || actor.kind.is_outside() && actor.tenant.is_none() && self.world.tenancy.tenant.is_some() {
            return Ok(());
        }
        let mut own = self.rows_besides(relation, self.own(actor), actor);
        if self.world.tenancy.tenant.is_none() {
            own = self.world.rows(relation, self.own(actor)).to_vec();
        }
        let is_ones_own = |row: &&Row| self.world.tenancy.tenant.is_some() || self.is_self(relation, row, actor);
        let Some(mine) = own.iter().rfind(is_ones_own) else { return Ok(()) };
        if !columns.iter().all(|(name, _)| is_allowed(name)) {
            return Ok(());
        }
        let before = self.count(relation, OTHER).await?;
        let sets: Vec<_> = columns.iter().map(|(name, value)| format!("{} = {value}", ident(name))).collect();
        let statement = format!("update {} set {}", relation.sql(), sets.join(", "));
        let others = format!("delete from {} where not {}", relation.sql(), mine.key);
        for (arranged, sql) in
            [(Vec::new(), format!("{statement} where {}", mine.key)), (self.alone(relation, &others), statement)]
        {
            if arranged.is_empty() && !sql.contains(" where ") {
                continue;
            }
            let look = if arranged.is_empty() { before } else { 0 };
            let looks = [self.count_sql(relation, OTHER)];
            if let Ok((_, looks)) = self.desk.attempt(actor, &arranged, &sql, &looks).await?
                && looks.first().is_some_and(|after| after.number() > look)
            {
                let cause = self.guilty(relation, actor, "update", Some(mine)).await?;
                self.record.cross(
                    &object,
                    Verb::Update,
                    actor,
                    "can move rows of their own to the other tenant",
                    cause,
                    &sql,
                );
                break;
            }
        }
        Ok(())
    }

    fn folder(&self, tenant: usize) -> String {
        let tenant_of = &self.world.tenants[tenant];
        if self.world.tenancy.tenant.is_some() {
            tenant_of.id.clone()
        } else {
            tenant_of.users.first().cloned().unwrap_or_default()
        }
    }

    /// Statements that leave only some rows in a table, where that can be done without anybody noticing.
    fn alone(&self, relation: &Relation, delete: &str) -> Vec<String> {
        let is_needed = [self.world.members(), self.world.tenant_table()]
            .into_iter()
            .flatten()
            .any(|needed| needed.oid == relation.oid);
        if is_needed || relation.estimate > SMALL || !self.desk.can_hold_triggers {
            return Vec::new();
        }
        let hold = |role: &str| format!("set local session_replication_role = {role}");
        vec![hold("replica"), delete.to_owned(), hold("origin")]
    }

    async fn delete(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let (object, role) = (object_of(relation), actor.db_role());
        if !relation.may(role, "delete") {
            self.record.enter(&object, Verb::Delete, actor, Cell::Refused);
            return Ok(());
        }
        if matches!(actor.kind, Kind::Member | Kind::Reader) && !self.world.is_shared(relation) {
            let own = self.rows_besides(relation, self.own(actor), actor);
            if let Some(row) = own.last() {
                let sql = format!("delete from {} where {}", relation.sql(), row.key);
                let done = self.attempt(actor, &sql, &[]).await?;
                let works = done.is_ok_and(|(done, _)| done.affected > 0);
                if works && actor.kind == Kind::Reader && !self.is_personal(relation) {
                    let cause = self.guilty(relation, actor, "delete", Some(row)).await?;
                    self.record.cross(&object, Verb::Delete, actor, "can delete rows, and may only read", cause, &sql);
                } else {
                    self.record.enter(&object, Verb::Delete, actor, if works { Cell::Own } else { Cell::Refused });
                }
            }
        }
        for tenant in self.foreign(actor) {
            let rows = self.rows_besides(relation, tenant, actor);
            let Some(row) = rows.last() else { continue };
            let statement = format!("delete from {}", relation.sql());
            if let Some(sql) = self.reaches(relation, actor, &statement, row).await? {
                let cause = self.guilty(relation, actor, "delete", Some(row)).await?;
                let effect = match tenant == OTHER {
                    _ if self.world.is_shared(relation) => "can delete rows that every tenant shares",
                    true => "can delete rows of the other tenant",
                    false => "can delete rows of the tenant that they may not use any more",
                };
                self.record.cross(&object, Verb::Delete, actor, effect, cause, &sql);
            }
            self.record.enter(&object, Verb::Delete, actor, Cell::Refused);
            if self.world.is_shared(relation) {
                break;
            }
        }
        Ok(())
    }

    /// Whether a statement reaches a row: with its key, which takes the right to see it, and without, which does not.
    /// Answers with the statement that did.
    async fn reaches(
        &mut self,
        relation: &Relation,
        actor: &Actor,
        statement: &str,
        row: &Row,
    ) -> Result<Option<String>, Error> {
        let filtered = format!("{statement} where {}", row.key);
        match self.attempt(actor, &filtered, &[]).await? {
            Ok((done, _)) if done.affected > 0 => return Ok(Some(filtered)),
            // Something refers to the row: it was let through.
            Err(refused) if refused.code == "23503" && statement.starts_with("delete") => return Ok(Some(filtered)),
            _ => {}
        }
        if relation.estimate > SMALL {
            return Ok(None);
        }
        let place = self.place(relation, row).await?;
        let look = format!("select count(*) from {} where {} and ctid = {}", relation.sql(), row.key, literal(&place));
        let arranged = self.alone(relation, &format!("delete from {} where not {}", relation.sql(), row.key));
        let done = self.desk.attempt(actor, &arranged, statement, &[look]).await?;
        Ok(match done {
            Ok((_, looks)) if looks.first().is_some_and(|left| left.number() == 0) => Some(statement.to_owned()),
            Err(refused) if refused.code == "23503" && statement.starts_with("delete") && !arranged.is_empty() => {
                Some(statement.to_owned())
            }
            _ => None,
        })
    }
}
