//! Mutants that somebody has written down: a text of a source and what stands in its place.

use std::{fs, path::Path};

use serde::Deserialize;

use super::{Change, Class, Mutant};
use crate::{Error, setup::root};

/// A file of patches.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patches {
    patch: Vec<Patch>,
}

/// One change of one file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    name: String,
    /// Below the folder of its class; migrations end in `.sql`.
    file: String,
    /// Must be there exactly once.
    from: String,
    to: String,
    /// Steps whose promise it breaks, the one that it is about first; none where any may notice.
    #[serde(default)]
    breaks: Vec<String>,
}

/// The mutants of a file.
///
/// # Errors
/// When the file cannot be read, or a text is not there exactly once.
pub(super) fn of_file(path: &Path, only: Option<Class>) -> Result<Vec<Mutant>, Error> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let patches: Patches = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mutants: Vec<_> = patches.patch.into_iter().map(mutant).collect::<Result<_, _>>()?;
    Ok(mutants.into_iter().filter(|mutant| only.is_none_or(|only| only == mutant.class)).collect())
}

fn mutant(patch: Patch) -> Result<Mutant, Error> {
    let class =
        if Path::new(&patch.file).extension().is_some_and(|ending| ending == "sql") { Class::Sql } else { Class::Web };
    let source = fs::read_to_string(root().join(class.folder()).join(&patch.file))?;
    let mut places = source.match_indices(&patch.from);
    let (Some((start, _)), None) = (places.next(), places.next()) else {
        return Err(format!("{}: the text to be replaced is not in {} exactly once", patch.name, patch.file).into());
    };
    let change = Change { operator: patch.name.into(), range: start..start + patch.from.len(), by: patch.to };
    Ok(Mutant { class, file: patch.file, source, change, breaks: patch.breaks, about: Vec::new() })
}
