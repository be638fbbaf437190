//! The probes, by what is probed. Each is one attempt by one actor, with a look at its effect.

mod dealing;
mod declared;
mod exposure;
mod functions;
mod let_in;
mod members;
mod persons;
mod sessions;
mod standing;
mod tables;
mod views;
mod written;

use std::collections::{HashMap, HashSet};

use crate::{
    actor::{Actor, Kind},
    catalog::{Catalog, Column, Policy, Relation},
    desk::{Arranged, Attempted, Desk},
    error::Error,
    names,
    record::{Cause, Cell, Object, Record, Verb},
    refused::Refused,
    sql::{ident, literal},
    tie::Tie,
    world::{OTHER, OWN, Row, World},
};

/// Tables with more rows than this are only probed by key.
const SMALL: i64 = 10_000;

/// Probes one world.
pub struct Prober<'p, 'c> {
    pub desk: &'p mut Desk,
    pub world: &'p World<'c>,
    pub record: Record,
    /// A fix is in place, and the catalog is older than it.
    is_again: bool,
    /// What is seen is known to be enough.
    is_enough: Option<&'p (dyn Fn(&Record) -> bool + Sync)>,
    /// Who tries.
    actors: Vec<Actor>,
    /// Where a row was before anybody tried anything.
    places: HashMap<(i64, String), String>,
    /// How many rows of a table were a tenant's.
    counts: HashMap<(i64, usize), i64>,
    /// What looks showed before anybody tried anything.
    usual: HashMap<String, Option<String>>,
    /// Rows of the other tenant that an actor does not see, by table and actor.
    hidden: HashMap<(i64, String), Vec<Row>>,
    /// Tables whose triggers did nothing elsewhere for one who set them off: they do for no other.
    sets_nothing_off: HashSet<i64>,
    /// Attempts to read the table at hand that were not refused and failed.
    failed: Vec<Failed>,
    /// What code of its own said to members who added a row of their own to it.
    said: Vec<(Actor, Refused)>,
    /// What code said to the last row that was to be added.
    said_last: Option<Refused>,
    /// Tables that a role's requests can be made of.
    read_by: HashSet<(i64, &'static str)>,
    /// Columns of codes that let in whoever knows them.
    codes: Vec<(&'c Relation, &'c Column)>,
}

/// What somebody gets who may have the other tenant's.
#[derive(Debug, PartialEq, Eq)]
pub struct Controlled {
    /// They are of no tenant: the platform's admin, or somebody who was invited.
    pub is_outside: bool,
    /// Rows, or that they were answered.
    pub count: Option<u64>,
}

/// An attempt that failed, by whom.
struct Failed {
    actor: Actor,
    refused: Refused,
    sql: String,
}

impl<'p, 'c> Prober<'p, 'c> {
    fn new(desk: &'p mut Desk, world: &'p World<'c>) -> Self {
        Self {
            desk,
            world,
            record: Record::default(),
            is_again: false,
            is_enough: None,
            actors: world.actors.clone(),
            places: HashMap::new(),
            counts: HashMap::new(),
            usual: HashMap::new(),
            hidden: HashMap::new(),
            sets_nothing_off: HashSet::new(),
            failed: Vec::new(),
            said: Vec::new(),
            said_last: None,
            read_by: HashSet::new(),
            codes: codes(world.catalog).collect(),
        }
    }

    /// Probes one object again with a fix in place, by all actors or by one, until what is seen is enough.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn again(
        desk: &'p mut Desk,
        world: &'p World<'c>,
        object: &Object,
        who: Option<&str>,
        is_enough: &'p (dyn Fn(&Record) -> bool + Sync),
    ) -> Result<Record, Error> {
        let mut prober = Self { is_again: true, is_enough: Some(is_enough), ..Self::new(desk, world) };
        match who {
            Some(who) => prober.actors.retain(|actor| actor.name == who),
            None => prober.signing_up().await?,
        }
        let relation = world.catalog.named(&object.name).filter(|relation| relation.noun() == object.noun);
        match relation {
            Some(relation) if relation.is_table() => {
                prober.tables_of(vec![relation]).await?;
                if !prober.has_seen_enough() {
                    prober.members_of(vec![relation]).await?;
                }
            }
            Some(view) => prober.views_of(vec![view]).await?,
            None if object.noun == "table" => prober.auth().await?,
            None if object.noun == "bucket" => prober.buckets().await?,
            None if object.noun == "publication" => prober.broadcasts().await?,
            None if object.noun == "column" => {
                let table = object.name.rsplit_once('.').and_then(|(table, _)| world.catalog.named(table));
                if let Some(table) = table {
                    prober.secrets(table).await?;
                    prober.confidences(table).await?;
                }
            }
            None if object.noun == "schema" => prober.creatable().await?,
            None => {
                let functions = world.catalog.functions.iter().filter(|function| function.title() == object.name);
                prober.functions_of(functions.collect()).await?;
            }
        }
        Ok(prober.record)
    }

    fn has_seen_enough(&self) -> bool {
        self.is_enough.is_some_and(|is_enough| is_enough(&self.record))
    }

    /// What those get who may have the other tenant's rows, which a fix must not take from them.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn controls(desk: &'p mut Desk, world: &'p World<'c>, object: &Object) -> Result<Vec<Controlled>, Error> {
        let mut prober = Self::new(desk, world);
        let mut counts = Vec::new();
        let Some(relation) = world.catalog.named(&object.name) else { return prober.answered(object).await };
        for control in &world.controls {
            let is_platform = control.kind == Kind::Platform;
            let mut rows = world.rows(relation, OTHER).to_vec();
            // What is theirs is what they have a part in, where users are the tenants or rows are of people.
            let is_of_people = world.tenancy.tenant.is_none() || world.catalog.is_mirror(relation);
            if let (true, false, Some(user)) = (is_of_people, is_platform, &control.user) {
                let theirs = world.condition_of(relation, user);
                let mut known = Vec::new();
                for row in rows {
                    let sql = format!("select count(*) from {} where {} and {theirs}", relation.sql(), row.key);
                    known.extend((prober.desk.run(&sql).await?.number() > 0).then_some(row));
                }
                rows = known;
            }
            let mut tries = Vec::new();
            if !relation.is_table() || world.rows(relation, OTHER).is_empty() {
                tries.push(format!("select * from {} limit {}", relation.sql(), SMALL));
            }
            if let Some(row) = rows.last().filter(|_| relation.is_table()) {
                let touched = touched(relation, control.db_role(), row, &[]);
                tries = vec![
                    format!("select * from {} where {}", relation.sql(), any_of(&rows)),
                    format!("delete from {} where {}", relation.sql(), row.key),
                ];
                tries.extend(touched.map(|(column, value)| {
                    format!("update {} set {column} = {value} where {}", relation.sql(), row.key)
                }));
            }
            for sql in tries {
                let count = prober.attempt(control, &sql, &[]).await?.ok().map(|(done, _)| done.affected);
                // A member may see less through a view or in a partition than before, and not nothing.
                let is_less_enough = (!relation.is_table() || relation.partition) && !is_platform;
                let count = if is_less_enough { count.map(|count| count.min(1)) } else { count };
                counts.push(Controlled { is_outside: control.kind != Kind::Member, count });
            }
        }
        Ok(counts)
    }

    /// How many rows of their own tenant each member reads, and whether the highest adds one in somebody else's name: what a
    /// fix takes of it, it may take from those who were meant to have it.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn kept(desk: &'p mut Desk, world: &'p World<'c>, object: &Object) -> Result<Vec<u64>, Error> {
        let mut prober = Self::new(desk, world);
        let relation = world.catalog.named(&object.name).filter(|relation| relation.is_table());
        let Some(relation) = relation.filter(|relation| relation.noun() == object.noun) else { return Ok(Vec::new()) };
        let mut kept = Vec::new();
        let is_member = |actor: &&Actor| matches!(actor.kind, Kind::Member | Kind::Reader);
        for actor in world.actors.iter().filter(is_member) {
            let rows = prober.rows_besides(relation, prober.own(actor), actor);
            let sql = format!("select count(*) from {} where {}", relation.sql(), any_of(&rows));
            let seen = prober.attempt(actor, &sql, &[]).await?.map_or(0, |(done, _)| done.number());
            kept.push(u64::try_from(seen).unwrap_or_default());
        }
        let highest = world.actors.iter().find(is_member).filter(|_| !world.is_shared(relation));
        // Of two people one is somebody else.
        for variant in 0..2 {
            if let Some(actor) = highest.filter(|actor| relation.may(actor.db_role(), "insert"))
                && let Some(draft) = prober.draft_in(relation, prober.own(actor), actor, false, variant)
            {
                let added = prober.try_insert(actor, draft, &[]).await?;
                kept.push(u64::from(matches!(added, tables::Inserted::Yes { .. } | tables::Inserted::Taken { .. })));
            }
        }
        Ok(kept)
    }

    /// Whose rows somebody must not reach: the other tenant's, and their own when they are a member no more.
    fn foreign(&self, actor: &Actor) -> Vec<usize> {
        match (actor.kind, actor.tenant) {
            (Kind::Dead | Kind::Closed, Some(tenant)) => vec![tenant, OTHER],
            _ => vec![OTHER],
        }
    }

    /// What an actor calls a tenant that is not theirs, or is no more.
    fn whose(actor: &Actor, tenant: usize) -> &'static str {
        match actor.kind {
            _ if tenant == OTHER => "the other tenant",
            Kind::Closed => "their closed tenant",
            _ => "their former tenant",
        }
    }

    /// The tenant that somebody belongs to, or would.
    fn own(&self, actor: &Actor) -> usize {
        actor.tenant.unwrap_or(OWN)
    }

    /// Rows of a tenant that are not the actor's own person.
    fn rows_besides(&self, relation: &Relation, tenant: usize, actor: &Actor) -> Vec<Row> {
        let rows = self.world.rows(relation, tenant).iter().filter(|row| !self.is_self(relation, row, actor));
        rows.cloned().collect()
    }

    /// Rows that are about the actor as a person.
    fn own_rows(&self, relation: &Relation, actor: &Actor) -> Vec<Row> {
        let rows = self.world.rows(relation, self.own(actor)).iter();
        rows.filter(|row| self.is_self(relation, row, actor)).cloned().collect()
    }

    /// A row of the actor's tenant that names them, whatever for; memberships are another matter.
    fn row_naming(&self, relation: &Relation, actor: &Actor) -> Option<Row> {
        let user = actor.user.as_ref()?;
        if self.world.members().is_some_and(|members| members.oid == relation.oid) {
            return None;
        }
        let of_users = |row: &&Row| {
            let mut columns = relation.columns.iter();
            columns.any(|column| {
                self.world.catalog.is_of_user(relation, &column.name) && row.text(&column.name).as_ref() == Some(user)
            })
        };
        self.world.rows(relation, self.own(actor)).iter().rfind(of_users).cloned()
    }

    /// Whether a row is about the actor as a person.
    fn is_self(&self, relation: &Relation, row: &Row, actor: &Actor) -> bool {
        let Some(user) = &actor.user else { return false };
        let owners = crate::tie::owner_columns(self.world.catalog, relation, self.world.tenancy);
        let members = self.world.members().filter(|members| members.oid == relation.oid);
        let of_members = members.and(self.world.tenancy.members.as_ref()).map(|members| members.user.clone());
        let is_file = self.world.ties.get(&relation.oid) == Some(&Tie::Path);
        let in_folder = is_file && row.text("name").is_some_and(|name| name.split('/').any(|part| part == user));
        // One a person, which its policies ask for: a vote, a preference.
        let is_one_each = |name: &String| {
            relation.keys.iter().any(|key| key.columns.contains(name))
                && self.world.catalog.is_of_caller(relation, name)
        };
        let names = relation.columns.iter().map(|column| &column.name).filter(|name| is_one_each(name));
        in_folder || owners.iter().chain(&of_members).chain(names).any(|column| row.text(column).as_ref() == Some(user))
    }

    /// Where a row is, as its `ctid`.
    async fn place(&mut self, relation: &Relation, row: &Row) -> Result<String, Error> {
        let key = (relation.oid, row.key.clone());
        if let Some(place) = self.places.get(&key) {
            return Ok(place.clone());
        }
        let sql = format!("select ctid::text from {} where {}", relation.sql(), row.key);
        let found = self.desk.keep(&sql).await?.unwrap_or_default();
        let place = found.value().unwrap_or_default().to_owned();
        self.places.insert(key, place.clone());
        Ok(place)
    }

    /// How many rows of a table are a tenant's.
    async fn count(&mut self, relation: &Relation, tenant: usize) -> Result<i64, Error> {
        if let Some(count) = self.counts.get(&(relation.oid, tenant)) {
            return Ok(*count);
        }
        // What cannot be counted does not grow.
        let counted = self.desk.keep(&self.count_sql(relation, tenant)).await?;
        let count = counted.map_or(i64::MAX, |done| done.number());
        self.counts.insert((relation.oid, tenant), count);
        Ok(count)
    }

    /// What looks show while nobody tries anything.
    async fn usual(&mut self, looks: &[String]) -> Result<Vec<Option<String>>, Error> {
        let new: Vec<_> = looks.iter().filter(|look| !self.usual.contains_key(*look)).cloned().collect();
        if !new.is_empty() {
            let shown = self.desk.each(&new.join(";\n")).await?;
            self.usual.extend(new.into_iter().zip(shown));
        }
        Ok(looks.iter().map(|look| self.usual.get(look).cloned().flatten()).collect())
    }

    fn count_sql(&self, relation: &Relation, tenant: usize) -> String {
        format!("select count(*) from {} where {}", relation.sql(), self.world.condition(relation, tenant))
    }

    /// Which policies let an actor do this to a row: those that say yes to it, or all that could.
    async fn guilty(
        &mut self,
        relation: &Relation,
        actor: &Actor,
        command: &str,
        row: Option<&Row>,
    ) -> Result<Cause, Error> {
        self.guilty_of(relation, actor, command, row.as_slice()).await
    }

    /// The same for any of several rows.
    async fn guilty_of(
        &mut self,
        relation: &Relation,
        actor: &Actor,
        command: &str,
        rows: &[impl std::borrow::Borrow<Row>],
    ) -> Result<Cause, Error> {
        let keys: Vec<_> = rows.iter().map(|row| row.borrow().key.as_str()).collect();
        let keys = keys.join(" or ");
        let ask = |asked: &str| format!("select bool_or({asked}) from {} where {keys}", relation.sql());
        self.guilty_by(relation, actor, command, (!keys.is_empty()).then_some(&ask as &(dyn Fn(&str) -> String + Sync)))
            .await
    }

    /// The same for the row that a statement adds.
    async fn guilty_of_adding(&mut self, relation: &Relation, actor: &Actor, sql: &str) -> Result<Cause, Error> {
        let ask = |asked: &str| {
            let made = ident(&relation.name);
            format!("with rls_probe_made as ({sql} returning *) select bool_or({asked}) from rls_probe_made as {made}")
        };
        self.guilty_by(relation, actor, "insert", Some(&ask)).await
    }

    /// The same, where a statement asks whether an expression is true of a row.
    async fn guilty_by(
        &mut self,
        relation: &Relation,
        actor: &Actor,
        command: &str,
        ask: Option<&(dyn Fn(&str) -> String + Sync)>,
    ) -> Result<Cause, Error> {
        if !relation.rls {
            return Ok(Cause::NoRowSecurity);
        }
        let role = actor.db_role();
        let policies: Vec<Policy> =
            relation.policies_for(role, command).filter(|policy| policy.permissive).cloned().collect();
        let mut guilty = Vec::new();
        if let Some(ask) = ask.filter(|_| policies.len() > 1) {
            let [_, claims] = actor.become_sql();
            for policy in &policies {
                let expression = match command {
                    "insert" => policy.check.as_ref().or(policy.using.as_ref()),
                    _ => policy.using.as_ref(),
                };
                let Some(expression) = expression else { continue };
                self.desk.mark("guilty").await?;
                let said = self.desk.keep(&format!("{claims}; {}", ask(expression))).await?;
                self.desk.back("guilty").await?;
                if said.is_ok_and(|done| done.value() == Some("t")) {
                    guilty.push(policy.name.clone());
                }
            }
        }
        if guilty.is_empty() {
            guilty = policies.into_iter().map(|policy| policy.name).collect();
        }
        Ok(Cause::Policies(guilty))
    }

    /// Ends what may take no longer than the budget of an object: what was left out is undecided, for everybody.
    fn end_object(&mut self, objects: &[Object], verbs: &[Verb]) {
        if !self.desk.end_object() {
            return;
        }
        let seconds = self.desk.budget.as_secs();
        let reason = format!("not everything was tried within {seconds} s (--budget gives it longer)");
        for (object, actor) in objects.iter().flat_map(|object| self.actors.iter().map(move |actor| (object, actor))) {
            for verb in verbs {
                self.record.enter(object, *verb, actor, Cell::Undecided(reason.clone()));
            }
        }
    }

    /// Attempts without arrangements.
    async fn attempt(&mut self, actor: &Actor, sql: &str, looks: &[String]) -> Result<Attempted, Error> {
        self.desk.attempt(actor, Arranged::NOTHING, sql, looks).await
    }

    /// What a refusal means for a cell, where it means anything.
    fn refusal(refused: &Refused) -> Cell {
        if refused.is_said() { Cell::Refused } else { Cell::Undecided(format!("it failed: {refused}")) }
    }

    /// What an attempt that failed means, where it is of a table whose policies do not fail anyhow.
    fn failed(&self, refused: &Refused) -> Cell {
        let is_known = self.failed.iter().any(|failed| failed.refused.code == refused.code);
        if is_known { Cell::Refused } else { Self::refusal(refused) }
    }
}

/// Columns of codes that let in whoever knows them.
fn codes(catalog: &Catalog) -> impl Iterator<Item = (&Relation, &Column)> {
    let tables = catalog.relations.iter().filter(|relation| relation.is_table());
    tables.flat_map(|relation| {
        let is_redeemed = names::is_redeemed(&relation.name);
        let is_code = move |column: &&Column| {
            column.is_text() && (names::lets_in(&column.name) || is_redeemed && column.name.ends_with("code"))
        };
        relation.columns.iter().filter(is_code).map(move |column| (relation, column))
    })
}

/// The object that a relation is.
fn object_of(relation: &Relation) -> Object {
    Object { noun: relation.noun(), name: relation.title() }
}

/// A column that the role may update without breaking a key, and what the row has in it.
fn touched(relation: &Relation, role: &str, row: &Row, avoid: &[String]) -> Option<(String, String)> {
    let column = touchable(relation, role, avoid)?;
    Some((ident(&column.name), row.sql(&column.name)))
}

/// A column that the role may update, if there is one without breaking a key.
fn touchable<'r>(relation: &'r Relation, role: &str, avoid: &[String]) -> Option<&'r Column> {
    let in_key = |name: &str| relation.keys.iter().any(|key| key.columns.iter().any(|column| column == name));
    let in_reference = |name: &str| relation.reference_of(name).is_some();
    let mut columns: Vec<_> = relation
        .columns
        .iter()
        .filter(|column| column.may(role, "update") && !column.generated && !avoid.contains(&column.name))
        .collect();
    columns.sort_by_key(|column| {
        let says_what_one_may = names::is_role_column(&column.name) || names::is_raising_flag(&column.name);
        (in_key(&column.name), in_reference(&column.name), says_what_one_may, !column.is_text(), column.labels.len())
    });
    columns.first().copied()
}

/// Rows in one condition.
fn any_of(rows: &[Row]) -> String {
    let keys: Vec<_> = rows.iter().map(|row| row.key.as_str()).collect();
    if keys.is_empty() { "false".to_owned() } else { keys.join(" or ") }
}

/// A condition on a text: one of these is in it.
fn contains_any<'n>(text: &str, needles: impl Iterator<Item = &'n String>) -> String {
    let patterns: Vec<_> = needles.map(|needle| literal(&format!("%{needle}%"))).collect();
    format!("{text} like any (array[{}])", patterns.join(", "))
}
