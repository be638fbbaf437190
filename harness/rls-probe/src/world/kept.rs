//! Secrets of which rows keep but a hash: what lets somebody in is known for each row that was made, as it is to those whom it
//! was sent to.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{
    catalog::{Argument, Kept, Relation},
    desk::Desk,
    error::Error,
    names,
    sql::{ident, literal},
};

use super::{World, invited::is_address};

/// What a row keeps but a hash of.
pub struct Secret {
    text: String,
    /// Whose the row is, where it is somebody's.
    tenant: Option<usize>,
    /// The address of whom it was sent to, where the row says so.
    to: Option<String>,
}

impl Secret {
    /// Whether somebody else was to have it.
    pub fn is_anothers(&self, address: Option<&str>) -> bool {
        self.to.as_deref().is_some_and(|to| Some(to) != address)
    }
}

impl<'c> World<'c> {
    /// The secret of which a row keeps this.
    pub fn secret_of(&self, kept: &str) -> Option<&str> {
        Some(&self.secrets.get(kept)?.text)
    }

    /// The secret of these tenants' rows that is in a call of a function that is asked for one.
    pub fn secret_in(&self, arguments: &[Argument], call: &str, tenants: &[usize]) -> Option<&Secret> {
        arguments.iter().find(|argument| argument.kept.is_some())?;
        let mut secrets = self.secrets.values().filter(|secret| secret.tenant.is_none_or(|of| tenants.contains(&of)));
        secrets.find(|secret| call.contains(&secret.text))
    }

    /// The tables whose rows keep something of a secret.
    pub(super) fn keeping_secrets(&self) -> Vec<&'c Relation> {
        let arguments = self.catalog.functions.iter().flat_map(|function| &function.arguments);
        let kept: BTreeSet<_> = arguments.filter_map(|argument| Some(argument.kept.as_ref()?.relation)).collect();
        kept.into_iter().filter_map(|oid| self.catalog.relation(oid)).collect()
    }

    /// Gives a secret to each row that keeps something of one. What cannot be made outside of its function stays as it is.
    pub(super) async fn keep_secrets(&mut self, desk: &mut Desk) -> Result<(), Error> {
        let arguments = self.catalog.functions.iter().flat_map(|function| &function.arguments);
        let mut kept: Vec<(&Argument, &Kept)> =
            arguments.filter_map(|argument| Some((argument, argument.kept.as_ref()?))).collect();
        kept.sort_by_key(|(_, kept)| (kept.relation, &kept.column));
        kept.dedup_by_key(|(_, kept)| (kept.relation, &kept.column));
        for (argument, kept) in kept {
            self.keep_secrets_of(desk, argument, kept).await?;
        }
        Ok(())
    }

    async fn keep_secrets_of(&mut self, desk: &mut Desk, argument: &Argument, kept: &Kept) -> Result<(), Error> {
        let Some(relation) = self.catalog.relation(kept.relation) else { return Ok(()) };
        let places: Vec<_> = self.rows.keys().filter(|(oid, _)| *oid == relation.oid).copied().collect();
        for place in places {
            for at in 0..self.rows[&place].len() {
                let secret = match argument.kind.as_str() {
                    "uuid" => Uuid::new_v4().to_string(),
                    _ => format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()),
                };
                let made = kept.made.replace(Kept::SECRET, &format!("{}::{}", literal(&secret), argument.kind));
                let key = self.rows[&place][at].key.clone();
                let sql = format!("update {} set {} = {made} where {key}", relation.sql(), ident(&kept.column));
                if self.with_triggers_held(desk, &sql).await?.is_err() {
                    return Ok(());
                }
                let Some(row) = self.read_back(desk, relation, &key).await? else { return Ok(()) };
                let is_sent = names::is_invitations(&relation.name);
                let address = relation.columns.iter().find(|column| is_sent && is_address(column));
                let to = address.and_then(|column| row.text(&column.name));
                let secret = Secret { text: secret, tenant: place.1, to };
                self.secrets.extend(row.text(&kept.column).map(|kept| (kept, secret)));
                self.rows.entry(place).or_default()[at] = row;
            }
        }
        Ok(())
    }
}
