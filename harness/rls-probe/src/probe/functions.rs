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
    catalog::{Argument, Function},
    error::Error,
    harm::{Deed, Harm},
    names,
    record::{Cause, Cell, Declared, Object, Verb},
    refused::Refused,
    world::{OTHER, VARIANTS},
};

use super::{Controlled, Prober, written::all};

/// A call whose outcome reveals nothing by itself.
pub(super) struct Called<'c> {
    function: &'c Function,
    actor: Actor,
    sql: String,
    outcome: Result<String, Refused>,
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
        gets_through |= self.let_in_though_uninvited(function, object).await?;
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

    /// What comes of a call that was made before.
    async fn repeat(&mut self, call: &Called<'_>) -> Result<Result<String, Refused>, Error> {
        let answer = self.answer(&call.actor, false, &call.sql).await?;
        Ok(answer.map(|answer| answer.text))
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
