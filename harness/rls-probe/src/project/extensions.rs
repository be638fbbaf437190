//! Extensions that hosted projects have and this server has not: something stands in for each, so that what names it is
//! made. What would answer says that it is not there.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

/// What stands in for an extension; nothing for one that no table or policy needs.
fn stand_in(extension: &str) -> &'static str {
    match extension {
        "vector" => include_str!("stand-ins/vector.sql"),
        "pg_cron" => include_str!("stand-ins/pg_cron.sql"),
        "pg_net" => include_str!("stand-ins/pg_net.sql"),
        "http" => include_str!("stand-ins/http.sql"),
        "supabase_vault" => include_str!("stand-ins/supabase_vault.sql"),
        "postgis" => include_str!("stand-ins/postgis.sql"),
        "pgjwt" => include_str!("stand-ins/pgjwt.sql"),
        "pgmq" => include_str!("stand-ins/pgmq.sql"),
        "pg_jsonschema" => include_str!("stand-ins/pg_jsonschema.sql"),
        _ => "",
    }
}

/// Extensions that a hosted project has without being asked.
pub const ALWAYS: [&str; 3] = ["supabase_vault", "pg_net", "pgjwt"];

/// What is known of a server's extensions.
pub struct Extensions {
    available: BTreeSet<String>,
    stood_in: BTreeSet<String>,
}

impl Extensions {
    pub fn new(available: impl IntoIterator<Item = String>) -> Self {
        Self { available: available.into_iter().collect(), stood_in: BTreeSet::new() }
    }

    /// What stands in for an extension, the first time that it is asked for; none for one that is there.
    pub fn missing(&mut self, extension: &str) -> Option<&'static str> {
        if self.available.contains(extension) {
            return None;
        }
        Some(if self.stood_in.insert(extension.to_owned()) { stand_in(extension) } else { "" })
    }

    /// A statement as it can be run here: without what is of an extension that is missing.
    pub fn translated(&mut self, sql: &str) -> String {
        static CREATE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?is)^\s*(?:--[^\n]*\n\s*)*create\s+extension\s+(?:if\s+not\s+exists\s+)?"?([\w-]+)"?"#)
                .expect("a pattern")
        });
        static OF_EXTENSION: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?is)^\s*(?:comment\s+on|alter|drop)\s+extension\s+(?:if\s+exists\s+)?"?([\w-]+)"?"#)
                .expect("a pattern")
        });
        static PLACE: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(?i)\b(geometry|geography)\s*\([^()]*\)").expect("a pattern"));
        if let Some(named) = CREATE.captures(sql) {
            return self.missing(&named[1].to_lowercase()).map_or_else(|| sql.to_owned(), str::to_owned);
        }
        if OF_EXTENSION.captures(sql).is_some_and(|named| !self.available.contains(&named[1].to_lowercase())) {
            return String::new();
        }
        if self.stood_in.contains("postgis") {
            return PLACE.replace_all(sql, "extensions.$1").into_owned();
        }
        sql.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_stood_in_for_once() {
        let mut extensions = Extensions::new(["pgcrypto".to_owned()]);
        let own = "create extension if not exists pgcrypto with schema extensions;";
        assert_eq!(extensions.translated(own), own);
        assert!(
            extensions
                .translated("CREATE EXTENSION IF NOT EXISTS \"vector\";")
                .contains("create type extensions.vector")
        );
        assert_eq!(extensions.translated("create extension vector"), "");
        assert_eq!(extensions.translated("comment on extension vector is 'x'"), "");
        extensions.translated("create extension postgis");
        assert_eq!(
            extensions.translated("create table t (p geography(point, 4326))"),
            "create table t (p extensions.geography)"
        );
    }
}
