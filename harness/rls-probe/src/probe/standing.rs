//! What somebody is in the tenants, before and after a statement: that they are more by it is what counts.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::{
    actor::{Actor, Kind},
    catalog::Relation,
    harm::{Deed, Harm},
    names,
    sql::{ident, literal},
    tenancy::Members,
};

use super::Prober;

/// A membership of somebody's.
#[derive(Deserialize)]
struct Standing {
    tenant: String,
    role: Option<String>,
    /// In office, as far as the state says.
    living: bool,
    state: String,
}

impl<'c> Prober<'_, 'c> {
    /// What somebody is in the tenants, as [`Standing`]s.
    pub(super) fn own_standing(&self, table: &Relation, members: &Members, actor: &Actor) -> String {
        let state = self.world.state_of_members();
        let living = state.iter().map(|(column, value)| match value.as_str() {
            "now()" => format!("{} is not null", ident(column)),
            _ => format!("{} is not distinct from {value}", ident(column)),
        });
        let living = living.chain(["true".to_owned()]).collect::<Vec<_>>().join(" and ");
        let state: BTreeSet<_> = state.keys().chain(members.state.keys()).collect();
        let state: Vec<_> = state.into_iter().map(|column| format!("{}::text", ident(column))).collect();
        let state = if state.is_empty() { "''".to_owned() } else { state.join(", ") };
        let role = members.role.as_ref().map_or_else(|| "''".to_owned(), |role| format!("{}::text", ident(role)));
        let known: Vec<_> = self.world.tenants.iter().map(|tenant| literal(&tenant.id)).collect();
        let tenant = format!("{}::text", ident(&members.tenant));
        format!(
            "select jsonb_agg(jsonb_build_object('tenant', {tenant}, 'role', {role}, 'living', {living}, 'state', concat_ws('|', {state})) order by {tenant}) from {} where {}::text = {} and {tenant} in ({})",
            table.sql(),
            ident(&members.user),
            literal(actor.user.as_deref().unwrap_or_default()),
            known.join(", ")
        )
    }

    /// Whether somebody is more than before: in another tenant, in a role that is not below, or in office again. Who leaves
    /// gains nothing.
    pub(super) fn is_raised(&self, before: Option<&str>, after: Option<&str>) -> bool {
        let read = |text: Option<&str>| -> Vec<Standing> {
            text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
        };
        let rank = |role: &Option<String>| role.as_ref().map_or(usize::MAX, |role| self.world.tenancy.roles.rank(role));
        let before = read(before);
        let had = |now: &Standing| {
            before.iter().any(|before| {
                before.tenant == now.tenant
                    && (before.role == now.role || rank(&before.role) < rank(&now.role))
                    && (before.state == now.state || !now.living)
            })
        };
        !read(after).iter().all(had)
    }

    /// How many roles above somebody's own a table beside the memberships gives to them, and to others of their tenant.
    pub(super) fn granted_above(&self, relation: &Relation, actor: &Actor) -> Vec<(String, Deed)> {
        let (granted, members) = (self.world.tenancy.granted.as_ref(), self.world.tenancy.members.as_ref());
        let granted = granted.filter(|granted| granted.table == relation.title());
        let above: Vec<_> = self.above(actor).iter().map(|role| literal(role)).collect();
        let (Some(granted), Some(user), false) = (granted, &actor.user, above.is_empty()) else { return Vec::new() };
        if !matches!(actor.kind, Kind::Member | Kind::Reader) {
            return Vec::new();
        }
        let (name, user) = (ident(&granted.user), literal(user));
        let rows = format!(
            "select count(*) from {} where {}::text in ({})",
            relation.sql(),
            ident(&granted.role),
            above.join(", ")
        );
        let mut looks = vec![(
            format!("{rows} and {name}::text = {user}"),
            Harm::Critical.that("can change their own role, tenant or state"),
        )];
        if let Some((members, table)) = members.zip(self.world.members()) {
            let own = literal(&self.world.tenants[self.own(actor)].id);
            let colleagues = format!(
                "select {}::text from {} where {}::text = {own}",
                ident(&members.user),
                table.sql(),
                ident(&members.tenant)
            );
            looks.push((
                format!("{rows} and {name}::text <> {user} and {name}::text in ({colleagues})"),
                Harm::Critical.that("can give somebody a role above their own"),
            ));
        }
        looks
    }

    /// How many invitations to their own tenant offer a role above somebody's own.
    pub(super) fn offered_above(&self, relation: &'c Relation, actor: &Actor) -> Option<(String, Deed)> {
        let above: Vec<_> = self.above(actor).iter().map(|role| literal(role)).collect();
        let is_member = self.world.members().is_some_and(|members| members.oid == relation.oid);
        let column = self.offered_role(relation).filter(|_| !is_member && names::is_invitations(&relation.name))?;
        if above.is_empty() || !matches!(actor.kind, Kind::Member | Kind::Reader) {
            return None;
        }
        let look = format!(
            "select count(*) from {} where {} and {}::text in ({})",
            relation.sql(),
            self.world.condition(relation, self.own(actor)),
            ident(&column.name),
            above.join(", ")
        );
        Some((look, Harm::Critical.that("can invite somebody to a role above their own")))
    }
}
