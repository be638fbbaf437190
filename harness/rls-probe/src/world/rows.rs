//! Rows: drafts that refer to rows of the same tenant, and what the database makes of them.

use std::collections::HashSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    actor::Kind,
    catalog::{Catalog, Column, Reference, Relation},
    desk::{Desk, Done},
    draft::{Draft, by_type, known_values},
    error::Error,
    names,
    refused::Refused,
    sql::{ident, literal},
    tie::{Tie, owner_columns},
};

use super::{CLOSED, OTHER, OWN, Row, VARIANTS, World};

/// Buckets whose files are tried.
const BUCKETS: usize = 12;

impl<'c> World<'c> {
    /// Tables, those that others refer to first.
    pub(super) fn in_order(&self) -> Vec<&'c Relation> {
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
    pub(super) async fn fill(&mut self, desk: &mut Desk, relation: &'c Relation) -> Result<(), Error> {
        let is_members = self.is_members(relation);
        let is_tenants = self.tenant_table().is_some_and(|table| table.oid == relation.oid);
        if relation.schema == "storage" && relation.name != "objects" {
            return self.read_rows(desk, relation).await;
        }
        let tenants: Vec<Option<usize>> = match self.ties.get(&relation.oid) {
            Some(Tie::Shared) | None => vec![None],
            Some(_) => (0..self.tenants.len()).map(Some).collect(),
        };
        let privileged = self.gives_privileges(relation);
        for tenant in tenants {
            if privileged && tenant != Some(OTHER) {
                continue;
            }
            if is_tenants
                || is_members
                || tenant.is_some_and(|tenant| self.tenants[tenant].users.is_empty() && tenant == CLOSED)
            {
                continue;
            }
            // The last row of a table has no children, not even one.
            let is_needed = |name: &String| relation.column(name).is_some_and(|column| column.not_null);
            let joins = relation.joins().any(|key| key.columns.iter().all(is_needed));
            let variants = if privileged {
                1
            } else if self.ties.get(&relation.oid) == Some(&Tie::Path) {
                // One on each shelf.
                VARIANTS.max(self.shelves().len() + 1)
            } else if joins {
                VARIANTS - 1
            } else {
                VARIANTS
            };
            let first = self.mark(tenant, 0);
            for variant in 0..variants {
                let mark = self.mark(tenant, variant);
                let draft = match variant {
                    0 => self.draft_marked(relation, tenant, 0, &first),
                    // What is found by likeness finds it.
                    _ if variant + 1 == variants && variants >= VARIANTS => {
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
                                match self.read_back(desk, relation, &condition).await? {
                                    Some(row) => self.complete(desk, relation, row).await?,
                                    None => None,
                                }
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
            self.about_each(desk, relation, tenant).await?;
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

    /// The rows about a tenant's people that signing up made.
    async fn about_each(
        &mut self,
        desk: &mut Desk,
        relation: &'c Relation,
        tenant: Option<usize>,
    ) -> Result<(), Error> {
        let Some(tenant) = tenant.filter(|_| self.catalog.is_mirror(relation) && relation.schema != "auth") else {
            return Ok(());
        };
        let Some(key) = relation.primary().and_then(|key| key.columns.first()) else { return Ok(()) };
        for user in self.tenants[tenant].users.clone() {
            let known = self.rows(relation, tenant).iter().any(|row| row.text(key).as_ref() == Some(&user));
            let row = match known || self.gives_privileges(relation) {
                true => None,
                false => self.read_back(desk, relation, &format!("{} = {}", ident(key), literal(&user))).await?,
            };
            if let Some(row) = row {
                self.rows.entry((relation.oid, Some(tenant))).or_default().push(row);
            }
        }
        Ok(())
    }

    /// Fills in how somebody is found, where a trigger made the row about them without it.
    async fn complete(&self, desk: &mut Desk, relation: &Relation, row: Row) -> Result<Option<Row>, Error> {
        let is_open = |column: &&Column| {
            column.is_text() && names::finds_people(&column.name) && row.text(&column.name).is_none()
        };
        for column in relation.columns.iter().filter(is_open) {
            let mark = Uuid::new_v4().simple().to_string();
            for value in by_type(column, &column.name.to_lowercase(), &mark[..12], 0).into_iter().take(2) {
                let sql = format!("update {} set {} = {value} where {}", relation.sql(), ident(&column.name), row.key);
                if self.with_triggers_held(desk, &sql).await?.is_ok() {
                    break;
                }
            }
        }
        self.read_back(desk, relation, &row.key).await
    }

    async fn read_rows(&mut self, desk: &mut Desk, relation: &'c Relation) -> Result<(), Error> {
        for number in 0..BUCKETS {
            let one = format!("ctid = (select ctid from {} order by 1 offset {number} limit 1)", relation.sql());
            let Some(row) = self.read_back(desk, relation, &one).await? else { break };
            self.rows.entry((relation.oid, None)).or_default().push(row);
        }
        Ok(())
    }

    /// Whether a table says of users that they may do more than others: rows of it are for nobody who tries.
    pub fn gives_privileges(&self, relation: &Relation) -> bool {
        let is_of_users = matches!(self.ties.get(&relation.oid), Some(Tie::Owner(_))) && !self.is_members(relation);
        let says_so = names::is_privileges_table(&relation.name);
        let is_list =
            self.tenancy.tenant.is_some() && !self.is_referred_to(relation) && self.catalog.is_mirror(relation);
        is_of_users && (says_so || is_list) && self.catalog.is_asked_about_callers(relation)
    }

    /// What a column of a row about somebody has, where it says what they may do: no more than everybody may.
    fn harmless(&self, relation: &Relation, column: &Column) -> Option<String> {
        if names::is_raising_flag(&column.name) && column.category == "B" {
            return Some("false".to_owned());
        }
        let roles = known_values(relation, column);
        if !names::is_role_column(&column.name) || roles.is_empty() {
            return None;
        }
        let by_default = |role: &&String| {
            column.default.as_ref().is_some_and(|default| default.starts_with(&format!("{}::", literal(role))))
        };
        let plain = roles.iter().find(by_default).or_else(|| roles.iter().find(|role| names::is_plain_role(role)));
        let lowest = || roles.iter().rev().max_by_key(|role| self.tenancy.roles.rank(role));
        plain.or_else(lowest).map(|role| literal(role))
    }

    /// Whether a column has to have a role in it, and the schema lists none but the platform's.
    fn is_any_role(&self, relation: &Relation, column: &Column) -> bool {
        let is_role = column.not_null && column.default.is_none() && names::is_role_column(&column.name);
        let is_above = |role: &String| self.tenancy.roles.is_platform(role);
        is_role && column.is_text() && known_values(relation, column).iter().all(is_above)
    }

    /// Whether other tables name users by this one.
    pub(super) fn is_referred_to(&self, relation: &Relation) -> bool {
        let references = self.catalog.relations.iter().flat_map(|relation| &relation.references);
        references.into_iter().any(|reference| reference.target == relation.oid)
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
        let id = &self.tenants[index].id;
        let user = |users: &[String], number: usize| users.get(number).or(users.first()).map(|user| literal(user));
        let owners = owner_columns(self.catalog, relation, self.tenancy);
        if !owners.is_empty() && !self.is_members(relation) {
            for column in &relation.columns {
                if let Some(harmless) = self.harmless(relation, column) {
                    draft.prefer(&column.name, harmless);
                }
            }
        }
        for column in
            relation.columns.iter().filter(|column| !self.is_members(relation) && self.is_any_role(relation, column))
        {
            // The last that is preferred is tried first, which is the lowest.
            self.tenant_roles().iter().for_each(|role| draft.prefer(&column.name, literal(role)));
        }
        for (number, column) in owners.iter().enumerate() {
            let users = self.named_in(relation, column, index);
            if let Some(user) = user(&users, (number + variant) % users.len().max(1)) {
                draft.set(column, user);
            }
        }
        match tie {
            Tie::Tenant(column) => draft.set(column, literal(id)),
            Tie::Path => {
                let shelf = self.shelf(variant)?;
                draft.set("bucket_id", literal(&shelf.bucket));
                draft.set("name", literal(&self.file_name(&shelf, index, mark)));
                if let Some(user) = user(&self.tenants[index].users, 0) {
                    draft.prefer("owner", user.clone());
                    draft.prefer("owner_id", user);
                }
            }
            Tie::Parent(_) | Tie::Owner(_) | Tie::Joined(..) | Tie::Shared => {}
        }
        Some(draft)
    }

    /// Points a row at a row of a tenant's.
    pub fn refer(&self, draft: &mut Draft<'c>, relation: &Relation, reference: &Reference, of: Option<(usize, usize)>) {
        let (tenant, variant) = of.unwrap_or((OWN, 0));
        let apart = relation.before_it_and_not_the_same(reference);
        let is_needed =
            reference.columns.iter().all(|name| relation.column(name).is_some_and(|column| column.not_null));
        // Of a tenant that is closed there is but its highest member, whom nothing needs to name: who has a record there as
        // a person, or a task, goes on having it.
        let is_of_closed = tenant == CLOSED && self.tenancy.tenant.is_some() && !is_needed;
        let names_users = reference.columns.iter().any(|name| self.catalog.is_of_user(relation, name));
        let is_author = reference.columns.iter().any(|name| names::is_author(name));
        if (reference.target == relation.oid && !is_needed) || (is_of_closed && names_users && !is_author) {
            for column in
                reference.columns.iter().filter(|name| relation.column(name).is_some_and(|column| !column.not_null))
            {
                draft.prefer(column, "null".to_owned());
            }
            return;
        }
        let names_one = names_users && reference.columns.len() == 1;
        if reference.target_name == "auth.users"
            || names_one && self.is_right_of_closed(relation, &reference.columns[0], tenant)
        {
            let users =
                reference.columns.first().map(|column| self.named_in(relation, column, tenant)).unwrap_or_default();
            if let (Some(column), Some(user)) =
                (reference.columns.first(), users.get((variant + apart) % users.len().max(1)))
            {
                draft.prefer(column, literal(user));
            }
            return;
        }
        let Some(target) = self.catalog.relation(reference.target) else { return };
        // Rows of a join table are distinguished by what they join.
        let rows = self.rows(target, tenant);
        let is_key = reference.columns.iter().any(|name| relation.joins().any(|key| key.columns.contains(name)));
        let at = if is_key { variant } else { 0 };
        let Some(row) = rows.get(at + apart).or(rows.get(at)).or(rows.first()) else { return };
        for (column, target) in reference.columns.iter().zip(&reference.target_columns) {
            if is_needed {
                draft.set(column, row.sql(target));
            } else {
                draft.prefer(column, row.sql(target));
            }
        }
    }

    /// Whom a tenant's rows name in a column: nobody who is a member no more, since being named may be a right; where it is
    /// one, in a closed tenant somebody of no tenant in the place of its member.
    fn named_in(&self, relation: &Relation, column: &str, tenant: usize) -> Vec<String> {
        // Who has privileges is but one, who tries nothing, in their table and where others refer to it.
        let target = relation.reference_of(column).and_then(|reference| self.catalog.relation(reference.target));
        let is_of_few = || tenant == OTHER && target.is_some_and(|target| self.gives_privileges(target));
        if let Some(bystander) = self.bystander.as_ref().filter(|_| self.gives_privileges(relation) || is_of_few()) {
            return vec![bystander.clone()];
        }
        if self.is_right_of_closed(relation, column, tenant) {
            return self.stranger.iter().cloned().collect();
        }
        let users = &self.tenants[tenant].users;
        let is_dead = |user: &&String| {
            let mut actors = self.actors.iter();
            actors.any(|actor| actor.kind == Kind::Dead && actor.user.as_ref() == Some(*user))
        };
        let placed: Vec<_> = users.iter().filter(|user| !is_dead(user)).cloned().collect();
        if placed.is_empty() { users.clone() } else { placed }
    }

    /// Whether being named in a column of a closed tenant's row is a right, in that row or where others ask for it; a row
    /// about a person as such is that person's anyhow.
    fn is_right_of_closed(&self, relation: &Relation, column: &str, tenant: usize) -> bool {
        let is_alone = relation
            .references
            .iter()
            .all(|reference| reference.columns.len() == 1 || reference.columns.iter().all(|name| name != column));
        let is_asked = || self.catalog.is_of_caller(relation, column) || self.catalog.is_asked_about_callers(relation);
        let is_of_person =
            matches!(self.ties.get(&relation.oid), Some(Tie::Owner(of)) if of.iter().any(|name| name == column));
        let is_about_somebody = is_of_person || self.is_members(relation) || self.catalog.is_mirror(relation);
        tenant == CLOSED && self.stranger.is_some() && is_alone && !is_about_somebody && is_asked()
    }

    /// Inserts a row as one who may, and answers with it.
    pub(super) async fn insert(
        &mut self,
        desk: &mut Desk,
        relation: &Relation,
        mut draft: Draft<'_>,
    ) -> Result<Result<Row, Refused>, Error> {
        let first = draft.clone();
        let refused = loop {
            match self.with_triggers_held(desk, &returning(&draft)).await? {
                Ok(done) => return Ok(Ok(row_of(relation, &done))),
                Err(refused) if draft.revise(&refused) => {}
                Err(refused) => break refused,
            }
        };
        // A trigger may have made it such: one that asks who is calling, where nobody is.
        let is_of_triggers = matches!(refused.code.as_str(), "23502" | "23514") || refused.code.starts_with("22");
        if desk.can_hold_triggers
            && !relation.triggers.is_empty()
            && is_of_triggers
            && let Ok(done) = self.without_triggers(desk, &returning(&first)).await?
        {
            return Ok(Ok(row_of(relation, &done)));
        }
        Ok(Err(refused))
    }

    /// Runs a statement that stays; where a trigger refuses it, without triggers.
    pub(super) async fn with_triggers_held(&self, desk: &mut Desk, sql: &str) -> Result<Result<Done, Refused>, Error> {
        match desk.keep_settled(sql).await? {
            // A constraint of the table's own names itself; a trigger that uses its SQLSTATE does not.
            Err(refused)
                if desk.can_hold_triggers
                    && !refused.code.starts_with("22")
                    && !(refused.is_by_constraint() && (refused.constraint.is_some() || refused.column.is_some())) =>
            {
                Ok(self.without_triggers(desk, sql).await?.map_err(|_| refused))
            }
            done => Ok(done),
        }
    }

    async fn without_triggers(&self, desk: &mut Desk, sql: &str) -> Result<Result<Done, Refused>, Error> {
        desk.run("set local session_replication_role = replica").await?;
        let done = desk.keep(sql).await?;
        desk.run("set local session_replication_role = origin").await?;
        Ok(done)
    }

    pub(super) async fn read_back(
        &self,
        desk: &mut Desk,
        relation: &Relation,
        condition: &str,
    ) -> Result<Option<Row>, Error> {
        let sql = format!("select to_jsonb(t)::text from {} t where {condition} limit 1", relation.sql());
        let Ok(done) = desk.keep(&sql).await? else { return Ok(None) };
        let values: Option<Map<String, Value>> = done.value().and_then(|text| serde_json::from_str(text).ok());
        Ok(values.map(|values| Row { key: key_of(relation, &values), values }))
    }
}

fn returning(draft: &Draft<'_>) -> String {
    format!("{} returning to_jsonb(t)::text", draft.insert())
}

fn row_of(relation: &Relation, done: &Done) -> Row {
    let values: Map<String, Value> = done.value().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    Row { key: key_of(relation, &values), values }
}

/// The condition that finds a row by its key, or by all that it has where there is none.
fn key_of(relation: &Relation, values: &Map<String, Value>) -> String {
    let row = Row { values: values.clone(), key: String::new() };
    let columns: Vec<&str> = match relation.primary().or(relation.keys.iter().find(|key| key.plain && !key.partial)) {
        Some(key) => key.columns.iter().map(String::as_str).collect(),
        None => {
            let plain = |column: &&Column| !matches!(column.base.as_str(), "json" | "jsonb" | "xml" | "point");
            relation.columns.iter().filter(plain).map(|column| column.name.as_str()).collect()
        }
    };
    let each = columns.into_iter().map(|column| match row.text(column) {
        Some(text) => format!("{} = {}", ident(column), literal(&text)),
        None => format!("{} is null", ident(column)),
    });
    format!("({})", each.collect::<Vec<_>>().join(" and "))
}
