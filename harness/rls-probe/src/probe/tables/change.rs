//! Rows that are changed, taken over, given away and deleted.

use std::collections::BTreeSet;

use crate::{
    actor::{Actor, Kind},
    catalog::{Column, Relation},
    desk::{Arranged, Attempted, Done},
    draft::choices,
    error::Error,
    harm::Harm,
    names,
    probe::{Prober, SMALL, object_of, touchable, touched},
    record::{Cause, Cell, Verb},
    refused::Refused,
    sql::{ident, literal},
    tie::Tie,
    world::{OTHER, Row},
};

/// Tables with more rows than this are not changed as a whole to see that nothing is.
const FEW: i64 = 1_000;

impl<'c> Prober<'_, 'c> {
    pub(super) async fn update(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let (object, role) = (object_of(relation), actor.db_role());
        if !relation.may(role, "update") {
            self.record.enter(&object, Verb::Update, actor, Cell::Refused);
            return Ok(());
        }
        let tie: Vec<String> = match self.world.ties.get(&relation.oid) {
            Some(Tie::Tenant(column)) => vec![column.clone()],
            _ => Vec::new(),
        };
        let own_works = self
            .change_own(relation, actor, Verb::Update, |row| {
                let (column, value) = touched(relation, role, row, &tie)?;
                Some(format!("update {} set {column} = {value}", relation.sql()))
            })
            .await?;
        let others = self.others(relation, actor);
        if !own_works && !others.is_empty() && self.reaches_nothing(relation, actor, Verb::Update).await? {
            self.record.enter(&object, Verb::Update, actor, Cell::Refused);
            return self.seal(relation, actor).await;
        }
        let is_file = self.world.ties.get(&relation.oid) == Some(&Tie::Path);
        let mut reached = BTreeSet::new();
        for (tenant, row) in others {
            let row = &row;
            if reached.contains(&tenant) && !is_file {
                continue;
            }
            let touched = touched(relation, role, row, &tie).into_iter();
            let sets: Vec<_> = touched.map(|(column, value)| format!("{column} = {value}")).collect();
            let mut tried = sets.clone();
            // Taken over: a row that may not stay the other's may become one's own.
            if let (Some(column), Some(mine)) = (tie.first(), actor.tenant)
                && tenant != mine
                && relation.column(column).is_some_and(|column| column.may(role, "update") && !column.identity)
            {
                let with = self.world.rows(relation, mine).first().map(|own| with_its_keys(relation, column, row, own));
                let moved = [(column.clone(), literal(&self.world.tenants[mine].id))]
                    .into_iter()
                    .chain(with.unwrap_or_default());
                tried.push(assigned(&moved.collect::<Vec<_>>()));
            }
            if let (Some(Tie::Owner(columns)), Some(user)) = (self.world.ties.get(&relation.oid), &actor.user)
                && relation.column(&columns[0]).is_some_and(|column| column.may(role, "update"))
            {
                tried.push(format!("{} = {}", ident(&columns[0]), literal(user)));
            }
            // Hung onto a row of one's own.
            if let (Some(Tie::Parent(index)), false) = (self.world.ties.get(&relation.oid), actor.kind.is_outside()) {
                let reference = &relation.references[*index];
                let is_allowed = |name: &String| relation.column(name).is_some_and(|column| column.may(role, "update"));
                let own = self.world.rows(relation, self.own(actor)).iter();
                let mine = own.rev().find(|mine| reference.columns.iter().all(|name| mine.text(name).is_some()));
                if let Some(mine) = mine.filter(|_| tenant == OTHER && reference.columns.iter().all(is_allowed)) {
                    let each = reference.columns.iter().map(|name| format!("{} = {}", ident(name), mine.sql(name)));
                    tried.push(each.collect::<Vec<_>>().join(", "));
                }
            }
            let first = tried.first().map(|set| format!("update {} set {set}", relation.sql()));
            if let Some(first) = first
                && self.is_kept_from(relation, actor, &first, row).await?
            {
                tried.clear();
            }
            for set in tried {
                let statement = format!("update {} set {set}", relation.sql());
                if let Some(sql) = self.reaches(relation, actor, &statement, row).await? {
                    let cause = self.guilty(relation, actor, "update", Some(row)).await?;
                    let whose = Self::whose(actor, tenant);
                    let effect = match sets.contains(&set) {
                        _ if self.world.is_shared(relation) => "can change rows that every tenant shares".to_owned(),
                        true => format!("can change rows of {whose}"),
                        false => format!("can take over rows of {whose}"),
                    };
                    let deed = Harm::of_writing(actor.kind).that(effect);
                    self.record.cross(&object, Verb::Update, actor, deed, cause, &sql);
                    reached.insert(tenant);
                    break;
                }
            }
            self.record.enter(&object, Verb::Update, actor, Cell::Refused);
            if self.world.is_shared(relation) {
                break;
            }
        }
        self.give_away(relation, actor).await?;
        self.rewrite(relation, actor).await?;
        self.upgrade(relation, actor).await?;
        self.seal(relation, actor).await
    }

    /// What the platform gives a tenant, set by somebody who belongs to it: in the tenant's own row, or where there is one row
    /// for each.
    async fn upgrade(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let is_one_each = match self.world.ties.get(&relation.oid) {
            Some(Tie::Tenant(column)) => relation.keys.iter().any(|key| key.columns == [column.clone()]),
            _ => false,
        };
        if actor.kind != Kind::Member || self.world.tenancy.tenant.is_none() || !is_one_each {
            return Ok(());
        }
        let Some(row) = self.world.rows(relation, self.own(actor)).first().cloned() else { return Ok(()) };
        let given = relation
            .columns
            .iter()
            .filter(|column| names::is_given_by_platform(&column.name) && column.may(actor.db_role(), "update"));
        for column in given {
            let name = ident(&column.name);
            let value = match column.category.as_str() {
                "B" => format!("not coalesce({name}, false)"),
                "N" => format!("coalesce({name}, 0) + 1"),
                "D" => "now()".to_owned(),
                _ => match choices(relation, column)
                    .into_iter()
                    .find(|choice| Some(choice) != row.text(&column.name).as_ref())
                {
                    Some(other) => literal(&other),
                    None => continue,
                },
            };
            let sql = format!("update {} set {name} = {value} where {}", relation.sql(), row.key);
            let look = [format!("select {name}::text from {} where {}", relation.sql(), row.key)];
            let before = self.desk.run(&look[0]).await?.value().map(str::to_owned);
            if let Ok((_, looks)) = self.attempt(actor, &sql, &look).await?
                && looks.first().is_some_and(|after| after.value().map(str::to_owned) != before)
            {
                let cause = self.guilty(relation, actor, "update", Some(&row)).await?;
                let deed = Harm::Medium.that(format!("can set {} for their own tenant", column.name));
                self.record.cross(&object_of(relation), Verb::Update, actor, deed, cause, &sql);
            }
        }
        Ok(())
    }

    /// Rows of others to try: the last one of each tenant that is not the actor's, one in each state that policies ask for,
    /// and of files one in each bucket.
    fn others(&self, relation: &'c Relation, actor: &Actor) -> Vec<(usize, Row)> {
        let mut others = Vec::new();
        for tenant in self.foreign(actor) {
            let rows = self.rows_besides(relation, tenant, actor);
            if self.world.ties.get(&relation.oid) == Some(&Tie::Path) {
                let mut buckets = BTreeSet::new();
                let first = rows.into_iter().rev().filter(|row| buckets.insert(row.text("bucket_id")));
                others.extend(first.map(|row| (tenant, row)));
            } else {
                let mut states = BTreeSet::new();
                let first = rows.into_iter().rev().filter(|row| states.insert(state_of(relation, row)));
                others.extend(first.map(|row| (tenant, row)));
            }
        }
        others
    }

    /// What somebody else wrote, in what one takes part in with them.
    async fn rewrite(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let role = actor.db_role();
        let is_theirs = self.is_personal(relation) && self.is_within_joined(relation);
        if self.world.tenancy.tenant.is_some() || actor.kind != Kind::Member || !is_theirs {
            return Ok(());
        }
        let holds_words = |column: &&Column| column.is_text() && names::holds_words(&column.name);
        let words = relation.columns.iter().filter(holds_words).find(|column| column.may(role, "update"));
        let rows = self.rows_besides(relation, self.own(actor), actor);
        let (Some(words), Some(row)) = (words, rows.last()) else { return Ok(()) };
        let (name, words) = (ident(&words.name), &words.name);
        let sql = format!("update {} set {name} = {} where {}", relation.sql(), row.sql(words), row.key);
        if self.attempt(actor, &sql, &[]).await?.is_ok_and(|(done, _)| done.affected > 0) {
            let cause = self.guilty(relation, actor, "update", Some(row)).await?;
            let deed = Harm::High.that(format!("can change what somebody else wrote ({words})"));
            self.record.cross(&object_of(relation), Verb::Update, actor, deed, cause, &sql);
        }
        Ok(())
    }

    /// A seal that others put on a row, put on one of one's own, where policies ask for it.
    async fn seal(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let role = actor.db_role();
        if self.world.tenancy.tenant.is_some() || actor.kind != Kind::Member || !self.is_personal(relation) {
            return Ok(());
        }
        let is_seal = |column: &&Column| {
            let is_unset = column.category == "B" && column.default.as_deref() == Some("false");
            let is_asked = || self.world.catalog.is_asked_for(relation, &column.name);
            is_unset && (names::is_sure_seal(&column.name) || names::is_seal(&column.name) && is_asked())
        };
        for seal in relation.columns.iter().filter(is_seal).filter(|column| column.may(role, "update")) {
            let (name, own) = (ident(&seal.name), self.own_rows(relation, actor));
            let Some(row) = own.first() else { continue };
            let unset = [format!("update {} set {name} = false where {}", relation.sql(), row.key)];
            let sql = format!("update {} set {name} = true where {}", relation.sql(), row.key);
            let look = [format!("select count(*) from {} where {} and {name}", relation.sql(), row.key)];
            if let Ok((_, looks)) = self.desk.attempt(actor, Arranged::ByNobody(&unset), &sql, &look).await?
                && looks.first().is_some_and(|set| set.number() > 0)
            {
                let cause = self.guilty(relation, actor, "update", Some(row)).await?;
                let deed = Harm::Medium.that(format!("can set {} on rows of their own", seal.name));
                self.record.cross(&object_of(relation), Verb::Update, actor, deed, cause, &sql);
            }
        }
        Ok(())
    }

    /// Rows of one's own that become the other tenant's.
    async fn give_away(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let (object, role) = (object_of(relation), actor.db_role());
        let Some(theirs) = self.world.rows(relation, OTHER).first() else { return Ok(()) };
        let mut columns: Vec<(String, String)> = match self.world.ties.get(&relation.oid) {
            Some(Tie::Tenant(column)) => vec![(column.clone(), literal(&self.world.tenants[OTHER].id))],
            Some(Tie::Owner(columns)) => columns.iter().take(1).map(|name| (name.clone(), theirs.sql(name))).collect(),
            Some(Tie::Parent(index)) => {
                relation.references[*index].columns.iter().map(|name| (name.clone(), theirs.sql(name))).collect()
            }
            Some(Tie::Path) => {
                let bucket = theirs.text("bucket_id").unwrap_or_default();
                if self.world.is_by_owner(&bucket) {
                    return Ok(());
                }
                let mark = format!("moved-{}", self.world.canary(OTHER));
                let name = theirs.text("name").unwrap_or_default();
                let folder = name.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
                vec![("name".to_owned(), literal(&format!("{folder}{mark}.txt")))]
            }
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
        let named = self.row_naming(relation, actor);
        let Some(mine) = named.as_ref().or(own.iter().rfind(is_ones_own)) else { return Ok(()) };
        if let Some(Tie::Tenant(column)) = self.world.ties.get(&relation.oid) {
            columns.extend(with_its_keys(relation, column, mine, theirs));
        }
        if !columns.iter().all(|(name, _)| is_allowed(name)) {
            return Ok(());
        }
        let statement = format!("update {} set {}", relation.sql(), assigned(&columns));
        let is_by_policy = |refused: &Refused| relation.triggers.is_empty() && refused.is_by_policy();
        match self.tried_alone(relation, actor, &statement, mine).await? {
            Some(Ok((done, _))) if done.affected == 0 => return Ok(()),
            Some(Err(refused)) if is_by_policy(&refused) => return Ok(()),
            _ => {}
        }
        let before = self.count(relation, OTHER).await?;
        let others = format!("delete from {} where not {}", relation.sql(), mine.key);
        for (arranged, sql) in
            [(Vec::new(), format!("{statement} where {}", mine.key)), (self.alone(relation, &others), statement)]
        {
            if arranged.is_empty() && !sql.contains(" where ") {
                continue;
            }
            let look = if arranged.is_empty() { before } else { 0 };
            let looks = [self.count_sql(relation, OTHER)];
            if let Ok((_, looks)) = self.desk.attempt(actor, Arranged::Unnoticed(&arranged), &sql, &looks).await?
                && looks.first().is_some_and(|after| after.number() > look)
            {
                let cause = self.guilty(relation, actor, "update", Some(mine)).await?;
                let harm = Harm::of_writing(actor.kind);
                // Between people who share a row, it is but put to somebody else's account.
                let harm = if self.is_between_people(relation) { harm.min(Harm::Medium) } else { harm };
                let deed = harm.that("can move rows of their own to the other tenant");
                let sql = arranged_first(&arranged, actor, sql);
                self.record.cross(&object, Verb::Update, actor, deed, cause, &sql);
                break;
            }
        }
        Ok(())
    }

    /// Where users are the tenants: whether a row is of several of them, or of one within what is another's.
    pub(super) fn is_between_people(&self, relation: &Relation) -> bool {
        let users = relation.columns.iter().filter(|column| self.world.catalog.is_of_user(relation, &column.name));
        let within = relation.references.iter().any(|reference| {
            reference.target_name != "auth.users"
                && self
                    .world
                    .catalog
                    .relation(reference.target)
                    .is_some_and(|target| !self.world.is_shared(target) && !self.world.catalog.is_mirror(target))
        });
        self.world.tenancy.tenant.is_none() && (users.count() > 1 || within)
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
        vec![hold("replica"), delete.to_owned(), hold("origin")]
    }

    pub(super) async fn delete(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let (object, role) = (object_of(relation), actor.db_role());
        if !relation.may(role, "delete") {
            self.record.enter(&object, Verb::Delete, actor, Cell::Refused);
            return Ok(());
        }
        let statement = format!("delete from {}", relation.sql());
        let own_works = self.change_own(relation, actor, Verb::Delete, |_| Some(statement.clone())).await?;
        let others = self.others(relation, actor);
        if !own_works && !others.is_empty() && self.reaches_nothing(relation, actor, Verb::Delete).await? {
            self.record.enter(&object, Verb::Delete, actor, Cell::Refused);
            return Ok(());
        }
        let is_file = self.world.ties.get(&relation.oid) == Some(&Tie::Path);
        let mut reached = BTreeSet::new();
        for (tenant, row) in others {
            if reached.contains(&tenant) && !is_file {
                continue;
            }
            if !self.is_kept_from(relation, actor, &statement, &row).await?
                && let Some(sql) = self.reaches(relation, actor, &statement, &row).await?
            {
                reached.insert(tenant);
                let cause = self.guilty(relation, actor, "delete", Some(&row)).await?;
                let effect = match self.world.is_shared(relation) {
                    true => "can delete rows that every tenant shares".to_owned(),
                    false => format!("can delete rows of {}", Self::whose(actor, tenant)),
                };
                let deed = Harm::of_writing(actor.kind).that(effect);
                self.record.cross(&object, Verb::Delete, actor, deed, cause, &sql);
            }
            self.record.enter(&object, Verb::Delete, actor, Cell::Refused);
            if self.world.is_shared(relation) {
                break;
            }
        }
        Ok(())
    }

    /// A row that is no tenant's, which every tenant may see: only the backend changes it.
    pub(super) async fn change_nobodys(&mut self, relation: &'c Relation, actor: &Actor) -> Result<(), Error> {
        let (Some(row), Some(Tie::Tenant(tenant))) =
            (self.world.nobodys.get(&relation.oid).cloned(), self.world.ties.get(&relation.oid))
        else {
            return Ok(());
        };
        let role = actor.db_role();
        let set = touched(relation, role, &row, std::slice::from_ref(tenant))
            .map(|(column, value)| format!("{column} = {value}"));
        let update = set.map(|set| (Verb::Update, "change", format!("update {} set {set}", relation.sql())));
        let delete = (Verb::Delete, "delete", format!("delete from {}", relation.sql()));
        for (verb, done, statement) in update.into_iter().chain([delete]) {
            let command = verb.name();
            if relation.may(role, command)
                && let Some(sql) = self.reaches(relation, actor, &statement, &row).await?
            {
                let cause = self.guilty(relation, actor, command, Some(&row)).await?;
                let deed = Harm::of_writing(actor.kind).that(format!("can {done} rows that belong to no tenant"));
                self.record.cross(&object_of(relation), verb, actor, deed, cause, &sql);
            }
        }
        Ok(())
    }

    /// A row of one's own tenant, changed: the positive control, and a crossing where the actor's role is read-only. Answers
    /// whether it was.
    async fn change_own(
        &mut self,
        relation: &'c Relation,
        actor: &Actor,
        verb: Verb,
        statement: impl Fn(&Row) -> Option<String>,
    ) -> Result<bool, Error> {
        if !matches!(actor.kind, Kind::Member | Kind::Reader) || self.world.is_shared(relation) {
            return Ok(false);
        }
        // Where users are the tenants, what is theirs is what names them.
        let own = match self.world.tenancy.tenant {
            Some(_) => self.rows_besides(relation, self.own(actor), actor),
            None => self.own_rows(relation, actor),
        };
        // What names somebody they may change, where they may not change a colleague's.
        let named = self.row_naming(relation, actor).filter(|_| actor.kind == Kind::Member);
        let object = object_of(relation);
        for row in own.last().into_iter().chain(&named) {
            let Some(statement) = statement(row) else { continue };
            let sql = format!("{statement} where {}", row.key);
            let done = self.attempt(actor, &sql, &[]).await?;
            if let Err(refused) = &done {
                let cell = self.failed(refused);
                self.record.enter(&object, verb, actor, cell);
            }
            let works = done.is_ok_and(|(done, _)| done.affected > 0);
            let done = if verb == Verb::Delete { "delete" } else { "change" };
            if !works {
                self.record.enter(&object, verb, actor, Cell::Refused);
            } else if actor.kind == Kind::Reader && !self.is_personal(relation) {
                let cause = self.guilty(relation, actor, verb.name(), Some(row)).await?;
                let deed = Harm::High.that(format!("can {done} rows although its role is read-only"));
                self.record.cross(&object, verb, actor, deed, cause, &sql);
            } else if self.is_trail(relation) {
                let cause = self.guilty(relation, actor, verb.name(), Some(row)).await?;
                let deed = Harm::Medium.that(format!("can {done} entries that are kept as a record"));
                self.record.cross(&object, verb, actor, deed, cause, &sql);
            } else {
                let cause = self.guilty(relation, actor, verb.name(), Some(row)).await?;
                match self.broken_promise(actor, &cause) {
                    Some(promised) => {
                        let deed = Harm::Medium.that(format!(
                            "can {done} rows of their own tenant by a policy that is named for {promised}"
                        ));
                        self.record.cross(&object, verb, actor, deed, cause, &sql);
                    }
                    None => self.record.enter(&object, verb, actor, Cell::Own),
                }
            }
            if works {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a table's rows are kept to be held against those who write them. Whose books are their own may correct them.
    fn is_trail(&self, relation: &Relation) -> bool {
        names::is_trail(&relation.name) && self.world.tenancy.tenant.is_some()
    }

    /// Whether policies of a table are named for roles.
    pub(super) fn is_promised(&self, relation: &Relation) -> bool {
        let roles = &self.world.roles;
        relation.policies.iter().any(|policy| !names::promised_roles(&policy.name, roles).is_empty())
    }

    /// For which roles policies are named that let somebody of a lower one through.
    pub(super) fn broken_promise(&self, actor: &Actor, cause: &Cause) -> Option<String> {
        let Cause::Policies(policies) = cause else { return None };
        let (own, roles) = (actor.role.as_ref()?, &self.world.tenancy.roles);
        let mut all = Vec::new();
        for policy in policies {
            let promised = names::promised_roles(policy, &self.world.roles);
            if promised.is_empty() || promised.iter().any(|role| roles.rank(role) >= roles.rank(own)) {
                return None;
            }
            all.extend(promised.into_iter().filter(|role| !all.contains(role)).collect::<Vec<_>>());
        }
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// Whether an actor reaches no row of a table by a command without a condition: then they reach none with one,
    /// whatever they set.
    pub(super) async fn reaches_nothing(
        &mut self,
        relation: &Relation,
        actor: &Actor,
        verb: Verb,
    ) -> Result<bool, Error> {
        let statement = match verb {
            Verb::Delete => format!("delete from {}", relation.sql()),
            _ => match touchable(relation, actor.db_role(), &[]) {
                Some(column) => format!("update {} set {} = default", relation.sql(), ident(&column.name)),
                None => return Ok(false),
            },
        };
        // A trigger may do something else instead.
        let needs_hold = !relation.triggers.is_empty();
        if relation.estimate > FEW || needs_hold && !self.desk.can_hold_triggers {
            return Ok(false);
        }
        let hold = if needs_hold { vec![hold("replica")] } else { Vec::new() };
        let done = self.desk.attempt(actor, Arranged::Unnoticed(&hold), &statement, &[]).await?;
        Ok(done.is_ok_and(|(done, _)| done.affected == 0))
    }

    /// Whether an actor does not reach a row by a command without a condition where there is no other row: then policies keep
    /// them from it, whatever they set and whichever condition they ask for it by.
    async fn is_kept_from(
        &mut self,
        relation: &Relation,
        actor: &Actor,
        statement: &str,
        row: &Row,
    ) -> Result<bool, Error> {
        let tried = self.tried_alone(relation, actor, statement, row).await?;
        Ok(tried.is_some_and(|tried| tried.is_ok_and(|(done, _)| done.affected == 0)))
    }

    /// What policies make of a command without a condition where there is no other row: what they make of that row by it;
    /// none where that cannot be known.
    async fn tried_alone(
        &mut self,
        relation: &Relation,
        actor: &Actor,
        statement: &str,
        row: &Row,
    ) -> Result<Option<Attempted>, Error> {
        let mut arranged = self.alone(relation, &format!("delete from {} where not {}", relation.sql(), row.key));
        // Policies may look at other rows of the table; triggers stay held.
        if arranged.pop().is_none() || self.is_again || self.world.catalog.may_ask_itself(relation) {
            return Ok(None);
        }
        self.desk.attempt(actor, Arranged::Unnoticed(&arranged), statement, &[]).await.map(Some)
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
            Err(refused) if !refused.is_said() => {
                let verb = if statement.starts_with("delete") { Verb::Delete } else { Verb::Update };
                let cell = self.failed(&refused);
                self.record.enter(&object_of(relation), verb, actor, cell);
            }
            _ => {}
        }
        if relation.estimate > SMALL {
            return Ok(None);
        }
        let place = self.place(relation, row).await?;
        let look = format!("select count(*) from {} where {} and ctid = {}", relation.sql(), row.key, literal(&place));
        let arranged = self.alone(relation, &format!("delete from {} where not {}", relation.sql(), row.key));
        let looks = [look];
        let done = self.desk.attempt(actor, Arranged::Unnoticed(&arranged), statement, &looks).await?;
        let is_reached = |looks: &[Done]| looks.first().is_some_and(|left| left.number() == 0);
        Ok(match done {
            Ok((_, left)) if is_reached(&left) => {
                // Where the other rows do not keep it from that, they need not be gone to show it.
                let beside = self.attempt(actor, statement, &looks).await?;
                let is_plain = beside.is_ok_and(|(_, left)| is_reached(&left));
                let arranged = if is_plain { &[] } else { arranged.as_slice() };
                Some(arranged_first(arranged, actor, statement.to_owned()))
            }
            // Something refers to a row that was let through; whoever belongs nowhere has none of their own.
            Err(refused)
                if refused.code == "23503"
                    && statement.starts_with("delete")
                    && (!arranged.is_empty() || actor.tenant.is_none()) =>
            {
                Some(statement.to_owned())
            }
            _ => None,
        })
    }
}

/// What becomes another row's with the column that says whose a row is: the rest of each foreign key that it is part of, as
/// far as the row has it.
fn with_its_keys(relation: &Relation, column: &str, row: &Row, other: &Row) -> Vec<(String, String)> {
    let keys = relation.references.iter().filter(|reference| reference.columns.iter().any(|name| name == column));
    let names: BTreeSet<_> = keys.flat_map(|reference| &reference.columns).filter(|name| *name != column).collect();
    let set = names.into_iter().filter(|name| row.text(name).is_some());
    set.map(|name| (name.clone(), other.sql(name))).collect()
}

/// Values for columns, as an `update` sets them.
fn assigned(values: &[(String, String)]) -> String {
    values.iter().map(|(name, value)| format!("{} = {value}", ident(name))).collect::<Vec<_>>().join(", ")
}

/// Holds triggers back, or no more.
fn hold(role: &str) -> String {
    format!("set local session_replication_role = {role}")
}

/// What a row has in the columns that policies ask for and that say in which state it is.
fn state_of(relation: &Relation, row: &Row) -> Vec<Option<String>> {
    let in_key = |name: &str| relation.keys.iter().any(|key| key.columns.iter().any(|column| column == name));
    let asked = relation.columns.iter().filter(|column| {
        relation.asks_for(&column.name) && !in_key(&column.name) && relation.reference_of(&column.name).is_none()
    });
    let state = asked.filter_map(|column| match column.category.as_str() {
        "D" => Some(row.text(&column.name).map(|_| String::new())),
        "B" => Some(row.text(&column.name)),
        _ => (!choices(relation, column).is_empty()).then(|| row.text(&column.name)),
    });
    state.collect()
}

/// A statement with what is arranged for it by the database's owner.
fn arranged_first(arranged: &[String], actor: &Actor, sql: String) -> String {
    if arranged.is_empty() {
        return sql;
    }
    let [role, claims] = actor.become_sql();
    format!("reset role;\n{};\n{role};\n{claims};\n{sql}", arranged.join(";\n"))
}
