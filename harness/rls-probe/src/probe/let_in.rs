//! What lets somebody in: codes and secrets that they were given, and what they are told of where they were.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    actor::{Actor, Kind},
    arguments::{Plan, call},
    catalog::Function,
    error::Error,
    harm::Harm,
    names,
    record::{Cause, Object, Verb},
    sql::{literal, names_word},
    world::{OTHER, OWN, Secret, VARIANTS},
};

use super::{Prober, written::Answer};

impl<'p, 'c> Prober<'p, 'c> {
    /// The column of a code that lets in whoever knows it, where one of another tenant's was passed: that it can be read is a
    /// finding of its own.
    pub(super) fn let_in_by(&self, actor: &Actor, call: &str) -> Option<String> {
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
    pub(super) fn tenants_let_in(&self, actor: &Actor) -> &'static [usize] {
        if actor.tenant.is_none() { &[OTHER, OWN] } else { &[OTHER] }
    }

    /// A secret of tenants that are not somebody's, or are no more, in their call.
    pub(super) fn secret_in(&self, function: &Function, actor: &Actor, call: &str) -> Option<&'p Secret> {
        let former = actor.tenant.filter(|_| matches!(actor.kind, Kind::Dead | Kind::Closed));
        let tenants: Vec<_> = self.tenants_let_in(actor).iter().copied().chain(former).collect();
        self.world.secret_in(&function.arguments, call, &tenants)
    }

    /// Whether somebody becomes a member by an invitation that was taken back, or is over.
    pub(super) async fn let_in_though_uninvited(
        &mut self,
        function: &'c Function,
        object: &Object,
    ) -> Result<bool, Error> {
        let world = self.world;
        let invitations = world.catalog.relations.iter().filter(|relation| names::is_invitations(&relation.name));
        let is_about = invitations.into_iter().any(|relation| names_word(&function.source, &relation.name));
        let (Some(actor), Some(members)) = (&world.uninvited, world.members()) else { return Ok(false) };
        if !is_about || !function.volatile || !function.may(actor.db_role()) {
            return Ok(false);
        }
        let call = call(world, function, actor, OWN, Plan::Other, VARIANTS - 1);
        let answer = self.answer(actor, true, &call.sql).await?;
        let is_let_in = answer.is_ok_and(|answer| answer.written.contains(&members.oid));
        if is_let_in {
            let deed = Harm::Critical.that("can become a member by an invitation that was taken back");
            self.record.cross(object, Verb::Call, actor, deed, Cause::Function, &call.sql);
        }
        Ok(is_let_in)
    }

    /// Whether an answer says in which state somebody's membership is, or their tenant: where they were is no news to them.
    pub(super) fn says_state(&self, actor: &Actor, answer: &str) -> bool {
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
    pub(super) fn is_let_in_again(&self, actor: &Actor, answer: &Answer) -> bool {
        let members = self.world.members().map(|members| members.oid);
        actor.kind == Kind::Dead && members.is_some_and(|members| answer.written.contains(&members))
    }

    /// Whether an answer has a key in it: by what the function or a part of its answer is called, and how it looks.
    pub(super) fn is_secret(&self, function: &Function, answer: &str) -> bool {
        static PART: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#""(\w+)"\s*:\s*"([^"]{12,})""#).expect("a pattern"));
        let mut parts = PART.captures_iter(answer);
        let is_named = function.arguments.is_empty() && names::promises_a_secret(&function.name);
        is_named && names::looks_like_a_key(answer)
            || parts.any(|part| names::is_secret(&part[1]) && names::looks_like_a_key(&part[2]))
    }
}
