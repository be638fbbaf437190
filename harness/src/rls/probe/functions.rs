//! Functions, called with the other tenant's ids. What counts is the effect: rows of the other tenant in the answer,
//! an answer that would be another one without them, or rows that changed.

use std::collections::HashSet;

use crate::rls::{
    Error,
    actor::{Actor, Kind},
    arguments::{Plan, call, plans},
    catalog::{Function, Relation, ident, literal},
    desk::Done,
    record::{Cause, Cell, Object, Verb},
    tie::Tie,
    world::{OTHER, OWN, VARIANTS},
};

use super::Prober;

/// Words of functions that reach outside the transaction.
const OUTSIDE: [&str; 9] =
    ["dblink", "http_", "net.http", "pg_net", "copy ", "pg_notify", "notify ", "pg_read_file", "lo_import"];

/// An answer that told nothing by itself.
struct Told<'c> {
    function: &'c Function,
    actor: Actor,
    sql: String,
    text: String,
}

/// What a statement did: its answer, and the tables that were written to.
pub(super) struct Answer {
    text: String,
    pub written: Vec<i64>,
}

impl<'c> Prober<'_, 'c> {
    /// Every function, every actor.
    pub async fn functions(&mut self) -> Result<(), Error> {
        let (catalog, actors) = (self.world.catalog, self.actors.clone());
        let functions: Vec<_> =
            catalog.functions.iter().filter(|function| function.exposed && function.is_callable()).collect();
        let mut told = Vec::new();
        for function in functions.iter().copied() {
            let object = Object { noun: "function", name: function.title() };
            let source = function.source.to_lowercase();
            if let Some(word) = OUTSIDE.iter().find(|word| source.contains(**word)) {
                for actor in actors.iter().filter(|actor| function.may(actor.db_role())) {
                    let reason = format!("not called, since it may reach outside ({})", word.trim());
                    self.record.enter(&object, Verb::Call, actor, Cell::Undecided(reason));
                }
                continue;
            }
            let mut refused_only = Vec::new();
            let (works, last) = self.works(function).await?;
            // The first rows, those that somebody who may gets an answer with, and those that refer to nothing.
            let mut picks = vec![0, works.unwrap_or(0), 2];
            picks.dedup();
            if function.arguments.is_empty() {
                picks.truncate(1);
            }
            for actor in &actors {
                if !function.may(actor.db_role()) {
                    self.record.enter(&object, Verb::Call, actor, Cell::Refused);
                    continue;
                }
                let (crossed, answered, reason) = self.function(function, actor, &object, &picks, &mut told).await?;
                match (crossed, answered) {
                    (true, _) => {}
                    (false, true) => {
                        let cell = if actor.kind.is_outside() { Cell::Refused } else { Cell::Own };
                        self.record.enter(&object, Verb::Call, actor, cell);
                    }
                    (false, false) => refused_only.push((actor, reason)),
                }
            }
            if refused_only.is_empty() {
                continue;
            }
            for (actor, reason) in refused_only {
                let cell = match (&works, &reason) {
                    (Some(_), _) => Cell::Refused,
                    // Who may call it is told before what it is called with.
                    (None, Some(reason)) if reason.starts_with("42501") => Cell::Refused,
                    (None, reason) => Cell::Undecided(format!(
                        "nobody could call it with what was tried: {}; nor {last}",
                        reason.clone().unwrap_or_default()
                    )),
                };
                self.record.enter(&object, Verb::Call, actor, cell);
            }
        }
        self.answers_without_the_other(told).await
    }

    /// Calls in every way. Answers whether something crossed, whether anything was answered, and the last refusal.
    async fn function(
        &mut self,
        function: &'c Function,
        actor: &Actor,
        object: &Object,
        picks: &[usize],
        told: &mut Vec<Told<'c>>,
    ) -> Result<(bool, bool, Option<String>), Error> {
        let (mut tried, mut answered, mut reason) = (HashSet::new(), false, None);
        let own = self.own(actor);
        let mut let_in = false;
        for (plan, pick) in picks.iter().flat_map(|pick| plans(function).into_iter().map(move |plan| (plan, *pick))) {
            // Who asks is all that it looked at so far.
            if !let_in && (pick != picks[0] || !plan.is_for_strangers()) {
                continue;
            }
            if plan == Plan::Own && actor.tenant.is_none() {
                continue;
            }
            let call = call(self.world, function, actor, own, plan, pick);
            if !tried.insert(call.sql.clone()) {
                continue;
            }
            let answer = match self.answer(actor, function.volatile, &call.sql).await? {
                Ok(answer) => answer,
                Err(refused) => {
                    // An error may tell what the answer would have.
                    let leaks = self.given_away(actor, &refused).any(|secret| {
                        !call.passed.iter().any(|passed| passed.contains(secret) || secret.contains(passed.as_str()))
                    });
                    if leaks {
                        let effect = "is told the other tenant's data by its error";
                        self.record.cross(object, Verb::Call, actor, effect, Cause::Function, &call.sql);
                        return Ok((true, true, None));
                    }
                    let_in |= !refused.starts_with("42501");
                    if let_in || plan == Plan::Other {
                        told.push(Told {
                            function,
                            actor: actor.clone(),
                            sql: call.sql,
                            text: format!("refused: {refused}"),
                        });
                    }
                    if reason.is_none() || refused.starts_with("42501") {
                        reason = Some(refused);
                    }
                    continue;
                }
            };
            (answered, let_in) = (true, true);
            let is_echo = |secret: &str| call.passed.iter().any(|passed| passed.contains(secret));
            if self.given_away(actor, &answer.text).any(|secret| !is_echo(secret)) {
                let effect = if actor.kind.is_outside() && actor.tenant.is_some() {
                    "is answered with data of a tenant that they may not use"
                } else {
                    "is answered with the other tenant's data"
                };
                self.record.cross(object, Verb::Call, actor, effect, Cause::Function, &call.sql);
                return Ok((true, true, None));
            }
            if !answer.written.is_empty()
                && let Some(effect) = self.written(actor, &call.sql, &answer.written).await?
            {
                self.record.cross(object, Verb::Call, actor, &effect, Cause::Function, &call.sql);
                return Ok((true, true, None));
            }
            if answer.written.is_empty() && !answer.text.is_empty() {
                told.push(Told { function, actor: actor.clone(), sql: call.sql, text: answer.text });
            }
        }
        Ok((false, answered, reason))
    }

    /// What a text tells an actor of tenants that they may not know.
    fn given_away<'t>(&self, actor: &Actor, text: &'t str) -> impl Iterator<Item = &'t str> {
        let user = actor.user.clone();
        let tenants = self.foreign(actor).into_iter();
        tenants
            .flat_map(|tenant| self.world.given_away(tenant, text))
            .filter(move |found| Some(*found) != user.as_deref())
    }

    /// The answer and the tables that were written to; or the refusal, as text.
    pub(super) async fn answer(
        &mut self,
        actor: &Actor,
        may_write: bool,
        sql: &str,
    ) -> Result<Result<Answer, String>, Error> {
        if !may_write {
            let answered = self.desk.attempt(actor, &[], sql, &[]).await?;
            return Ok(answered
                .map(|(done, _)| Answer { text: all(done), written: Vec::new() })
                .map_err(|refused| refused.to_string()));
        }
        // Whatever is written moves the log on. Which tables it was is asked only then: that takes as long as there are
        // tables.
        let position = "pg_current_wal_insert_lsn()::text";
        let before = [format!("select set_config('rls_probe.log', {position}, true)")];
        let looks =
            [format!("select count(*) from (select {position} p) l where p <> current_setting('rls_probe.log')")];
        let (done, looks) = match self.desk.attempt(actor, &before, sql, &looks).await? {
            Ok(answered) => answered,
            Err(refused) => return Ok(Err(refused.to_string())),
        };
        let has_written = looks.first().is_some_and(|look| look.number() > 0);
        let written = if has_written { self.tables_written(actor, sql).await? } else { Vec::new() };
        Ok(Ok(Answer { text: all(done), written }))
    }

    /// The tables that a statement writes to.
    async fn tables_written(&mut self, actor: &Actor, sql: &str) -> Result<Vec<i64>, Error> {
        let tables = self.world.catalog.relations.iter().filter(|relation| relation.is_table());
        let tables: Vec<_> = tables.map(|relation| relation.oid.to_string()).collect();
        let counts = format!(
            "select string_agg(o || ':' || (pg_stat_get_xact_tuples_inserted(o) + pg_stat_get_xact_tuples_updated(o) + pg_stat_get_xact_tuples_deleted(o)), ',' order by o) from unnest('{{{}}}'::oid[]) o",
            tables.join(",")
        );
        let before = [format!("select set_config('rls_probe.written', ({counts}), true)")];
        let looks = [format!("select current_setting('rls_probe.written') || ';' || ({counts})")];
        let Ok((_, looks)) = self.desk.attempt(actor, &before, sql, &looks).await? else { return Ok(Vec::new()) };
        let counts = looks.first().and_then(Done::value).unwrap_or_default();
        let (before, after) = counts.split_once(';').unwrap_or_default();
        let before: HashSet<_> = before.split(',').collect();
        let changed = after.split(',').filter(|count| !before.contains(count));
        Ok(changed.filter_map(|count| count.split_once(':')?.0.parse().ok()).collect())
    }

    /// What a statement that wrote did to whom; none when it stayed at home.
    pub(super) async fn written(&mut self, actor: &Actor, sql: &str, tables: &[i64]) -> Result<Option<String>, Error> {
        let relations: Vec<&'c Relation> = tables
            .iter()
            .filter_map(|oid| self.world.catalog.relation(*oid))
            .filter(|relation| !relation.partition)
            .collect();
        if actor.kind == Kind::Anonymous {
            let names: Vec<_> = relations.iter().map(|relation| relation.title()).collect();
            return Ok(Some(format!("can change {} without an account", names.join(", "))));
        }
        let mut looks = Vec::new();
        for relation in &relations {
            for tenant in self.foreign(actor) {
                let besides = self.not_of(relation, actor);
                let look = self.digest(relation, tenant, &besides);
                looks.push((look, format!("can change the other tenant's rows of {}", relation.title())));
            }
            if let Some(Tie::Tenant(column)) = self.world.ties.get(&relation.oid)
                && relation.column(column).is_some_and(|column| !column.not_null)
                && relation.estimate < super::SMALL
                && !is_log(relation)
            {
                let look = format!("select count(*) from {} where {} is null", relation.sql(), ident(column));
                looks.push((look, format!("can write rows of {} that have no tenant", relation.title())));
            }
            // One's own rows that name rows of the other's.
            if !actor.kind.is_outside() && !self.world.is_shared(relation) && !is_log(relation) {
                let any: Vec<_> = relation
                    .references
                    .iter()
                    .flat_map(|reference| {
                        reference.columns.iter().zip(&reference.target_columns).map(move |pair| (reference, pair))
                    })
                    .filter_map(|(reference, (name, key))| {
                        let target = self.world.catalog.relation(reference.target)?;
                        let rows = if self.world.is_shared(target) { &[] } else { self.world.rows(target, OTHER) };
                        let others: Vec<_> = rows.iter().map(|row| row.sql(key)).collect();
                        (!others.is_empty()).then(|| format!("{} in ({})", ident(name), others.join(", ")))
                    })
                    .collect();
                if !any.is_empty() {
                    let own = self.world.condition(relation, self.own(actor));
                    let look =
                        format!("select count(*) from {} where {own} and ({})", relation.sql(), any.join(" or "));
                    looks.push((look, format!("can make rows of {} refer to the other tenant's", relation.title())));
                }
            }
            if actor.kind == Kind::Reader
                && !is_log(relation)
                && !matches!(self.world.ties.get(&relation.oid), Some(Tie::Owner(_)))
            {
                looks.push((
                    self.digest(relation, OWN, "true"),
                    format!("can change rows of {}, and may only read", relation.title()),
                ));
            }
            let members = self.world.members().zip(self.world.tenancy.members.as_ref());
            if let Some((_, members)) = members.filter(|(table, _)| table.oid == relation.oid) {
                let mut telling = vec![members.tenant.clone()];
                telling.extend(members.role.clone());
                telling.extend(members.state.keys().cloned());
                let telling: Vec<_> = telling.iter().map(|name| format!("{}::text", ident(name))).collect();
                let user = literal(actor.user.as_deref().unwrap_or_default());
                let known: Vec<_> = self.world.tenants.iter().map(|tenant| literal(&tenant.id)).collect();
                let look = format!(
                    "select md5(coalesce(string_agg(concat_ws('|', {}), ',' order by {}::text), '')) from {} where {} = {user} and {}::text in ({})",
                    telling.join(", "),
                    ident(&members.tenant),
                    relation.sql(),
                    ident(&members.user),
                    ident(&members.tenant),
                    known.join(", ")
                );
                looks.push((look, "can change their own role, tenant or state".to_owned()));
            }
        }
        if looks.is_empty() {
            return Ok(None);
        }
        let mut before = Vec::new();
        for (look, _) in &looks {
            before.push(self.desk.run(look).await?.value().map(str::to_owned));
        }
        let statements: Vec<_> = looks.iter().map(|(look, _)| look.clone()).collect();
        let Ok((_, after)) = self.desk.attempt(actor, &[], sql, &statements).await? else { return Ok(None) };
        let changed = looks
            .iter()
            .zip(before)
            .zip(after)
            .find(|((_, before), after)| after.value().map(str::to_owned) != *before);
        Ok(changed.map(|(((_, effect), _), _)| effect.clone()))
    }

    /// An answer, or what is told instead.
    async fn again(&mut self, actor: &Actor, function: &Function, sql: &str) -> Result<String, Error> {
        let answer = self.answer(actor, function.volatile, sql).await?;
        Ok(answer.map_or_else(|refused| format!("refused: {refused}"), |answer| answer.text))
    }

    /// All that a tenant's rows of a table are.
    fn digest(&self, relation: &Relation, tenant: usize, besides: &str) -> String {
        let condition = self.world.condition(relation, tenant);
        format!(
            "select md5(coalesce(string_agg(concat(t.ctid, t), ',' order by t.ctid), '')) from {} t where {condition} and {besides}",
            relation.sql()
        )
    }

    /// Rows that are not the actor's own, where rows are users': one that names somebody else as well is still theirs.
    fn not_of(&self, relation: &Relation, actor: &Actor) -> String {
        match (self.world.ties.get(&relation.oid), &actor.user, &self.world.tenancy.owner) {
            (Some(Tie::Owner(columns)), Some(user), Some(_)) => {
                let each =
                    columns.iter().map(|column| format!("{}::text is distinct from {}", ident(column), literal(user)));
                format!("({})", each.collect::<Vec<_>>().join(" and "))
            }
            _ => "true".to_owned(),
        }
    }

    /// With which of their rows somebody who may gets an answer: what is tried is sensible then. And the last refusal.
    async fn works(&mut self, function: &'c Function) -> Result<(Option<usize>, String), Error> {
        let (mut last, mut nearly) = ("anybody else".to_owned(), None);
        for pick in 0..VARIANTS {
            for control in &self.world.controls {
                if !function.may(control.db_role()) {
                    continue;
                }
                for plan in [Plan::Other, Plan::Required, Plan::Mixed, Plan::OtherOfNone] {
                    let call = call(self.world, function, control, OTHER, plan, pick);
                    match self.attempt(control, &call.sql, &[]).await? {
                        Ok(_) => return Ok((Some(pick), last)),
                        // It went on until something was there already.
                        Err(refused) if refused.code == "23505" => nearly = nearly.or(Some(pick)),
                        Err(refused) => last = format!("{} of the other tenant: {refused}", control.name),
                    }
                }
            }
        }
        Ok((nearly, last))
    }

    /// Calls again what was answered, without the other tenant's rows: the answers are the same when they told nothing.
    async fn answers_without_the_other(&mut self, told: Vec<Told<'c>>) -> Result<(), Error> {
        if !self.desk.can_hold_triggers || told.is_empty() {
            return Ok(());
        }
        self.remove_the_other("without_other").await?;
        let mut differs = Vec::new();
        for told in told {
            if self.again(&told.actor, told.function, &told.sql).await? != told.text {
                differs.push(told);
            }
        }
        self.desk.back("without_other").await?;
        for Told { function, actor, sql, text } in differs {
            // Answers that differ by themselves tell nothing.
            if self.again(&actor, function, &sql).await? != text {
                continue;
            }
            let object = Object { noun: "function", name: function.title() };
            self.record.cross(
                &object,
                Verb::Call,
                &actor,
                "can tell from its answer what the other tenant has",
                Cause::Function,
                &sql,
            );
        }
        Ok(())
    }
}

/// All that a statement answered.
fn all(done: Done) -> String {
    done.rows.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// Whether a table is one that things are written down in, which everybody's actions do.
fn is_log(relation: &Relation) -> bool {
    ["log", "audit", "event", "history", "trail", "activity"].iter().any(|word| relation.name.contains(word))
}
