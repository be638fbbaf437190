//! Rows that are added: one's own, the other tenant's, nobody's, and what they set off.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    actor::{Actor, Kind},
    catalog::{Column, Policy, Relation},
    desk::Done,
    draft::{Draft, choices},
    error::Error,
    harm::Harm,
    names,
    probe::{Prober, SMALL, object_of},
    record::{Cause, Cell, Verb},
    refused::Refused,
    sql::{ident, literal, names_word, parted},
    tie::{Tie, owner_columns},
    world::{OTHER, VARIANTS},
};

/// How an attempted insert ended.
pub(in crate::probe) enum Inserted {
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
    /// Answers whether the actor can add rows of their own.
    pub(super) async fn insert(&mut self, relation: &'c Relation, actor: &Actor) -> Result<bool, Error> {
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
            // Policies are asked before keys are.
            let (Inserted::Yes { sql, .. } | Inserted::Taken { sql, .. }) = &inserted else {
                self.record.enter(&object, Verb::Insert, actor, Cell::Refused);
                return Ok(false);
            };
            if names::is_privileges_table(&relation.name) {
                let cause = self.guilty_of_adding(relation, actor, sql).await?;
                let deed = Harm::Critical.that("can add rows to what says who may do what");
                self.record.cross(&object, Verb::Insert, actor, deed, cause, sql);
                return Ok(false);
            }
            if let (Inserted::Yes { sql, .. }, Kind::Anonymous) = (&inserted, actor.kind) {
                let cause = self.guilty_of_adding(relation, actor, sql).await?;
                let deed = Harm::of_writing(actor.kind).that("can add rows without an account");
                self.add_through(relation, actor, cause, deed, sql);
            } else {
                let cell = if matches!(inserted, Inserted::Yes { .. }) { Cell::Own } else { Cell::Refused };
                self.record.enter(&object, Verb::Insert, actor, cell);
            }
            return Ok(false);
        }
        let is_members = self.world.members().is_some_and(|members| members.oid == relation.oid);
        let is_tenants = self.world.tenant_table().is_some_and(|table| table.oid == relation.oid);
        if is_members {
            self.add_member(relation, actor).await?;
            return Ok(false);
        }
        if is_tenants {
            self.make_tenant(relation, actor).await?;
            return Ok(false);
        }
        let is_member = matches!(actor.kind, Kind::Member | Kind::Reader);
        let mut own_works = false;
        if is_member {
            // Nobody gives themselves what makes them more than others.
            let draft = self.draft_by(relation, self.own(actor), actor, true);
            let inserted = match draft.filter(|_| !self.world.gives_privileges(relation)) {
                Some(draft) => self.try_insert(actor, draft, &[]).await?,
                None => Inserted::No(Cell::Refused),
            };
            // Policies are asked before keys are.
            own_works = matches!(inserted, Inserted::Yes { .. } | Inserted::Taken { .. });
            match inserted {
                Inserted::Yes { sql, .. } if actor.kind == Kind::Reader && !self.is_personal(relation) => {
                    let cause = self.guilty_of_adding(relation, actor, &sql).await?;
                    let deed = Harm::High.that("can add rows although its role is read-only");
                    self.record.cross(&object, Verb::Insert, actor, deed, cause, &sql);
                }
                Inserted::Yes { sql, .. }
                    if self.is_promised(relation)
                        && let cause = self.guilty_of_adding(relation, actor, &sql).await?
                        && let Some(promised) = self.broken_promise(actor, &cause) =>
                {
                    let effect = format!("can add rows of their own tenant by a policy that is named for {promised}");
                    self.record.cross(&object, Verb::Insert, actor, Harm::Medium.that(effect), cause, &sql);
                }
                Inserted::Yes { .. } | Inserted::Taken { .. } => {
                    self.record.enter(&object, Verb::Insert, actor, Cell::Own)
                }
                Inserted::No(cell) => {
                    self.said.extend(self.said_last.take().map(|refused| (actor.clone(), refused)));
                    self.record.enter(&object, Verb::Insert, actor, cell);
                }
            }
        }
        if own_works {
            self.forge(relation, actor).await?;
            self.set_off(relation, actor).await?;
            self.insert_as_another(relation, actor).await?;
        }
        for tenant in self.foreign(actor) {
            let is_file = self.world.ties.get(&relation.oid) == Some(&Tie::Path);
            // One's own ids are looked for in a name, and as folders of it.
            let files = if is_file { 2 * self.world.shelves().len() } else { 0 };
            let mut variants: Vec<_> = (0..files.max(1)).collect();
            // What joins two rows is there already, but for the last that could be joined; and what it is about may have to be
            // in another state than the first.
            variants.extend(relation.joins().next().into_iter().flat_map(|_| 1..VARIANTS));
            for (as_oneself, variant) in variants.into_iter().flat_map(|variant| [(true, variant), (false, variant)]) {
                if !as_oneself && !self.is_signed(relation, actor) {
                    continue;
                }
                let Some(draft) = self.draft_in(relation, tenant, actor, as_oneself, variant) else { continue };
                // A row that names nobody but oneself is one's own.
                let names_one =
                    matches!(self.world.ties.get(&relation.oid), Some(Tie::Owner(columns)) if columns.len() == 1);
                if as_oneself
                    && is_file
                    && self.world.shelf(variant).is_some_and(|shelf| self.world.is_by_owner(&shelf.bucket))
                {
                    continue;
                }
                // One's own folder is one's own, wherever one belonged.
                let is_ones_folder = is_file
                    && self
                        .world
                        .shelf(variant)
                        .is_some_and(|shelf| Some(self.world.file_owner(&shelf.bucket, tenant)) == actor.user);
                if is_ones_folder {
                    continue;
                }
                if as_oneself && names_one && (self.world.tenancy.tenant.is_none() || Some(tenant) == actor.tenant) {
                    continue;
                }
                let before = self.count(relation, tenant).await?;
                let look = self.count_sql(relation, tenant);
                let is_dealing = self.customer(relation, actor).await?.is_some();
                match self.try_insert(actor, draft, &[look]).await? {
                    Inserted::Yes { sql, looks } if looks.first().is_some_and(|after| after.number() > before) => {
                        let let_in = self.let_in(relation, actor, tenant, &sql).await?;
                        if is_dealing && let_in.is_none() && self.is_in_own_name(actor, &sql) {
                            self.record.enter(&object, Verb::Insert, actor, Cell::Own);
                            continue;
                        }
                        let cause = self.guilty_of_adding(relation, actor, &sql).await?;
                        let whose = Self::whose(actor, tenant);
                        // Between people who share a row, it is but put to somebody else's account.
                        let is_shared = let_in.is_none()
                            && actor.user.is_some()
                            && self.is_between_people(relation)
                            && self.is_in_own_name(actor, &sql);
                        let harm = Harm::of_writing(actor.kind);
                        let deed = if is_shared { harm.min(Harm::Medium) } else { harm };
                        let deed = match let_in {
                            Some(read) => deed.that(format!("can add themselves to {whose}, and read {read} there")),
                            None => deed.that(format!("can add rows for {whose}")),
                        };
                        self.add_through(relation, actor, cause, deed, &sql);
                        break;
                    }
                    Inserted::Yes { sql, .. } if actor.kind == Kind::Anonymous => {
                        let cause = self.guilty_of_adding(relation, actor, &sql).await?;
                        let deed = Harm::of_writing(actor.kind).that("can add rows without an account");
                        self.add_through(relation, actor, cause, deed, &sql);
                        break;
                    }
                    // Policies are asked before keys are: the row was let through, and is there already.
                    Inserted::Taken { constraint, sql }
                        if self.is_key_of_whose(relation, &constraint)
                            && (!as_oneself || !self.is_personal(relation)) =>
                    {
                        let cause = self.guilty_of_adding(relation, actor, &sql).await?;
                        let whose = Self::whose(actor, tenant);
                        let deed = Harm::of_writing(actor.kind)
                            .that(format!("can add rows for {whose}, where there are none yet"));
                        self.add_through(relation, actor, cause, deed, &sql);
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

    /// An entry of an audit log that says of a colleague what they never did.
    async fn forge(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let is_doer = |column: &&Column| {
            self.world.catalog.is_of_user(relation, &column.name)
                || column.base == "uuid" && names::is_doer(&column.name)
        };
        let doer = relation.columns.iter().find(is_doer).filter(|column| column.may(actor.db_role(), "insert"));
        let own = self.own(actor);
        let colleague = self.world.tenants[own].users.iter().find(|user| Some(*user) != actor.user.as_ref());
        let (true, Some(doer), Some(colleague)) = (names::is_audit(&relation.name), doer, colleague) else {
            return Ok(());
        };
        let Some(mut draft) =
            self.draft_by(relation, own, actor, false).filter(|_| self.world.tenancy.tenant.is_some())
        else {
            return Ok(());
        };
        draft.set(&doer.name, literal(colleague));
        if let Inserted::Yes { sql, .. } = self.try_insert(actor, draft, &[]).await?
            && !self.is_in_own_name(actor, &sql)
        {
            let cause = self.guilty_of_adding(relation, actor, &sql).await?;
            let deed = Harm::Medium.that("can add entries in a colleague's name to what is kept as a record");
            self.record.cross(&object_of(relation), Verb::Insert, actor, deed, cause, &sql);
        }
        Ok(())
    }

    /// What somebody reads of the other tenant once they have added a row that names them.
    async fn let_in(
        &mut self,
        relation: &'c Relation,
        actor: &Actor,
        tenant: usize,
        sql: &str,
    ) -> Result<Option<String>, Error> {
        let is_named = self.is_in_own_name(actor, sql);
        match self.world.tenant_table().filter(|_| is_named && tenant == OTHER) {
            Some(tenants) => self.read_on(actor, sql, relation, tenants).await,
            None => Ok(None),
        }
    }

    /// Whether a row that is added names whoever adds it.
    fn is_in_own_name(&self, actor: &Actor, sql: &str) -> bool {
        actor.user.as_ref().is_some_and(|user| sql.contains(&literal(user)))
    }

    /// Whether a row that somebody writes as themselves may be another than the one that they write in somebody's name.
    fn is_signed(&self, relation: &Relation, actor: &Actor) -> bool {
        let says_whose = matches!(self.world.ties.get(&relation.oid), Some(Tie::Path | Tie::Owner(_)));
        let names_users = || {
            relation.columns.iter().any(|column| self.world.catalog.is_of_user(relation, &column.name))
                || relation.references.iter().any(|reference| reference.target_name == "auth.users")
                || !owner_columns(self.world.catalog, relation, self.world.tenancy).is_empty()
        };
        says_whose || actor.user.is_some() && names_users()
    }

    /// Whether a constraint is a key that says nothing but whose a row is: there is one for each.
    fn is_key_of_whose(&self, relation: &Relation, constraint: &str) -> bool {
        let key = relation.keys.iter().find(|key| key.name == constraint);
        key.is_some_and(|key| key.columns.iter().all(|column| self.says_whose(relation, column)))
    }

    /// Whether rows of a table are part of what several people take part in.
    pub(super) fn is_within_joined(&self, relation: &Relation) -> bool {
        let mut targets =
            relation.references.iter().map(|reference| reference.target).filter(|oid| *oid != relation.oid);
        targets.any(|oid| {
            let target = self.world.catalog.relation(oid);
            target.is_some_and(|target| {
                self.is_taken_part_in(target) || self.is_personal(target) && self.is_within_joined(target)
            })
        })
    }

    /// Whether a row is what several people take part in: those who joined it, or the two whom it names and whom it has to
    /// name.
    pub(super) fn is_taken_part_in(&self, relation: &Relation) -> bool {
        let is_needed = |name: &&String| relation.column(name).is_some_and(|column| column.not_null);
        match self.world.ties.get(&relation.oid) {
            Some(Tie::Joined(..)) => true,
            Some(Tie::Owner(columns)) => columns.iter().filter(is_needed).count() > 1,
            _ => false,
        }
    }

    /// A tenant of one's own making, which many portals offer to those who have an account.
    async fn make_tenant(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let object = object_of(relation);
        let mut draft = Draft::new(relation, &self.world.canary(OTHER), 0).by(actor.db_role());
        for column in &relation.columns {
            if let Some(user) = actor.user.as_ref().filter(|_| self.world.catalog.is_of_user(relation, &column.name)) {
                draft.prefer(&column.name, literal(user));
            }
        }
        match self.try_insert(actor, draft, &[]).await? {
            Inserted::Yes { sql, .. } if !relation.rls || actor.kind == Kind::Anonymous => {
                let cause = self.guilty_of_adding(relation, actor, &sql).await?;
                let deed = Harm::of_writing(actor.kind).that("can make tenants");
                self.record.cross(&object, Verb::Insert, actor, deed, cause, &sql);
            }
            // A tenant that says of nobody whose it is, made by somebody whom nothing makes a member of it.
            Inserted::Yes { sql, .. }
                if actor.kind == Kind::Newcomer && self.is_nobodys(relation, actor, &sql).await? =>
            {
                let cause = self.guilty_of_adding(relation, actor, &sql).await?;
                let deed = Harm::Medium.that("can make tenants that they have no part in");
                self.record.cross(&object, Verb::Insert, actor, deed, cause, &sql);
            }
            Inserted::Yes { .. } => self.record.enter(&object, Verb::Insert, actor, Cell::Own),
            Inserted::Taken { .. } => self.record.enter(&object, Verb::Insert, actor, Cell::Refused),
            Inserted::No(cell) => self.record.enter(&object, Verb::Insert, actor, cell),
        }
        Ok(())
    }

    /// Whether a tenant that somebody made names no user, has no members, and lets nobody become its first.
    async fn is_nobodys(&mut self, relation: &'c Relation, actor: &Actor, sql: &str) -> Result<bool, Error> {
        let (Some(members), Some(tenancy)) = (self.world.members(), &self.world.tenancy.members) else {
            return Ok(false);
        };
        if self.may_join(relation, actor) {
            return Ok(false);
        }
        let me = literal(actor.user.as_deref().unwrap_or_default());
        let (user, column) = (ident(&tenancy.user), ident(&tenancy.tenant));
        let tenant = literal(&self.world.tenants[OTHER].id);
        let join = format!("update {} set {column} = {tenant} where {user} = {me}", members.sql());
        if self.attempt(actor, &join, &[]).await?.is_ok_and(|(done, _)| done.affected > 0) {
            return Ok(false);
        }
        let look = [format!("select count(*) from {} where {user} = {me}", members.sql())];
        let before = self.desk.run(&look[0]).await?.number();
        let after = self.attempt(actor, sql, &look).await?;
        Ok(after.is_ok_and(|(_, looks)| looks.first().is_some_and(|after| after.number() == before)))
    }

    /// Whether whoever makes a tenant may be of it: it names a user, or memberships may be written, which one writes for
    /// oneself.
    pub(in crate::probe) fn may_join(&self, tenants: &Relation, actor: &Actor) -> bool {
        // A policy that asks nothing of the row says who may, whatever they write: the platform, or everybody.
        let is_for_members = |members: &Relation, policy: &Policy| {
            let text = policy.check.as_ref().or(policy.using.as_ref());
            text.is_some_and(|text| {
                text == "true" || members.columns.iter().any(|column| names_word(text, &column.name))
            })
        };
        let may_write = |members: &Relation| {
            let mut policies = members.policies_for(actor.db_role(), "insert").filter(|policy| policy.permissive);
            members.may(actor.db_role(), "insert") && policies.any(|policy| is_for_members(members, policy))
        };
        tenants.columns.iter().any(|column| self.world.catalog.is_of_user(tenants, &column.name))
            || self.world.members().is_none_or(may_write)
    }

    /// Where rows are users': one that somebody else is said to have written, about oneself.
    async fn insert_as_another(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        // What nobody else has a part in was tried as the other's.
        let names_several =
            matches!(self.world.ties.get(&relation.oid), Some(Tie::Owner(columns)) if columns.len() > 1);
        let is_shared = self.is_personal(relation) && self.is_within_joined(relation);
        if self.world.tenancy.tenant.is_some() || !names_several && !is_shared {
            return Ok(());
        }
        // The people of such a tenant are two, and take turns.
        let Some(draft) = self.draft_in(relation, self.own(actor), actor, false, 1) else { return Ok(()) };
        if let Inserted::Yes { sql, .. } = self.try_insert(actor, draft, &[]).await? {
            let cause = self.guilty_of_adding(relation, actor, &sql).await?;
            let deed = Harm::of_writing(actor.kind).that("can add rows in somebody else's name");
            self.record.cross(&object_of(relation), Verb::Insert, actor, deed, cause, &sql);
        }
        Ok(())
    }

    /// What a row of one's own sets off that has a value of the other tenant's in it: triggers may look that up everywhere.
    async fn set_off(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let Some(theirs) = self.world.rows(relation, OTHER).first().cloned() else { return Ok(()) };
        if relation.triggers.is_empty() || self.sets_nothing_off.contains(&relation.oid) {
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
            let tells = |row: &&String| world.given_away(OTHER, row).next().is_some();
            let telling = |done: &Done| done.rows.iter().flatten().filter(tells).count();
            let before = telling(&self.desk.run(&look).await?);
            let Inserted::Yes { sql, looks } = self.try_insert(actor, draft, &[look]).await? else { continue };
            let deed = match looks.first().map(telling) {
                Some(after) if after > before => {
                    Some(Harm::of_reading(actor.kind).that("can learn the other tenant's data from a row of their own"))
                }
                _ => match self.answer(actor, true, &sql).await? {
                    Ok(answer) => self.written(actor, &sql, &answer.written).await?.into_iter().next(),
                    Err(_) => None,
                },
            };
            if let Some(deed) = deed {
                let cause = Cause::Trigger(relation.triggers.join(", "));
                self.record.cross(&object_of(relation), Verb::Insert, actor, deed, cause, &sql);
                return Ok(());
            }
        }
        self.sets_nothing_off.insert(relation.oid);
        Ok(())
    }

    /// A row of a tenant's, as this actor would write it: as oneself, or in the name of one of the tenant's people.
    pub(in crate::probe) fn draft_by(
        &self,
        relation: &'c Relation,
        tenant: usize,
        actor: &Actor,
        as_oneself: bool,
    ) -> Option<Draft<'c>> {
        self.draft_in(relation, tenant, actor, as_oneself, 0)
    }

    /// The same with other rows and people of the tenant named in each variant.
    pub(in crate::probe) fn draft_in(
        &self,
        relation: &'c Relation,
        tenant: usize,
        actor: &Actor,
        as_oneself: bool,
        variant: usize,
    ) -> Option<Draft<'c>> {
        let mut draft = self.world.draft(relation, Some(tenant), variant)?.by(actor.db_role());
        let user = actor.user.as_deref().filter(|_| as_oneself);
        let owners = owner_columns(self.world.catalog, relation, self.world.tenancy);
        // Who writes is who policies say that it must be.
        let asked = relation.columns.iter().filter(|column| {
            self.world.catalog.is_of_caller(relation, &column.name)
                && self.world.catalog.is_of_user(relation, &column.name)
                && !owners.contains(&column.name)
                && !self.says_whose(relation, &column.name)
                && column.may(actor.db_role(), "insert")
        });
        for (column, user) in asked.zip(user.into_iter().cycle()) {
            draft.set(&column.name, literal(user));
        }
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
                let shelf = self.world.shelf(variant)?;
                let canary = self.world.canary(tenant);
                let is_first = variant < self.world.shelves().len();
                if !is_first && !self.world.has_folders(&shelf) {
                    return None;
                }
                let name = match is_first {
                    true => self.world.file_name(&shelf, tenant, &format!("{own}-{user}-{canary}{variant}")),
                    false => self.world.file_name_with(&shelf, tenant, own, &format!("{own}/{user}/{canary}{variant}")),
                };
                draft.set("name", literal(&name));
            }
        }
        for (column, value) in demanded(relation, actor.db_role()) {
            if !self.says_whose(relation, column) {
                draft.set(column, value);
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

    /// Inserts, and makes the row valid as long as it is not a policy that refuses it.
    pub(in crate::probe) async fn try_insert(
        &mut self,
        actor: &Actor,
        mut draft: Draft<'_>,
        looks: &[String],
    ) -> Result<Inserted, Error> {
        if !draft.is_permitted() {
            return Ok(Inserted::No(Cell::Refused));
        }
        self.said_last = None;
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
                Err(refused) => {
                    let cell = Self::refusal(&refused);
                    self.said_last = Some(refused).filter(Refused::is_by_code);
                    return Ok(Inserted::No(cell));
                }
            }
        }
    }

    /// Rows without a tenant, and of a tenant that there is not.
    async fn insert_for_nobody(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let Some(Tie::Tenant(column)) = self.world.ties.get(&relation.oid) else { return Ok(()) };
        let Some(about) = relation.column(column) else { return Ok(()) };
        let mut tries = Vec::new();
        if !about.not_null {
            tries.push(("null".to_owned(), "can add rows that belong to no tenant"));
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
                let cause = self.guilty_of_adding(relation, actor, &sql).await?;
                let deed = Harm::of_writing(actor.kind).that(effect);
                self.record.cross(&object_of(relation), Verb::Insert, actor, deed, cause, &sql);
            }
        }
        Ok(())
    }
}

/// What every policy for adding rows asks of columns of the row itself: that they are empty, or one value.
fn demanded<'c>(relation: &'c Relation, role: &str) -> Vec<(&'c String, String)> {
    static LITERAL: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(\w+) = ('[^']*')(?:::[\w. ]+)?$").expect("a pattern"));
    let policies = relation.policies_for(role, "insert").filter(|policy| policy.permissive);
    let checks: Vec<_> = policies.filter_map(|policy| policy.check.as_ref().or(policy.using.as_ref())).collect();
    let [check] = checks.as_slice() else { return Vec::new() };
    let part = |part: &str| {
        let part = part.strip_prefix('(').and_then(|part| part.strip_suffix(')')).unwrap_or(part);
        if let Some(name) = part.strip_suffix(" IS NULL") {
            return Some((&relation.column(name)?.name, "null".to_owned()));
        }
        if let Some(name) = part.strip_prefix("NOT ") {
            return Some((&relation.column(name)?.name, "false".to_owned()));
        }
        let found = LITERAL.captures(part)?;
        Some((&relation.column(&found[1])?.name, found[2].to_owned()))
    };
    parted(check, " AND ").into_iter().filter_map(part).collect()
}
