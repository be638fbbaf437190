//! Somebody whom an invitation names by their address: what lets but them in shows with them that it lets somebody in. And
//! somebody who never confirmed such an address, where the project asks for that at all.

use serde_json::json;

use crate::{
    actor::Actor,
    catalog::{Column, Relation},
    desk::Desk,
    draft::choices,
    error::Error,
    names,
    sql::{ident, literal},
};

use super::{OTHER, Row, World};

impl<'c> World<'c> {
    /// Signs them up, for open invitations of the other tenant.
    pub(super) async fn invite(&mut self, desk: &mut Desk) -> Result<(), Error> {
        let tables = self.catalog.relations.iter();
        let tables: Vec<_> = tables.filter(|relation| relation.is_table() && relation.exposed).collect();
        for relation in tables.into_iter().filter(|relation| names::is_invitations(&relation.name)) {
            let Some(address) = relation.columns.iter().find(|column| is_address(column)) else { continue };
            let mut open = Vec::new();
            for row in self.rows(relation, OTHER).to_vec() {
                open.extend(self.opened(desk, relation, &row).await?);
            }
            let of_row = |row: &Row| row.text(&address.name);
            let (first, second) = (open.first().and_then(of_row), open.get(1).and_then(of_row));
            if let Some(email) = first.as_ref().filter(|_| second.is_some() && self.asks_for_confirmation()) {
                let unverified = self.sign_up_invited(desk, "unverified", email, false).await?;
                self.actors.extend(unverified);
            }
            if let Some(email) = second.or(first) {
                let invited = self.sign_up_invited(desk, "invited", &email, true).await?;
                self.controls.extend(invited);
            }
        }
        Ok(())
    }

    /// Whether policies or functions ask whether somebody's address is confirmed.
    fn asks_for_confirmation(&self) -> bool {
        self.catalog.texts().any(|(_, text)| text.contains("confirmed_at") || text.contains("email_verified"))
    }

    async fn sign_up_invited(
        &mut self,
        desk: &mut Desk,
        name: &str,
        email: &str,
        is_confirmed: bool,
    ) -> Result<Option<Actor>, Error> {
        match self.sign_up_with(desk, name, email, is_confirmed, json!({"email_verified": is_confirmed})).await {
            Ok(actor) => Ok(Some(actor)),
            Err(Error::NoUser(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An invitation that is open: nobody has answered it, and it goes on for a day.
    async fn opened(&self, desk: &mut Desk, relation: &Relation, row: &Row) -> Result<Option<Row>, Error> {
        let set = |column: &Column| {
            let waits = || choices(relation, column).into_iter().find(|state| names::is_waiting(state));
            let value = match column.category.as_str() {
                "D" if names::is_last_day(&column.name) => "now() + interval '1 day'".to_owned(),
                "D" if !column.not_null && names::is_answer(&column.name) => "null".to_owned(),
                _ if names::is_state(&column.name) => literal(&waits()?),
                _ => return None,
            };
            Some(format!("{} = {value}", ident(&column.name)))
        };
        let sets: Vec<_> = relation.columns.iter().filter_map(set).collect();
        if sets.is_empty() {
            return Ok(Some(row.clone()));
        }
        let sql = format!("update {} set {} where {}", relation.sql(), sets.join(", "), row.key);
        if self.with_triggers_held(desk, &sql).await?.is_err() {
            return Ok(None);
        }
        self.read_back(desk, relation, &row.key).await
    }
}

fn is_address(column: &Column) -> bool {
    column.holds_texts() && column.name.contains("email")
}
