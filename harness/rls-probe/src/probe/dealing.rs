//! Dealings with a tenant that everybody may look at: an order or a conversation is its customer's as well as the tenant's.

use std::collections::HashMap;

use crate::{
    actor::Actor,
    catalog::{Relation, compared_with_caller},
    error::Error,
    names,
    sql::{alternatives, ident, literal},
    tie::Tie,
    world::OTHER,
};

use super::{Prober, any_of};

impl<'c> Prober<'_, 'c> {
    /// The column that names the customer of a tenant's row: whoever it names may read the row, and the tenant can be seen
    /// by them without being of it.
    pub(super) async fn customer(&mut self, relation: &'c Relation, actor: &Actor) -> Result<Option<&'c str>, Error> {
        let Some(tenants) = self.world.tenant_table() else { return Ok(None) };
        let is_members = self.world.members().is_some_and(|members| members.oid == relation.oid);
        let gives = tenants.oid == relation.oid || self.world.gives_privileges(relation);
        if is_members || gives || !matches!(self.world.ties.get(&relation.oid), Some(Tie::Tenant(_))) {
            return Ok(None);
        }
        let Some(column) = self.named_customer(relation) else { return Ok(None) };
        Ok(self.hidden(tenants, actor).await?.is_empty().then_some(column))
    }

    fn named_customer(&self, relation: &'c Relation) -> Option<&'c str> {
        let reads = relation.policies_for("authenticated", "select").filter(|policy| policy.permissive);
        let parts = reads.filter_map(|policy| policy.using.as_deref()).flat_map(alternatives);
        parts.filter(|part| !part.contains(" AND ")).find_map(|part| {
            let (of, name) = compared_with_caller(part).next()?;
            let column = relation.column(name).filter(|_| of.is_none_or(|of| of == relation.name))?;
            let is_user = self.world.catalog.is_of_user(relation, name) && !names::is_author(name);
            is_user.then_some(column.name.as_str())
        })
    }

    /// Rows of a tenant's that are not the actor's own dealings with it, nor parts of them.
    pub(super) async fn no_dealing(&mut self, relation: &'c Relation, actor: &Actor) -> Result<Option<String>, Error> {
        let Some(user) = actor.user.as_deref().map(literal) else { return Ok(None) };
        if let Some(column) = self.customer(relation, actor).await? {
            return Ok(Some(format!("{}::text is distinct from {user}", ident(column))));
        }
        let Some(Tie::Parent(index)) = self.world.ties.get(&relation.oid) else { return Ok(None) };
        let reference = &relation.references[*index];
        let ([name], [key]) = (reference.columns.as_slice(), reference.target_columns.as_slice()) else {
            return Ok(None);
        };
        let Some(parent) = self.world.catalog.relation(reference.target) else { return Ok(None) };
        let Some(column) = self.customer(parent, actor).await? else { return Ok(None) };
        Ok(Some(format!(
            "{} not in (select {} from {} where {}::text = {user})",
            ident(name),
            ident(key),
            parent.sql(),
            ident(column)
        )))
    }

    /// Of the tables that a statement wrote to, where it was a dealing of the actor's, those with rows that they see anyway, and
    /// the others: less is on stock by an order.
    pub(super) async fn unseen_by_dealing(
        &mut self,
        relations: &[&'c Relation],
        actor: &Actor,
    ) -> Result<HashMap<i64, String>, Error> {
        let mut unseen = HashMap::new();
        let mut is_dealing = false;
        for relation in relations {
            is_dealing |= self.customer(relation, actor).await?.is_some();
            let hidden = self.hidden(relation, actor).await?;
            if !self.world.is_shared(relation) && hidden.len() < self.world.rows(relation, OTHER).len() {
                unseen.insert(relation.oid, any_of(&hidden));
            }
        }
        Ok(if is_dealing { unseen } else { HashMap::new() })
    }
}
