//! What a hosted Supabase project has before anybody's migration, as far as migrations name it: services, extensions,
//! something that stands in for those that this server has not, and a file taken apart into its statements. It knows no
//! database.

mod extensions;
mod statements;

/// Storage, Realtime and hooks: SQL that is run after the schemas and roles that it names.
pub const SERVICES: &str = include_str!("services.sql");

pub use extensions::{ALWAYS, Extensions, is_there_already};
pub use statements::{Statement, statements};
