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

/// Schemas of the platform, whose objects migrations may make once more.
const PLATFORM: [&str; 10] = [
    "auth",
    "storage",
    "realtime",
    "vault",
    "extensions",
    "graphql",
    "graphql_public",
    "pgsodium",
    "supabase_functions",
    "supabase_realtime",
];

/// What is known of a server's extensions.
#[derive(Debug)]
pub struct Extensions {
    available: BTreeSet<String>,
    stood_in: BTreeSet<String>,
}

impl Extensions {
    /// With those that the server can install.
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

    /// The extensions that something stands in for.
    pub fn stood_in(&self) -> impl Iterator<Item = &str> {
        self.stood_in.iter().map(String::as_str)
    }

    /// Whether a statement makes an index of a kind that only a missing extension has.
    pub fn is_index_of_missing(&self, sql: &str) -> bool {
        let sql = sql.to_lowercase();
        let kinds = ["hnsw", "ivfflat", "vector_", "halfvec_", "gist", "geometry", "geography"];
        let is_index = sql.trim_start().starts_with("create index");
        is_index
            && ["vector", "postgis"].iter().any(|name| self.stood_in.contains(*name))
            && kinds.iter().any(|kind| sql.contains(kind))
    }

    /// A block's text without the extensions that it makes and that are missing, and what stands in for them.
    fn without_missing(&mut self, sql: &str) -> String {
        static WITHIN: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?is)\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?"?([\w-]+)"?[^;']*;"#)
                .expect("a pattern")
        });
        let mut instead = String::new();
        let block =
            WITHIN.replace_all(sql, |named: &regex::Captures<'_>| match self.missing(&named[1].to_lowercase()) {
                None => named[0].to_owned(),
                Some(stand_in) => {
                    instead += stand_in;
                    "null;".to_owned()
                }
            });
        format!("{instead}{block}")
    }

    /// A statement as it can be run here: without what is of an extension that is missing.
    pub fn translated(&mut self, sql: &str) -> String {
        static BLOCK: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(?is)^\s*(?:--[^\n]*\n\s*)*do\b").expect("a pattern"));
        static CREATE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?is)^\s*(?:--[^\n]*\n\s*)*create\s+extension\s+(?:if\s+not\s+exists\s+)?"?([\w-]+)"?"#)
                .expect("a pattern")
        });
        static OF_EXTENSION: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?is)^\s*(?:comment\s+on|alter|drop)\s+extension\s+(?:if\s+exists\s+)?"?([\w-]+)"?"#)
                .expect("a pattern")
        });
        static PLACE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?i)(?:\bextensions\.)?\b(geometry|geography)\s*\([^()]*\)").expect("a pattern")
        });
        if let Some(named) = CREATE.captures(sql) {
            return self.missing(&named[1].to_lowercase()).map_or_else(|| sql.to_owned(), str::to_owned);
        }
        if BLOCK.is_match(sql) && sql.to_lowercase().contains("create extension") {
            return self.without_missing(sql);
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

/// Whether the server refused to make, by this SQLSTATE, what the platform has already.
pub fn is_there_already(sql: &str, code: &str) -> bool {
    let is_there = matches!(code, "42P06" | "42P07" | "42710" | "42723" | "42701" | "42P16");
    let head: String = sql.trim_start().to_lowercase().chars().take(120).collect();
    let names = |schema: &str| {
        let places = [
            format!("{schema}."),
            format!("{schema}\"."),
            format!("schema {schema}"),
            format!("publication {schema}"),
            format!("publication \"{schema}"),
            format!("schema \"{schema}"),
        ];
        places.iter().any(|place| head.contains(place))
    };
    is_there && PLATFORM.iter().any(|schema| names(schema))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_makes_only_what_can_be_made() {
        let mut extensions = Extensions::new(["pgcrypto".to_owned()]);
        let block = "do $$ begin\n  create extension if not exists pg_cron with schema pg_catalog;\n  create extension pgcrypto;\nend $$;";
        let translated = extensions.translated(block);
        assert!(translated.starts_with("create schema if not exists cron;"), "{translated}");
        assert!(translated.ends_with("do $$ begin\n  null;\n  create extension pgcrypto;\nend $$;"), "{translated}");
        assert_eq!(Vec::from_iter(extensions.stood_in()), ["pg_cron"]);
    }

    #[test]
    fn only_what_is_the_platforms_may_be_made_twice() {
        assert!(is_there_already("create table storage.buckets (id text)", "42P07"));
        assert!(is_there_already("create publication supabase_realtime", "42710"));
        assert!(!is_there_already("create table public.storage_notes (id text)", "42P07"));
        assert!(!is_there_already("create table storage.buckets (id nothing)", "42704"));
    }

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
            extensions.translated("create table t (p geography(point, 4326), q extensions.geometry(LINESTRING, 4326))"),
            "create table t (p extensions.geography, q extensions.geometry)"
        );
    }
}
