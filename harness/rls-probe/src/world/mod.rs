//! Two tenants, a closed one, their people and rows in every table, made inside the transaction: what is somebody's is
//! known exactly, and nothing that was there before is needed or looked at.

mod files;
mod invited;
mod kept;
mod people;
mod rows;
mod script;
mod state;

pub use self::{
    files::Shelf,
    kept::Secret,
    state::{dead_states, sql_values},
};

use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
};

use aho_corasick::AhoCorasick;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    actor::{Actor, Kind},
    catalog::{Catalog, Relation},
    desk::Desk,
    draft::Draft,
    error::Error,
    sql::{ident, literal},
    tenancy::Tenancy,
    tie::{Tie, condition, ties},
};

/// The attacker's tenant, the other one, and a closed one.
pub const OWN: usize = 0;
pub const OTHER: usize = 1;
const CLOSED: usize = 2;

/// Rows of a table for each tenant. The first has children; the last is like it and has none; those between are in other
/// states.
pub const VARIANTS: usize = 4;

/// Everything that was made.
pub struct World<'c> {
    pub catalog: &'c Catalog,
    pub tenancy: &'c Tenancy,
    pub ties: HashMap<i64, Tie>,
    pub tenants: Vec<Tenant>,
    /// Who tries.
    pub actors: Vec<Actor>,
    /// The highest of the other tenant, and a platform admin, if there is such a role: what they get shows that there
    /// is something to get.
    pub controls: Vec<Actor>,
    /// Somebody whose invitation by the other tenant was taken back: they try what invitations are for.
    pub uninvited: Option<Actor>,
    rows: HashMap<(i64, Option<usize>), Vec<Row>>,
    /// Rows whose tenant is NULL.
    pub nobodys: HashMap<i64, Row>,
    /// Tables that no row could be made for, with the last refusal.
    pub gaps: HashMap<i64, String>,
    pub roles: Vec<String>,
    needles: [OnceLock<Needles>; 3],
    shelves: OnceLock<Vec<Shelf>>,
    /// Secrets by what rows keep of them.
    secrets: HashMap<String, Secret>,
    run: String,
    /// Somebody of the other tenant who tries nothing.
    pub bystander: Option<String>,
    /// Somebody of no tenant who tries nothing.
    stranger: Option<String>,
}

/// Texts, and what finds them all in one reading.
struct Needles {
    texts: Vec<String>,
    finder: AhoCorasick,
}

/// Somebody whose rows are theirs.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its key, as text.
    pub id: String,
    pub users: Vec<String>,
    /// The users' addresses.
    pub emails: Vec<String>,
}

/// A row that was made.
#[derive(Debug, Clone)]
pub struct Row {
    pub values: Map<String, Value>,
    /// The condition that finds it.
    pub key: String,
}

impl Row {
    /// A value as text; none where it is NULL.
    pub fn text(&self, column: &str) -> Option<String> {
        match self.values.get(column)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// A value in SQL.
    pub fn sql(&self, column: &str) -> String {
        self.text(column).map_or_else(|| "null".to_owned(), |text| literal(&text))
    }
}

impl<'c> World<'c> {
    /// Makes it.
    ///
    /// # Errors
    /// When tenants or users cannot be made, or the connection is lost.
    pub async fn make(desk: &mut Desk, catalog: &'c Catalog, tenancy: &'c Tenancy) -> Result<World<'c>, Error> {
        let mut world = Self {
            catalog,
            tenancy,
            ties: ties(catalog, tenancy),
            tenants: Vec::new(),
            actors: Vec::new(),
            controls: Vec::new(),
            uninvited: None,
            rows: HashMap::new(),
            nobodys: HashMap::new(),
            gaps: HashMap::new(),
            roles: Vec::new(),
            needles: Default::default(),
            shelves: OnceLock::new(),
            secrets: HashMap::new(),
            run: Uuid::new_v4().simple().to_string()[..6].to_owned(),
            bystander: None,
            stranger: None,
        };
        world.roles = world.known_roles(desk).await?;
        world.make_tenants(desk).await?;
        world.make_people(desk).await?;
        for relation in world.in_order() {
            world.fill(desk, relation).await?;
        }
        world.invite(desk).await?;
        world.keep_secrets(desk).await?;
        let headers = world.headers().to_string();
        world.actors.iter_mut().for_each(|actor| actor.headers.clone_from(&headers));
        world.refresh(desk).await?;
        Ok(world)
    }

    /// What the rows come to in materialized views, those included that are made of others.
    pub async fn refresh(&self, desk: &mut Desk) -> Result<(), Error> {
        for sql in self.refreshing() {
            // One that cannot be refreshed shows what it showed before.
            let _ = desk.keep(&sql).await?;
        }
        Ok(())
    }

    /// The statements for that.
    fn refreshing(&self) -> Vec<String> {
        let kept = self.catalog.relations.iter().filter(|relation| relation.noun() == "materialized view");
        let once: Vec<_> = kept.map(|view| format!("refresh materialized view {}", view.sql())).collect();
        let again = if once.len() > 1 { once.clone() } else { Vec::new() };
        once.into_iter().chain(again).collect()
    }

    /// The rows that were made for a tenant; of a table that is everybody's, the rows in it.
    pub fn rows(&self, relation: &Relation, tenant: usize) -> &[Row] {
        let tenant = (self.ties.get(&relation.oid) != Some(&Tie::Shared)).then_some(tenant);
        self.rows.get(&(relation.oid, tenant)).map_or(&[], Vec::as_slice)
    }

    /// The columns by which a table says whose its rows are; of the tenants' own table its key.
    pub fn whose_columns(&self, relation: &Relation) -> Vec<String> {
        match self.ties.get(&relation.oid) {
            Some(Tie::Tenant(column)) => vec![column.clone()],
            Some(Tie::Owner(columns)) => columns.clone(),
            _ => Vec::new(),
        }
    }

    /// Schemas that are probed.
    pub fn exposed(&self) -> BTreeSet<&str> {
        let exposed = self.catalog.relations.iter().filter(|relation| relation.exposed);
        exposed.map(|relation| relation.schema.as_str()).collect()
    }

    pub fn is_shared(&self, relation: &Relation) -> bool {
        self.ties.get(&relation.oid) == Some(&Tie::Shared)
    }

    /// Which rows are a tenant's, those included that come to be.
    pub fn condition(&self, relation: &Relation, tenant: usize) -> String {
        let Tenant { id, users, .. } = &self.tenants[tenant];
        condition(self.catalog, &self.ties, relation, id, users)
    }

    /// Which rows are a user's, where users are the tenants.
    pub fn condition_of(&self, relation: &Relation, user: &String) -> String {
        condition(self.catalog, &self.ties, relation, user, std::slice::from_ref(user))
    }

    /// Texts that give a tenant's rows away: what is written into them, and their keys where those are unique anywhere.
    pub fn needles(&self, tenant: usize) -> &[String] {
        &self.finder(tenant).texts
    }

    /// Those of [`World::needles`] that are in a text.
    pub fn given_away<'t>(&self, tenant: usize, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.finder(tenant).finder.find_overlapping_iter(text).map(|found| &text[found.range()])
    }

    fn finder(&self, tenant: usize) -> &Needles {
        self.needles[tenant].get_or_init(|| {
            let mut texts = BTreeSet::new();
            for relation in self.catalog.relations.iter().filter(|relation| relation.is_table()) {
                let key = relation.primary().filter(|key| key.columns.len() == 1).map(|key| &key.columns[0]);
                let rows = if self.is_shared(relation) { &[] } else { self.rows(relation, tenant) };
                texts.extend(rows.iter().filter_map(|row| row.text(key?)));
            }
            let Tenant { id, users, emails } = &self.tenants[tenant];
            texts.extend(users.iter().chain([id]).cloned());
            texts.retain(|id| id.len() == 36);
            texts.extend(emails.iter().cloned());
            texts.insert(self.canary(tenant));
            let texts: Vec<_> = texts.into_iter().collect();
            let finder = AhoCorasick::new(&texts).expect("a few texts for each table are no more than 2^31");
            Needles { texts, finder }
        })
    }

    /// Texts that only rows of the other tenant have.
    pub fn canary(&self, tenant: usize) -> String {
        format!("{}{}x", ["own", "oth", "cls"][tenant.min(2)], self.run)
    }

    /// The membership of the platform's admin.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn platform_row(&self, desk: &mut Desk, table: &Relation) -> Result<Option<Row>, Error> {
        let platform = self.controls.iter().find(|control| control.kind == Kind::Platform && control.role.is_some());
        let (Some(members), Some(user)) = (&self.tenancy.members, platform.and_then(|actor| actor.user.as_ref()))
        else {
            return Ok(None);
        };
        self.read_back(desk, table, &format!("{} = {}", ident(&members.user), literal(user))).await
    }

    /// The table that places users in tenants.
    pub fn members(&self) -> Option<&'c Relation> {
        self.catalog.named(&self.tenancy.members.as_ref()?.table)
    }

    fn is_members(&self, relation: &Relation) -> bool {
        self.members().is_some_and(|members| members.oid == relation.oid)
    }

    pub fn tenant_table(&self) -> Option<&'c Relation> {
        self.catalog.named(&self.tenancy.tenant.as_ref()?.table)
    }

    async fn make_tenants(&mut self, desk: &mut Desk) -> Result<(), Error> {
        let Some(tenant) = &self.tenancy.tenant else {
            for _ in 0..3 {
                self.tenants.push(Tenant { id: Uuid::new_v4().to_string(), users: Vec::new(), emails: Vec::new() });
            }
            return Ok(());
        };
        let table = self.tenant_table().ok_or_else(|| Error::NoTable(tenant.table.clone()))?;
        if table.column(&tenant.key).is_none() {
            return Err(Error::NoColumn(tenant.table.clone(), tenant.key.clone()));
        }
        let closed = self.closed_state(table);
        for number in 0..3 {
            let mut draft = Draft::new(table, &self.canary(number), 0);
            if number == CLOSED {
                closed.iter().for_each(|(column, value)| draft.set(column, value.clone()));
            }
            // Somebody has to have founded it.
            for column in table.columns.iter().filter(|column| self.catalog.is_of_user(table, &column.name)) {
                let founder = self.sign_up(desk, "founder", json!({})).await?;
                draft.prefer(&column.name, literal(founder.user.as_deref().unwrap_or_default()));
            }
            let row = self
                .insert(desk, table, draft)
                .await?
                .map_err(|refused| Error::NoTenant(tenant.table.clone(), refused))?;
            let id = row.text(&tenant.key).unwrap_or_default();
            self.rows.entry((table.oid, Some(number))).or_default().push(row);
            self.tenants.push(Tenant { id, users: Vec::new(), emails: Vec::new() });
        }
        Ok(())
    }
}
