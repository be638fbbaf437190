//! What is exposed beside rows of tenants: secrets in columns, the auth schema, realtime, storage buckets.

use crate::{
    actor::{Actor, Kind},
    catalog::Relation,
    error::Error,
    harm::Harm,
    names,
    record::{Cause, Cell, Object, Verb},
    sql::{ident, literal},
    world::{OWN, Row},
};

use super::{Prober, object_of};

impl<'c> Prober<'_, 'c> {
    /// All of it.
    pub async fn exposures(&mut self) -> Result<(), Error> {
        for relation in self.world.catalog.relations.iter().filter(|relation| relation.is_table()) {
            if relation.exposed {
                self.secrets(relation).await?;
                self.confidences(relation).await?;
            }
        }
        self.broadcasts().await?;
        self.auth().await?;
        self.creatable().await?;
        self.buckets().await
    }

    /// Secrets that colleagues read who do not manage them.
    pub(super) async fn secrets(&mut self, relation: &'c Relation) -> Result<(), Error> {
        let roles = &self.world.tenancy.roles;
        let highest = self
            .world
            .actors
            .iter()
            .filter_map(|actor| actor.role.as_ref())
            .map(|role| roles.rank(role))
            .min()
            .unwrap_or(0);
        for column in relation.columns.iter().filter(|column| column.holds_texts() && names::is_secret(&column.name)) {
            let object = Object { noun: "column", name: format!("{}.{}", relation.title(), column.name) };
            for actor in self.actors.clone().iter().filter(|actor| matches!(actor.kind, Kind::Member | Kind::Reader)) {
                let is_highest =
                    actor.role.as_ref().is_some_and(|role| roles.rank(role) <= highest) && self.world.roles.len() > 1;
                let of_table = Object { noun: relation.noun(), name: relation.title() };
                // Whoever may invite sends the link, unless the secret is chosen for them; where functions invite, whoever
                // may take it back.
                let invites = names::is_invitations(&relation.name)
                    && [(Verb::Insert, column.may(actor.db_role(), "insert")), (Verb::Delete, is_highest)]
                        .into_iter()
                        .any(|(verb, may)| {
                            may && self.record.own.contains(&(of_table.clone(), actor.name.clone(), verb))
                        });
                if (is_highest || self.manages(relation, actor)) && names::is_for_managers(&column.name)
                    || invites
                    || !column.may(actor.db_role(), "select")
                {
                    continue;
                }
                let mut rows = self.rows_besides(relation, self.own(actor), actor);
                if rows.is_empty() && self.world.tenancy.tenant.is_some() {
                    rows = self.world.rows(relation, OWN).to_vec();
                }
                rows.retain(|row| !self.is_made_by(relation, row, actor));
                let keys: Vec<_> = rows.into_iter().map(|row| row.key).collect();
                if keys.is_empty() {
                    continue;
                }
                // Whether the column can be read, not whether something is in it: rows that were made may leave it empty.
                let sql = format!(
                    "select count(*) from (select {} from {} where {}) s",
                    ident(&column.name),
                    relation.sql(),
                    keys.join(" or ")
                );
                let mut seen = self.attempt(actor, &sql, &[]).await?.map(|(done, _)| (done.number(), sql));
                if seen.is_err() && self.world.tenancy.tenant.is_some() {
                    // The key may not be read.
                    let plain = format!(
                        "select count(*) from (select {} from {} limit 50) s",
                        ident(&column.name),
                        relation.sql()
                    );
                    seen = self.attempt(actor, &plain, &[]).await?.map(|(done, _)| (done.number(), plain));
                }
                if let Ok((1.., sql)) = seen {
                    let deed = Harm::Medium.that("can read a secret that only those who manage it need");
                    self.record.cross(&object, Verb::Read, actor, deed, Cause::Column, &sql);
                }
            }
        }
        Ok(())
    }

    /// What is nobody's business but a person's and that of those who pay them, read by colleagues of the lowest role.
    pub(super) async fn confidences(&mut self, relation: &'c Relation) -> Result<(), Error> {
        let roles = &self.world.tenancy.roles;
        let catalog = self.world.catalog;
        let is_of_members = |target: &i64| self.world.members().is_some_and(|members| members.oid == *target);
        let is_of_people = relation.columns.iter().any(|column| catalog.is_of_user(relation, &column.name))
            || relation.references.iter().any(|reference| is_of_members(&reference.target));
        if self.world.tenancy.tenant.is_none() || self.world.roles.len() < 2 || !is_of_people {
            return Ok(());
        }
        let members = self.actors.iter().filter(|actor| matches!(actor.kind, Kind::Member | Kind::Reader));
        let lowest = members.max_by_key(|actor| actor.role.as_ref().map_or(0, |role| roles.rank(role))).cloned();
        let Some(actor) = lowest else { return Ok(()) };
        let mut rows = self.rows_besides(relation, self.own(&actor), &actor);
        rows.retain(|row| !self.is_made_by(relation, row, &actor));
        let confidential = relation
            .columns
            .iter()
            .filter(|column| names::is_confidential(&column.name) && column.may(actor.db_role(), "select"));
        for column in confidential {
            let keys: Vec<_> = rows.iter().map(|row| row.key.clone()).collect();
            if keys.is_empty() {
                continue;
            }
            let (name, table) = (ident(&column.name), relation.sql());
            let sql = format!("select count(*) from (select {name} from {table} where {}) s", keys.join(" or "));
            if self.attempt(&actor, &sql, &[]).await?.is_ok_and(|(done, _)| done.number() > 0) {
                let object = Object { noun: "column", name: format!("{}.{}", relation.title(), column.name) };
                let deed = Harm::Medium.that("can read it of every colleague, with the lowest role");
                self.record.cross(&object, Verb::Read, &actor, deed, Cause::Column, &sql);
            }
        }
        Ok(())
    }

    /// Whether somebody writes what colleagues do not even read: it is theirs to manage.
    fn manages(&self, relation: &Relation, actor: &Actor) -> bool {
        let object = object_of(relation);
        let writes = |verb: Verb| self.record.own.contains(&(object.clone(), actor.name.clone(), verb));
        let is_kept = |other: &&Actor| {
            let cells = self.record.cells.get(&object).and_then(|actors| actors.get(&other.name));
            matches!(cells.and_then(|verbs| verbs.get(&Verb::Read)), Some(Cell::Refused))
        };
        let mut colleagues = self.actors.iter().filter(|actor| matches!(actor.kind, Kind::Member | Kind::Reader));
        [Verb::Insert, Verb::Update].into_iter().any(writes) && colleagues.any(|other| is_kept(&other))
    }

    /// Whether policies say of a row that it is this caller's own.
    fn is_made_by(&self, relation: &Relation, row: &Row, actor: &Actor) -> bool {
        let mut columns = relation.columns.iter().map(|column| &column.name);
        columns.any(|name| {
            let is_theirs = row.text(name).is_some() && row.text(name) == actor.user;
            is_theirs && self.world.catalog.is_of_caller(relation, name)
        })
    }

    /// What is broadcast of all tables.
    pub(super) async fn broadcasts(&mut self) -> Result<(), Error> {
        for relation in self.world.catalog.relations.iter().filter(|relation| relation.is_table()) {
            self.realtime(relation).await?;
        }
        Ok(())
    }

    /// Whether a table is published still without row level security: a fix may have changed either.
    async fn is_broadcast(&mut self, relation: &Relation) -> Result<bool, Error> {
        let sql = format!(
            "select count(*) from pg_publication_tables p join pg_class c on c.oid = {} and not c.relrowsecurity
            where p.pubname = 'supabase_realtime' and p.schemaname = {} and p.tablename = {}",
            relation.oid,
            literal(&relation.schema),
            literal(&relation.name)
        );
        Ok(self.desk.run(&sql).await?.number() > 0)
    }

    /// Changes that are broadcast to everybody who may read the table.
    async fn realtime(&mut self, relation: &'c Relation) -> Result<(), Error> {
        if relation.title() == "realtime.messages" {
            return self.topics(relation);
        }
        if !relation.published {
            return Ok(());
        }
        let object = Object { noun: "publication", name: "supabase_realtime".to_owned() };
        let is_broadcast = !relation.rls && self.is_broadcast(relation).await?;
        for actor in &self.actors.clone() {
            let is_open = is_broadcast && relation.may(actor.db_role(), "select");
            if is_open {
                let deed =
                    Harm::of_reading(actor.kind).that(format!("can listen to every change of {}", relation.title()));
                let sql = format!("select * from {}", relation.sql());
                self.record.cross(&object, Verb::Listen, actor, deed, Cause::NoRowSecurity, &sql);
            } else {
                self.record.enter(&object, Verb::Listen, actor, Cell::Refused);
            }
        }
        Ok(())
    }

    /// Messages of private channels, which policies keep apart by their topic.
    fn topics(&mut self, relation: &Relation) -> Result<(), Error> {
        for actor in self.actors.clone() {
            let is_open = |policy: &&crate::catalog::Policy| {
                policy.permissive && !policy.using.as_deref().is_some_and(|text| text.contains("topic"))
            };
            let open: Vec<_> = relation
                .policies_for(actor.db_role(), "select")
                .filter(is_open)
                .map(|policy| policy.name.clone())
                .collect();
            if relation.may(actor.db_role(), "select") && !open.is_empty() {
                let object = Object { noun: "table", name: relation.title() };
                let sql = "select * from realtime.messages";
                let deed = Harm::of_reading(actor.kind).that("can listen to every private channel");
                self.record.cross(&object, Verb::Listen, &actor, deed, Cause::Policies(open), sql);
            }
        }
        Ok(())
    }

    /// Schemas that users may make objects in: code that runs with its owner's rights and finds them first uses them.
    pub(super) async fn creatable(&mut self) -> Result<(), Error> {
        let trusting = self.world.catalog.functions.iter().filter(|function| function.definer && !function.fixed_path);
        let trusting = trusting.filter(|function| !function.extension).count();
        for creatable in &self.world.catalog.creatable {
            let object = Object { noun: "schema", name: creatable.schema.clone() };
            let deed = match trusting {
                0 => Harm::Medium.that("can make objects in it"),
                _ => Harm::Critical.that(format!(
                    "can make objects in it, which {trusting} functions with their owner's rights and no search_path use"
                )),
            };
            let sql = format!(
                "create function {}.rls_probe() returns int language sql as 'select 1'",
                ident(&creatable.schema)
            );
            let (role, schema) = (literal(&creatable.role), literal(&creatable.schema));
            if self.desk.run(&format!("select has_schema_privilege({role}, {schema}, 'create')")).await?.value()
                != Some("t")
            {
                continue;
            }
            for actor in self.actors.clone().iter().filter(|actor| actor.db_role() == creatable.role) {
                let cause = Cause::Grant("create".to_owned());
                self.record.cross(&object, Verb::Insert, actor, deed.clone(), cause, &sql);
            }
        }
        Ok(())
    }

    /// The auth server's own tables.
    pub(super) async fn auth(&mut self) -> Result<(), Error> {
        for readable in &self.world.catalog.auth_readable {
            let object = Object { noun: "table", name: readable.table.clone() };
            for actor in self.actors.clone().iter().filter(|actor| actor.db_role() == readable.role) {
                let sql = format!("select count(*) from (select * from {} limit 1) s", readable.table);
                let seen = self.attempt(actor, &sql, &[]).await?;
                let is_open = seen.as_ref().is_ok_and(|(done, _)| done.number() > 0) || (seen.is_ok() && !readable.rls);
                if is_open {
                    let cause = Cause::Grant("select".to_owned());
                    let deed = Harm::of_reading(actor.kind).that("can read the auth server's rows of everybody");
                    self.record.cross(&object, Verb::Read, actor, deed, cause, &sql);
                }
            }
        }
        Ok(())
    }

    /// Buckets whose files everybody can have by their address, though policies keep them apart.
    pub(super) async fn buckets(&mut self) -> Result<(), Error> {
        if self.world.catalog.named("storage.buckets").is_none() {
            return Ok(());
        }
        let objects = self.world.catalog.relations.iter().find(|relation| relation.title() == "storage.objects");
        let public = self.desk.run("select id from storage.buckets where public").await?;
        for id in public.rows.into_iter().flatten() {
            // Policies keep its files apart, and its name does not say that they are for everybody.
            let is_for_all = names::is_public_bucket(&id);
            let is_kept_apart = !is_for_all
                && objects.is_some_and(|objects| {
                    let mut policies =
                        objects.policies.iter().filter(|policy| matches!(policy.command.as_str(), "select" | "all"));
                    policies.any(|policy| {
                        policy.using.as_deref().is_some_and(|text| {
                            let is_of_bucket = text.contains(&literal(&id)) || !text.contains("bucket_id");
                            is_of_bucket && names::asks_whose_file(text)
                        })
                    })
                });
            if is_kept_apart {
                for actor in &self.actors.clone() {
                    let object = Object { noun: "bucket", name: id.clone() };
                    let sql = format!(
                        "reset role;\nselect format('/storage/v1/object/public/%s/%s', bucket_id, name) as address from storage.objects where bucket_id = {}",
                        literal(&id)
                    );
                    let deed = Harm::of_reading(actor.kind)
                        .that("can download each of its files by its address, whatever its policies say");
                    self.record.cross(&object, Verb::Read, actor, deed, Cause::PublicBucket, &sql);
                }
            }
        }
        Ok(())
    }
}
