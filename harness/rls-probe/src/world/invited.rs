//! Somebody whom an invitation names by their address: what lets but them in shows with them that it lets somebody in.
//! Somebody who never confirmed such an address, where the project asks for that at all. And those who were a member once,
//! with the invitation that they have answered.

use serde_json::json;

use crate::{
    actor::{Actor, Kind},
    catalog::{Column, Relation},
    desk::Desk,
    draft::choices,
    error::Error,
    names,
    sql::{ident, literal},
};

use super::{OTHER, OWN, Row, VARIANTS, World};

/// Which of the rows is left to be taken, or was.
const LEFT: usize = 2;

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
            self.take_back(desk, relation, &address.name).await?;
        }
        self.leave_a_pass(desk).await?;
        self.keep_answered(desk).await
    }

    /// Somebody whose invitation was taken back, or is over.
    async fn take_back(&mut self, desk: &mut Desk, relation: &Relation, address: &str) -> Result<(), Error> {
        let last = self.rows(relation, OTHER).get(VARIANTS - 1).cloned();
        let Some((row, email)) = last.and_then(|row| Some((row.text(address)?, row))).map(|(email, row)| (row, email))
        else {
            return Ok(());
        };
        let taken_back = |column: &Column| {
            let is_void = |state: &&String| names::is_taken_back(state);
            let value = match column.category.as_str() {
                "D" if names::is_taken_back(&column.name) => "now()".to_owned(),
                _ if names::is_state(&column.name) => literal(choices(relation, column).iter().find(is_void)?),
                _ => return None,
            };
            Some(format!("{} = {value}", ident(&column.name)))
        };
        let mut sets: Vec<_> = relation.columns.iter().filter_map(taken_back).collect();
        if sets.is_empty() {
            let dates =
                relation.columns.iter().filter(|column| column.category == "D" && names::is_last_day(&column.name));
            sets.extend(dates.map(|column| format!("{} = now() - interval '1 day'", ident(&column.name))));
        }
        let sql = format!("update {} set {} where {}", relation.sql(), sets.join(", "), row.key);
        if !sets.is_empty() && self.with_triggers_held(desk, &sql).await?.is_ok() {
            self.uninvited = self.sign_up_invited(desk, "uninvited", &email, true).await?;
        }
        Ok(())
    }

    /// A row that nobody has taken yet, of each table that keeps the hash of what takes it.
    async fn leave_a_pass(&mut self, desk: &mut Desk) -> Result<(), Error> {
        let tables = self.keeping_secrets().into_iter().filter(|relation| !names::is_invitations(&relation.name));
        for relation in tables.collect::<Vec<_>>() {
            let Some(row) = self.rows(relation, OTHER).get(LEFT).cloned() else { continue };
            let taken = relation
                .columns
                .iter()
                .filter(|column| !column.not_null && self.catalog.is_of_user(relation, &column.name));
            for column in taken {
                let sql = format!("update {} set {} = null where {}", relation.sql(), ident(&column.name), row.key);
                let _ = self.with_triggers_held(desk, &sql).await?;
            }
            self.opened(desk, relation, &row).await?;
        }
        Ok(())
    }

    /// The invitation by which somebody came who is a member no more.
    async fn keep_answered(&mut self, desk: &mut Desk) -> Result<(), Error> {
        let former = self.actors.iter().filter(|actor| actor.kind == Kind::Dead);
        let former = former.max_by_key(|actor| names::is_left_behind(&actor.name));
        let former = former.and_then(|actor| Some(actor.claims["email"].as_str()?.to_owned()));
        let tables = self.catalog.relations.iter();
        let tables =
            tables.filter(|relation| relation.is_table() && relation.exposed && names::is_invitations(&relation.name));
        for relation in tables.collect::<Vec<_>>() {
            let (Some(address), Some(email)) = (relation.columns.iter().find(|column| is_address(column)), &former)
            else {
                continue;
            };
            let Some(row) = self.rows(relation, OWN).get(LEFT).cloned() else { continue };
            let is_answered = |state: &&String| names::is_answer(state);
            let set = |column: &Column| {
                let value = match column.category.as_str() {
                    _ if column.name == address.name => literal(email),
                    "D" if names::is_last_day(&column.name) => "now() + interval '1 day'".to_owned(),
                    "D" if !column.not_null && names::is_answer(&column.name) => "now()".to_owned(),
                    _ if names::is_state(&column.name) => literal(choices(relation, column).iter().find(is_answered)?),
                    _ => return None,
                };
                Some(format!("{} = {value}", ident(&column.name)))
            };
            let sets: Vec<_> = relation.columns.iter().filter_map(set).collect();
            let sql = format!("update {} set {} where {}", relation.sql(), sets.join(", "), row.key);
            let _ = self.with_triggers_held(desk, &sql).await?;
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

pub(super) fn is_address(column: &Column) -> bool {
    column.holds_texts() && column.name.contains("email")
}
