//! The world as a script, so that somebody can look for themselves.

use std::collections::BTreeSet;

use crate::{
    desk::Desk,
    error::Error,
    sql::{ident, literal},
};

use super::World;

impl<'c> World<'c> {
    /// Statements that make the same users and rows again.
    pub async fn script(&self, desk: &mut Desk) -> Result<String, Error> {
        let everybody = self.tenants.iter().flat_map(|tenant| &tenant.users);
        let actors =
            self.actors.iter().chain(&self.controls).chain(&self.uninvited).filter_map(|actor| actor.user.as_ref());
        let everybody: BTreeSet<_> = everybody.chain(actors).cloned().chain(self.named()).collect();
        let everybody: Vec<_> = everybody.iter().map(|user| literal(user)).collect();
        let users = format!("id::text in ({})", everybody.join(", "));
        let mut wanted = vec![("\"auth\".\"users\"".to_owned(), self.catalog.auth_columns.clone(), users)];
        for relation in self.in_order() {
            let mut conditions: Vec<_> =
                (0..self.tenants.len()).map(|tenant| self.condition(relation, tenant)).collect();
            if let Some(members) = self.tenancy.members.as_ref().filter(|_| self.is_members(relation)) {
                conditions.push(format!("{}::text in ({})", ident(&members.user), everybody.join(", ")));
            }
            if let Some(key) = relation.primary().filter(|_| self.catalog.is_mirror(relation)) {
                conditions.push(format!("{}::text in ({})", ident(&key.columns[0]), everybody.join(", ")));
            }
            if relation.schema != "storage" {
                let shared = self.rows.get(&(relation.oid, None)).into_iter().flatten();
                conditions.extend(shared.chain(self.nobodys.get(&relation.oid)).map(|row| row.key.clone()));
            }
            if conditions.is_empty() {
                continue;
            }
            let chosen = relation.columns.iter().filter(|column| !column.generated || column.identity);
            let chosen = chosen.map(|column| column.name.clone()).collect();
            wanted.push((relation.sql(), chosen, conditions.join(" or ")));
        }
        let mut script = vec!["set local session_replication_role = replica;".to_owned()];
        for (table, columns, condition) in wanted {
            let sql = format!("select jsonb_agg(to_jsonb(t))::text from {table} t where {condition}");
            let Ok(done) = desk.keep(&sql).await? else { continue };
            if let Some(rows) = done.value() {
                let columns = columns.iter().map(|name| ident(name)).collect::<Vec<_>>().join(", ");
                script.push(format!(
                    "insert into {table} ({columns}) overriding system value\n  select {columns} from jsonb_populate_recordset(null::{table}, {});",
                    literal(rows)
                ));
            }
        }
        script.push("set local session_replication_role = origin;".to_owned());
        script.extend(self.refreshing().into_iter().map(|sql| sql + ";"));
        Ok(script.join("\n"))
    }

    /// The users whom rows name that were made: founders, and others who try nothing.
    fn named(&self) -> impl Iterator<Item = String> {
        let rows = self.rows.iter().filter_map(|((oid, _), rows)| Some((self.catalog.relation(*oid)?, rows)));
        rows.filter(|(relation, _)| relation.schema != "storage").flat_map(move |(relation, rows)| {
            let columns = relation.columns.iter().filter(|column| self.catalog.is_of_user(relation, &column.name));
            columns.flat_map(|column| rows.iter().filter_map(|row| row.text(&column.name)))
        })
    }
}
