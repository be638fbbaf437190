//! Schemas to probe: the portal's, and those of `tests/schemas`, each on the platform's own.

use std::fs;

use portal::{Grants, Portal};
use rls_probe::{Report, Tenancy, probe};
use serde::Deserialize;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::held::root;

/// A database with a schema.
pub struct Schema {
    pub portal: Portal,
    _folder: TempDir,
}

impl Schema {
    /// The schema that `sql` makes.
    pub async fn of(sql: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("20260101000000_schema.sql"), sql).unwrap();
        let seed = folder.path().join("seed.txt");
        fs::write(&seed, "").unwrap();
        let portal = Portal::builder()
            .migrations(folder.path().to_owned())
            .seed(seed)
            .grants(Grants::Explicit)
            .start()
            .await
            .unwrap();
        Self { portal, _folder: folder }
    }

    pub async fn probe(&self, tenancy: &Tenancy, migration: Option<&str>) -> Report {
        probe(self.portal.database_url(), tenancy, migration).await.unwrap()
    }
}

/// The portal's tenancy, as its contract says it.
pub fn of_portal() -> Tenancy {
    #[derive(Deserialize)]
    struct Contract {
        tenancy: Tenancy,
    }
    let text = fs::read_to_string(root().join("fixtures/sacco-plus.toml")).unwrap();
    toml::from_str::<Contract>(&text).unwrap().tenancy
}

/// The migrations that make these holes in the portal's schema.
pub fn holes(names: &[&str]) -> String {
    let read = |name: &&str| fs::read_to_string(root().join(format!("fixtures/portal/holes/{name}.sql"))).unwrap();
    names.iter().map(read).collect::<Vec<_>>().join("\n")
}

/// Runs SQL as one who may.
pub async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
