//! Two tenants, a closed one, their people and rows in every table, made inside the transaction: what is somebody's is
//! known exactly, and nothing that was there before is needed or looked at.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{LazyLock, OnceLock},
};

use aho_corasick::AhoCorasick;
use regex::Regex;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Error,
    actor::{Actor, Kind},
    catalog::{Catalog, Relation, ident, literal},
    desk::{Desk, Refused},
    draft::{Draft, choices},
    tenancy::Tenancy,
    tie::{Tie, condition, owner_columns, ties},
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
    rows: HashMap<(i64, Option<usize>), Vec<Row>>,
    /// Rows whose tenant is NULL.
    pub nobodys: HashMap<i64, Row>,
    /// Tables that no row could be made for, with the last refusal.
    pub gaps: HashMap<i64, String>,
    pub roles: Vec<String>,
    needles: [OnceLock<Needles>; 3],
    run: String,
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
            rows: HashMap::new(),
            nobodys: HashMap::new(),
            gaps: HashMap::new(),
            roles: Vec::new(),
            needles: Default::default(),
            run: Uuid::new_v4().simple().to_string()[..6].to_owned(),
        };
        world.roles = world.known_roles();
        world.make_tenants(desk).await?;
        world.make_people(desk).await?;
        let headers = world.headers().to_string();
        world.actors.iter_mut().for_each(|actor| actor.headers.clone_from(&headers));
        for relation in world.in_order() {
            world.fill(desk, relation).await?;
        }
        world.refresh(desk).await?;
        Ok(world)
    }

    /// What the rows come to in materialized views, those included that are made of others.
    pub async fn refresh(&self, desk: &mut Desk) -> Result<(), Error> {
        let kept: Vec<_> =
            self.catalog.relations.iter().filter(|relation| relation.noun() == "materialized view").collect();
        for _ in 0..kept.len().min(2) {
            for view in &kept {
                // One that cannot be refreshed shows what it showed before.
                let _ = desk.keep(&format!("refresh materialized view {}", view.sql())).await?;
            }
        }
        Ok(())
    }

    /// Statements that make the same users and rows again.
    pub async fn script(&self, desk: &mut Desk) -> Result<String, Error> {
        let everybody = self.tenants.iter().flat_map(|tenant| &tenant.users);
        let everybody =
            everybody.chain(self.actors.iter().chain(&self.controls).filter_map(|actor| actor.user.as_ref()));
        let everybody: Vec<_> = everybody.map(|user| literal(user)).collect();
        let users = format!("id::text in ({})", everybody.join(", "));
        let mut wanted = vec![("\"auth\".\"users\"".to_owned(), self.catalog.auth_columns.clone(), users)];
        for relation in self.in_order() {
            let mut conditions: Vec<_> =
                (0..self.tenants.len()).map(|tenant| self.condition(relation, tenant)).collect();
            if let Some(members) = self.tenancy.members.as_ref().filter(|_| self.is_members(relation)) {
                conditions.push(format!("{}::text in ({})", ident(&members.user), everybody.join(", ")));
            }
            if relation.schema != "storage" {
                let shared = self.rows.get(&(relation.oid, None)).into_iter().flatten();
                conditions.extend(shared.chain(self.nobodys.get(&relation.oid)).map(|row| row.key.clone()));
            }
            if conditions.is_empty() {
                continue;
            }
            let chosen = relation.columns.iter().filter(|column| !column.generated || column.identity);
            let chosen = chosen.map(|column| column.name.clone()).collect();
            wanted.push((relation.sql(), chosen, conditions.join(" or ")));
        }
        let mut script = vec!["set local session_replication_role = replica;".to_owned()];
        for (table, columns, condition) in wanted {
            let sql = format!("select jsonb_agg(to_jsonb(t))::text from {table} t where {condition}");
            let Ok(done) = desk.keep(&sql).await? else { continue };
            if let Some(rows) = done.value() {
                let columns = columns.iter().map(|name| ident(name)).collect::<Vec<_>>().join(", ");
                script.push(format!(
                    "insert into {table} ({columns}) overriding system value\n  select {columns} from jsonb_populate_recordset(null::{table}, {});",
                    literal(rows)
                ));
            }
        }
        script.push("set local session_replication_role = origin;".to_owned());
        Ok(script.join("\n"))
    }

    /// The rows that were made for a tenant; of a table that is everybody's, the rows in it.
    pub fn rows(&self, relation: &Relation, tenant: usize) -> &[Row] {
        let tenant = (self.ties.get(&relation.oid) != Some(&Tie::Shared)).then_some(tenant);
        self.rows.get(&(relation.oid, tenant)).map_or(&[], Vec::as_slice)
    }

    pub fn is_shared(&self, relation: &Relation) -> bool {
        self.ties.get(&relation.oid) == Some(&Tie::Shared)
    }

    /// Which rows are a tenant's, those included that come to be.
    pub fn condition(&self, relation: &Relation, tenant: usize) -> String {
        let Tenant { id, users } = &self.tenants[tenant];
        condition(self.catalog, &self.ties, relation, id, users)
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
            let Tenant { id, users } = &self.tenants[tenant];
            texts.extend(users.iter().chain([id]).cloned());
            texts.retain(|id| id.len() == 36);
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

    fn known_roles(&self) -> Vec<String> {
        if let Some(claim) = &self.tenancy.claim
            && !claim.roles.is_empty()
        {
            return claim.roles.clone();
        }
        let column = self.members().and_then(|members| {
            let role = self.tenancy.members.as_ref()?.role.as_ref()?;
            Some((members, members.column(role)?))
        });
        let listed = column.map(|(members, column)| choices(members, column)).unwrap_or_default();
        if listed.is_empty() { vec!["user".to_owned()] } else { listed }
    }

    /// Roles of one tenant, the highest first.
    fn tenant_roles(&self) -> Vec<String> {
        let roles = &self.tenancy.roles;
        let mut names: Vec<_> = self.roles.iter().filter(|role| !roles.is_platform(role)).cloned().collect();
        names.sort_by_key(|role| roles.rank(role));
        names
    }

    async fn make_tenants(&mut self, desk: &mut Desk) -> Result<(), Error> {
        let Some(tenant) = &self.tenancy.tenant else {
            for _ in 0..3 {
                self.tenants.push(Tenant { id: Uuid::new_v4().to_string(), users: Vec::new() });
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
            let row = self.insert(desk, table, draft).await?.map_err(|refused| Error::NoTenant(refused.to_string()))?;
            let id = row.text(&tenant.key).unwrap_or_default();
            self.rows.entry((table.oid, Some(number))).or_default().push(row);
            self.tenants.push(Tenant { id, users: Vec::new() });
        }
        Ok(())
    }

    /// Columns of a tenant that is closed, told or found out.
    fn closed_state(&self, table: &Relation) -> BTreeMap<String, String> {
        let told = self.tenancy.tenant.as_ref().map(|tenant| sql_values(&tenant.closed)).unwrap_or_default();
        if told.is_empty() { dead_states(table).into_iter().next().unwrap_or_default() } else { told }
    }

    /// Users of every kind.
    async fn make_people(&mut self, desk: &mut Desk) -> Result<(), Error> {
        let is_owned = self.tenancy.tenant.is_none();
        let roles = self.tenant_roles();
        let (highest, lowest) = (roles.first().cloned(), roles.last().cloned());
        // The other tenant's people come first: whoever signs up later may see them.
        let pair: Vec<_> = if is_owned { vec![highest.clone(); 2] } else { vec![highest.clone(), lowest] };
        for (number, role) in pair.iter().enumerate() {
            let actor = self.member(desk, OTHER, role.as_deref(), Kind::Member, &BTreeMap::new(), None).await?;
            if number == 0 {
                self.controls.push(actor);
            }
        }
        let readers = &self.tenancy.roles;
        for role in &roles {
            let kind = if readers.is_reader(role) { Kind::Reader } else { Kind::Member };
            let actor = self.member(desk, OWN, Some(role), kind, &BTreeMap::new(), None).await?;
            self.actors.push(actor);
        }
        if is_owned {
            // Somebody for rows that name two users.
            self.member(desk, OWN, highest.as_deref(), Kind::Member, &BTreeMap::new(), None).await?;
        }
        for (name, state) in self.dead_members() {
            let actor = self.member(desk, OWN, highest.as_deref(), Kind::Dead, &state, Some(&name)).await?;
            self.actors.push(actor);
        }
        let closed = self.tenant_table().map(|table| self.closed_state(table)).unwrap_or_default();
        if !closed.is_empty() {
            let name = Some("suspended tenant");
            let actor = self.member(desk, CLOSED, highest.as_deref(), Kind::Closed, &BTreeMap::new(), name).await?;
            self.actors.push(actor);
        }
        let newcomer = self.sign_up(desk, "newcomer", json!({})).await?;
        self.actors.push(newcomer);
        let claims = self.every_claim();
        let claimant = self.sign_up(desk, "claimant", claims).await?;
        self.actors.push(claimant);
        self.actors.push(Actor::anonymous());
        let platform = self.roles.iter().find(|role| self.tenancy.roles.is_platform(role)).cloned();
        if let Some(role) = platform {
            let actor = self.member(desk, OWN, Some(&role), Kind::Platform, &BTreeMap::new(), None).await?;
            self.controls.push(actor);
        }
        Ok(())
    }

    /// What somebody may claim of themselves when they sign up: everything.
    pub fn every_claim(&self) -> Value {
        let highest = self.roles.iter().min_by_key(|role| self.tenancy.roles.rank(role)).cloned().unwrap_or_default();
        let mut claims = json!({
            "role": highest, "user_role": highest, "roles": [highest], "is_admin": true, "is_super_admin": true, "admin": true,
            "is_staff": true, "staff": true,
        });
        let mut names = vec!["tenant_id".to_owned(), "organization_id".to_owned(), "org_id".to_owned()];
        names.extend(self.tenancy.tenant.iter().map(|tenant| tenant.column.clone()));
        names.extend(self.tenancy.claim.iter().filter_map(|claim| claim.path.last().cloned()));
        names.extend(self.tenancy.members.iter().map(|members| members.tenant.clone()));
        for name in names {
            claims[name] = number_or_text(&self.tenants[OTHER].id);
        }
        if let Some(name) = self.tenancy.claim.iter().filter_map(|claim| claim.role.last()).next() {
            claims[name] = highest.into();
        }
        for (name, value) in self.asked_of_metadata() {
            claims[name] = value.into();
        }
        claims
    }

    /// What policies and functions compare users' metadata with.
    fn asked_of_metadata(&self) -> Vec<(String, String)> {
        static ASKED: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"user_meta_?data[^>]{0,12}->>?\s*'(\w+)'(?:::text)?\)*\s*=\s*'([^']+)'").expect("a pattern")
        });
        let policies = self.catalog.relations.iter().flat_map(|relation| &relation.policies);
        let policies = policies.flat_map(|policy| [policy.using.as_deref(), policy.check.as_deref()]).flatten();
        let texts = policies.chain(self.catalog.functions.iter().map(|function| function.source.as_str()));
        let found =
            texts.flat_map(|text| ASKED.captures_iter(text).map(|found| (found[1].to_owned(), found[2].to_owned())));
        found.collect()
    }

    /// Headers by which a request could say whose it is, saying that it is the other tenant's.
    fn headers(&self) -> Value {
        static NAMED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"'(x-[a-z-]+)'").expect("a pattern"));
        let policies = self.catalog.relations.iter().flat_map(|relation| &relation.policies);
        let texts = policies.filter_map(|policy| policy.using.as_deref().or(policy.check.as_deref()));
        let texts = texts.chain(self.catalog.functions.iter().map(|function| function.source.as_str()));
        let names: Vec<_> = texts.flat_map(|text| NAMED.captures_iter(text).map(|found| found[1].to_owned())).collect();
        let usual = ["x-tenant-id", "x-organization-id", "x-org-id"].map(str::to_owned);
        let id = &self.tenants[OTHER].id;
        Value::Object(names.into_iter().chain(usual).map(|name| (name, id.clone().into())).collect())
    }

    /// A user without a place in any tenant, as the auth server makes one.
    async fn sign_up(&mut self, desk: &mut Desk, name: &str, metadata: Value) -> Result<Actor, Error> {
        let (user, email) = (Uuid::new_v4().to_string(), format!("{name}-{}@example.com", Uuid::new_v4().simple()));
        let values = [
            ("id", literal(&user)),
            ("aud", "'authenticated'".to_owned()),
            ("role", "'authenticated'".to_owned()),
            ("email", literal(&email)),
            ("raw_app_meta_data", r#"'{"provider": "email", "providers": ["email"]}'"#.to_owned()),
            ("raw_user_meta_data", literal(&metadata.to_string())),
            ("email_confirmed_at", "now()".to_owned()),
            ("created_at", "now()".to_owned()),
            ("updated_at", "now()".to_owned()),
        ];
        let values =
            values.into_iter().filter(|(column, _)| self.catalog.auth_columns.iter().any(|name| name == column));
        let (columns, values): (Vec<_>, Vec<_>) = values.unzip();
        let insert = format!("insert into auth.users ({}) values ({})", columns.join(", "), values.join(", "));
        if let Err(refused) = self.with_triggers_held(desk, &insert).await? {
            return Err(Error::NoUser(refused.to_string()));
        }
        let mut actor = Actor::user(name, Kind::Newcomer, &user, &email);
        actor.claim(&["user_metadata".to_owned()], metadata);
        Ok(actor)
    }

    /// A user with a place in a tenant.
    async fn member(
        &mut self,
        desk: &mut Desk,
        tenant: usize,
        role: Option<&str>,
        kind: Kind,
        state: &BTreeMap<String, String>,
        name: Option<&str>,
    ) -> Result<Actor, Error> {
        let mut actor = self.sign_up(desk, name.or(role).unwrap_or("user"), json!({})).await?;
        (actor.kind, actor.tenant, actor.role) = (kind, Some(tenant), role.map(str::to_owned));
        let user = actor.user.clone().unwrap_or_default();
        if self.tenancy.tenant.is_none() {
            // A user is their own tenant.
            self.tenants[tenant].users.push(user.clone());
            if self.tenants[tenant].users.len() == 1 {
                self.tenants[tenant].id = user;
            }
            return Ok(actor);
        }
        if let Some(claim) = &self.tenancy.claim {
            actor.claim(&claim.path, number_or_text(&self.tenants[tenant].id));
            if let Some(role) = role {
                actor.claim(&claim.role, role.into());
            }
        }
        if let (Some(members), Some(table)) = (&self.tenancy.members, self.members()) {
            let mut values = sql_values(&members.state);
            if values.is_empty() {
                values = living_state(table);
            }
            values.extend(state.clone());
            values.insert(members.user.clone(), literal(&user));
            values.insert(members.tenant.clone(), literal(&self.tenants[tenant].id));
            if let (Some(column), Some(role)) = (&members.role, role) {
                values.insert(column.clone(), literal(role));
            }
            let mut refused = self.place(desk, table, &members.user, &values, &actor.claims["email"]).await?;
            if refused.is_some() && kind == Kind::Platform {
                values.insert(members.tenant.clone(), "null".to_owned());
                refused = self.place(desk, table, &members.user, &values, &actor.claims["email"]).await?;
                actor.tenant = None;
            }
            if let Some(refused) = refused {
                return Err(Error::NoMember(actor.name, refused.to_string()));
            }
            let row = self.read_back(desk, table, &format!("{} = {}", ident(&members.user), literal(&user))).await?;
            if let (Some(row), true) = (row, kind != Kind::Platform) {
                self.rows.entry((table.oid, Some(tenant))).or_default().push(row);
            }
        }
        if kind != Kind::Platform {
            self.tenants[tenant].users.push(user);
        }
        Ok(actor)
    }

    /// Writes a membership, or changes the one that signing up made.
    async fn place(
        &mut self,
        desk: &mut Desk,
        table: &'c Relation,
        user: &str,
        values: &BTreeMap<String, String>,
        email: &Value,
    ) -> Result<Option<Refused>, Error> {
        let sets: Vec<_> = values.iter().map(|(column, value)| format!("{} = {value}", ident(column))).collect();
        let at = values.get(user).cloned().unwrap_or_default();
        let update = format!("update {} set {} where {} = {at}", table.sql(), sets.join(", "), ident(user));
        if let Ok(done) = self.with_triggers_held(desk, &update).await?
            && done.affected > 0
        {
            return Ok(None);
        }
        let mark = format!("m{}", Uuid::new_v4().simple());
        let mut draft = Draft::new(table, &mark[..12], 0);
        if let Some(column) = table.columns.iter().find(|column| column.name == "email") {
            draft.prefer(&column.name, literal(email.as_str().unwrap_or_default()));
        }
        for (column, value) in values {
            draft.set(column, value.clone());
        }
        for reference in &table.references {
            if reference.columns.iter().all(|column| values.contains_key(column)) {
                continue;
            }
            self.refer(&mut draft, table, reference, None);
        }
        Ok(self.insert(desk, table, draft).await?.err())
    }

    /// Ways in which somebody is a member no more, with a name for each.
    fn dead_members(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let (Some(members), Some(table)) = (&self.tenancy.members, self.members()) else { return Vec::new() };
        let told: Vec<_> = members.dead.iter().map(sql_values).collect();
        let states = if told.is_empty() { dead_states(table) } else { told };
        let named = states.into_iter().map(|state| {
            let value = state.values().next().map(|value| value.trim_matches('\'').to_lowercase()).unwrap_or_default();
            let is_word =
                value.chars().all(|c| c.is_ascii_alphabetic() || c == '_') && value != "true" && value != "false";
            let name = if is_word && !value.is_empty() { value } else { "deactivated".to_owned() };
            (name, state)
        });
        named.collect()
    }

    /// Tables, those that others refer to first.
    fn in_order(&self) -> Vec<&'c Relation> {
        fn visit<'c>(
            catalog: &'c Catalog,
            relation: &'c Relation,
            seen: &mut HashSet<i64>,
            order: &mut Vec<&'c Relation>,
        ) {
            if !seen.insert(relation.oid) || !relation.is_table() || relation.partition {
                return;
            }
            for reference in &relation.references {
                if let Some(target) = catalog.relation(reference.target) {
                    visit(catalog, target, seen, order);
                }
            }
            order.push(relation);
        }
        let (mut seen, mut order) = (HashSet::new(), Vec::new());
        for relation in &self.catalog.relations {
            visit(self.catalog, relation, &mut seen, &mut order);
        }
        order
    }

    /// Makes rows of a table for every tenant.
    async fn fill(&mut self, desk: &mut Desk, relation: &'c Relation) -> Result<(), Error> {
        let is_members = self.is_members(relation);
        let is_tenants = self.tenant_table().is_some_and(|table| table.oid == relation.oid);
        if relation.schema == "storage" && relation.name != "objects" {
            return self.read_rows(desk, relation).await;
        }
        let tenants: Vec<Option<usize>> = match self.ties.get(&relation.oid) {
            Some(Tie::Shared) | None => vec![None],
            Some(_) => (0..self.tenants.len()).map(Some).collect(),
        };
        for tenant in tenants {
            if is_tenants
                || is_members
                || tenant.is_some_and(|tenant| self.tenants[tenant].users.is_empty() && tenant == CLOSED)
            {
                continue;
            }
            // The last row of a table has no children, not even one.
            let is_needed = |name: &String| relation.column(name).is_some_and(|column| column.not_null);
            let joins = joins(relation).any(|key| key.columns.iter().all(is_needed));
            let variants = if joins { VARIANTS - 1 } else { VARIANTS };
            let first = self.mark(tenant, 0);
            for variant in 0..variants {
                let mark = self.mark(tenant, variant);
                let draft = match variant {
                    0 => self.draft_marked(relation, tenant, 0, &first),
                    // What is found by likeness finds it.
                    _ if variant == VARIANTS - 1 => {
                        self.draft_marked(relation, tenant, variant, &first).map(|draft| draft.twin(&mark))
                    }
                    _ => self.draft_marked(relation, tenant, variant, &mark),
                };
                let Some(draft) = draft else { break };
                match self.insert(desk, relation, draft).await? {
                    Ok(row) => self.rows.entry((relation.oid, tenant)).or_default().push(row),
                    Err(refused) => {
                        let found = match (variant, tenant) {
                            // A trigger may have made it.
                            (0, Some(tenant)) => {
                                let condition = self.condition(relation, tenant);
                                self.read_back(desk, relation, &condition).await?
                            }
                            _ => None,
                        };
                        match found {
                            Some(row) => {
                                self.rows.entry((relation.oid, Some(tenant.unwrap_or_default()))).or_default().push(row)
                            }
                            None if variant == 0 && tenant != Some(CLOSED) => {
                                self.gaps.insert(relation.oid, refused.to_string());
                            }
                            None => {}
                        }
                        break;
                    }
                }
            }
        }
        // A row that is nobody's, where the schema lets it be.
        if let Some(Tie::Tenant(column)) = self.ties.get(&relation.oid).cloned()
            && !is_tenants
            && !is_members
            && relation.column(&column).is_some_and(|column| !column.not_null)
            && let Some(mut draft) = self.draft(relation, Some(OTHER), 0)
        {
            draft.set(&column, "null".to_owned());
            for reference in &relation.references {
                if !reference.columns.contains(&column) {
                    continue;
                }
                for other in reference.columns.iter().filter(|other| **other != column) {
                    if relation.column(other).is_some_and(|column| !column.not_null) {
                        draft.set(other, "null".to_owned());
                    }
                }
            }
            if let Ok(row) = self.insert(desk, relation, draft).await? {
                self.nobodys.insert(relation.oid, row);
            }
        }
        Ok(())
    }

    async fn read_rows(&mut self, desk: &mut Desk, relation: &'c Relation) -> Result<(), Error> {
        for number in 0..VARIANTS {
            let one = format!("ctid = (select ctid from {} order by 1 offset {number} limit 1)", relation.sql());
            let Some(row) = self.read_back(desk, relation, &one).await? else { break };
            self.rows.entry((relation.oid, None)).or_default().push(row);
        }
        Ok(())
    }

    /// A text of a tenant's that no other row has.
    fn mark(&self, tenant: Option<usize>, variant: usize) -> String {
        format!("{}{}{variant}", self.canary(tenant.unwrap_or(OWN)), &Uuid::new_v4().simple().to_string()[..6])
    }

    /// A row for a tenant that refers to rows of the same tenant.
    pub fn draft(&self, relation: &'c Relation, tenant: Option<usize>, variant: usize) -> Option<Draft<'c>> {
        self.draft_marked(relation, tenant, variant, &self.mark(tenant, variant))
    }

    fn draft_marked(
        &self,
        relation: &'c Relation,
        tenant: Option<usize>,
        variant: usize,
        mark: &str,
    ) -> Option<Draft<'c>> {
        let tie = self.ties.get(&relation.oid)?;
        let index = tenant.unwrap_or(OWN);
        let mut draft = Draft::new(relation, mark, variant % (VARIANTS - 1));
        for reference in &relation.references {
            let is_tie = matches!(tie, Tie::Parent(index) if relation.references[*index].name == reference.name);
            let is_open = |name: &String| relation.column(name).is_some_and(|column| !column.not_null);
            if variant == 2 && !is_tie && reference.columns.iter().any(is_open) {
                // Assigned to nobody, part of nothing.
                reference
                    .columns
                    .iter()
                    .filter(|name| is_open(name))
                    .for_each(|name| draft.prefer(name, "null".to_owned()));
            } else {
                self.refer(&mut draft, relation, reference, Some((index, variant)));
            }
        }
        let Tenant { id, users } = &self.tenants[index];
        let user = |number: usize| users.get(number).or(users.first()).map(|user| literal(user));
        for (number, column) in owner_columns(relation, self.tenancy).iter().enumerate() {
            if let Some(user) = user((number + variant) % users.len().max(1)) {
                draft.set(column, user);
            }
        }
        match tie {
            Tie::Tenant(column) => draft.set(column, literal(id)),
            Tie::Path => {
                let bucket = self.bucket(relation, variant)?;
                draft.set("bucket_id", literal(&bucket));
                let folder = if self.tenancy.tenant.is_some() { id } else { users.first()? };
                draft.set("name", literal(&format!("{folder}/{mark}.txt")));
                if let Some(user) = user(0) {
                    draft.prefer("owner", user.clone());
                    draft.prefer("owner_id", user);
                }
            }
            Tie::Parent(_) | Tie::Owner(_) | Tie::Shared => {}
        }
        Some(draft)
    }

    /// Points a row at a row of a tenant's.
    pub fn refer(
        &self,
        draft: &mut Draft<'c>,
        relation: &Relation,
        reference: &super::catalog::Reference,
        of: Option<(usize, usize)>,
    ) {
        let (tenant, variant) = of.unwrap_or((OWN, 0));
        let is_needed =
            reference.columns.iter().all(|name| relation.column(name).is_some_and(|column| column.not_null));
        if reference.target == relation.oid && !is_needed {
            for column in
                reference.columns.iter().filter(|name| relation.column(name).is_some_and(|column| !column.not_null))
            {
                draft.prefer(column, "null".to_owned());
            }
            return;
        }
        if reference.target_name == "auth.users" {
            let users = &self.tenants[tenant].users;
            if let (Some(column), Some(user)) = (reference.columns.first(), users.get(variant % users.len().max(1))) {
                draft.prefer(column, literal(user));
            }
            return;
        }
        let Some(target) = self.catalog.relation(reference.target) else { return };
        // Rows of a join table are told apart by what they join.
        let rows = self.rows(target, tenant);
        let is_key = reference.columns.iter().any(|name| joins(relation).any(|key| key.columns.contains(name)));
        let Some(row) = rows.get(if is_key { variant } else { 0 }).or(rows.first()) else { return };
        for (column, target) in reference.columns.iter().zip(&reference.target_columns) {
            if is_needed {
                draft.set(column, row.sql(target));
            } else {
                draft.prefer(column, row.sql(target));
            }
        }
    }

    /// A bucket that policies or rows name.
    fn bucket(&self, objects: &Relation, variant: usize) -> Option<String> {
        let _ = objects;
        let buckets = self.catalog.relations.iter().find(|relation| relation.title() == "storage.buckets")?;
        let rows = self.rows.get(&(buckets.oid, None))?;
        rows.get(variant % rows.len().max(1))?.text("id")
    }

    /// Inserts a row as one who may, and answers with it.
    async fn insert(
        &mut self,
        desk: &mut Desk,
        relation: &Relation,
        mut draft: Draft<'_>,
    ) -> Result<Result<Row, Refused>, Error> {
        loop {
            let sql = format!("{} returning to_jsonb(t)::text", draft.insert());
            match self.with_triggers_held(desk, &sql).await? {
                Ok(done) => {
                    let values: Map<String, Value> =
                        done.value().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
                    let key = key_of(relation, &values);
                    return Ok(Ok(Row { values, key }));
                }
                Err(refused) if draft.revise(&refused) => {}
                Err(refused) => return Ok(Err(refused)),
            }
        }
    }

    /// Runs a statement that stays; where a trigger refuses it, without triggers.
    async fn with_triggers_held(
        &self,
        desk: &mut Desk,
        sql: &str,
    ) -> Result<Result<super::desk::Done, Refused>, Error> {
        match desk.keep(sql).await? {
            Err(refused)
                if !refused.code.starts_with("22") && !refused.is_by_constraint() && desk.can_hold_triggers =>
            {
                desk.run("set local session_replication_role = replica").await?;
                let done = desk.keep(sql).await?;
                desk.run("set local session_replication_role = origin").await?;
                Ok(done.map_err(|_| refused))
            }
            done => Ok(done),
        }
    }

    async fn read_back(&self, desk: &mut Desk, relation: &Relation, condition: &str) -> Result<Option<Row>, Error> {
        let sql = format!("select to_jsonb(t)::text from {} t where {condition} limit 1", relation.sql());
        let Ok(done) = desk.keep(&sql).await? else { return Ok(None) };
        let values: Option<Map<String, Value>> = done.value().and_then(|text| serde_json::from_str(text).ok());
        Ok(values.map(|values| Row { key: key_of(relation, &values), values }))
    }
}

/// Keys that are made of references only.
fn joins(relation: &Relation) -> impl Iterator<Item = &super::catalog::Key> {
    relation
        .keys
        .iter()
        .filter(|key| !key.columns.is_empty() && key.columns.iter().all(|name| relation.reference_of(name).is_some()))
}

/// The condition that finds a row by its key, or by all that it has where there is none.
fn key_of(relation: &Relation, values: &Map<String, Value>) -> String {
    let row = Row { values: values.clone(), key: String::new() };
    let columns: Vec<&str> = match relation.primary().or(relation.keys.iter().find(|key| key.plain && !key.partial)) {
        Some(key) => key.columns.iter().map(String::as_str).collect(),
        None => {
            let plain =
                |column: &&super::catalog::Column| !matches!(column.base.as_str(), "json" | "jsonb" | "xml" | "point");
            relation.columns.iter().filter(plain).map(|column| column.name.as_str()).collect()
        }
    };
    let each = columns.into_iter().map(|column| match row.text(column) {
        Some(text) => format!("{} = {}", ident(column), literal(&text)),
        None => format!("{} is null", ident(column)),
    });
    format!("({})", each.collect::<Vec<_>>().join(" and "))
}

fn sql_values(values: &BTreeMap<String, toml::Value>) -> BTreeMap<String, String> {
    let sql = |value: &toml::Value| match value {
        toml::Value::String(text) => literal(text),
        other => other.to_string(),
    };
    values.iter().map(|(column, value)| (column.clone(), sql(value))).collect()
}

/// A claim that may be a number is one.
fn number_or_text(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| id.into(), Value::from)
}

const DEAD: [&str; 13] = [
    "SUSPENDED",
    "INACTIVE",
    "DEACTIVATED",
    "DISABLED",
    "REMOVED",
    "BANNED",
    "BLOCKED",
    "CLOSED",
    "ARCHIVED",
    "REVOKED",
    "LEFT",
    "DELETED",
    "INVITED",
];

/// States in which something is over, found out from names of columns and values.
fn dead_states(table: &Relation) -> Vec<BTreeMap<String, String>> {
    let mut states = Vec::new();
    for column in &table.columns {
        let name = column.name.as_str();
        let value = match column.category.as_str() {
            "B" if matches!(name, "is_active" | "active" | "enabled" | "is_enabled") => Some("false".to_owned()),
            "D" if matches!(
                name,
                "deleted_at" | "removed_at" | "deactivated_at" | "suspended_at" | "revoked_at" | "disabled_at"
            ) =>
            {
                Some("now()".to_owned())
            }
            _ if matches!(name, "status" | "state" | "standing") => {
                let choices = choices(table, column);
                let dead = DEAD.iter().find_map(|dead| choices.iter().find(|choice| choice.eq_ignore_ascii_case(dead)));
                dead.map(|dead| literal(dead))
            }
            _ => None,
        };
        states.extend(value.map(|value| BTreeMap::from([(column.name.clone(), value)])));
    }
    states
}

/// The state of a member who is one.
fn living_state(table: &Relation) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    for column in &table.columns {
        if matches!(column.name.as_str(), "status" | "state") {
            let living = choices(table, column).into_iter().find(|choice| choice.eq_ignore_ascii_case("active"));
            state.extend(living.map(|living| (column.name.clone(), literal(&living))));
        } else if column.category == "B" && matches!(column.name.as_str(), "is_active" | "active" | "enabled") {
            state.insert(column.name.clone(), "true".to_owned());
        }
    }
    state
}
