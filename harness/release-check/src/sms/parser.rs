//! A parser in a database of its own: the embedded portal's, or that of somebody's migrations.

use std::path::Path;

use portal::Portal;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{Error, Usage};

/// A parser that runs.
pub struct Parser {
    database: PgConnection,
    function: String,
    // Dropped, it takes its database along.
    _portal: Portal,
}

impl Parser {
    /// The embedded portal's.
    ///
    /// # Errors
    /// Why PostgreSQL does not start.
    pub async fn embedded() -> Result<Self, Error> {
        let portal = Portal::builder().start().await?;
        Self::of(portal, "public.parse_sms_deterministic").await
    }

    /// That of a folder of migrations.
    ///
    /// # Errors
    /// Why they cannot be applied, or that they have no such function.
    pub async fn in_migrations(folder: &Path, function: &str) -> Result<Self, Error> {
        let is_name =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !function.split('.').all(is_name) || function.split('.').count() > 2 {
            return Err(Usage::error(format!(
                "--function {function:?} is no name of a function\nexpected one like public.parse_sms"
            )));
        }
        let portal = Portal::builder().migrations(folder).start().await?;
        let mut parser = Self::of(portal, function).await?;
        if parser.read(&["hello".to_owned()]).await.is_err() {
            return Err(Usage::error(format!(
                "{} have no function {function}(text) that answers with an object\nname it with --function",
                folder.display()
            )));
        }
        Ok(parser)
    }

    async fn of(portal: Portal, function: &str) -> Result<Self, Error> {
        let database = PgConnection::connect(portal.database_url()).await?;
        Ok(Self { database, function: function.to_owned(), _portal: portal })
    }

    /// What it makes of texts, in their order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn read(&mut self, texts: &[String]) -> Result<Vec<Value>, Error> {
        // PostgreSQL has no place for this letter.
        let texts: Vec<_> = texts.iter().map(|text| text.replace('\0', "")).collect();
        let query = format!(
            "select coalesce(to_jsonb({}(v.text)), '{{}}') from unnest($1::text[]) with ordinality as v(text, at) order by v.at",
            self.function
        );
        Ok(sqlx::query_scalar(AssertSqlSafe(query)).bind(texts).fetch_all(&mut self.database).await?)
    }
}
