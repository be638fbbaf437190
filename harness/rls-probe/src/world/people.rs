//! The people of the tenants, and those outside: users signed up, placed, and placed no more.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    actor::{Actor, Kind},
    catalog::{Column, Relation},
    desk::Desk,
    draft::{Draft, known_values},
    error::Error,
    names,
    refused::Refused,
    sql::{ident, literal},
    tie::owner_columns,
};

use super::{
    CLOSED, OTHER, OWN, World,
    state::{dead_states, living_state, not_yet, sql_values},
};

/// What somebody is who has no role.
const PLAIN: &str = "user";

impl<'c> World<'c> {
    /// Roles that there are: as given, listed by the column, or rows of the table that it refers to.
    pub(super) async fn known_roles(&self, desk: &mut Desk) -> Result<Vec<String>, Error> {
        if let Some(claim) = &self.tenancy.claim
            && !claim.roles.is_empty()
        {
            return Ok(claim.roles.clone());
        }
        let of_members = self.members().and_then(|members| {
            let role = self.tenancy.members.as_ref()?.role.as_ref()?;
            Some((members, members.column(role)?))
        });
        let column = of_members.or_else(|| self.granted());
        let mut listed = column.map(|(members, column)| known_values(members, column)).unwrap_or_default();
        // Rows of a table say all of them, where policies name but some.
        if let Some((members, column)) = column
            && let Some(reference) = members.reference_of(&column.name)
            && let Some(target) = self.catalog.relation(reference.target)
        {
            // What may do more has the greater number, where there is one.
            let power = target.columns.iter().find(|column| column.category == "N").map(|column| ident(&column.name));
            let order = power.map_or_else(|| "1".to_owned(), |power| format!("{power} desc"));
            let key = ident(&reference.target_columns[0]);
            let rows = desk.keep(&format!("select {key}::text from {} order by {order}", target.sql())).await?;
            let rows: Vec<_> = rows.map(|done| done.rows.into_iter().flatten().collect()).unwrap_or_default();
            listed = if rows.is_empty() { listed } else { rows };
        }
        if (listed.is_empty() || self.tenancy.tenant.is_none()) && !listed.iter().any(|role| role == PLAIN) {
            listed.push(PLAIN.to_owned());
        }
        Ok(listed)
    }

    /// The table that gives users roles beside their memberships, and its column with the role.
    fn granted(&self) -> Option<(&'c Relation, &'c Column)> {
        let granted = self.tenancy.granted.as_ref()?;
        let table = self.catalog.named(&granted.table)?;
        Some((table, table.column(&granted.role)?))
    }

    /// Gives a user a role where a table of its own does that; in the place of what they have, where there can be but one.
    async fn grant(&mut self, desk: &mut Desk, actor: &Actor, role: &str) -> Result<Option<Refused>, Error> {
        let (Some(granted), Some((table, _))) = (&self.tenancy.granted, self.granted()) else { return Ok(None) };
        let values = BTreeMap::from([
            (granted.user.clone(), literal(actor.user.as_deref().unwrap_or_default())),
            (granted.role.clone(), literal(role)),
        ]);
        let email = &actor.claims["email"];
        match self.write(desk, table, &values, email).await? {
            Some(refused) if refused.code == "23505" => self.place(desk, table, &granted.user, &values, email).await,
            done => Ok(done),
        }
    }

    /// Those who take part with another role than everybody has who signs up, where users are the tenants.
    async fn make_sides(&mut self, desk: &mut Desk) -> Result<(), Error> {
        let (Some(granted), true) = (&self.tenancy.granted, self.tenancy.tenant.is_none()) else { return Ok(()) };
        // Whatever an admin may do, they are none of those whom they look after.
        if names::is_of_admins(&granted.table) {
            return Ok(());
        }
        let others = self.controls.clone();
        let Some(user) = others.first().and_then(|other| other.user.as_ref()) else { return Ok(()) };
        let (role, table) = (ident(&granted.role), granted.table.split('.').map(ident).collect::<Vec<_>>().join("."));
        let usual =
            format!("select {role}::text from {table} where {}::text = {}", ident(&granted.user), literal(user));
        let usual: Vec<_> = desk.run(&usual).await?.rows.into_iter().flatten().collect();
        let is_side = |role: &&String| names::is_taking_part(role) && !self.tenancy.roles.is_platform(role);
        let sides: Vec<_> = self.roles.iter().filter(|role| is_side(role) && !usual.contains(role)).cloned().collect();
        for side in sides.iter().filter(|side| *side != PLAIN) {
            for other in &others {
                // Where it cannot be, there is nobody to compare with.
                let _ = self.grant(desk, other, side).await?;
            }
            let actor = self.member(desk, OWN, Some(side), Kind::Member, &BTreeMap::new(), None).await?;
            self.actors.push(actor);
        }
        Ok(())
    }

    /// Roles of one tenant, the highest first; where users are the tenants, what everybody is.
    pub(super) fn tenant_roles(&self) -> Vec<String> {
        if self.tenancy.tenant.is_none() {
            return vec![PLAIN.to_owned()];
        }
        let roles = &self.tenancy.roles;
        let mut names: Vec<_> = self.roles.iter().filter(|role| !roles.is_platform(role)).cloned().collect();
        names.sort_by_key(|role| roles.rank(role));
        names
    }

    /// Columns of a tenant that is closed, as given or found out.
    pub fn closed_state(&self, table: &Relation) -> BTreeMap<String, String> {
        let given = self.tenancy.tenant.as_ref().map(|tenant| sql_values(&tenant.closed)).unwrap_or_default();
        // What only decides what everybody is shown closes nothing.
        let asked = |state: &BTreeMap<String, String>| {
            state.keys().all(|column| self.catalog.is_asked_of_callers(table, column))
        };
        if given.is_empty() { dead_states(table).into_iter().find(asked).unwrap_or_default() } else { given }
    }

    /// What says of a membership that it is in use: as given or found out, in SQL.
    pub fn state_of_members(&self) -> BTreeMap<String, String> {
        let given = self.tenancy.members.as_ref().map(|members| sql_values(&members.state)).unwrap_or_default();
        match self.members() {
            Some(table) if given.is_empty() => living_state(self.catalog, table),
            _ => given,
        }
    }

    /// That the tenant with this key is not closed, where tenants can be.
    pub fn tenant_in_use(&self, key: &str) -> Option<String> {
        let (table, tenant) = (self.tenant_table()?, self.tenancy.tenant.as_ref()?);
        let closed = self.closed_state(table).into_iter().map(|(column, value)| match value.as_str() {
            "now()" => format!("t.{} is not null", ident(&column)),
            _ => format!("t.{} = {value}", ident(&column)),
        });
        let closed: Vec<_> = closed.collect();
        let of_key = format!("t.{} = {key}", ident(&tenant.key));
        let any = closed.join(" or ");
        (!closed.is_empty()).then(|| format!("not exists (select from {} t where {of_key} and ({any}))", table.sql()))
    }

    /// Users of every kind.
    pub(super) async fn make_people(&mut self, desk: &mut Desk) -> Result<(), Error> {
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
            self.make_sides(desk).await?;
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
            self.stranger = self.sign_up(desk, "stranger", json!({})).await?.user;
        }
        self.without_a_tenant(desk, highest.as_deref()).await?;
        if self.catalog.relations.iter().any(|relation| self.gives_privileges(relation)) {
            self.bystander = self.sign_up(desk, "bystander", json!({})).await?.user;
            self.tenants[OTHER].users.extend(self.bystander.clone());
        }
        let newcomer = self.sign_up(desk, "newcomer", json!({})).await?;
        self.actors.push(newcomer);
        let claims = self.every_claim();
        match self.sign_up(desk, "claimant", claims).await {
            Ok(claimant) => self.actors.push(claimant),
            // Signing up with such claims is refused, whatever they are worth.
            Err(Error::NoUser(_)) => {}
            Err(error) => return Err(error),
        }
        self.actors.push(Actor::anonymous());
        let platform = self.roles.iter().find(|role| self.tenancy.roles.is_platform(role)).cloned();
        if let Some(role) = platform.filter(|_| !is_owned) {
            let actor = self.member(desk, OWN, Some(&role), Kind::Platform, &BTreeMap::new(), None).await?;
            let is_in_one = actor.tenant.is_some();
            self.controls.push(actor);
            self.above_tenants(desk, &role)
                .await?
                .into_iter()
                .filter(|_| is_in_one)
                .for_each(|actor| self.controls.push(actor));
        }
        self.appoint(desk).await
    }

    /// One of the platform's who is of no tenant, where that may be.
    async fn above_tenants(&mut self, desk: &mut Desk, role: &str) -> Result<Option<Actor>, Error> {
        let tenant = self.tenancy.members.as_ref().map(|members| members.tenant.clone());
        let column = self.members().zip(tenant.as_ref()).and_then(|(table, tenant)| table.column(tenant));
        let (Some(tenant), Some(false)) = (tenant, column.map(|column| column.not_null)) else { return Ok(None) };
        let state = BTreeMap::from([(tenant, "null".to_owned())]);
        match self.member(desk, OWN, Some(role), Kind::Platform, &state, None).await {
            Ok(actor) => Ok(Some(actor)),
            Err(Error::NoMember(..)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Somebody whom a table of privileges, or the row about them, makes more than others: what only they get shows that
    /// there is something to get.
    async fn appoint(&mut self, desk: &mut Desk) -> Result<(), Error> {
        let of_users = |relation: &&'c Relation| {
            relation.is_table()
                && !self.is_members(relation)
                && (self.gives_privileges(relation) || self.catalog.is_mirror(relation))
        };
        let tables: Vec<_> = self.catalog.relations.iter().filter(of_users).collect();
        let tables = tables.into_iter().filter_map(|table| {
            let owner = owner_columns(self.catalog, table, self.tenancy).into_iter().next()?;
            // Roles of tenants are nothing without one.
            let is_of_tenants =
                self.tenancy.tenant.is_some() && self.granted().is_some_and(|(granted, _)| granted.oid == table.oid);
            if is_of_tenants && !self.roles.iter().any(|role| self.tenancy.roles.is_platform(role)) {
                return None;
            }
            let raised =
                table.columns.iter().filter_map(|column| Some((column.name.clone(), self.highest(table, column)?)));
            let raised: BTreeMap<_, _> = raised.collect();
            (!raised.is_empty() || self.gives_privileges(table)).then_some((table, owner, raised))
        });
        let tables: Vec<_> = tables.collect();
        if tables.is_empty() {
            return Ok(());
        }
        let mut actor = self.sign_up(desk, "admin", json!({})).await?;
        for (table, owner, mut values) in tables {
            values.insert(owner.clone(), literal(actor.user.as_deref().unwrap_or_default()));
            // Where it cannot be, there is nobody to compare with.
            let _ = self.place(desk, table, &owner, &values, &actor.claims["email"]).await?;
        }
        actor.kind = Kind::Platform;
        self.controls.push(actor);
        Ok(())
    }

    /// What makes somebody more than all others, in a column of a row about them.
    fn highest(&self, table: &Relation, column: &Column) -> Option<String> {
        if names::is_raising_flag(&column.name) && column.category == "B" {
            return Some("true".to_owned());
        }
        let is_granted = self.granted().is_some_and(|(granted, of)| granted.oid == table.oid && of.name == column.name);
        let roles = if is_granted { self.roles.clone() } else { known_values(table, column) };
        let is_role = names::is_role_column(&column.name);
        let highest = roles.iter().min_by_key(|role| self.tenancy.roles.rank(role)).filter(|_| is_role)?;
        (!names::is_plain_role(highest)).then(|| literal(highest))
    }

    /// Somebody with a role and no tenant, where a membership may be without: comparisons with NULL let them through.
    async fn without_a_tenant(&mut self, desk: &mut Desk, role: Option<&str>) -> Result<(), Error> {
        let (Some(members), Some(table), Some(role)) = (&self.tenancy.members, self.members(), role) else {
            return Ok(());
        };
        let has_role = members.role.is_some() || self.tenancy.granted.is_some();
        if !has_role || table.column(&members.tenant).is_none_or(|column| column.not_null) {
            return Ok(());
        }
        let mut actor = self.sign_up(desk, &format!("{role} without a tenant"), json!({})).await?;
        let mut values = self.state_of_members();
        values.insert(members.user.clone(), literal(actor.user.as_deref().unwrap_or_default()));
        values.insert(members.tenant.clone(), "null".to_owned());
        values.extend(members.role.iter().map(|column| (column.clone(), literal(role))));
        let refused = self.place(desk, table, &members.user, &values, &actor.claims["email"]).await?;
        if refused.is_none() && self.grant(desk, &actor, role).await?.is_none() {
            actor.role = Some(role.to_owned());
            self.actors.push(actor);
        }
        Ok(())
    }

    /// What somebody may claim of themselves when they sign up: everything.
    pub fn every_claim(&self) -> Value {
        let highest = self.roles.iter().min_by_key(|role| self.tenancy.roles.rank(role)).cloned().unwrap_or_default();
        let mut claims = json!({
            "role": highest, "user_role": highest, "roles": [highest],
        });
        for flag in names::CLAIMED_FLAGS {
            claims[flag] = true.into();
        }
        let mut names: Vec<_> = names::CLAIMED_TENANTS.map(str::to_owned).into();
        names.extend(self.tenancy.tenant.iter().map(|tenant| tenant.column.clone()));
        names.extend(self.tenancy.claim.iter().filter_map(|claim| claim.path.last().cloned()));
        names.extend(self.tenancy.members.iter().map(|members| members.tenant.clone()));
        for name in names {
            claims[name] = number_or_text(&self.tenants[OTHER].id);
        }
        if let Some(name) = self.tenancy.claim.iter().filter_map(|claim| claim.role.last()).next() {
            claims[name] = highest.into();
        }
        // Who is asked for by several is the highest of them.
        let mut asked = self.asked_of_metadata();
        asked.sort_by_key(|(_, value)| std::cmp::Reverse(self.tenancy.roles.rank(value)));
        for (name, value) in asked {
            claims[name] = value.into();
        }
        claims
    }

    /// What policies and functions compare users' metadata with.
    fn asked_of_metadata(&self) -> Vec<(String, String)> {
        static ASKED: LazyLock<Regex> = LazyLock::new(|| {
            // Of several values the first; of none, an empty text may stand for it.
            Regex::new(
                r"(?i)user_meta_?data[^>]{0,12}->>?\s*'(\w+)'(?:::text)?(?:\s*,\s*''(?:::\w+)?)?\)*\s*(?:=\s*(?:any\s*\(+\s*(?:array)?\[?)?|in\s*\()\s*'([^']+)'",
            )
            .expect("a pattern")
        });
        let policies = self.catalog.relations.iter().flat_map(|relation| &relation.policies);
        let policies = policies.flat_map(|policy| [policy.using.as_deref(), policy.check.as_deref()]).flatten();
        let texts = policies.chain(self.catalog.functions.iter().map(|function| function.source.as_str()));
        let found =
            texts.flat_map(|text| ASKED.captures_iter(text).map(|found| (found[1].to_owned(), found[2].to_owned())));
        found.collect()
    }

    /// Headers by which a request could say whose it is, saying that it is the other tenant's.
    pub(super) fn headers(&self) -> Value {
        static NAMED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"'(x-[a-z-]+)'").expect("a pattern"));
        let policies = self.catalog.relations.iter().flat_map(|relation| &relation.policies);
        let texts = policies.filter_map(|policy| policy.using.as_deref().or(policy.check.as_deref()));
        let texts = texts.chain(self.catalog.functions.iter().map(|function| function.source.as_str()));
        let names: Vec<_> = texts.flat_map(|text| NAMED.captures_iter(text).map(|found| found[1].to_owned())).collect();
        let usual = names::TENANT_HEADERS.map(str::to_owned);
        let id = &self.tenants[OTHER].id;
        Value::Object(names.into_iter().chain(usual).map(|name| (name, id.clone().into())).collect())
    }

    /// A user without a place in any tenant, as the auth server makes one.
    pub(super) async fn sign_up(&mut self, desk: &mut Desk, name: &str, metadata: Value) -> Result<Actor, Error> {
        let email = format!("{name}-{}@example.com", Uuid::new_v4().simple());
        self.sign_up_with(desk, name, &email, true, metadata).await
    }

    /// The same with this address.
    pub(super) async fn sign_up_with(
        &mut self,
        desk: &mut Desk,
        name: &str,
        email: &str,
        is_confirmed: bool,
        metadata: Value,
    ) -> Result<Actor, Error> {
        let user = Uuid::new_v4().to_string();
        let confirmed = if is_confirmed { "now()" } else { "null" };
        let values = [
            ("id", literal(&user)),
            ("aud", "'authenticated'".to_owned()),
            ("role", "'authenticated'".to_owned()),
            ("email", literal(email)),
            ("raw_app_meta_data", r#"'{"provider": "email", "providers": ["email"]}'"#.to_owned()),
            ("raw_user_meta_data", literal(&metadata.to_string())),
            ("email_confirmed_at", confirmed.to_owned()),
            ("created_at", "now()".to_owned()),
            ("updated_at", "now()".to_owned()),
        ];
        let values =
            values.into_iter().filter(|(column, _)| self.catalog.auth_columns.iter().any(|name| name == column));
        let (columns, values): (Vec<_>, Vec<_>) = values.unzip();
        let insert = format!("insert into auth.users ({}) values ({})", columns.join(", "), values.join(", "));
        if let Err(refused) = self.with_triggers_held(desk, &insert).await? {
            return Err(Error::NoUser(refused));
        }
        self.mirror(desk, &user, email).await?;
        let mut actor = Actor::user(name, Kind::Newcomer, &user, email);
        actor.claim(&["user_metadata".to_owned()], metadata);
        Ok(actor)
    }

    /// The rows by which other tables name a user, where signing up did not make them.
    async fn mirror(&mut self, desk: &mut Desk, user: &str, email: &str) -> Result<(), Error> {
        for table in self.mirrors() {
            let key = &table.keys[0].columns[0];
            let known = format!("select count(*) from {} where {} = {}", table.sql(), ident(key), literal(user));
            if desk.run(&known).await?.number() > 0 {
                continue;
            }
            let mark = format!("m{}", Uuid::new_v4().simple());
            let mut draft = Draft::new(table, &mark[..12], 0);
            draft.prefer("email", literal(email));
            draft.set(key, literal(user));
            // One that cannot be made is missed by those that refer to it, and they say so.
            let _ = self.insert(desk, table, draft).await?;
        }
        Ok(())
    }

    /// Tables whose rows are users, by which other tables name them.
    fn mirrors(&self) -> Vec<&'c Relation> {
        let is_mirror = |relation: &&Relation| {
            relation.is_table()
                && relation.schema != "auth"
                && self.catalog.is_mirror(relation)
                && !self.is_members(relation)
                && self.is_referred_to(relation)
                && !self.gives_privileges(relation)
        };
        self.catalog.relations.iter().filter(is_mirror).collect()
    }

    /// Points the rows that are about a user at their tenant, where such a row says which one is current.
    async fn point_at_tenant(&self, desk: &mut Desk, user: &str, tenant: &str) -> Result<(), Error> {
        let Some(tenants) = self.tenant_table() else { return Ok(()) };
        let persons =
            self.catalog.relations.iter().filter(|relation| {
                relation.is_table() && self.catalog.is_mirror(relation) && !self.is_members(relation)
            });
        for table in persons {
            for reference in table.references.iter().filter(|reference| reference.target == tenants.oid) {
                let (column, key) = (ident(&reference.columns[0]), ident(&table.keys[0].columns[0]));
                let set = format!(
                    "update {} set {column} = {} where {key} = {}",
                    table.sql(),
                    literal(tenant),
                    literal(user)
                );
                let _ = self.with_triggers_held(desk, &set).await?;
            }
        }
        Ok(())
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
            self.tenants[tenant].emails.extend(actor.claims["email"].as_str().map(str::to_owned));
            if self.tenants[tenant].users.len() == 1 {
                self.tenants[tenant].id = user;
            }
            if let Some(role) = role.filter(|role| *role != PLAIN) {
                // Without it they are but another user.
                let _ = self.grant(desk, &actor, role).await?;
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
            let mut values = self.state_of_members();
            values.extend(state.clone());
            values.insert(members.user.clone(), literal(&user));
            if let (Some(column), Some(role)) = (&members.role, role) {
                values.insert(column.clone(), literal(role));
            }
            values.insert(members.tenant.clone(), literal(&self.tenants[tenant].id));
            let mut refused = self.place(desk, table, &members.user, &values, &actor.claims["email"]).await?;
            let is_above = kind == Kind::Platform && state.contains_key(&members.tenant);
            if is_above || refused.is_some() && kind == Kind::Platform {
                values.insert(members.tenant.clone(), "null".to_owned());
                refused = self.place(desk, table, &members.user, &values, &actor.claims["email"]).await?;
                actor.tenant = None;
            }
            if let Some(role) = role.filter(|_| refused.is_none()) {
                refused = self.grant(desk, &actor, role).await?;
            }
            if let Some(refused) = refused {
                return Err(Error::NoMember(actor.name, members.table.clone(), refused));
            }
            let row = self.read_back(desk, table, &format!("{} = {}", ident(&members.user), literal(&user))).await?;
            if let (Some(row), true) = (row, kind != Kind::Platform) {
                self.rows.entry((table.oid, Some(tenant))).or_default().push(row);
            }
        }
        if kind != Kind::Platform {
            let id = self.tenants[tenant].id.clone();
            self.point_at_tenant(desk, &user, &id).await?;
            self.tenants[tenant].users.push(user);
            self.tenants[tenant].emails.extend(actor.claims["email"].as_str().map(str::to_owned));
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
        self.write(desk, table, values, email).await
    }

    /// Writes a row about somebody.
    async fn write(
        &mut self,
        desk: &mut Desk,
        table: &'c Relation,
        values: &BTreeMap<String, String>,
        email: &Value,
    ) -> Result<Option<Refused>, Error> {
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
        let given: Vec<_> = members.dead.iter().map(sql_values).collect();
        // A state that nothing asks for keeps nobody out, and nobody said that it should.
        let asked =
            |state: &BTreeMap<String, String>| state.keys().all(|column| self.catalog.is_asked_for(table, column));
        let found = || dead_states(table).into_iter().filter(asked).chain(not_yet(self.catalog, table)).collect();
        let states = if given.is_empty() { found() } else { given };
        let named = states.into_iter().map(|state| {
            let value = state.values().next().map(|value| value.trim_matches('\'').to_lowercase()).unwrap_or_default();
            let is_word =
                value.chars().all(|c| c.is_ascii_alphabetic() || c == '_') && value != "true" && value != "false";
            let name = match value.as_str() {
                "null" => "invited".to_owned(),
                "" => "deactivated".to_owned(),
                _ if is_word => value,
                _ => "deactivated".to_owned(),
            };
            (name, state)
        });
        named.collect()
    }
}

/// A claim that may be a number is one.
fn number_or_text(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| id.into(), Value::from)
}
