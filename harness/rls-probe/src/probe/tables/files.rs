//! Files that rows name: where policies of files look for a row that names one, whoever writes such a row may read what it
//! names.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    actor::Actor,
    catalog::{Column, Relation},
    desk::Arranged,
    error::Error,
    harm::Harm,
    probe::{Prober, object_of, tables::insert::Inserted},
    record::Verb,
    sql::{ident, literal},
    world::{OTHER, Row},
};

impl<'c> Prober<'_, 'c> {
    /// A row of one's own that names a file of the other tenant, and lets one read it.
    pub(super) async fn name_files(
        &mut self,
        relation: &'c Relation,
        actor: &Actor,
        own_works: bool,
    ) -> Result<(), Error> {
        let Some(files) = self.world.catalog.named("storage.objects") else { return Ok(()) };
        let theirs = self.world.rows(files, OTHER).iter();
        let theirs: Vec<_> = theirs.filter(|file| !self.world.is_in_public_bucket(file)).cloned().collect();
        let columns = relation.columns.iter().filter(|column| self.names_files(relation, column, files));
        for column in columns.collect::<Vec<_>>() {
            for file in &theirs {
                let Some(name) = file.text("name") else { continue };
                if own_works
                    && column.may(actor.db_role(), "insert")
                    && let Some(mut draft) = self.draft_by(relation, self.own(actor), actor, true)
                {
                    draft.set(&column.name, literal(&name));
                    if let Inserted::Yes { sql, .. } = self.try_insert(actor, draft, &[]).await?
                        && self.lets_read(actor, &sql, files, file).await?
                    {
                        let cause = self.guilty_of_adding(relation, actor, &sql).await?;
                        let deed = Harm::of_reading(actor.kind).that(named(column));
                        self.record.cross(&object_of(relation), Verb::Insert, actor, deed, cause, &sql);
                        break;
                    }
                }
                let own = self.rows_besides(relation, self.own(actor), actor);
                let Some(mine) = own.first().filter(|_| column.may(actor.db_role(), "update")) else { continue };
                let (table, set) = (relation.sql(), ident(&column.name));
                let sql = format!("update {table} set {set} = {} where {}", literal(&name), mine.key);
                if self.lets_read(actor, &sql, files, file).await? {
                    let cause = self.guilty(relation, actor, "update", Some(mine)).await?;
                    let deed = Harm::of_reading(actor.kind).that(named(column));
                    self.record.cross(&object_of(relation), Verb::Update, actor, deed, cause, &sql);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether policies of files, or the functions that they ask, look for a file's name in a column.
    fn names_files(&self, relation: &Relation, column: &Column, files: &Relation) -> bool {
        static COMPARED: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?:(\w+)\.)?(\w+)\)? = \(?(?:\w+\.)?objects\.name\b|\bobjects\.name\)? = \(?(?:(\w+)\.)?(\w+)")
                .expect("a pattern")
        });
        if !column.is_text() || relation.oid == files.oid {
            return false;
        }
        let texts = files.policies.iter().flat_map(|policy| [policy.using.as_deref(), policy.check.as_deref()]);
        texts.flatten().any(|text| {
            let is_compared = || {
                COMPARED.captures_iter(text).any(|found| {
                    let compared = found.get(2).or(found.get(4)).map(|name| name.as_str());
                    compared == Some(column.name.as_str())
                })
            };
            let mut functions = self.world.catalog.functions.iter();
            text.contains(&relation.name) && is_compared()
                || functions.any(|function| {
                    let about = (relation.oid, column.name.clone());
                    let mut arguments = function.arguments.iter();
                    text.contains(&format!("{}(", function.name))
                        && arguments.any(|argument| argument.asked.as_ref() == Some(&about))
                })
        })
    }

    /// Whether a statement of somebody's own lets them read a file that they could not read before.
    async fn lets_read(&mut self, actor: &Actor, sql: &str, files: &Relation, file: &Row) -> Result<bool, Error> {
        let count = format!("select count(*) from {} where {}", files.sql(), file.key);
        let before = self.attempt(actor, &count, &[]).await?.map_or(0, |(done, _)| done.number());
        if before > 0 {
            return Ok(false);
        }
        let first = [actor.become_in_one(), sql.to_owned(), "reset role".to_owned()];
        let after = self.desk.attempt(actor, Arranged::ByNobody(&first), &count, &[]).await?;
        Ok(after.is_ok_and(|(done, _)| done.number() > 0))
    }
}

fn named(column: &Column) -> String {
    format!("can read files of the other tenant by a row of their own that names them ({})", column.name)
}
