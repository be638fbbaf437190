//! Functions, called with the other tenant's ids. What counts is the effect: rows of the other tenant in the answer,
//! an answer that would be another one without them, or rows that changed.

use std::{
    collections::{BTreeSet, HashSet},
    sync::LazyLock,
};

use regex::Regex;
use uuid::Uuid;

use crate::{
    actor::{Actor, Kind},
    arguments::{Plan, asks_for_role, call, plans},
    catalog::{Argument, Function, Relation},
    desk::{Arranged, Done},
    error::Error,
    harm::{Deed, Harm},
    names,
    record::{Cause, Cell, Declared, Object, Verb},
    refused::Refused,
    sql::{ident, literal},
    tie::Tie,
    world::{OTHER, OWN, Row, Secret, VARIANTS},
};

use super::{Controlled, Prober, any_of};

/// A call whose outcome reveals nothing by itself.
pub(super) struct Called<'c> {
    function: &'c Function,
    actor: Actor,
    sql: String,
    outcome: Result<String, Refused>,
}

/// What a statement did: its answer, and the tables that were written to.
pub(super) struct Answer {
    text: String,
    pub written: Vec<i64>,
}

/// How many people of the other tenant a function is tried on that is about one.
const PEOPLE: usize = 6;

impl<'p, 'c> Prober<'p, 'c> {
    /// These functions, every actor.
    pub(super) async fn functions_of(&mut self, functions: Vec<&'c Function>) -> Result<(), Error> {
        let mut called = Vec::new();
        for function in functions {
            called.extend(self.calls_of(function).await?);
        }
        self.answers_without_the_other(called).await
    }

    /// A function, every actor. Answers with the calls whose outcomes reveal nothing by themselves.
    pub(super) async fn calls_of(&mut self, function: &'c Function) -> Result<Vec<Called<'c>>, Error> {
        let mut called = Vec::new();
        let object = Object { noun: "function", name: function.title() };
        self.desk.begin_object();
        self.called_by_all(function, &object, &mut called).await?;
        self.end_object(&[object], &[Verb::Call]);
        Ok(called)
    }

    async fn called_by_all(
        &mut self,
        function: &'c Function,
        object: &Object,
        called: &mut Vec<Called<'c>>,
    ) -> Result<(), Error> {
        let actors = self.actors.clone();
        if let Some(word) = names::reach_outside(&function.source) {
            for actor in actors.iter().filter(|actor| function.may(actor.db_role())) {
                let reason = format!("not called, since it may reach outside ({word})");
                self.record.enter(object, Verb::Call, actor, Cell::Undecided(reason));
            }
            return Ok(());
        }
        let (mut refused_only, mut gets_through) = (Vec::new(), false);
        let (works, last) = self.works(function).await?;
        // The first rows, those that somebody who may gets an answer with, and those that refer to nothing.
        let mut picks = vec![0, works.unwrap_or(0), 2];
        let is_about_people = |argument: &Argument| names::is_user_argument(&names::bare(&argument.name));
        if self.world.tenancy.tenant.is_some() && function.arguments.iter().any(is_about_people) {
            picks.extend(1..self.world.tenants[OTHER].users.len().min(PEOPLE));
        }
        picks.dedup();
        if function.arguments.is_empty() {
            picks.truncate(1);
        }
        for actor in &actors {
            if !function.may(actor.db_role()) {
                self.record.enter(object, Verb::Call, actor, Cell::Refused);
                continue;
            }
            let (crossed, answered, reason) = self.function(function, actor, object, &picks, called).await?;
            if self.has_seen_enough() {
                called.clear();
                return Ok(());
            }
            match (crossed, answered) {
                (true, _) => gets_through = true,
                (false, true) => self.record.enter(object, Verb::Call, actor, Cell::Own),
                (false, false) => refused_only.push((actor, reason)),
            }
        }
        for (actor, reason) in refused_only {
            let cell = match (&works, &reason) {
                (Some(_), _) => Cell::Refused,
                // Somebody gets through with the same, and is told of.
                _ if gets_through => Cell::Refused,
                // It is the fix that is in place which says so.
                (None, Some(refused)) if self.is_again && refused.is_by_code() => Cell::Refused,
                // A function checks who calls it before it looks at its arguments; what a fix leaves without a grant checks
                // nothing.
                (None, Some(refused)) if refused.is_of_privilege() && !(self.is_again && refused.is_by_grant()) => {
                    Cell::Refused
                }
                (None, reason) => Cell::Undecided(format!(
                    "nobody could call it with what was tried: {}; nor {last}",
                    reason.as_ref().map(ToString::to_string).unwrap_or_default()
                )),
            };
            self.record.enter(object, Verb::Call, actor, cell);
        }
        Ok(())
    }

    /// Calls in every way. Answers whether something crossed, whether anything was answered, and the last refusal.
    async fn function(
        &mut self,
        function: &'c Function,
        actor: &Actor,
        object: &Object,
        picks: &[usize],
        called: &mut Vec<Called<'c>>,
    ) -> Result<(bool, bool, Option<Refused>), Error> {
        let (mut tried, mut answered, mut reason) = (HashSet::new(), false, None::<Refused>);
        let (mut crossed, mut has_reached_other) = (false, false);
        let own = self.own(actor);
        let mut let_in = false;
        let above = self.above(actor).len();
        let plans = plans(self.world, function);
        let asks_for_role = asks_for_role(self.world, function);
        let tries: Vec<_> = picks.iter().flat_map(|pick| plans.iter().map(move |plan| (*plan, *pick))).collect();
        for (plan, pick) in tries {
            // What somebody can do with the first rows, they can do with others.
            if crossed && (has_reached_other || !actor.kind.is_outside()) && pick != picks[0] {
                break;
            }
            // Who asks is all that it looked at so far.
            let is_another_role = asks_for_role && plan == Plan::Own;
            if !let_in && (pick != picks[0] && !is_another_role || !plan.is_for_strangers()) {
                continue;
            }
            if plan.is_of_own() && actor.tenant.is_none() {
                continue;
            }
            // Roles come in their order: nobody is more for a role that is no higher than their own.
            if matches!(plan, Plan::Raised(at) | Plan::RaisedOneself(at) if at >= above) {
                continue;
            }
            let call = call(self.world, function, actor, own, plan, pick);
            if !tried.insert(call.sql.clone()) {
                continue;
            }
            let answer = match self.answer(actor, function.volatile, &call.sql).await? {
                Ok(answer) => answer,
                Err(refused) => {
                    // An error may reveal what the answer would have.
                    let leaks = self.given_away(actor, &refused.to_string()).any(|secret| {
                        !call.passed.iter().any(|passed| passed.contains(secret) || secret.contains(passed.as_str()))
                    });
                    if leaks {
                        let deed = Harm::of_reading(actor.kind)
                            .that("can learn the other tenant's data from its error message");
                        self.record.cross(object, Verb::Call, actor, deed, Cause::Function, &call.sql);
                        crossed = true;
                    }
                    let_in |= !refused.is_of_privilege();
                    if reason.is_none() || refused.is_of_privilege() {
                        reason = Some(refused.clone());
                    }
                    if let_in || plan == Plan::Other {
                        let actor = actor.clone();
                        called.push(Called { function, actor, sql: call.sql, outcome: Err(refused) });
                    }
                    continue;
                }
            };
            let_in = true;
            // What says that it did not succeed has refused.
            match refused_softly(&answer.text).filter(|_| answer.written.is_empty()) {
                Some(refused) => reason = Some(refused),
                None => answered = true,
            }
            // A secret that nobody can read, since rows keep but its hash, was given to somebody for what it lets them do.
            let secret = self.secret_in(function, actor, &call.sql);
            let is_anothers = secret.is_some_and(|secret| secret.is_anothers(actor.claims["email"].as_str()));
            if secret.is_some() && (answer.written.is_empty() || !is_anothers && !self.is_let_in_again(actor, &answer))
            {
                continue;
            }
            let is_echo = |secret: &str| call.sql.contains(secret);
            let code = if is_anothers { None } else { self.let_in_by(actor, &call.sql) };
            let known = |deed: Deed| match &code {
                Some(code) => deed.for_whom_knows(code),
                None if is_anothers => deed.with_anothers_secret(),
                None => deed,
            };
            for tenant in self.foreign(actor) {
                let is_told = tenant != OTHER && self.says_state(actor, &answer.text);
                if is_told || !self.given_away_of(tenant, actor, &answer.text).any(|secret| !is_echo(secret)) {
                    continue;
                }
                let whose = Self::whose(actor, tenant);
                let deed = if says_but_whose(&call.passed, &answer.text) {
                    Harm::Low.that("can learn whose a row is that they know by its random key")
                } else {
                    Harm::of_reading(actor.kind).that(format!("can obtain data of {whose}"))
                };
                self.record.cross(object, Verb::Call, actor, known(deed), Cause::Function, &call.sql);
                (crossed, has_reached_other) = (true, has_reached_other || tenant == OTHER);
            }
            if actor.kind.is_outside() && self.is_secret(function, &answer.text) {
                let deed = Harm::of_reading(actor.kind).that("can obtain a secret");
                self.record.cross(object, Verb::Call, actor, deed, Cause::Function, &call.sql);
                crossed = true;
            }
            if !answer.written.is_empty() {
                let mut deeds = self.written(actor, &call.sql, &answer.written).await?;
                if !deeds.is_empty()
                    && let Some(tables) = self.form(function, &call.sql, &answer.written).await?
                {
                    let object = object.clone();
                    let declared = Declared { object, verb: Verb::Call, columns: tables, policies: Vec::new() };
                    self.record.declared.insert(declared);
                    deeds.clear();
                }
                crossed |= !deeds.is_empty();
                has_reached_other |=
                    deeds.iter().any(|deed| deed.text.contains("the other tenant") || actor.tenant.is_none());
                for deed in deeds {
                    let deed = known(deed);
                    self.record.cross(object, Verb::Call, actor, deed, Cause::Function, &call.sql);
                }
            }
            if !crossed && answer.written.is_empty() && !answer.text.is_empty() {
                called.push(Called { function, actor: actor.clone(), sql: call.sql, outcome: Ok(answer.text) });
            }
        }
        if crossed {
            return Ok((true, true, None));
        }
        Ok((false, answered, reason))
    }

    /// The column of a code that lets in whoever knows it, where one of another tenant's was passed: that it can be read is a
    /// finding of its own.
    fn let_in_by(&self, actor: &Actor, call: &str) -> Option<String> {
        let tenants = self.tenants_let_in(actor);
        let is_passed = |text: &String| call.contains(&format!("=> {}::", literal(text)));
        let mut codes = self.codes.iter();
        let code = codes.find(|(relation, column)| {
            let mut rows = tenants.iter().flat_map(|tenant| self.world.rows(relation, *tenant));
            rows.any(|row| row.text(&column.name).is_some_and(|text| is_passed(&text)))
        });
        code.map(|(_, column)| column.name.clone())
    }

    /// The tenants whose codes let somebody in: whoever belongs nowhere knows those of neither.
    fn tenants_let_in(&self, actor: &Actor) -> &'static [usize] {
        if actor.tenant.is_none() { &[OTHER, OWN] } else { &[OTHER] }
    }

    /// A secret of tenants that are not somebody's, or are no more, in their call.
    fn secret_in(&self, function: &Function, actor: &Actor, call: &str) -> Option<&'p Secret> {
        let former = actor.tenant.filter(|_| matches!(actor.kind, Kind::Dead | Kind::Closed));
        let tenants: Vec<_> = self.tenants_let_in(actor).iter().copied().chain(former).collect();
        self.world.secret_in(&function.arguments, call, &tenants)
    }

    /// Whether an answer says in which state somebody's membership is, or their tenant: where they were is no news to them.
    fn says_state(&self, actor: &Actor, answer: &str) -> bool {
        let closed = || {
            let table = self.world.tenant_table().map(|table| self.world.closed_state(table));
            table.into_iter().flatten().map(|(_, value)| value.trim_matches('\'').to_lowercase()).collect()
        };
        let states: Vec<String> = match actor.kind {
            Kind::Dead => vec![actor.name.to_lowercase()],
            Kind::Closed => closed(),
            _ => Vec::new(),
        };
        let answer = answer.to_lowercase();
        states.iter().any(|state| answer.contains(&format!("\"{state}\"")))
    }

    /// Whether somebody who is a member no more wrote to the memberships.
    fn is_let_in_again(&self, actor: &Actor, answer: &Answer) -> bool {
        let members = self.world.members().map(|members| members.oid);
        actor.kind == Kind::Dead && members.is_some_and(|members| answer.written.contains(&members))
    }

    /// Whether an answer has a key in it: by what the function or a part of its answer is called, and how it looks.
    fn is_secret(&self, function: &Function, answer: &str) -> bool {
        static PART: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#""(\w+)"\s*:\s*"([^"]{12,})""#).expect("a pattern"));
        let mut parts = PART.captures_iter(answer);
        let is_named = function.arguments.is_empty() && names::promises_a_secret(&function.name);
        is_named && names::looks_like_a_key(answer)
            || parts.any(|part| names::is_secret(&part[1]) && names::looks_like_a_key(&part[2]))
    }

    /// What a text reveals to an actor of tenants that they may not know.
    fn given_away<'t>(&self, actor: &Actor, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.foreign(actor).into_iter().flat_map(move |tenant| self.given_away_of(tenant, actor, text))
    }

    /// The same of one tenant.
    fn given_away_of<'t>(&self, tenant: usize, actor: &Actor, text: &'t str) -> impl Iterator<Item = &'t str> {
        // Their own id, and that of the tenant that they were in, stand in rows of their own.
        let own = actor.tenant.map(|tenant| self.world.tenants[tenant].id.clone());
        let user = actor.user.clone();
        let found = self.world.given_away(tenant, text);
        found.filter(move |found| Some(*found) != user.as_deref() && Some(*found) != own.as_deref())
    }

    /// The answer and the tables that were written to; or the refusal.
    pub(super) async fn answer(
        &mut self,
        actor: &Actor,
        may_write: bool,
        sql: &str,
    ) -> Result<Result<Answer, Refused>, Error> {
        if !may_write {
            let answered = self.attempt(actor, sql, &[]).await?;
            return Ok(answered.map(|(done, _)| Answer { text: all(done), written: Vec::new() }));
        }
        // Whatever is written moves the log on. Which tables it was is asked only then: that takes as long as there are
        // tables.
        let position = "pg_current_wal_insert_lsn()::text";
        let before = [format!("select set_config('rls_probe.log', {position}, true)")];
        let looks =
            [format!("select count(*) from (select {position} p) l where p <> current_setting('rls_probe.log')")];
        let (done, looks) = match self.desk.attempt(actor, Arranged::Unnoticed(&before), sql, &looks).await? {
            Ok(answered) => answered,
            Err(refused) => return Ok(Err(refused)),
        };
        let has_written = !self.desk.logs_writes || looks.first().is_some_and(|look| look.number() > 0);
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
        let Ok((_, looks)) = self.desk.attempt(actor, Arranged::Unnoticed(&before), sql, &looks).await? else {
            return Ok(Vec::new());
        };
        let counts = looks.first().and_then(Done::value).unwrap_or_default();
        let (before, after) = counts.split_once(';').unwrap_or_default();
        let before: HashSet<_> = before.split(',').collect();
        let changed = after.split(',').filter(|count| !before.contains(count));
        Ok(changed.filter_map(|count| count.split_once(':')?.0.parse().ok()).collect())
    }

    /// What a statement that wrote did to whom; none when it stayed at home.
    pub(super) async fn written(&mut self, actor: &Actor, sql: &str, tables: &[i64]) -> Result<Vec<Deed>, Error> {
        let relations: Vec<&'c Relation> = tables
            .iter()
            .filter_map(|oid| self.world.catalog.relation(*oid))
            .filter(|relation| !relation.partition)
            .collect();
        if actor.kind == Kind::Anonymous {
            let kept: Vec<_> = relations.iter().filter(|relation| !names::is_log(&relation.name)).collect();
            let kept = if kept.is_empty() { relations.iter().collect() } else { kept };
            let names: Vec<_> = kept.into_iter().map(|relation| relation.title()).collect();
            return Ok(vec![Harm::Critical.that(format!("can change {} without an account", names.join(", ")))]);
        }
        let (mut looks, mut raised, mut own) = (Vec::new(), HashSet::new(), None);
        let unseen = self.unseen_by_dealing(&relations, actor).await?;
        for relation in &relations {
            for granted in self.granted_above(relation, actor) {
                raised.insert(looks.len());
                looks.push(granted);
            }
            let no_dealing = self.no_dealing(relation, actor).await?;
            let besides = no_dealing.or_else(|| unseen.get(&relation.oid).cloned());
            let besides = besides.unwrap_or_else(|| self.not_of(relation, actor));
            for tenant in self.foreign(actor) {
                let look = self.digest(relation, tenant, &besides);
                let effect = format!("can change {}'s rows of {}", Self::whose(actor, tenant), relation.title());
                looks.push((look, Harm::of_writing(actor.kind).that(effect)));
            }
            if let Some(Tie::Tenant(column)) = self.world.ties.get(&relation.oid)
                && relation.column(column).is_some_and(|column| !column.not_null)
                && relation.estimate < super::SMALL
                && !names::is_log(&relation.name)
            {
                let others = self.not_oneself(relation, actor);
                let look =
                    format!("select count(*) from {} where {} is null and {others}", relation.sql(), ident(column));
                let effect = format!("can write rows of {} that belong to no tenant", relation.title());
                looks.push((look, Harm::of_writing(actor.kind).that(effect)));
            }
            // One's own rows that name rows of the other's.
            if !actor.kind.is_outside() && !self.world.is_shared(relation) && !names::is_log(&relation.name) {
                let mut any = Vec::new();
                for reference in &relation.references {
                    let Some(target) = self.world.catalog.relation(reference.target) else { continue };
                    let hidden = self.hidden(target, actor).await?;
                    for (name, key) in reference.columns.iter().zip(&reference.target_columns) {
                        let others: Vec<_> = hidden.iter().map(|row| row.sql(key)).collect();
                        if !others.is_empty() {
                            any.push(format!("{} in ({})", ident(name), others.join(", ")));
                        }
                    }
                }
                if !any.is_empty() {
                    let own = self.world.condition(relation, self.own(actor));
                    let look =
                        format!("select count(*) from {} where {own} and ({})", relation.sql(), any.join(" or "));
                    let effect = format!("can make rows of {} refer to the other tenant's", relation.title());
                    looks.push((look, Harm::of_writing(actor.kind).that(effect)));
                }
            }
            if actor.kind == Kind::Reader
                && !names::is_log(&relation.name)
                && !matches!(self.world.ties.get(&relation.oid), Some(Tie::Owner(_)))
            {
                let effect = format!("can change rows of {} although its role is read-only", relation.title());
                looks.push((self.digest(relation, OWN, "true"), Harm::High.that(effect)));
            }
            looks.extend(self.tenants_without(relation, actor));
            if let Some(offered) = self.offered_above(relation, actor) {
                raised.insert(looks.len());
                looks.push(offered);
            }
            let members = self.world.members().zip(self.world.tenancy.members.as_ref());
            if let Some((_, members)) = members.filter(|(table, _)| table.oid == relation.oid) {
                // Somebody who belongs to nobody is nobody's to command.
                let is_self = match &actor.user {
                    Some(user) => format!("{}::text = {}", ident(&members.user), literal(user)),
                    None => "false".to_owned(),
                };
                let look = format!(
                    "select md5(coalesce(string_agg(concat(t.ctid, t), ',' order by t.ctid), '')) from {} t where {} is null and not {is_self}",
                    relation.sql(),
                    ident(&members.tenant)
                );
                let effect = format!("can change rows of {} that belong to no tenant", relation.title());
                looks.push((look, Harm::of_writing(actor.kind).that(effect)));
                own = Some(looks.len());
                let deed = Harm::Critical.that("can change their own role, tenant or state");
                looks.push((self.own_standing(relation, members, actor), deed));
                let above: Vec<_> = self.above(actor).iter().map(|role| literal(role)).collect();
                if let (Some(role), false, Kind::Member | Kind::Reader) = (&members.role, above.is_empty(), actor.kind)
                {
                    let (role, tenant) = (ident(role), ident(&members.tenant));
                    let own = literal(&self.world.tenants[self.own(actor)].id);
                    let look = format!(
                        "select count(*) from {} where ({tenant}::text = {own} or {tenant} is null) and {role}::text in ({}) and not {is_self}",
                        relation.sql(),
                        above.join(", ")
                    );
                    raised.insert(looks.len());
                    looks.push((look, Harm::Critical.that("can give somebody a role above their own")));
                }
            }
        }
        if looks.is_empty() {
            return Ok(Vec::new());
        }
        let statements: Vec<_> = looks.iter().map(|(look, _)| look.clone()).collect();
        let before = self.usual(&statements).await?;
        let Ok((_, after)) = self.attempt(actor, sql, &statements).await? else { return Ok(Vec::new()) };
        let number = |text: Option<&str>| text.and_then(|text| text.parse().ok()).unwrap_or(0_i64);
        let changed = looks.into_iter().zip(before).zip(after).enumerate().filter(|(at, ((_, before), after))| {
            // That there are fewer of them is another matter.
            let is_more = || number(after.value()) > number(before.as_deref());
            after.value().map(str::to_owned) != *before
                && (!raised.contains(at) || is_more())
                && (own != Some(*at) || self.is_raised(before.as_deref(), after.value()))
        });
        let deeds: Vec<_> = changed.map(|(_, (((_, deed), _), _))| deed).collect();
        // What is written down of it is no deed of its own.
        let logs: Vec<_> = relations.iter().filter(|relation| names::is_log(&relation.name)).collect();
        let is_of_log = |deed: &Deed| logs.iter().any(|log| deed.text.contains(&log.title()));
        let others: Vec<_> = deeds.iter().filter(|deed| !is_of_log(deed)).cloned().collect();
        // Whoever leaves is written down as well.
        let has_left = matches!(actor.kind, Kind::Dead | Kind::Closed)
            && self.world.members().is_some_and(|members| tables.contains(&members.oid));
        let deeds = if others.is_empty() && !has_left { deeds } else { others };
        self.without_gifts(actor, sql, &relations, deeds).await
    }

    /// What a statement did but for what it gave to others of what the caller had to their credit.
    async fn without_gifts(
        &mut self,
        actor: &Actor,
        sql: &str,
        relations: &[&'c Relation],
        mut deeds: Vec<Deed>,
    ) -> Result<Vec<Deed>, Error> {
        let (None, Some(user), false) = (&self.world.tenancy.tenant, &actor.user, deeds.is_empty()) else {
            return Ok(deeds);
        };
        for relation in relations {
            let mut columns = relation.columns.iter().filter(|column| column.category == "N");
            let Some(column) = columns.find(|column| names::is_credit(&column.name)) else { continue };
            let own = self.world.condition_of(relation, user);
            let theirs = format!("{} and not ({own})", self.world.condition(relation, OTHER));
            let sum = |of: &str| {
                format!("select coalesce(sum({}), 0) from {} t where {of}", ident(&column.name), relation.sql())
            };
            let looks = [sum(&own), sum(&theirs)];
            let before = self.usual(&looks).await?;
            let Ok((_, after)) = self.attempt(actor, sql, &looks).await? else { continue };
            let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
            let more: Vec<_> = before
                .iter()
                .zip(&after)
                .map(|(before, after)| number(after.value()) - number(before.as_deref()))
                .collect();
            if matches!(more.as_slice(), [own, theirs] if *own < 0.0 && *theirs > 0.0) {
                let of_it = format!("the other tenant's rows of {}", relation.title());
                deeds.retain(|deed| !deed.text.ends_with(&of_it));
            }
        }
        Ok(deeds)
    }

    /// How many tenants there are that somebody has no part in, where a tenant says of nobody whose it is.
    fn tenants_without(&self, relation: &Relation, actor: &Actor) -> Option<(String, Deed)> {
        let (tenant, members) = (self.world.tenancy.tenant.as_ref()?, self.world.tenancy.members.as_ref()?);
        let (table, user) = (self.world.members()?, actor.user.as_ref()?);
        let is_tenants = self.world.tenant_table()?.oid == relation.oid;
        if !is_tenants || table.oid == relation.oid || self.may_join(relation, actor) {
            return None;
        }
        let (key, of, me) = (ident(&tenant.key), ident(&members.tenant), ident(&members.user));
        let look = format!(
            "select count(*) from {} t where not exists (select from {} m where m.{of} = t.{key} and m.{me}::text = {})",
            relation.sql(),
            table.sql(),
            literal(user)
        );
        let effect = format!("can make rows of {} that they have no part in", relation.title());
        Some((look, Harm::Medium.that(effect)))
    }

    /// Rows of the other tenant that an actor cannot see: what one may see, one may refer to.
    pub(super) async fn hidden(&mut self, relation: &'c Relation, actor: &Actor) -> Result<Vec<Row>, Error> {
        let key = (relation.oid, actor.name.clone());
        if let Some(hidden) = self.hidden.get(&key) {
            return Ok(hidden.clone());
        }
        let hidden = self.find_hidden(relation, actor).await?;
        self.hidden.insert(key, hidden.clone());
        Ok(hidden)
    }

    async fn find_hidden(&mut self, relation: &'c Relation, actor: &Actor) -> Result<Vec<Row>, Error> {
        let world = self.world;
        let rows = world.rows(relation, OTHER);
        if world.is_shared(relation) || rows.is_empty() {
            return Ok(Vec::new());
        }
        let which: Vec<_> = rows.iter().enumerate().map(|(at, row)| format!("when {} then {at}", row.key)).collect();
        let sql = format!("select case {} end from {} where {}", which.join(" "), relation.sql(), any_of(rows));
        if let Ok((done, _)) = self.attempt(actor, &sql, &[]).await? {
            let is_seen = |at: usize| done.rows.contains(&Some(at.to_string()));
            let hidden = rows.iter().enumerate().filter(|(at, _)| !is_seen(*at));
            return Ok(hidden.map(|(_, row)| row.clone()).collect());
        }
        // What fails for one of them may not fail for the others.
        let mut hidden = Vec::new();
        for row in rows {
            let sql = format!("select 1 from {} where {}", relation.sql(), row.key);
            if !self.attempt(actor, &sql, &[]).await?.is_ok_and(|(done, _)| !done.rows.is_empty()) {
                hidden.push(row.clone());
            }
        }
        Ok(hidden)
    }

    /// What comes of a call that was made before.
    async fn repeat(&mut self, call: &Called<'_>) -> Result<Result<String, Refused>, Error> {
        let answer = self.answer(&call.actor, false, &call.sql).await?;
        Ok(answer.map(|answer| answer.text))
    }

    /// All that a tenant's rows of a table are.
    fn digest(&self, relation: &Relation, tenant: usize, besides: &str) -> String {
        let condition = self.known(relation, tenant).unwrap_or_else(|| self.world.condition(relation, tenant));
        format!(
            "select md5(coalesce(string_agg(concat(t.ctid, t), ',' order by t.ctid), '')) from {} t where {condition} and {besides}",
            relation.sql()
        )
    }

    /// Where people take part in something together, those rows that were there before: what somebody begins with others is
    /// not theirs alone.
    fn known(&self, relation: &Relation, tenant: usize) -> Option<String> {
        if matches!(self.world.ties.get(&relation.oid), Some(Tie::Joined(..))) {
            return Some(any_of(self.world.rows(relation, tenant)));
        }
        let joins = self.world.ties.iter().find_map(|(oid, tie)| match tie {
            Tie::Joined(table, index) if *table == relation.oid => Some((*oid, *index)),
            _ => None,
        });
        let (joined, index) = joins?;
        let (joined, reference) = (self.world.catalog.relation(joined)?, &relation.references[index]);
        let rows = self.world.rows(joined, tenant).iter();
        let known: Vec<_> = rows.map(|row| row.sql(&reference.target_columns[0])).collect();
        let column = ident(&reference.columns[0]);
        Some(if known.is_empty() { "false".to_owned() } else { format!("{column} in ({})", known.join(", ")) })
    }

    /// Memberships that are not the actor's own, who may become a member of a tenant that they make.
    fn not_oneself(&self, relation: &Relation, actor: &Actor) -> String {
        let is_members = self.world.members().is_some_and(|members| members.oid == relation.oid);
        match (&self.world.tenancy.members, &actor.user) {
            (Some(members), Some(user)) if is_members => {
                format!("{}::text is distinct from {}", ident(&members.user), literal(user))
            }
            _ => "true".to_owned(),
        }
    }

    /// Rows that are not the actor's own, where rows are users': one that names somebody else as well is still theirs.
    fn not_of(&self, relation: &Relation, actor: &Actor) -> String {
        // Who leaves a tenant that is theirs no more gains nothing; what they gain is looked at by itself.
        if let (Kind::Dead | Kind::Closed, Some(user), Some(members)) =
            (actor.kind, &actor.user, self.world.tenancy.members.as_ref())
            && self.world.members().is_some_and(|table| table.oid == relation.oid)
        {
            return format!("{}::text is distinct from {}", ident(&members.user), literal(user));
        }
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
                for plan in [Plan::Other, Plan::Required, Plan::Mixed, Plan::OtherOfNone, Plan::Fresh, Plan::Denied] {
                    let call = call(self.world, function, control, OTHER, plan, pick);
                    match self.attempt(control, &call.sql, &[]).await? {
                        Ok((done, _)) => match refused_softly(&all(done)) {
                            Some(refused) => last = format!("{} of the other tenant: {refused}", control.name),
                            None => return Ok((Some(pick), last)),
                        },
                        // It went on until something was there already.
                        Err(refused) if refused.code == "23505" => nearly = nearly.or(Some(pick)),
                        Err(refused) => last = format!("{} of the other tenant: {refused}", control.name),
                    }
                }
            }
        }
        // What only the backend may call is refused to everybody else.
        let backend = Actor::backend();
        for plan in [Plan::Other, Plan::Required] {
            let call = call(self.world, function, &backend, OTHER, plan, 0);
            if self.attempt(&backend, &call.sql, &[]).await?.is_ok() {
                return Ok((Some(0), last));
            }
        }
        Ok((nearly, last))
    }

    /// What somebody gets by a call.
    async fn controlled(&mut self, function: &Function, actor: &Actor, call: &str) -> Result<Controlled, Error> {
        let answer = self.answer(actor, function.volatile, call).await?.ok();
        let answer = answer.filter(|answer| refused_softly(&answer.text).is_none());
        let count = answer.map(|answer| 1 + answer.written.len() as u64);
        Ok(Controlled { is_outside: actor.kind != Kind::Member, count })
    }

    /// Whether those who may get an answer of the functions of a name, with what is theirs.
    pub(super) async fn answered(&mut self, object: &Object) -> Result<Vec<Controlled>, Error> {
        let world = self.world;
        let mut answered = Vec::new();
        for function in world.catalog.functions.iter().filter(|function| function.title() == object.name) {
            for control in world.controls.iter().filter(|control| function.may(control.db_role())) {
                for pick in 0..VARIANTS {
                    let call = call(world, function, control, OTHER, Plan::Other, pick);
                    // Somebody of no tenant is nobody's to command.
                    if world.bystander.as_ref().is_some_and(|nobody| call.sql.contains(nobody.as_str())) {
                        continue;
                    }
                    answered.push(self.controlled(function, control, &call.sql).await?);
                }
            }
            // Whoever was given a secret is let in by it, and be it without an account.
            let strangers = world.actors.iter().filter(|actor| matches!(actor.kind, Kind::Newcomer | Kind::Anonymous));
            let is_kept = function.arguments.iter().any(|argument| argument.kept.is_some());
            for stranger in strangers.filter(|stranger| is_kept && function.may(stranger.db_role())) {
                for pick in 0..VARIANTS {
                    let call = call(world, function, stranger, OTHER, Plan::Other, pick);
                    let controlled = self.controlled(function, stranger, &call.sql).await?;
                    answered.push(Controlled { is_outside: false, ..controlled });
                }
            }
        }
        Ok(answered)
    }

    /// Whether a value is taken that everybody sees as a name.
    fn is_public_name(&self, refused: &Refused) -> bool {
        let keys = self.world.catalog.relations.iter().flat_map(|relation| &relation.keys);
        let mut taken = keys.filter(|key| refused.code == "23505" && Some(&key.name) == refused.constraint.as_ref());
        taken.any(|key| key.columns.iter().all(|column| names::is_public_name(column)))
    }

    /// Calls again without the other tenant's rows: outcomes that revealed nothing are the same.
    pub(super) async fn answers_without_the_other(&mut self, called: Vec<Called<'c>>) -> Result<(), Error> {
        if !self.desk.can_hold_triggers || called.is_empty() {
            return Ok(());
        }
        self.remove_the_other("without_other").await?;
        let mut differs = Vec::new();
        for call in called {
            let without = self.repeat(&call).await?;
            if without != call.outcome {
                differs.push((call, without));
            }
        }
        self.desk.back("without_other").await?;
        for (call, without) in differs {
            // Answers that differ by themselves reveal nothing.
            if self.repeat(&call).await? != call.outcome {
                continue;
            }
            // That a name is taken which everybody sees says nothing.
            if call.outcome.as_ref().is_err_and(|refused| self.is_public_name(refused)) {
                continue;
            }
            // What a code stands for is what whoever knows it is answered.
            let is_let_in = self.let_in_by(&call.actor, &call.sql).is_some();
            if is_let_in || self.secret_in(call.function, &call.actor, &call.sql).is_some() {
                continue;
            }
            let object = Object { noun: "function", name: call.function.title() };
            // Two refusals that differ say that something is there, and nothing of what it is.
            let deed = match (&call.outcome, &without) {
                (Ok(with), Ok(without)) if !(is_a_bit(with) && is_a_bit(without)) => {
                    Harm::of_reading(call.actor.kind).that("can infer from its answer what the other tenant has")
                }
                (Ok(with), Err(_)) if !is_a_bit(with) => {
                    Harm::of_reading(call.actor.kind).that("can infer from its answer what the other tenant has")
                }
                _ => Harm::Low.that("can tell from its answer that something of the other tenant's exists"),
            };
            self.record.cross(&object, Verb::Call, &call.actor, deed, Cause::Function, &call.sql);
        }
        Ok(())
    }
}

/// The refusal in an answer that says of itself that nothing was done.
fn refused_softly(answer: &str) -> Option<Refused> {
    static SAYS_NO: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""(?:success|ok|allowed)"\s*:\s*false|"error"\s*:\s*"|^\{"error""#).expect("a pattern")
    });
    SAYS_NO.is_match(answer).then(|| Refused {
        code: "answered".to_owned(),
        message: answer.chars().take(120).collect(),
        constraint: None,
        column: None,
    })
}

/// Whether all that is answered to random keys is other keys.
fn says_but_whose(passed: &BTreeSet<String>, answer: &str) -> bool {
    let is_key = |text: &str| Uuid::try_parse(text).is_ok();
    !passed.is_empty() && passed.iter().all(|text| is_key(text)) && answer.lines().all(is_key)
}

/// Whether an answer is yes or no.
fn is_a_bit(answer: &str) -> bool {
    matches!(answer, "" | "t" | "f" | "true" | "false")
}

/// All that a statement answered.
fn all(done: Done) -> String {
    done.rows.into_iter().flatten().collect::<Vec<_>>().join("\n")
}
