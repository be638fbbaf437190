//! That nothing was changed: the transaction's end as PostgreSQL tells it, and what the tables held before and after.

use serde::Serialize;

use crate::{desk::Desk, error::Error};

/// Tables of more bytes than this are not read twice; the transaction's end speaks for them.
const SMALL: u32 = 8 * 1024 * 1024;

/// What is there before the transaction.
#[derive(Debug)]
pub struct Before {
    tables: Vec<(String, Option<String>)>,
    sequences: Vec<Option<String>>,
}

/// What was there after it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// `aborted`, as PostgreSQL says of the transaction that everything happened in.
    pub transaction: String,
    /// Tables whose contents were compared.
    pub compared: usize,
    /// Those of them that are not as they were: somebody else's work, when the transaction was aborted.
    pub changed: Vec<String>,
    /// Sequences that are further than before: no transaction takes that back.
    pub advanced: Vec<String>,
}

impl Before {
    /// Reads it.
    pub async fn read(desk: &mut Desk, schemas: &[String]) -> Result<Self, Error> {
        // The query knows by a setting what is small.
        desk.run(&format!("set rls_probe.small = {SMALL}")).await?;
        let list = desk.text(
            "select coalesce(string_agg(format('%I.%I', n.nspname, c.relname), E'\\n' order by c.oid), '')
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind = 'r' and n.nspname = any ($1) and has_table_privilege(c.oid, 'select')
               and pg_relation_size(c.oid) <= current_setting('rls_probe.small')::int8",
            schemas,
        );
        let names: Vec<_> = list.await?.lines().map(str::to_owned).collect();
        let contents = contents(desk, &names).await?;
        Ok(Self { tables: names.into_iter().zip(contents).collect(), sequences: sequences(desk).await? })
    }

    /// Holds it against what is there now.
    pub async fn compare(self, desk: &mut Desk, transaction: String) -> Result<Proof, Error> {
        let (names, before): (Vec<_>, Vec<_>) = self.tables.into_iter().unzip();
        let after = contents(desk, &names).await?;
        let sequences = sequences(desk).await?;
        let moved = sequences.into_iter().filter(|sequence| !self.sequences.contains(sequence)).flatten();
        let changed = names.iter().zip(before.into_iter().zip(after)).filter(|(_, (before, after))| before != after);
        Ok(Proof {
            transaction,
            compared: names.len(),
            changed: changed.map(|(name, _)| name.clone()).collect(),
            advanced: moved.map(|moved| moved.split(' ').next().unwrap_or_default().to_owned()).collect(),
        })
    }
}

async fn contents(desk: &mut Desk, names: &[String]) -> Result<Vec<Option<String>>, Error> {
    let each = names.iter().map(|name| {
        format!("select md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) from {name} t")
    });
    desk.each(&each.collect::<Vec<_>>().join(";\n")).await
}

async fn sequences(desk: &mut Desk) -> Result<Vec<Option<String>>, Error> {
    let last =
        "select format('%I.%I %s', schemaname, sequencename, coalesce(last_value, 0)) from pg_sequences order by 1";
    Ok(desk.run(last).await?.rows)
}
