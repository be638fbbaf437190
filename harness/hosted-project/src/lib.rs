//! What a hosted Supabase project has before anybody's migration, as far as migrations name it: extensions, something that
//! stands in for those that this server has not, and a file taken apart into its statements. It knows no database.

mod extensions;
mod statements;

pub use extensions::{ALWAYS, Extensions, is_there_already};
pub use statements::{Statement, statements};
