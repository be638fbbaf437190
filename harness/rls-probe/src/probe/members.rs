//! Oneself and colleagues: a higher role, another tenant, a state that was taken away, a second membership, an
//! invitation above one's own role, and what signing up believes.

use serde_json::json;
use uuid::Uuid;

use crate::{
    actor::{Actor, Kind},
    catalog::{Column, Relation},
    desk::Arranged,
    draft::{Draft, choices, known_values},
    error::Error,
    harm::Harm,
    names,
    record::{Cause, Cell, Object, Verb},
    sql::{ident, literal, setting},
    tie::owner_columns,
    world::{OTHER, OWN, Row, dead_states, sql_values},
};

use super::{Prober, object_of, tables::Inserted};

impl<'c> Prober<'_, 'c> {
    /// All of it.
    pub async fn members(&mut self) -> Result<(), Error> {
        let tables = self.world.catalog.relations.iter();
        self.members_of(tables.filter(|relation| relation.is_table() && relation.exposed).collect()).await
    }

    /// What is about members in these tables.
    pub(super) async fn members_of(&mut self, relations: Vec<&'c Relation>) -> Result<(), Error> {
        const VERBS: [Verb; 2] = [Verb::Insert, Verb::Update];
        for relation in &relations {
            self.desk.begin_object();
            self.flags(relation).await?;
            self.appoint(relation).await?;
            self.end_object(&[object_of(relation)], &VERBS);
        }
        let Some(table) = self.world.members() else { return Ok(()) };
        if relations.iter().any(|relation| relation.oid == table.oid) {
            self.desk.begin_object();
            for actor in self.actors.clone().iter().filter(|actor| actor.user.is_some()) {
                self.oneself(table, actor).await?;
                self.join(table, actor).await?;
                self.colleagues(table, actor).await?;
                self.superiors(table, actor).await?;
            }
            self.end_object(&[object_of(table)], &VERBS);
        }
        for relation in relations {
            self.desk.begin_object();
            self.invitations(relation, table).await?;
            self.end_object(&[object_of(relation)], &VERBS);
        }
        Ok(())
    }

    /// Roles above somebody's own.
    pub(super) fn above(&self, actor: &Actor) -> Vec<String> {
        let roles = &self.world.tenancy.roles;
        let own = actor.role.as_ref().map_or(usize::MAX, |role| roles.rank(role));
        self.world.roles.iter().filter(|role| roles.rank(role) < own).cloned().collect()
    }

    /// Other roles that are not below somebody's own, as far as names say: nobody gives themselves any of them.
    fn not_below(&self, actor: &Actor) -> Vec<String> {
        let roles = &self.world.tenancy.roles;
        let own = actor.role.as_ref().map_or(usize::MAX, |role| roles.rank(role));
        let is_other = |role: &&String| roles.rank(role) <= own && Some(*role) != actor.role.as_ref();
        self.world.roles.iter().filter(is_other).cloned().collect()
    }

    /// Changes of one's own row that nobody may make.
    async fn oneself(&mut self, table: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let Some(members) = &self.world.tenancy.members else { return Ok(()) };
        let user = literal(actor.user.as_deref().unwrap_or_default());
        let me = format!("{} = {user}", ident(&members.user));
        let may = |name: &str| table.column(name).is_some_and(|column| column.may(actor.db_role(), "update"));
        let mut tries: Vec<(String, String, String, &str)> = Vec::new();
        if let Some(column) = &members.role {
            let is_open = table.column(&members.tenant).is_some_and(|of| !of.not_null && may(&of.name));
            for role in self.not_below(actor) {
                if self.gives_to_colleagues(table, actor, &role).await? {
                    continue;
                }
                // Who is above all tenants may have to be of none.
                if is_open && self.world.tenancy.roles.is_platform(&role) {
                    let above = format!("{}, {} = null", literal(&role), ident(&members.tenant));
                    tries.push((column.clone(), above, role.clone(), "can raise their own role"));
                }
                tries.push((column.clone(), literal(&role), role, "can raise their own role"));
            }
        }
        let tenant = &self.world.tenants[OTHER].id;
        let moved = "can move themselves to the other tenant";
        tries.push((members.tenant.clone(), literal(tenant), tenant.clone(), moved));
        if actor.kind == Kind::Dead {
            let living = self.world.rows(table, OTHER).first();
            let mine = self.world.rows(table, OWN).iter().find(|row| row.text(&members.user) == actor.user);
            if let (Some(living), Some(mine)) = (living, mine) {
                let states = table.columns.iter().filter(|column| {
                    (column.category == "B" || !choices(table, column).is_empty() || column.category == "D")
                        && Some(&column.name) != members.role.as_ref()
                        && !names::is_beginning(&column.name)
                });
                for column in states {
                    let (alive, dead) = (living.text(&column.name), mine.text(&column.name));
                    if alive != dead && members.state.is_empty() | members.state.contains_key(&column.name) {
                        let alive = alive.unwrap_or_default();
                        tries.push((
                            column.name.clone(),
                            living.sql(&column.name),
                            alive,
                            "can make themselves a member again",
                        ));
                    }
                }
            }
        }
        for (column, value, text, effect) in tries.into_iter().filter(|(column, ..)| may(column)) {
            for filter in [format!(" where {me}"), String::new()] {
                let sql = format!("update {} set {} = {value}{filter}", table.sql(), ident(&column));
                let look = format!(
                    "select count(*) from {} where {me} and {}::text is not distinct from nullif({}, '')",
                    table.sql(),
                    ident(&column),
                    literal(&text)
                );
                // What they have already, they did not get so.
                if self.desk.run(&look).await?.number() > 0 {
                    break;
                }
                if let Ok((_, looks)) = self.attempt(actor, &sql, &[look]).await?
                    && looks.first().is_some_and(|changed| changed.number() > 0)
                {
                    let ask = |asked: &str| format!("select bool_or({asked}) from {} where {me}", table.sql());
                    let cause = self.guilty_by(table, actor, "update", Some(&ask)).await?;
                    self.record.cross(&object_of(table), Verb::Update, actor, Harm::Critical.that(effect), cause, &sql);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether somebody gives a role that no name puts above their own to others: then it is none.
    async fn gives_to_colleagues(&mut self, table: &'c Relation, actor: &Actor, role: &str) -> Result<bool, Error> {
        let (roles, members) = (&self.world.tenancy.roles, self.world.tenancy.members.as_ref());
        let is_level = actor.role.as_ref().is_some_and(|own| roles.rank(own) == roles.rank(role));
        let Some(column) = members.and_then(|members| members.role.as_ref()).filter(|_| is_level) else {
            return Ok(false);
        };
        let colleagues = self.rows_besides(table, OWN, actor);
        let Some(colleague) = colleagues.iter().find(|row| row.text(column).as_deref() != Some(role)) else {
            return Ok(false);
        };
        let set = format!("update {} set {} = {}", table.sql(), ident(column), literal(role));
        let given = self.attempt(actor, &format!("{set} where {}", colleague.key), &[]).await?;
        Ok(given.is_ok_and(|(done, _)| done.affected > 0))
    }

    /// A row of a table of privileges about oneself.
    async fn appoint(&mut self, relation: &'c Relation) -> Result<(), Error> {
        if !self.world.gives_privileges(relation) {
            return Ok(());
        }
        let roles = &self.world.tenancy.roles;
        let column = relation.columns.iter().find(|column| names::is_role_column(&column.name));
        let mut wanted = column.map(|column| known_values(relation, column)).unwrap_or_default();
        if self.world.tenancy.granted.as_ref().is_some_and(|granted| granted.table == relation.title()) {
            wanted.clone_from(&self.world.roles);
        }
        wanted.retain(|role| !names::is_plain_role(role));
        wanted.sort_by_key(|role| roles.rank(role));
        for actor in &self.actors.clone() {
            if actor.user.is_none() {
                continue;
            }
            // Whoever has a role gives themselves none that is below it.
            let own =
                actor.role.as_ref().filter(|role| wanted.contains(role)).map_or(usize::MAX, |role| roles.rank(role));
            let each: Vec<_> = match wanted.is_empty() {
                true => vec![None],
                false => wanted.iter().filter(|role| roles.rank(role) <= own).map(Some).collect(),
            };
            for role in each {
                let Some(mut draft) = self.draft_by(relation, self.own(actor), actor, true) else { break };
                for name in owner_columns(self.world.catalog, relation, self.world.tenancy) {
                    draft.set(&name, literal(actor.user.as_deref().unwrap_or_default()));
                }
                if let (Some(column), Some(role)) = (column, role) {
                    draft.set(&column.name, literal(role));
                }
                if let Inserted::Yes { sql, .. } = self.try_insert(actor, draft, &[]).await? {
                    let cause = self.guilty_of_adding(relation, actor, &sql).await?;
                    let what = role.map_or_else(|| format!("one of {}", relation.title()), Clone::clone);
                    let deed = Harm::Critical.that(format!("can make themselves {what}"));
                    self.record.cross(&object_of(relation), Verb::Insert, actor, deed, cause, &sql);
                    break;
                }
            }
        }
        Ok(())
    }

    /// A membership that nobody gave.
    async fn join(&mut self, table: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let Some(members) = &self.world.tenancy.members else { return Ok(()) };
        let role = actor.db_role();
        if !table.may(role, "insert") {
            return Ok(());
        }
        let (user, email) =
            (actor.user.clone().unwrap_or_default(), actor.claims["email"].as_str().unwrap_or_default().to_owned());
        let mut roles = self.world.roles.clone();
        roles.sort_by_key(|role| self.world.tenancy.roles.rank(role));
        let me = format!("{} = {}", ident(&members.user), literal(&user));
        for tenant in [OTHER, OWN] {
            if tenant == OWN && actor.kind == Kind::Member {
                continue;
            }
            for wanted in &roles {
                let Some(template) = self.world.rows(table, tenant).first().cloned() else { continue };
                let mut draft = Draft::new(table, &self.world.canary(tenant), 0).by(role);
                for reference in &table.references {
                    self.world.refer(&mut draft, table, reference, Some((tenant, 0)));
                }
                self.say_who_added(&mut draft, table, actor);
                draft.set(&members.user, literal(&user));
                draft.set(&members.tenant, literal(&self.world.tenants[tenant].id));
                if let Some(column) = &members.role {
                    draft.set(column, literal(wanted));
                }
                for name in members.state.keys() {
                    if table.column(name).is_some_and(|column| column.may(role, "insert")) {
                        draft.set(name, template.sql(name));
                    }
                }
                draft.prefer("email", literal(&email));
                if !draft.is_permitted() {
                    continue;
                }
                let looks = [format!(
                    "select count(*) from {} where {me} and {} = {}",
                    table.sql(),
                    ident(&members.tenant),
                    literal(&self.world.tenants[tenant].id)
                )];
                // One may have to leave before one can join.
                let leave = format!("delete from {} where {me}", table.sql());
                let leaves = table.may(role, "delete")
                    && self.attempt(actor, &leave, &[]).await?.is_ok_and(|(done, _)| done.affected > 0);
                let before = self.desk.run(&looks[0]).await?.number();
                loop {
                    let sql = draft.insert();
                    let arranged = if leaves { vec![leave.clone()] } else { Vec::new() };
                    match self.desk.attempt(actor, Arranged::ByNobody(&arranged), &sql, &looks).await? {
                        Ok((_, looks)) if looks.first().is_some_and(|after| after.number() > before) => {
                            let cause = self.guilty_of_adding(table, actor, &sql).await?;
                            let deed = Harm::Critical
                                .that(format!("can make themselves {wanted} of a tenant that did not invite them"));
                            self.record.cross(&object_of(table), Verb::Insert, actor, deed, cause, &sql);
                            return Ok(());
                        }
                        Err(refused) if refused.is_by_constraint() && draft.revise(&refused) => {}
                        _ => break,
                    }
                }
            }
        }
        Ok(())
    }

    /// Whoever writes a membership says that it was they, where it says who did.
    fn say_who_added(&self, draft: &mut Draft<'_>, table: &Relation, actor: &Actor) {
        let Some(user) = &actor.user else { return };
        let of_users = table.columns.iter().filter(|column| {
            self.world.catalog.is_of_user(table, &column.name) && column.may(actor.db_role(), "insert")
        });
        of_users.for_each(|column| draft.prefer(&column.name, literal(user)));
    }

    /// A membership for somebody else: of the other tenant, or with a role above one's own.
    pub(super) async fn add_member(&mut self, table: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let object = object_of(table);
        let stranger = self
            .world
            .actors
            .iter()
            .find(|known| matches!(known.name.as_str(), "newcomer" | "claimant") && known.user != actor.user);
        let user = stranger.and_then(|stranger| stranger.user.clone());
        let (Some(members), Some(user)) = (&self.world.tenancy.members, user) else { return Ok(()) };
        let mut roles: Vec<_> = self.world.roles.iter().map(|role| Some(role.clone())).collect();
        roles.sort_by_key(|role| role.as_ref().map(|role| self.world.tenancy.roles.rank(role)));
        if members.role.is_none() {
            roles = vec![None];
        }
        let above = self.above(actor);
        for tenant in [self.own(actor), OTHER] {
            for role in &roles {
                let mut draft = Draft::new(table, &self.world.canary(tenant), 0).by(actor.db_role());
                for reference in &table.references {
                    self.world.refer(&mut draft, table, reference, Some((tenant, 0)));
                }
                self.say_who_added(&mut draft, table, actor);
                draft.set(&members.user, literal(&user));
                draft.set(&members.tenant, literal(&self.world.tenants[tenant].id));
                if let (Some(column), Some(role)) = (&members.role, role) {
                    draft.set(column, literal(role));
                }
                let is_own = tenant != OTHER && matches!(actor.kind, Kind::Member | Kind::Reader);
                let deed = match role {
                    Some(role) if is_own && above.contains(role) => {
                        Some(Harm::Critical.that("can give somebody a role above their own"))
                    }
                    _ if is_own => None,
                    _ => Some(Harm::of_writing(actor.kind).that("can add members to a tenant that is not theirs")),
                };
                match self.try_insert(actor, draft, &[]).await? {
                    Inserted::Yes { sql, .. } => match deed {
                        Some(deed) => {
                            let cause = self.guilty_of_adding(table, actor, &sql).await?;
                            self.record.cross(&object, Verb::Insert, actor, deed, cause, &sql);
                            break;
                        }
                        None => self.record.enter(&object, Verb::Insert, actor, Cell::Own),
                    },
                    Inserted::Taken { .. } => self.record.enter(&object, Verb::Insert, actor, Cell::Refused),
                    Inserted::No(cell) => self.record.enter(&object, Verb::Insert, actor, cell),
                }
            }
        }
        Ok(())
    }

    /// A colleague's role.
    async fn colleagues(&mut self, table: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let Some(members) = &self.world.tenancy.members else { return Ok(()) };
        let (Some(column), Kind::Member | Kind::Reader) = (&members.role, actor.kind) else { return Ok(()) };
        if !table.column(column).is_some_and(|column| column.may(actor.db_role(), "update")) {
            return Ok(());
        }
        let colleagues = self.rows_besides(table, OWN, actor);
        for role in self.above(actor) {
            let Some(colleague) = colleagues.iter().find(|row| row.text(column).as_ref() != Some(&role)) else {
                continue;
            };
            for filter in [format!(" where {}", colleague.key), String::new()] {
                let sql = format!("update {} set {} = {}{filter}", table.sql(), ident(column), literal(&role));
                let look = format!(
                    "select count(*) from {} where {} and {}::text = {}",
                    table.sql(),
                    colleague.key,
                    ident(column),
                    literal(&role)
                );
                if let Ok((_, looks)) = self.attempt(actor, &sql, &[look]).await?
                    && looks.first().is_some_and(|raised| raised.number() > 0)
                {
                    let cause = self.guilty(table, actor, "update", Some(colleague)).await?;
                    let deed = Harm::Critical.that("can give a colleague a role above their own");
                    self.record.cross(&object_of(table), Verb::Update, actor, deed, cause, &sql);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Somebody whose role is above one's own: put below it, put out of office, or removed.
    async fn superiors(&mut self, table: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let Some(members) = &self.world.tenancy.members else { return Ok(()) };
        let (Some(column), Some(own)) = (&members.role, &actor.role) else { return Ok(()) };
        if !matches!(actor.kind, Kind::Member | Kind::Reader) {
            return Ok(());
        }
        let roles = &self.world.tenancy.roles;
        let rank = |row: &Row| row.text(column).map_or(usize::MAX, |role| roles.rank(&role));
        let platform = self.world.platform_row(self.desk, table).await?;
        let colleagues = self.rows_besides(table, OWN, actor).into_iter().chain(platform);
        let mut above: Vec<_> = colleagues.filter(|row| rank(row) < roles.rank(own)).collect();
        above.sort_by_key(rank);
        above.dedup_by_key(|row| row.text(column));
        let may = |name: &str, privilege: &str| table.column(name).is_some_and(|of| of.may(actor.db_role(), privilege));
        for superior in above {
            let a_whom = names::with_article(&superior.text(column).unwrap_or_default());
            let mut tries = Vec::new();
            if may(column, "update") {
                let set = format!("update {} set {} = {}", table.sql(), ident(column), literal(own));
                tries.push((Verb::Update, set, format!("can take the role of {a_whom}")));
            }
            let dead = dead_states(table).into_iter().chain(members.dead.iter().map(sql_values)).flatten();
            for (name, value) in dead.filter(|(name, _)| may(name, "update")) {
                let set = format!("update {} set {} = {value}", table.sql(), ident(&name));
                tries.push((Verb::Update, set, format!("can put {a_whom} out of office")));
            }
            if table.may(actor.db_role(), "delete") {
                tries.push((Verb::Delete, format!("delete from {}", table.sql()), format!("can remove {a_whom}")));
            }
            for (verb, statement, effect) in tries {
                let sql = format!("{statement} where {}", superior.key);
                if self.attempt(actor, &sql, &[]).await?.is_ok_and(|(done, _)| done.affected > 0) {
                    let cause = self.guilty(table, actor, verb.name(), Some(&superior)).await?;
                    self.record.cross(&object_of(table), verb, actor, Harm::High.that(effect), cause, &sql);
                }
            }
        }
        Ok(())
    }

    /// The column with the role that a row offers to somebody who is no member yet.
    pub(super) fn offered_role(&self, relation: &'c Relation) -> Option<&'c Column> {
        let is_of_roles = |column: &&Column| {
            let listed = choices(relation, column);
            let known = listed.iter().filter(|choice| self.world.roles.contains(choice)).count();
            (known >= 2 && known * 2 >= listed.len())
                || (listed.is_empty() && column.name == "role" && names::is_invitations(&relation.name))
        };
        relation.columns.iter().find(is_of_roles).filter(|_| !self.world.is_shared(relation))
    }

    /// Rows that carry a role and are no memberships yet.
    async fn invitations(&mut self, relation: &'c Relation, table: &Relation) -> Result<(), Error> {
        if relation.oid == table.oid {
            return Ok(());
        }
        let Some(column) = self.offered_role(relation) else { return Ok(()) };
        for actor in self.actors.clone().iter().filter(|actor| matches!(actor.kind, Kind::Member | Kind::Reader)) {
            if !column.may(actor.db_role(), "insert") {
                continue;
            }
            for role in self.above(actor) {
                let Some(mut draft) = self.world.draft(relation, Some(OWN), 0) else { continue };
                draft = draft.by(actor.db_role());
                draft.set(&column.name, literal(&role));
                for name in owner_columns(self.world.catalog, relation, self.world.tenancy)
                    .into_iter()
                    .chain([names::INVITER.to_owned()])
                {
                    draft.prefer(&name, literal(actor.user.as_deref().unwrap_or_default()));
                }
                loop {
                    let sql = draft.insert();
                    match self.attempt(actor, &sql, &[]).await? {
                        Ok((done, _)) if done.affected > 0 => {
                            let cause = self.guilty_of_adding(relation, actor, &sql).await?;
                            let deed = Harm::Critical.that("can invite somebody to a role above their own");
                            self.record.cross(&object_of(relation), Verb::Insert, actor, deed, cause, &sql);
                        }
                        Err(refused) if refused.is_by_constraint() && draft.revise(&refused) => continue,
                        _ => {}
                    }
                    break;
                }
            }
        }
        Ok(())
    }

    /// What one who claims everything gets by signing up, and one who claims nothing does not.
    pub(super) async fn signing_up(&mut self) -> Result<(), Error> {
        let named = |name: &str| self.world.actors.iter().find(|actor| actor.name == name).cloned();
        let (Some(claimant), Some(newcomer)) = (named("claimant"), named("newcomer")) else { return Ok(()) };
        let id = |actor: &Actor| literal(actor.user.as_deref().unwrap_or_default());
        let (mut differs, mut looks) = (Vec::new(), Vec::new());
        let fresh = Uuid::new_v4().to_string();
        let app = "select coalesce(raw_app_meta_data, '{}')::text from auth.users where id = ";
        let (theirs, usual) = (
            self.desk.run(&format!("{app}{}", id(&claimant))).await?,
            self.desk.run(&format!("{app}{}", id(&newcomer))).await?,
        );
        if theirs.value() != usual.value() {
            differs.push("auth.users.raw_app_meta_data".to_owned());
            looks.push(format!(
                "select raw_app_meta_data as made from auth.users where id = {} and raw_app_meta_data is distinct from ({}{})",
                literal(&fresh),
                "select raw_app_meta_data from auth.users where id = ",
                id(&newcomer)
            ));
        }
        let members = self.world.tenancy.members.as_ref();
        for relation in self.world.catalog.relations.iter().filter(|relation| relation.is_table()) {
            let is_members = self.world.members().is_some_and(|members| members.oid == relation.oid);
            let mut owners = owner_columns(self.world.catalog, relation, self.world.tenancy);
            owners.extend(members.filter(|_| is_members).map(|members| members.user.clone()));
            let Some(owner) = owners.first() else { continue };
            let telling: Vec<_> = relation
                .columns
                .iter()
                .filter(|column| {
                    column.category == "B"
                        || !choices(relation, column).is_empty()
                        || names::is_telling(&column.name)
                        || members.is_some_and(|members| is_members && members.tenant == column.name)
                })
                .map(|column| {
                    let (name, is_tenant) = (ident(&column.name), members.is_some_and(|m| m.tenant == column.name));
                    // Tenants of one's own making are one's own.
                    let known: Vec<_> = self.world.tenants.iter().map(|tenant| literal(&tenant.id)).collect();
                    match is_members && is_tenant {
                        true => format!("case when {name}::text in ({}) then {name}::text end", known.join(", ")),
                        false => format!("{name}::text"),
                    }
                })
                .collect();
            if telling.is_empty() {
                continue;
            }
            let rows = |actor: &Actor| {
                format!(
                    "select string_agg(told, ',' order by told) from (select concat_ws('|', {}) as told from {} where {}::text = {}) t",
                    telling.join(", "),
                    relation.sql(),
                    ident(owner),
                    id(actor)
                )
            };
            let (theirs, usual) = (self.desk.run(&rows(&claimant)).await?, self.desk.run(&rows(&newcomer)).await?);
            if theirs.value() != usual.value() {
                differs.push(relation.title());
                let (table, owner, told) = (relation.sql(), ident(owner), telling.join(", "));
                let usual =
                    format!("select concat_ws('|', {told}) from {table} where {owner}::text = {}", id(&newcomer));
                looks.push(format!(
                    "select to_jsonb(t) as made from {table} t where {owner}::text = {} and concat_ws('|', {told}) not in ({usual})",
                    literal(&fresh)
                ));
            }
        }
        if !differs.is_empty() {
            // What they can do as what they made themselves is no finding of its own.
            self.actors.retain(|actor| actor.name != claimant.name);
        }
        for trigger in &self.world.catalog.auth_triggers {
            let name = trigger.split('(').next().unwrap_or_default();
            let name = if name.contains('.') { name.to_owned() } else { format!("public.{name}") };
            let object = Object { noun: "function", name };
            if differs.is_empty() {
                self.record.enter(&object, Verb::Call, &claimant, Cell::Refused);
                continue;
            }
            let effect = format!("gets what they claim of themselves when they sign up ({})", differs.join(", "));
            let deed = Harm::Critical.that(effect);
            let sql = self.sign_up_again(&claimant, &fresh, &looks.join("\nunion all\n"));
            self.record.cross(&object, Verb::Call, &claimant, deed, Cause::Trigger(trigger.clone()), &sql);
        }
        Ok(())
    }

    /// Statements by which the auth server makes another account that claims the same, and which look what it got.
    fn sign_up_again(&self, claimant: &Actor, fresh: &str, look: &str) -> String {
        let columns: Vec<_> = self.world.catalog.auth_columns.iter().map(|name| ident(name)).collect();
        let columns = columns.join(", ");
        let changed = json!({
            "id": fresh, "email": format!("{fresh}@example.com"), "phone": null,
            "raw_app_meta_data": {"provider": "email", "providers": ["email"]},
        });
        let nobody = setting("request.jwt.claims", "");
        format!(
            "reset role;\nselect {nobody};\ninsert into auth.users ({columns})\n  select {columns} from jsonb_populate_record(null::auth.users, (\n    select to_jsonb(u) || {} from auth.users u where id = {}));\n{}",
            literal(&changed.to_string()),
            literal(claimant.user.as_deref().unwrap_or_default()),
            look
        )
    }
}
